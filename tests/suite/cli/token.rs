//! `grantor token inspect`: needs no database.

use rstest::rstest;
use serde_json::json;

use super::{done, refused, text};
use crate::harness::{Database, Installation};

#[rstest]
fn a_text_is_told_by_its_shape_without_a_database(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut server = Installation::new(db);
    let mut arguments = vec!["client", "create", "--label", "app"];
    for grant in ["password", "refresh_token"] {
        arguments.extend(["--grant-type", grant]);
    }
    let client = server.json(&arguments);
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    let program = server.json(&["credentials", "create", "--name", "x"]);
    let (username, password) = (text(&program, "username"), text(&program, "password"));
    server.start();
    let pairs = [("grant_type", "password"), ("username", &*username), ("password", &*password)];
    let tokens = server.post("/oauth/token", (&id, &secret), &pairs).unwrap().ok();
    server.stop();
    server.set("database.url", "sqlite:///proc/nowhere/grantor.db");

    for (kind, given) in
        [("client secret", &secret), ("generated password", &password), ("refresh token", &tokens.refresh_token())]
    {
        assert_eq!(server.json(&["token", "inspect", given]), json!({ "kind": kind, "checksum": "good" }));
        let broken = format!("{}x", &given[..given.len() - 1]);
        let other = if broken == *given { given.replace("gr_", "gr-") } else { broken };
        let output = server.run(&["token", "inspect", &other, "--json"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["checksum"], "bad");
        let said = refused(&server.run(&["token", "inspect", &given[..given.len() - 2]]), 1);
        assert_eq!(said, format!("looks like a {kind}, but its checksum is wrong: mistyped or cut off"));
    }
    let access = server.json(&["token", "inspect", &tokens.access_token()]);
    assert_eq!((&access["kind"], &access["claims"]["client_id"]), (&json!("access token"), &json!(id)));
    assert_eq!(access["signature"], "not checked");
    let bearer = format!("Bearer {}", tokens.access_token());
    assert_eq!(server.json(&["token", "inspect", &bearer]), access);
    let said = refused(&server.run(&["token", "inspect", "nothing of ours"]), 1);
    assert_eq!(said, "no token or secret of Grantor's");
    // From standard input, so that it is in no shell's history.
    let output = server.run_with(&["token", "inspect", "-", "--json"], &format!("{secret}\n"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&done(&output)).unwrap()["kind"], "client secret");
}
