//! `grantor master-key …`

use std::os::unix::fs::PermissionsExt;

use rstest::rstest;

use super::{client_credentials, done, password_grant, refused, text};
use crate::harness::{Database, Installation};

#[rstest]
fn after_a_rotation_tokens_and_secrets_are_good_and_the_old_key_is_refused(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    let mut arguments = vec!["client", "create", "--label", "app"];
    for grant in ["password", "refresh_token", "client_credentials"] {
        arguments.extend(["--grant-type", grant]);
    }
    let client = server.json(&arguments);
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    let program = server.json(&["credentials", "create", "--name", "x"]);
    let (username, password) = (text(&program, "username"), text(&program, "password"));
    let chosen = "correct-horse-battery-staple";
    done(&server.run_with(&["user", "create", "--username", "alice", "--password-stdin"], chosen));
    server.start();
    let pairs = [("grant_type", "password"), ("username", "alice"), ("password", chosen)];
    let tokens = server.post("/oauth/token", (&id, &secret), &pairs).unwrap().ok();
    server.stop();
    let file = server.path().join("master.key");
    let old = std::fs::read_to_string(&file).unwrap();
    assert!(refused(&server.run(&["master-key", "rotate"]), 1).contains("--yes"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), old);

    let rotated = server.json(&["master-key", "rotate", "--yes"]);

    let new = std::fs::read_to_string(&file).unwrap();
    assert_ne!(new, old);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let exported = server.json(&["master-key", "export"]);
    assert_eq!(text(&exported, "master_key"), new.trim());
    assert_eq!(exported["fingerprint"], rotated["fingerprint"]);
    assert_eq!(done(&server.run(&["master-key", "export"])).trim(), new.trim());

    server.start();
    assert_eq!(client_credentials(&server, &id, &secret), None);
    assert_eq!(password_grant(&server, ("programmatic-users", ""), &username, &password), None);
    assert_eq!(password_grant(&server, (&id, &secret), "alice", chosen), None);
    let bearer = format!("Bearer {}", tokens.access_token());
    server.get("/api/v1/me", &[("Authorization", &bearer)]).ok();
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh_token())];
    server.post("/oauth/token", (&id, &secret), &pairs).unwrap().ok();
    server.stop();

    std::fs::write(&file, &old).unwrap();
    let said = refused(&server.run(&["client", "list"]), 1);
    assert!(said.contains("not the one of this database") && said.contains("security.master_key_file"), "{said}");
    assert!(!said.contains(old.trim()), "{said}");
    std::fs::write(&file, &new).unwrap();
    server.json(&["client", "list"]);
}

#[rstest]
fn a_key_that_is_a_setting_is_not_rotated_by_the_program(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut installation = Installation::new(db);
    installation.json(&["init"]);
    let key = std::fs::read_to_string(installation.path().join("master.key")).unwrap();
    installation.set("security.master_key", key.trim());
    installation.unset("security.master_key_file");
    installation.json(&["client", "list"]);
    let said = refused(&installation.run(&["master-key", "rotate", "--yes"]), 1);
    assert!(said.contains("security.master_key_file"), "{said}");
}
