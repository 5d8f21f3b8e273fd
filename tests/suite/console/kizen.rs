//! Kizen's document, walked in a browser: My Profile, API Connections, + Add API key.

use rstest::rstest;

use crate::harness::{Answer, Browser, Database, Looks, Server, TestUser};

/// A key with its two ids, as a page has shown them.
#[derive(Clone)]
struct Shown {
    key: String,
    user: String,
    business: String,
}

impl Shown {
    fn on(browser: &Browser) -> Self {
        Self { key: browser.value("API Key"), user: browser.value("User ID"), business: browser.value("Business ID") }
    }

    /// What the row of the key begins with.
    fn prefix(&self) -> &str {
        &self.key[..12]
    }

    fn me(&self, server: &Server) -> Answer {
        let headers = [("X-API-Key", &*self.key), ("X-User-ID", &*self.user), ("X-Business-ID", &*self.business)];
        server.get("/api/v1/me", &headers)
    }
}

fn kizen(role: &str) -> (Server, TestUser) {
    let server = Server::with(Database::Sqlite).set("preset", "kizen").start();
    let user = server.person().change(|new| new.roles = vec![role.to_owned()]).create();
    (server, user)
}

fn at_the_panel(server: &Server, user: &TestUser, script: bool) -> Option<Browser> {
    let browser = Browser::signed_in(server, user, Looks { script, ..Looks::default() })?;
    to_the_panel(&browser, user);
    Some(browser)
}

/// The avatar, My Profile, the tab API Connections.
fn to_the_panel(browser: &Browser, user: &TestUser) {
    browser.press(&format!("{} {}", &user.username[..1], user.username));
    browser.press("My Profile");
    browser.press("API Connections");
    browser.wait_for_path("/console/profile/api-keys");
}

fn add(browser: &Browser) -> Shown {
    browser.press("+ Add API key");
    browser.sees("API Key Created");
    let shown = Shown::on(browser);
    // Back to the panel.
    browser.press("API Keys");
    browser.wait_for_path("/console/profile/api-keys");
    shown
}

#[rstest]
fn kz1_without_the_permission_there_is_no_tab_and_the_address_is_refused(#[values(true, false)] script: bool) {
    let (server, user) = kizen("api user");
    let Some(browser) = Browser::signed_in(&server, &user, Looks { script, ..Looks::default() }) else { return };
    browser.press(&format!("{} {}", &user.username[..1], user.username));
    browser.press("My Profile");
    assert!(browser.has_button("Password") && !browser.has_button("API Connections"));
    browser.open("/console/profile/api-keys");
    browser.sees("You may not do that");
    browser.sees("api_keys:manage");
    let (server, user) = kizen("developer");
    at_the_panel(&server, &user, script);
}

#[rstest]
fn kz2_one_click_makes_a_key_and_the_dialog_has_three_values_to_copy(#[values(true, false)] script: bool) {
    let (server, user) = kizen("developer");
    let Some(browser) = at_the_panel(&server, &user, script) else { return };
    browser.sees("There are no keys yet.");
    browser.press("+ Add API key");
    browser.sees("API Key Created");
    let shown = Shown::on(&browser);
    assert!(shown.key.starts_with("gr_ak_"));
    assert_eq!(shown.user, user.id);
    if script {
        for name in ["Copy API Key", "Copy User ID", "Copy Business ID"] {
            browser.press(name);
        }
        browser.sees("Copied");
    }
    let who = shown.me(&server).ok().json();
    assert_eq!((&who["sub"], &who["organization_id"]), (&shown.user.into(), &shown.business.into()));
}

#[rstest]
fn kz3_the_panel_lists_when_each_of_several_keys_was_made_and_used(#[values(true, false)] script: bool) {
    let (server, user) = kizen("developer");
    let Some(browser) = at_the_panel(&server, &user, script) else { return };
    let (first, second) = (add(&browser), add(&browser));
    first.me(&server).ok();
    server.run(async |context, _| context.store_collected(true).await.unwrap());
    browser.reload();
    let text = browser.text();
    for heading in ["Name", "Created", "Last used", first.prefix(), second.prefix(), "2 of 2"] {
        assert!(text.contains(heading), "{heading}: {text}");
    }
    assert!(text.matches("UTC").count() >= 3, "two were made, one was used: {text}");
    assert_eq!(text.matches("never").count(), 1, "{text}");
    assert!(!text.contains(&first.key) && !text.contains(&second.key));
    second.me(&server).ok();
}

