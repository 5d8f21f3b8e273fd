//! `grantor config …`, `grantor migrate …`, `grantor completions …`

use rstest::rstest;

use super::{done, misused, refused};
use crate::harness::{Database, Installation};

#[rstest]
fn the_configuration_is_checked_and_printed_without_secrets(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut installation = Installation::new(db);
    assert_eq!(installation.json(&["config", "check"]), serde_json::json!({ "ok": true }));
    assert_eq!(done(&installation.run(&["config", "check"])), "the configuration is good\n");
    installation.set("database.url", "postgres://me:hunter2@h/d");
    installation.unset("security.master_key_file");
    installation.set("security.master_key", "hunter2hunter2");
    let printed = done(&installation.run(&["config", "print"]));
    assert!(!printed.contains("hunter2") && printed.contains("postgres://me:***@h/d"), "{printed}");
    let json = installation.json(&["config", "print"]);
    assert!(!json.to_string().contains("hunter2"), "{json}");
    assert_eq!(json["passwords"]["bcrypt_cost"], 4);
    installation.set("refresh.reuse_window", "61");
    let said = refused(&installation.run(&["config", "check"]), 1);
    assert!(said.contains("is 61; must be 0 to 60"), "{said}");
}

#[rstest]
fn the_schema_is_pending_then_current(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    let before = installation.json(&["migrate", "status"]);
    assert!(!before["pending"].as_array().unwrap().is_empty(), "{before}");
    assert!(before["applied"].as_array().unwrap().is_empty(), "{before}");
    let after = installation.json(&["migrate", "run"]);
    assert_eq!((&after["applied"], &after["pending"]), (&before["pending"], &before["applied"]));
    assert!(done(&installation.run(&["migrate"])).ends_with("the schema is current\n"));
}

#[rstest]
fn completions_name_the_commands(#[values("bash", "zsh", "fish")] shell: &str) {
    let installation = Installation::new(Database::Sqlite);
    let script = done(&installation.run(&["completions", shell]));
    for word in ["rotate-secret", "credentials", "master-key", "recover-admin"] {
        assert!(script.contains(word), "{word}");
    }
    misused(&installation.run(&["completions", "tcl"]));
}
