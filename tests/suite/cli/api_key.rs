//! `grantor api-key …`

use rstest::rstest;
use serde_json::json;

use super::{done, members, refused, text, within_a_second};
use crate::harness::{Database, Installation};

#[rstest]
fn a_key_is_made_listed_shown_again_stopped_and_deleted(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut server = Installation::new(db);
    server.start();
    let user = server.json(&["user", "create", "--username", "robot", "--kind", "api_user"]);
    let made = server.json(&["api-key", "create", "--user", "robot", "--name", "nightly", "--reveal", "always"]);
    assert_eq!(members(&made), ["api_key", "business_id", "id", "prefix", "user_id"]);
    assert_eq!(made["user_id"], user["id"]);
    let (id, key) = (text(&made, "id"), text(&made, "api_key"));
    assert!(key.starts_with("gr_ak_") && key.starts_with(&text(&made, "prefix")));
    let opens = || server.get("/verify", &[("X-API-Key", &key)]).status == 200;
    assert!(opens());

    assert_eq!(server.json(&["api-key", "reveal", &id])["api_key"], key.as_str());
    let once = server.json(&["api-key", "create", "--user", "robot", "--name", "once", "--expires-in", "90d"]);
    let said = refused(&server.run(&["api-key", "reveal", &text(&once, "id")]), 1);
    assert!(said.contains("shown once"), "{said}");

    let listed = server.json(&["api-key", "list", "--user", "robot"]);
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["nightly", "once"]);
    assert_eq!((&listed[0]["reveal"], &listed[0]["scopes"]), (&json!("always"), &json!(null)));
    assert!(!listed[1]["expires_at"].is_null());
    assert!(!done(&server.run(&["api-key", "list"])).contains(&key), "a list shows no key");

    assert_eq!(server.json(&["api-key", "disable", "nightly"])["status"], "disabled");
    within_a_second("disabled", || !opens());
    assert_eq!(server.json(&["api-key", "enable", &id])["status"], "active");
    within_a_second("enabled", opens);
    refused(&server.run(&["api-key", "delete", &id]), 1);
    assert_eq!(server.json(&["api-key", "delete", &id, "--yes"])["status"], "deleted");
    within_a_second("deleted", || !opens());
    refused(&server.run(&["api-key", "reveal", &id]), 1);
}

#[rstest]
fn a_key_that_cannot_be_is_not_made(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    installation.json(&["user", "create", "--username", "robot", "--kind", "api_user"]);
    let create = |further: &[&str]| installation.run(&[&["api-key", "create", "--user", "robot"], further].concat());
    assert!(refused(&create(&["--scope", "users:manage"]), 1).contains("users:manage"));
    assert!(refused(&create(&["--network", "everywhere"]), 1).contains("192.0.2.0/24"));
    assert!(refused(&create(&["--reveal", "sometimes"]), 2).contains("once"));
    assert!(refused(&installation.run(&["api-key", "create", "--user", "nobody"]), 1).contains("nobody"));
    assert!(installation.json(&["api-key", "list"]).as_array().unwrap().is_empty());
}

#[test]
fn whoever_makes_a_key_for_somebody_who_cannot_come_in_yet_is_told() {
    let server = Installation::new(Database::Sqlite);
    // The administrator has a link, and no password yet.
    done(&server.run(&["init"]));
    server.json(&["user", "create", "--username", "robot", "--kind", "api_user"]);
    let notes = |user: &str| {
        let made = server.run(&["api-key", "create", "--user", user, "--name", user]);
        assert!(done(&made).contains("api_key: gr_ak_"));
        String::from_utf8(made.stderr).unwrap()
    };
    let said = notes("admin");
    assert!(said.contains("admin is invited: the key is refused until they have set a password."), "{said}");
    assert!(!notes("robot").contains("refused"));
    done(&server.run(&["user", "disable", "robot"]));
    let made = server.run(&["api-key", "create", "--user", "robot", "--name", "late"]);
    let said = String::from_utf8(made.stderr).unwrap();
    assert!(said.contains("robot is disabled: the key is refused until they are active."), "{said}");
}
