//! The rows of Bandwidth and Akeneo that are pages, in a real browser: things are found by the names that their readers see.

use base64::Engine;
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
    let numbers = server.run(async |context, by| {
        let granted = grantor::admin::organizations::create(context, by, "Granted", "granted").await.unwrap();
        let other = grantor::admin::organizations::create(context, by, "Other", "other").await.unwrap();
        (granted.number, other.number)
    });
    let account = |number: i64| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("jdoe:{PASSWORD}"));
        let authorization = format!("Basic {pair}");
        server.get(&format!("/api/v1/organizations/{number}"), &[("Authorization", &authorization)]).status
    };
    let jdoe = server.api_user().username("jdoe").password(PASSWORD).create();
    let Some(browser) = Browser::signed_in(&server, &admin, looks(script)) else { return };
    browser.press("Users");
    browser.press(&jdoe.username);
    browser.press_in("jdoe", "Roles");
    browser.sees("permits api:access");
    browser.tick("api user");
    browser.press("Save Changes");
    browser.sees("Saved.");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 403);
    browser.tick("api user");
    browser.press("Save Changes");
    browser.sees("Saved.");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);

    browser.press_in("jdoe", "Accounts");
    let granted = format!("Granted ({})", numbers.0);
    assert_eq!((account(numbers.0), account(numbers.1)), (404, 404));
    browser.choose("Add to", &granted);
    browser.press("Add");
    browser.sees("Saved.");
    browser.sees("Granted");
    assert_eq!((account(numbers.0), account(numbers.1)), (200, 404));
    browser.press_in("Granted", "End");
    browser.press_in("Granted", "End membership");
    browser.sees("Membership ended.");
    assert_eq!((account(numbers.0), account(numbers.1)), (404, 404));
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
    browser.does_not_see("Think about this");
    // Without the role that it got by itself it opens nothing.
    browser.press_in("myAPIuser", "Roles");
    browser.tick("api user");
    browser.press("Save");
    browser.sees("Saved.");
    assert_eq!(opens(&server, "myAPIuser", PASSWORD), 403);

    // An API role belongs to an API user: given to a person it is warned of.
    browser.press("Users");
    browser.press("Create user");
    fill_form(&browser, &[("Username", "julia"), ("Password", PASSWORD), ("The same again", PASSWORD)]);
    browser.tick("Allow user credentials to authenticate API");
    browser.tick("api user");
    browser.press("Save");
    browser.sees("Created.");
    browser.sees("Think about this: an API role goes to a person");

    // The document's steps in their order: tick, go to the tab Users, tick, save.
    browser.press_in("Menu", "Roles");
    browser.press("Create role");
    browser.fill("Name", "My API user role");
    browser.press("Save");
    browser.sees("Created.");
    browser.tick("Overall Web API access");
    browser.press_in("My API user role", "Users");
    browser.sees("Tick who is to have the role.");
    browser.tick("myAPIuser");
    browser.press("Save");
    browser.sees("Saved.");
    assert_eq!(opens(&server, "myAPIuser", PASSWORD), 200);
    // A tab that nothing was changed on is left without a word, and what was typed on another one is kept.
    browser.press_in("My API user role", "General");
    browser.sees("Description");
    browser.does_not_see("Saved.");
    browser.fill("Name", "My API role\u{e007}");
    browser.sees("Saved.");
    assert!(!browser.path().contains("permissions"), "Enter saves, and goes nowhere");
    // After a while the password is asked for, and the way goes on from there.
    browser.fill("Description", "For the connector");
    browser.press_in("My API role", "Web API permissions");
    browser.sees("Saved.");
    server.clock.advance(400);
    browser.tick("audit:read");
    browser.press_in("My API role", "Users");
    browser.sees("Is it you?");
    browser.fill("Password", &admin.password);
    browser.press("Confirm");
    browser.sees("Tick who is to have the role.");
    browser.press_in("My API role", "Web API permissions");
    browser.tick("audit:read");
    browser.press("Save");
    browser.sees("Saved.");
    browser.press_in("Menu", "Roles");
    browser.sees("For the connector");

    // A name is given once.
    browser.press("Create role");
    browser.fill("Name", "My API role");
    browser.press("Save");
    browser.sees("is taken");
}

