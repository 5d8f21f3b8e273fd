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
    browser.sees("Who uses HTTP Basic");
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

#[rstest]
fn idle_keys_are_reported_and_rows_lead_to_what_they_are_about(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let admin = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let robot = server.api_user().create();
    let make = |name: &str, days: Option<i64>| {
        server.run(async |context, by| {
            let new = grantor::admin::api_keys::NewApiKey {
                user: Some(robot.id.clone()),
                name: Some(name.to_owned()),
                organization: None,
                scopes: None,
                expires_at: days.map(|days| server.clock.now().plus_seconds(days * 86_400)),
                networks: Vec::new(),
                reveal: grantor::model::reveal::RevealPolicy::Once,
            };
            grantor::admin::api_keys::create(context, by, &new).await.unwrap()
        })
    };
    let (old, _ended) = (make("Old key", None), make("Ended key", Some(30)));
    server.clock.advance(91 * 86_400);
    make("Young key", None);
    let page = Pages::signed_in(&server, &admin).get("/console/reports").ok().body;
    let idle = page.split_once("<h2 id=\"idle\">").unwrap().1;
    assert!(idle.contains("Old key") && idle.contains(&format!("grantor api-key delete {}", old.key.id)), "{idle}");
    assert!(!idle.contains("Young key") && !idle.contains("Ended key"), "{idle}");
    assert!(idle.contains(&format!("href=\"/console/users/{}/api-keys\"", robot.id)), "{idle}");
    assert!(idle.contains(&format!("href=\"/console/users/{}\"", robot.id)), "the user: {idle}");
    // Whoever reads reports alone is led nowhere where they may not go.
    let auditor = Pages::signed_in(&server, &server.person().permissions(["audit:read"]).create());
    let page = auditor.get("/console/reports").ok().body;
    assert!(page.contains("Old key") && !page.contains("href=\"/console/users/"), "{page}");
    // A key of somebody who opens nothing any more is nobody's worry.
    server.run(async |context, by| {
        let disabled = grantor::model::user::UserStatus::Disabled;
        grantor::admin::users::set_status(context, by, &robot.id, disabled).await.unwrap();
    });
    assert!(!auditor.get("/console/reports").ok().body.contains("Old key"));
}

#[rstest]
fn a_successor_says_which_organizations_of_the_user_it_leaves_out(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let (server, administrator, user) = bandwidth(db);
    server.run(async |context, by| {
        let further = grantor::admin::organizations::create(context, by, "Harbour", "harbour").await.unwrap().id;
        let roles = ["api user".to_owned()];
        grantor::admin::memberships::set(context, by, &user.id, Some(&further), &roles).await.unwrap();
    });
    let pages = Pages::signed_in(&server, &administrator);
    let page = pages.get("/console/reports").ok().body;
    assert!(page.contains("Without the roles in Harbour"), "{page}");
    assert!(page.contains(&format!("<a href=\"/console/users/{}\">jdoe</a>", user.id)), "{page}");
    let fields = [("kind", "user"), ("id", user.id.as_str())];
    let made = pages.send("/console/reports", "/console/reports/successor", &fields).ok();
    assert!(made.body.contains("what the user may do in Harbour is left out"), "{made:?}");
}

#[rstest]
fn the_use_of_a_set_a_user_and_a_key_is_drawn_for_whoever_sees_them(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let (server, administrator, user) = bandwidth(db);
    let pages = Pages::signed_in(&server, &administrator);
    let page = pages.get(&format!("/console/users/{}/usage", user.id)).ok().body;
    assert!(page.contains("0 issued, 1 verified, 0 refused") && page.contains("from <code>127.0.0.1</code>"), "{page}");
    let (set, key) = server.run(async |context, by| {
        let set = grantor::admin::credentials::create(context, by, "A set", "", &[]).await.unwrap().user;
        let new = grantor::admin::api_keys::NewApiKey {
            user: Some(administrator.id.clone()),
            name: Some("A key".to_owned()),
            organization: None,
            scopes: None,
            expires_at: None,
            networks: Vec::new(),
            reveal: grantor::model::reveal::RevealPolicy::Once,
        };
        (set, grantor::admin::api_keys::create(context, by, &new).await.unwrap())
    });
    let headers = [
        ("X-API-Key", key.secret.expose()),
        ("X-User-ID", administrator.id.as_str()),
        ("X-Business-ID", key.key.organization_id.as_str()),
    ];
    server.get("/api/v1/me", &headers).ok();
    server.run(async |context, _| context.store_collected(false).await.unwrap());
    let own = format!("/console/profile/api-keys/{}/usage", key.key.id);
    let page = pages.get(&own).ok().body;
    assert!(page.contains("A key") && page.contains("0 issued, 1 verified, 0 refused"), "{page}");
    assert!(pages.get("/console/profile/api-keys").ok().body.contains(&format!("href=\"{own}\"")));
    let page = pages.get(&format!("/console/credentials/{}", set.id)).ok().body;
    assert!(page.contains("The last 30 days") && page.contains("0 issued, 0 verified, 0 refused"), "{page}");
    // A report's row of a set leads there too.
    pages.get(&format!("/console/users/{}", set.id)).ok();
    // Of others nothing is told.
    let other = Pages::signed_in(&server, &user);
    for path in [own, format!("/console/users/{}/usage", administrator.id)] {
        assert!(matches!(other.get(&path).status, 403 | 404), "{path}");
    }
}
