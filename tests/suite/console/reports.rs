//! Reports and usage: who should change something, and the one click that does it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;

use crate::harness::{Browser, Database, Looks, Pages, Server, TestUser, basic};

fn bandwidth(db: Database) -> (Server, TestUser, TestUser) {
    let server = Server::with(db).set("preset", "bandwidth").start();
    let person = |role: &str, name: &str, phone: &str| {
        let change = |user: &mut grantor::admin::users::UserRequest| {
            user.roles = vec![role.to_owned()];
            user.first_name = name.to_owned();
            user.last_name = "Doe".to_owned();
            user.email = Some(format!("{name}@example.org"));
            user.phone = Some(phone.to_owned());
        };
        server.person().username(name).change(change).create()
    };
    let administrator = person("administrator", "ada", "9195551234");
    let user = person("api user", "jdoe", "9195551235");
    // As RFC 7617 has it: nothing is escaped.
    let authorization = format!("Basic {}", STANDARD.encode(format!("{}:{}", user.username, user.password)));
    server.get("/api/v1/me", &[("Authorization", &authorization)]).ok();
    server.run(async |context, _| context.store_collected(false).await.unwrap());
    (server, administrator, user)
}

#[rstest]
fn bw11_one_click_makes_a_client_with_the_same_roles_in_the_place_of_basic(#[values(true, false)] script: bool) {
    let (server, administrator, user) = bandwidth(Database::Sqlite);
    let looks = Looks { script, ..Looks::default() };
    let Some(browser) = Browser::signed_in(&server, &administrator, looks) else { return };
    server.clock.advance(400);
    browser.press("Reports");
    browser.sees("Who uses HTTP Basic");
    browser.press("Make a client for jdoe");
    browser.sees("Is it you?");
    browser.fill("Password", &administrator.password);
    browser.press("Confirm");
    browser.sees("jdoe (client credentials) is made");
    let (id, secret) = (browser.value("Client ID"), browser.value("Client secret"));
    let headers = [("Authorization", basic(&id, &secret))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let token = server.post("/api/v1/oauth2/token", &[("grant_type", "client_credentials")], &headers).ok();
    server.get_with_token("/api/v1/me", &token.access_token()).ok();
    let (of_client, of_user) = server.run(async |context, by| {
        let client = grantor::admin::clients::find(context, by, &id).await.unwrap();
        let user = grantor::admin::users::find(context, by, &user.username).await.unwrap();
        (client.role_ids, user.role_ids)
    });
    assert!(!of_client.is_empty());
    assert_eq!(of_client, of_user);
    browser.press("Reports");
    browser.does_not_see(&secret);
    browser.press("Usage of all credentials");
    browser.press_in("Kinds of credentials", "Users");
    browser.sees("0 issued, 1 verified, 0 refused");
}

#[rstest]
fn a_report_is_for_who_may_read_the_audit_log_and_shows_the_command_too(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let (server, administrator, user) = bandwidth(db);
    let pages = Pages::signed_in(&server, &administrator);
    let page = pages.get("/console/reports").ok().body;
    assert!(page.contains("grantor client create --label") && page.contains("--role"), "{page}");
    let fields = [("kind", "user"), ("id", user.id.as_str())];
    let made = pages.send("/console/reports", "/console/reports/successor", &fields).ok();
    assert!(made.body.contains("jdoe (client credentials) is made"), "{made:?}");
    let auditor = server.person().permissions(["audit:read"]).change(|user| {
        user.first_name = "A".to_owned();
        user.last_name = "B".to_owned();
        user.email = Some("auditor@example.org".to_owned());
        user.phone = Some("9195551236".to_owned());
    });
    let auditor = Pages::signed_in(&server, &auditor.create());
    let page = auditor.get("/console/reports").ok().body;
    assert!(page.contains("jdoe") && !page.contains("Make a client"), "{page}");
    assert_eq!(auditor.send("/console/profile", "/console/reports/successor", &fields).status, 403);
    for kind in ["client", "user", "api_key"] {
        auditor.get(&format!("/console/usage?kind={kind}")).ok();
    }
    let usage = auditor.get("/console/usage?kind=user").ok().body;
    assert!(usage.contains("0 issued, 1 verified, 0 refused"), "{usage}");
}
