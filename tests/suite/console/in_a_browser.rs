//! The rows of Bandwidth and Akeneo that are pages, in a real browser: things are found by the names that their readers see.

use rstest::rstest;

use super::bandwidth::link;
use super::visitor::opens;
use crate::harness::{Browser, Database, Looks, Server, TestUser};

const PASSWORD: &str = "correct-horse-battery-staple";

fn like(preset: &str) -> (Server, TestUser) {
    let server = Server::with(Database::Sqlite).set("preset", preset).start();
    let admin = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    (server, admin)
}

fn looks(script: bool) -> Looks {
    if script { Looks::default() } else { Looks::without_script() }
}

/// Presses the button of a form by its own name: `Save Changes`.
fn fill_form(browser: &Browser, fields: &[(&str, &str)]) {
    for (label, text) in fields {
        browser.fill(label, text);
    }
}

#[rstest]
fn bw1_to_bw5_an_api_user_is_made_field_by_field_in_a_browser(#[values(true, false)] script: bool) {
    let (server, admin) = like("bandwidth");
    let Some(browser) = Browser::signed_in(&server, &admin, looks(script)) else { return };
    browser.press("Users");
    browser.press("Add");
    browser.press("Save Changes");
    for label in ["Username", "First name", "Last name", "E-mail", "Work phone"] {
        browser.sees(label);
    }
    browser.sees("is required");
    fill_form(&browser, &[("Username", "jdoe"), ("First name", "Jay"), ("Last name", "Doe")]);
    fill_form(&browser, &[("E-mail", "jdoe@example.com"), ("Work phone", "(919) 555-1234")]);
    browser.choose("Kind", "API user, for a program");
    browser.tick("Allow user credentials to authenticate API");
    browser.press("Save Changes");
    browser.sees("is not written as telephone numbers are here");
    assert_eq!(browser.value("Last name"), "Doe", "what was typed is kept");
    fill_form(&browser, &[("Work phone", "9195551234"), ("Password", PASSWORD), ("The same again", PASSWORD)]);
    browser.press("Save Changes");
    browser.sees("Created.");
    browser.sees("A username never changes");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);

    // Both access methods together are warned of.
    browser.tick("Allow user to sign in to these pages");
    browser.press("Save Changes");
    browser.sees("Think about this");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);

    browser.press("Password");
    browser.press("Generate password");
    browser.sees("shown only now");
    browser.press("To the user's page");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 401, "rotated");
    fill_form(&browser, &[("New password", PASSWORD), ("The same again", PASSWORD)]);
    browser.press("Set password");
    browser.sees("Password set.");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);
}

#[rstest]
fn bw6_and_bw7_an_invited_user_verifies_their_address_and_chooses_a_password_in_a_browser(
    #[values(true, false)] script: bool,
) {
    let (server, admin) = like("bandwidth");
    let Some(browser) = Browser::signed_in(&server, &admin, looks(script)) else { return };
    browser.press("Users");
    browser.press("Add");
    fill_form(&browser, &[("Username", "jdoe"), ("First name", "Jay"), ("Last name", "Doe")]);
    fill_form(&browser, &[("E-mail", "jdoe@example.com"), ("Work phone", "9195551234")]);
    browser.tick("Allow user credentials to authenticate API");
    browser.press("Save Changes");
    browser.sees("A message with a link to verify the address is on its way.");
    browser.sees("not verified yet");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 401, "not usable before");

    // Somebody else, in a browser that nobody is signed in to.
    let Some(other) = Browser::start(&server, looks(script)) else { return };
    let follow = |kind: &str| {
        let secret = link(&server, kind);
        other.open(&format!("/console/link#{secret}"));
        // A script takes it from the address.
        if !script {
            other.fill("Secret of the link", &secret);
            other.press("Go on");
        }
    };
    follow("verify_email");
    other.sees("For the account jdoe");
    other.fill("Telephone number", "919-555-1234");
    other.press("Verify my address");
    other.sees("in the same format");
    other.fill("Telephone number", "9195551234");
    other.press("Verify my address");
    other.sees("Your address is verified.");
    follow("set_password");
    fill_form(&other, &[("New password", PASSWORD), ("The same again", PASSWORD)]);
    other.press("Set password");
    other.sees("Password set.");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);
    browser.reload();
    browser.does_not_see("not verified yet");
}

