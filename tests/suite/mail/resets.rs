//! A forgotten password: everybody hears the same.

use std::time::{Duration, Instant};

use grantor::admin::users;
use grantor::model::user::UserStatus;
use rstest::rstest;
use serde_json::json;

use super::{invited, newest_token, outbox, post_json, statement};
use crate::harness::{Answer, Database, Server};

fn ask(server: &Server, username: &str) -> Answer {
    post_json(server, "/api/v1/password-resets", &json!({ "username": username }))
}

#[rstest]
fn every_account_is_answered_alike_and_only_an_active_verified_one_is_written_to(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).start();
    let with_email = |name: &str| {
        let email = format!("{name}@example.org");
        server.person().username(name).change(|new| new.email = Some(email)).create()
    };
    let (disabled, locked) = (with_email("disabled"), with_email("locked"));
    with_email("active");
    server.person().username("without").create();
    invited(&server, "invited", "invited@example.org");
    server.run(async |context, by| {
        users::set_status(context, by, &disabled.id, UserStatus::Disabled).await.unwrap();
    });
    statement(&server, format!("UPDATE users SET status = 'locked' WHERE id = '{}'", locked.id));
    let before = outbox(&server).len();
    let mut bodies = Vec::new();
    let mut written = Vec::new();
    for name in
        ["nobody", "nobody@example.org", "", "disabled", "without", "invited", "active", "Active@Example.org", "locked"]
    {
        let started = Instant::now();
        let answer = ask(&server, name);
        assert!(started.elapsed() >= Duration::from_millis(300), "{name}");
        assert_eq!(answer.status, 202, "{name}: {answer:?}");
        bodies.push(answer.body);
        written.push(outbox(&server).len() - before);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(written, [0, 0, 0, 0, 0, 0, 1, 2, 3]);
    assert!(outbox(&server)[before..].iter().all(|message| message.kind.as_str() == "reset_password"));
}

#[rstest]
fn an_account_is_written_to_three_times_an_hour_whoever_asks(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("limits.enabled", false).start();
    server.person().username("zoe").change(|new| new.email = Some("zoe@example.org".to_owned())).create();
    for name in ["zoe", "zoe@example.org", "ZOE@example.org", "zoe", "zoe@example.org"] {
        assert_eq!(ask(&server, name).status, 202);
    }
    assert_eq!(outbox(&server).len(), 3);
    server.clock.advance(3601);
    assert_eq!(ask(&server, "zoe").status, 202);
    assert_eq!(outbox(&server).len(), 4);
}

#[rstest]
fn one_network_asks_a_hundred_times_an_hour(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).start();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..10)
            .map(|caller| {
                let server = &server;
                scope.spawn(move || (0..11).map(|n| ask(server, &format!("{caller}-{n}")).status).collect::<Vec<_>>())
            })
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    assert!(statuses.iter().filter(|status| **status == 202).count() <= 100, "{statuses:?}");
    let blocked = ask(&server, "anybody");
    assert_eq!(blocked.status, 429, "{blocked:?}");
    assert!(blocked.header("retry-after").parse::<u64>().unwrap() > 3000);
}

#[rstest]
fn another_address_is_written_to_only_when_it_is_verified_and_old_links_are_void(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("limits.enabled", false).start();
    let administrator = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let zoe = server.person().username("zoe").change(|new| new.email = Some("zoe@example.org".to_owned())).create();
    assert_eq!(ask(&server, "zoe").status, 202);
    let old = newest_token(&server);
    let change = |email: &str| {
        let request = ureq::http::Request::builder()
            .method("PATCH")
            .uri(format!("{}/api/v1/users/{}", server.base(), zoe.id))
            .header("Authorization", crate::security::verify::basic(&administrator.username, &administrator.password))
            .header("Content-Type", "application/json")
            .body(json!({ "email": email }).to_string())
            .unwrap();
        Answer::of(crate::harness::agent().run(request)).ok();
    };
    // The same in other letters is the same address.
    change("Zoe@example.org");
    let before = outbox(&server).len();
    change("zoe@elsewhere.example");
    let sent = outbox(&server);
    assert_eq!(sent.len(), before + 1, "{sent:?}");
    assert_eq!(
        (sent[before].kind.as_str(), sent[before].recipient.as_str()),
        ("verify_email", "zoe@elsewhere.example")
    );
    let verify = newest_token(&server);
    let redeem = |body: serde_json::Value| post_json(&server, "/api/v1/links/redeem", &body);
    assert_eq!(redeem(json!({ "token": old, "password": "correct-horse-battery-staple" })).status, 400);
    assert_eq!(ask(&server, "zoe").status, 202);
    assert_eq!(outbox(&server).len(), before + 1, "it is not verified yet");
    assert!(redeem(json!({ "token": verify })).status < 300);
    assert_eq!(ask(&server, "zoe").status, 202);
    assert_eq!(outbox(&server).pop().unwrap().kind.as_str(), "reset_password");
}

#[rstest]
fn a_password_that_an_administrator_sets_verifies_no_address(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let id = invited(&server, "new", "new@example.org");
    let authorization = crate::security::verify::basic(&administrator.username, &administrator.password);
    for (path, body, status) in
        [("password", json!({ "password": "correct-horse-battery-staple" }), 200), ("enable", json!({}), 409)]
    {
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{}/api/v1/users/{id}/{path}", server.base()))
            .header("Authorization", &authorization)
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .unwrap();
        let answer = Answer::of(crate::harness::agent().run(request));
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        let user = server.run(async |context, by| users::find(context, by, "new").await.unwrap());
        assert_eq!(user.status, UserStatus::Invited, "{path}");
    }
}