#[rstest]
fn bw4_access_methods_open_the_doors_that_they_name_in_a_browser(#[values(true, false)] script: bool) {
    let (server, admin) = like("bandwidth");
    let change = |user: &mut grantor::admin::users::UserRequest| {
        (user.first_name, user.last_name) = ("Jay".to_owned(), "Doe".to_owned());
        (user.email, user.phone) = (Some("jdoe@example.com".to_owned()), Some("9195551234".to_owned()));
    };
    let jdoe = server.api_user().username("jdoe").password(PASSWORD).change(change).create();
    let Some(browser) = Browser::signed_in(&server, &admin, looks(script)) else { return };
    let Some(other) = Browser::start(&server, looks(script)) else { return };
    let sign_in = || {
        other.open("/console/sign-in");
        fill_form(&other, &[("Username", &jdoe.username), ("Password", PASSWORD)]);
        other.press("Sign in");
    };
    sign_in();
    other.sees("do not open an account here");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200, "API alone");
    browser.press("Users");
    browser.press("jdoe");
    browser.tick("Allow user credentials to authenticate API");
    browser.tick("Allow user to sign in to these pages");
    browser.press("Save Changes");
    browser.sees("Saved.");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 401, "the console alone");
    sign_in();
    other.wait_for_path("/console/");
    other.sees("jdoe");
}

#[rstest]
fn a_new_account_gets_roles_and_further_accounts_in_the_form_that_makes_it(#[values(true, false)] script: bool) {
    let (server, admin) = like("bandwidth");
    let number = server.run(async |context, by| {
        grantor::admin::organizations::create(context, by, "Granted", "granted").await.unwrap().number
    });
    let Some(browser) = Browser::signed_in(&server, &admin, looks(script)) else { return };
    server.clock.advance(400);
    browser.press("Users");
    browser.press("Add");
    fill_form(&browser, &[("Username", "jdoe"), ("First name", "Jay"), ("Last name", "Doe")]);
    fill_form(&browser, &[("E-mail", "jdoe@example.com"), ("Work phone", "9195551234")]);
    browser.choose("Kind", "API user, for a program");
    fill_form(&browser, &[("Password", PASSWORD), ("The same again", PASSWORD)]);
    browser.tick("Allow user credentials to authenticate API");
    browser.sees("Accounts");
    browser.tick("Granted");
    browser.tick("api user");
    browser.fill("Your own password", "not the password");
    browser.press("Save Changes");
    browser.sees("is not yours");
    assert_eq!((browser.value("Username"), browser.value("Password")), ("jdoe".to_owned(), String::new()));
    fill_form(&browser, &[("Password", PASSWORD), ("The same again", PASSWORD)]);
    browser.fill("Your own password", &admin.password);
    browser.press("Save Changes");
    browser.sees("Created.");
    browser.press_in("jdoe", "Accounts");
    browser.sees("Granted");
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("jdoe:{PASSWORD}"));
    let headers = [("Authorization", format!("Basic {pair}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(server.get(&format!("/api/v1/organizations/{number}"), &headers).status, 200);
}

#[rstest]
fn an_account_is_disabled_enabled_unlocked_and_deleted_in_a_browser(#[values(true, false)] script: bool) {
    let server = Server::start(Database::Sqlite);
    let admin = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let robot = server.api_user().username("robot").password(PASSWORD).create();
    let Some(browser) = Browser::signed_in(&server, &admin, looks(script)) else { return };
    browser.press("Users");
    browser.press("robot");
    browser.press("Disable the account");
    browser.sees("Every token and session of it ends at once.");
    browser.press("Disable");
    browser.sees("Disabled.");
    assert_eq!(opens(&server, "robot", PASSWORD), 401);
    browser.press("Enable");
    browser.sees("Enabled.");
    assert_eq!(opens(&server, "robot", PASSWORD), 200);
    server.run(async |context, by| {
        let locked = grantor::model::user::UserStatus::Locked;
        grantor::admin::users::set_status(context, by, &robot.id, locked).await.unwrap();
    });
    browser.press_in("Menu", "Users");
    browser.press("robot");
    browser.sees("Too many failed sign-ins have locked it.");
    // After a while the password is asked for once more.
    server.clock.advance(400);
    browser.press("Unlock");
    browser.sees("Is it you?");
    browser.fill("Password", &admin.password);
    browser.press("Confirm");
    browser.sees("Unlocked.");
    assert_eq!(opens(&server, "robot", PASSWORD), 200);
    browser.press("Usage");
    browser.sees("The last 48 hours");
    browser.press_in("robot", "General");
    browser.press("Delete the account");
    browser.sees("It does not come back");
    browser.press("Delete");
    browser.sees("Deleted.");
    browser.does_not_see("robot");
    assert_eq!(opens(&server, "robot", PASSWORD), 401);
}

#[rstest]
fn on_a_telephone_the_menu_opens_when_it_is_asked_for(#[values(true, false)] script: bool) {
    let (server, admin) = like("bandwidth");
    let Some(browser) = Browser::signed_in(&server, &admin, Looks { width: 360, ..looks(script) }) else { return };
    assert!(!browser.has_button("Users"), "the page comes first");
    browser.press("Menu");
    browser.press("Users");
    browser.wait_for_path("/console/users");
    assert!(!browser.has_button("Users"), "it is closed again");
}
