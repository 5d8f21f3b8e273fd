//! A forgotten password: everybody hears the same.

use std::time::{Duration, Instant};

use grantor::admin::users;
use grantor::model::user::UserStatus;
use rstest::rstest;
use serde_json::json;

use super::{invited, outbox, post_json, statement};
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