#[rstest]
fn bw8_and_bw9_roles_and_accounts_are_toggled_in_a_browser(#[values(true, false)] script: bool) {
    let (server, admin) = like("bandwidth");
    server.run(async |context, by| {
        grantor::admin::organizations::create(context, by, "Granted", "granted").await.unwrap();
    });
    let jdoe = server.api_user().username("jdoe").password(PASSWORD).create();
    let Some(browser) = Browser::signed_in(&server, &admin, looks(script)) else { return };
    browser.press("Users");
    browser.press(&jdoe.username);
    browser.press("Roles");
    browser.open(&format!("/console/users/{}/roles", jdoe.id));
    browser.sees("permits api:access");
    browser.tick("api user");
    browser.press("Save Changes");
    browser.sees("Saved.");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 403);
    browser.tick("api user");
    browser.press("Save Changes");
    browser.sees("Saved.");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);

    browser.open(&format!("/console/users/{}/organizations", jdoe.id));
    browser.press("Add");
    browser.sees("Saved.");
    browser.sees("Granted");
    browser.press_in("Granted", "End");
    browser.press_in("Granted", "End membership");
    browser.sees("Membership ended.");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);
}

#[rstest]
fn bw3_a_basic_user_is_told_that_they_may_not(#[values(true, false)] script: bool) {
    let (server, _) = like("bandwidth");
    let user = server.person().create();
    let Some(browser) = Browser::signed_in(&server, &user, looks(script)) else { return };
    assert!(!browser.has_button("Users"), "the menu does not lead there");
    browser.open("/console/users");
    browser.sees("You may not do that");
    browser.open("/console/profile");
    browser.fill("Display name", "Myself");
    browser.press("Save Changes");
    browser.sees("Saved.");
    assert_eq!(opens(&server, &user.username, &user.password), 200);
}

#[rstest]
fn ak1_to_ak3_a_role_opens_the_web_api_for_its_user_in_a_browser(#[values(true, false)] script: bool) {
    let (server, admin) = like("akeneo");
    let Some(browser) = Browser::signed_in(&server, &admin, looks(script)) else { return };
    browser.press("Users");
    browser.press("Create user");
    fill_form(&browser, &[("Username", "myAPIuser"), ("Password", PASSWORD), ("The same again", PASSWORD)]);
    browser.choose("Kind", "API user, for a program");
    browser.tick("Allow user credentials to authenticate API");
    browser.press("Save");
    browser.sees("Created.");
    // Without the role that it got by itself it opens nothing.
    let own = browser.path().split('?').next().unwrap().to_owned();
    browser.open(&format!("{own}/roles"));
    browser.tick("api user");
    browser.press("Save");
    browser.sees("Saved.");
    assert_eq!(opens(&server, "myAPIuser", PASSWORD), 403);

    browser.open("/console/");
    browser.press("Roles");
    browser.press("Create role");
    browser.fill("Name", "My API user role");
    browser.press("Save");
    browser.sees("Created.");
    browser.tick("Overall Web API access");
    browser.press("Save");
    browser.sees("Saved.");
    let role = browser.path().split('?').next().unwrap().replace("/permissions", "");
    browser.open(&format!("{role}/users"));
    browser.tick("myAPIuser");
    browser.press("Save");
    browser.sees("Saved.");
    assert_eq!(opens(&server, "myAPIuser", PASSWORD), 200);

    // A name is given once.
    browser.open("/console/roles/new");
    browser.fill("Name", "My API user role");
    browser.press("Save");
    browser.sees("is taken");
}
