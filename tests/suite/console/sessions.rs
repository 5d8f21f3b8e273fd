//! Sign-in, sign-out, sessions, one-time links.

use rstest::rstest;

use crate::harness::{Browser, Database, Looks, Pages, Server};

#[rstest]
fn a_user_signs_in_with_script_and_without_and_signs_out(#[values(true, false)] script: bool) {
    let server = Server::start(Database::Sqlite);
    let user = server.person().create();
    let Some(browser) = Browser::start(&server, Looks { script, ..Looks::default() }) else { return };
    browser.open("/");
    browser.wait_for_path("/console/sign-in");
    browser.fill("Username", &user.username);
    browser.fill("Password", "not the password");
    browser.press("Sign in");
    browser.sees("do not open an account here");
    assert_eq!(browser.value("Username"), user.username);
    browser.fill("Password", &user.password);
    browser.press("Sign in");
    browser.wait_for_path("/console/");
    browser.sees(&user.username);
    browser.press(&format!("{} {}", user.username.chars().next().unwrap(), user.username));
    browser.press("Sign out");
    browser.sees("Signed out.");
    browser.open("/console/");
    browser.wait_for_path("/console/sign-in");
}

#[rstest]
fn signing_in_gives_the_browser_another_secret_and_signing_out_ends_it(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let user = server.person().create();
    let pages = Pages::visitor(&server);
    pages.get("/console/sign-in");
    let before = pages.cookie();
    assert_eq!(pages.sign_in(&user.username, &user.password).status, 303);
    let signed_in = pages.cookie();
    assert_ne!(before, signed_in);
    pages.get("/console/").ok();

    assert_eq!(pages.send("/console/profile", "/console/sign-out", &[]).status, 303);
    pages.set_cookie(&signed_in);
    let after = pages.get("/console/");
    assert_eq!((after.status, after.header("location")), (303, "/console/sign-in"));
}

#[rstest]
fn the_cookie_is_out_of_reach_of_scripts_and_bound_to_the_host_under_tls() {
    let server = Server::start(Database::Sqlite);
    let plain = server.get("/console/sign-in", &[]);
    let cookie = plain.header("set-cookie");
    assert!(cookie.starts_with("grantor_session=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    let server = Server::with(Database::Sqlite).set("issuer", "https://id.example.com").start();
    let secure = server.get("/console/sign-in", &[]);
    let cookie = secure.header("set-cookie");
    assert!(cookie.starts_with("__Host-grantor="), "{cookie}");
    for word in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[rstest]
fn whoever_has_no_access_to_the_console_is_refused_as_a_wrong_password_is(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let api_only = server.person().change(|user| user.access = vec!["api".to_owned()]).create();
    let pages = Pages::visitor(&server);
    let wrong = pages.sign_in(&api_only.username, "not the password");
    let right = pages.sign_in(&api_only.username, &api_only.password);
    assert_eq!((wrong.status, right.status), (422, 422));
    assert_eq!(wrong.body, right.body);
}

#[rstest]
fn what_ends_a_user_ends_their_sessions(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    use grantor::admin::{passwords, users};
    use grantor::model::user::UserStatus;
    let server = Server::start(db);
    for how in ["disabled", "password"] {
        let user = server.person().create();
        let pages = Pages::signed_in(&server, &user);
        pages.get("/console/").ok();
        server.run(async |context, by| {
            if how == "disabled" {
                users::set_status(context, by, &user.username, UserStatus::Disabled).await.unwrap();
            } else {
                passwords::set(context, by, &user.username, &"quite another passphrase".into()).await.unwrap();
            }
        });
        assert_eq!(pages.get("/console/").status, 303, "{how}");
    }
}

#[rstest]
fn a_session_ends_after_twelve_hours_without_a_page_and_after_seven_days_with_many(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let user = server.person().create();
    let pages = Pages::signed_in(&server, &user);
    server.clock.advance(12 * 3600 - 60);
    pages.get("/console/").ok();
    server.clock.advance(12 * 3600 + 60);
    assert_eq!(pages.get("/console/").status, 303);

    let pages = Pages::signed_in(&server, &user);
    for _ in 0..15 {
        server.clock.advance(11 * 3600);
        pages.get("/console/").ok();
    }
    server.clock.advance(4 * 3600);
    assert_eq!(pages.get("/console/").status, 303);
}

#[rstest]
fn changing_ones_password_ends_every_other_session_and_keeps_this_one(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let user = server.person().create();
    let (here, there) = (Pages::signed_in(&server, &user), Pages::signed_in(&server, &user));
    let page = "/console/profile/password";
    let change = |present: &str, new: &str, repeated: &str| {
        here.send(page, page, &[("present_password", present), ("password", new), ("repeated", repeated)])
    };
    let new = "three blue mountains of tea";
    for (answer, text) in [
        (change("not the password", new, new), "Present password is not your password"),
        (change(&user.password, new, "something else"), "is not the same"),
        (change(&user.password, "short", "short"), "at least 15 characters"),
    ] {
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains(text) && !answer.body.contains(new), "{}", answer.body);
    }
    there.get("/console/").ok();
    assert_eq!(change(&user.password, new, new).status, 303);
    here.get("/console/").ok();
    assert_eq!(there.get("/console/").status, 303);
    assert_eq!(Pages::visitor(&server).sign_in(&user.username, new).status, 303);
}

#[rstest]
fn sessions_are_listed_and_each_can_be_ended_by_its_user_alone(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (user, other) = (server.person().create(), server.person().create());
    let (here, there) = (Pages::signed_in(&server, &user), Pages::signed_in(&server, &user));
    let stranger = Pages::signed_in(&server, &other);
    let list = here.get("/console/profile/sessions").ok().body;
    let (_, rest) = list.split_once("/console/profile/sessions/").unwrap();
    let id = rest.split('/').next().unwrap();
    let path = format!("/console/profile/sessions/{id}/end");
    assert_eq!(stranger.send("/console/profile", &path, &[]).status, 404);
    there.get("/console/").ok();
    assert_eq!(here.send("/console/profile", &path, &[]).status, 303);
    assert_eq!(there.get("/console/").status, 303);
    here.get("/console/").ok();
}

#[rstest]
fn failures_at_the_sign_in_page_count_with_those_of_every_other_door() {
    let server = Server::start(Database::Sqlite);
    let user = server.person().create();
    let client = server.confidential_client().grants(["password"]).create();
    for _ in 0..10 {
        let wrong = Pages::visitor(&server).sign_in(&user.username, "not the password");
        assert!(matches!(wrong.status, 422 | 429), "{wrong:?}");
    }
    let answer = client.password_grant(&user);
    assert_eq!(answer.status, 429, "{answer:?}");
    let page = Pages::visitor(&server).sign_in(&user.username, &user.password);
    assert_eq!(page.status, 429, "{page:?}");
    assert!(page.body.contains("Too many failed attempts"));
}
