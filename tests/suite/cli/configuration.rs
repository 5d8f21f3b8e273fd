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
    installation.set("security.master_key", "hunter2hunter2hunter2hunter2hunter2hunter2g");
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
fn the_schema_is_missing_then_current(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    assert!(refused(&installation.run(&["migrate", "status"]), 1).starts_with("no installation in "));
    let after = installation.json(&["migrate", "run"]);
    assert!(!after["applied"].as_array().unwrap().is_empty(), "{after}");
    assert!(after["pending"].as_array().unwrap().is_empty(), "{after}");
    assert_eq!(installation.json(&["migrate", "status"]), after);
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

#[test]
fn what_serve_refuses_the_check_refuses_too() {
    let mut installation = Installation::new(Database::Sqlite);
    let check = |installation: &Installation| refused(&installation.run(&["config", "check"]), 1);
    installation.set("log.level", "verbose");
    assert_eq!(check(&installation), refused(&installation.run(&["serve"]), 1));
    installation.unset("log.level");
    std::fs::write(installation.path().join("master.key"), "correct horse").unwrap();
    assert_eq!(check(&installation), refused(&installation.run(&["serve"]), 1));
    installation.unset("security.master_key_file");
    installation.set("security.master_key", "correct horse");
    let said = check(&installation);
    assert_eq!(said, refused(&installation.run(&["serve"]), 1));
    assert!(said.starts_with("configuration: `security.master_key` in the variable GRANTOR__SECURITY__MASTER_KEY: "));
    assert!(!said.contains("correct horse"), "{said}");
}