#[rstest]
fn kz4_view_full_key_asks_who_it_is_and_shows_the_same_key(#[values(true, false)] script: bool) {
    let (server, user) = kizen("developer");
    let Some(browser) = at_the_panel(&server, &user, script) else { return };
    let (first, second) = (add(&browser), add(&browser));
    browser.press_in(first.prefix(), "View full key");
    assert_eq!(browser.value("API Key"), first.key, "the password was given a moment ago");
    server.clock.advance(301);
    to_the_panel(&browser, &user);
    browser.press_in(second.prefix(), "View full key");
    browser.sees("Is it you?");
    browser.fill("Password", "not the password");
    browser.press("Confirm");
    browser.sees("Password is not yours");
    browser.fill("Password", &user.password);
    browser.press("Confirm");
    browser.sees("stands in the audit log");
    assert_eq!(browser.value("API Key"), second.key);
    let revealed = grantor::admin::audit::Filter {
        action: Some("api_key.revealed".to_owned()),
        ..grantor::admin::audit::Filter::default()
    };
    let events = server.run(async |context, by| {
        use grantor::admin::audit::{From, list};
        list(context, by, &revealed, From::Newest, 10).await.unwrap().events
    });
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].actor, user.id);
    second.me(&server).ok();
}

#[rstest]
fn kz5_a_deleted_key_is_refused_at_the_next_call_and_the_other_works(#[values(true, false)] script: bool) {
    let (server, user) = kizen("developer");
    let Some(browser) = at_the_panel(&server, &user, script) else { return };
    let (gone, stays) = (add(&browser), add(&browser));
    gone.me(&server).ok();
    browser.press_in(gone.prefix(), "Disable");
    browser.sees("Disabled.");
    assert_eq!(gone.me(&server).status, 401);
    browser.press_in(gone.prefix(), "Enable");
    browser.sees("Enabled.");
    gone.me(&server).ok();
    browser.press_in(gone.prefix(), "Delete");
    browser.press_in(gone.prefix(), "Delete key");
    browser.sees("Deleted.");
    browser.does_not_see(gone.prefix());
    assert_eq!(gone.me(&server).status, 401);
    stays.me(&server).ok();
}

#[rstest]
fn kz6_both_ids_are_there_with_no_key_too(#[values(true, false)] script: bool) {
    let (server, user) = kizen("developer");
    let Some(browser) = at_the_panel(&server, &user, script) else { return };
    assert_eq!(browser.value("User ID"), user.id);
    let business = browser.value("Business ID");
    let made = add(&browser);
    assert_eq!(made.business, business);
    made.me(&server).ok();
}

#[rstest]
fn kz7_each_of_the_three_values_is_needed(#[values(true, false)] script: bool) {
    let (server, user) = kizen("developer");
    let Some(browser) = at_the_panel(&server, &user, script) else { return };
    let right = add(&browser);
    right.me(&server).ok();
    let all = [("X-API-Key", &*right.key), ("X-User-ID", &*right.user), ("X-Business-ID", &*right.business)];
    for (missing, _) in all {
        let others: Vec<(&str, &str)> = all.into_iter().filter(|(name, _)| *name != missing).collect();
        assert_eq!(server.get("/api/v1/me", &others).status, 401, "without {missing}");
    }
    let wrong_key = Shown { key: right.key.replace("gr_ak_", "gr_ak_x"), ..right.clone() };
    let wrong_user = Shown { user: right.business.clone(), ..right.clone() };
    for wrong in [&wrong_key, &wrong_user] {
        assert_eq!(wrong.me(&server).status, 401);
    }
    let wrong_business = Shown { business: right.user.clone(), ..right.clone() };
    assert_eq!(wrong_business.me(&server).status, 403);
}

#[rstest]
fn kz8_an_administrator_makes_a_key_for_an_api_user(#[values(true, false)] script: bool) {
    let (server, admin) = kizen("administrator");
    let program = server.api_user().create();
    let Some(browser) = Browser::signed_in(&server, &admin, Looks { script, ..Looks::default() }) else { return };
    let to_panel = |username: &str| {
        browser.press_in("Menu", "Users");
        browser.press(username);
        browser.press_in(username, "API Keys");
    };
    to_panel(&program.username);
    browser.sees(&format!("API Keys of {}", program.username));
    assert_eq!(browser.value("User ID"), program.id);
    browser.press("+ Add API key");
    browser.sees("API Key Created");
    let shown = Shown::on(&browser);
    let who = shown.me(&server).ok().json();
    assert_eq!(who["username"], program.username.as_str());
    server.clock.advance(301);
    to_panel(&program.username);
    browser.press_in(shown.prefix(), "Delete");
    browser.press_in(shown.prefix(), "Delete key");
    browser.sees("Is it you?");
    browser.fill("Password", &admin.password);
    browser.press("Confirm");
    browser.sees("Deleted.");
    assert_eq!(shown.me(&server).status, 401);
    let person = server.person().create();
    to_panel(&person.username);
    browser.sees("People make their own");
    assert!(!browser.has_button("+ Add API key"));
}
