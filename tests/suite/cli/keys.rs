//! `grantor key …`: signing keys.

use rstest::rstest;
use serde_json::Value;

use super::{misused, refused, text, within_a_second};
use crate::harness::{Database, Installation};

fn published(server: &Installation) -> Vec<String> {
    let jwks = server.get("/.well-known/jwks.json", &[]).json();
    jwks["keys"].as_array().unwrap().iter().map(|key| text(key, "kid")).collect()
}

#[rstest]
fn keys_are_listed_rotated_and_revoked_and_a_running_server_follows(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.start();
    let listed = server.json(&["key", "list"]);
    let first = listed.as_array().unwrap().clone();
    assert_eq!(first.len(), 2);
    for key in &first {
        assert!(["ES256", "RS256"].contains(&key["algorithm"].as_str().unwrap()) && key["state"] == "signing", "{key}");
        assert!(published(&server).contains(&text(key, "kid")));
    }
    assert!(!listed.to_string().contains("private"), "{listed}");

    let next = server.json(&["key", "rotate"]);
    assert_eq!((&next["algorithm"], &next["state"]), (&Value::from("ES256"), &Value::from("published")));
    let kid = text(&next, "kid");
    within_a_second("published", || published(&server).contains(&kid));
    let other = server.json(&["key", "rotate", "--algorithm", "EdDSA"]);
    assert_eq!((&other["algorithm"], &other["state"]), (&Value::from("EdDSA"), &Value::from("signing")));

    let old = first.iter().find(|key| key["algorithm"] == "ES256").map(|key| text(key, "kid")).unwrap();
    assert!(refused(&server.run(&["key", "revoke", &old]), 1).contains("--yes"));
    let revoked = server.json(&["key", "revoke", &old, "--yes"]);
    assert_eq!((&revoked["kid"], &revoked["state"]), (&Value::from(old.as_str()), &Value::from("removed")));
    within_a_second("revoked", || !published(&server).contains(&old));
    let signing = |keys: &Value| {
        keys.as_array().unwrap().iter().any(|key| key["algorithm"] == "ES256" && key["state"] == "signing")
    };
    assert!(signing(&server.json(&["key", "list"])), "its successor signs at once");
    // It looks before it asks.
    assert!(refused(&server.run(&["key", "revoke", "nobody"]), 1).contains("there is no key `nobody`"));
    assert!(refused(&server.run(&["key", "revoke", "-vX-0", "--yes"]), 1).contains("there is no key `-vX-0`"));
    misused(&server.run(&["key", "rotate", "--algorithm", "HS256"]));
}
