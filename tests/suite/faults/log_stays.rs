//! A command beside a running server must not take SQLite's write-ahead log away from under it.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Database, Installation};

#[test]
fn a_command_that_ends_leaves_the_log_of_a_running_server_where_it_is() {
    let mut installation = Installation::new(Database::Sqlite);
    let client = installation.json(&[
        "client",
        "create",
        "--label",
        "one",
        "--grant-type",
        "password",
        "--grant-type",
        "refresh_token",
    ]);
    let user = installation.json(&["user", "create", "--username", "u", "--kind", "api_user"]);
    let text = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap().to_owned();
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    let (username, password) = (text(&user, "username"), text(&user, "password"));
    let sign_in = [("grant_type", "password"), ("username", username.as_str()), ("password", password.as_str())];
    installation.start();
    // Several readers of the server's own, on whichever worker they come to.
    for _ in 0..8 {
        installation.post("/oauth/token", (&id, &secret), &sign_in).unwrap().ok();
    }

    for _ in 0..3 {
        installation.json(&["client", "list"]);
        assert!(installation.path().join("grantor.db-wal").exists(), "the log is gone");
        let refresh_token = installation.post("/oauth/token", (&id, &secret), &sign_in).unwrap().ok().refresh_token();

        // What the server has answered for stands after it is killed.
        installation.kill();
        installation.start();
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
        installation.post("/oauth/token", (&id, &secret), &refresh).unwrap().ok();
    }
}

#[test]
fn the_database_and_its_log_are_for_their_owner_alone() {
    let mut installation = Installation::new(Database::Sqlite);
    installation.start();
    for name in ["grantor.db", "grantor.db-wal", "master.key"] {
        let mode = std::fs::metadata(installation.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
