//! `grantor doctor`

use std::os::unix::fs::PermissionsExt;

use rstest::rstest;
use serde_json::Value;

use super::done;
use crate::harness::{Database, Installation};

fn finding<'a>(findings: &'a Value, check: &str) -> &'a Value {
    let found = findings.as_array().unwrap().iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {check}: {findings}"))
}

fn findings(installation: &Installation) -> (Option<i32>, Value) {
    let output = installation.run(&["doctor", "--json"]);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[rstest]
fn a_healthy_installation_has_no_bad_line_before_and_after_its_first_start(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    let (code, before) = findings(&installation);
    assert_eq!(code, Some(0), "{before}");
    installation.json(&["init"]);
    let printed = done(&installation.run(&["doctor"]));
    assert!(printed.lines().all(|line| line.starts_with("ok ")), "{printed}");
    let (_, after) = findings(&installation);
    assert!(finding(&after, "signing keys")["detail"].as_str().unwrap().starts_with("2 of 2"), "{after}");
    assert!(finding(&after, "schema")["detail"] == "current", "{after}");
}

#[rstest]
fn every_fault_is_found_at_once_and_the_exit_code_says_so(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut installation = Installation::new(db);
    installation.json(&["init"]);
    let key = installation.path().join("master.key");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    installation.set("server.private_address", "192.0.2.1:9080");
    let (code, found) = findings(&installation);
    assert_eq!(code, Some(1), "{found}");
    assert!(finding(&found, "master key")["detail"].as_str().unwrap().contains("chmod 600"), "{found}");
    assert_eq!(finding(&found, "server.private_address")["ok"], false);
    let said = String::from_utf8(installation.run(&["doctor"]).stderr).unwrap();
    assert_eq!(said, "grantor: 2 checks failed\n");

    std::fs::remove_file(&key).unwrap();
    let (_, found) = findings(&installation);
    assert!(finding(&found, "master key")["detail"].as_str().unwrap().contains("missing"), "{found}");
    installation.set("database.url", "sqlite:///dev/null/grantor.db");
    let (code, found) = findings(&installation);
    assert_eq!((code, &finding(&found, "database")["ok"]), (Some(1), &Value::Bool(false)));
}
