//! What commands print: where, and what happens when nobody reads it.

use std::io::Read;
use std::process::Stdio;

use rstest::rstest;
use serde_json::Value;

use super::{done, misused, text};
use crate::harness::{Database, Installation};

#[rstest]
fn a_reader_that_stops_early_makes_nothing_panic(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    installation.json(&["init"]);
    for arguments in [
        &["completions", "bash"][..],
        &["--help"],
        &["client", "--help"],
        &["config", "print"],
        &["role", "list"],
        &["key", "list", "--json"],
        &["doctor"],
    ] {
        let mut child = installation
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // As `| head` that has read enough.
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        assert_eq!(status.code(), Some(0), "{arguments:?}: {said}");
    }
}

#[rstest]
fn json_is_one_value_on_standard_output_and_nothing_else(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    for arguments in [
        &["init"][..],
        &["client", "create", "--label", "a"],
        &["client", "list"],
        &["client", "show", "a"],
        &["client", "secrets", "a"],
        &["client", "rotate-secret", "a", "--yes"],
        &["client", "disable", "a"],
        &["user", "create", "--username", "u"],
        &["user", "list"],
        &["user", "show", "u"],
        &["user", "rotate-password", "u", "--yes"],
        &["role", "list"],
        &["scope", "list"],
        &["organization", "list"],
        &["credentials", "create", "--name", "c"],
        &["credentials", "create", "--name", "d", "--output", "d.json"],
        &["credentials", "list"],
        &["key", "list"],
        &["key", "rotate"],
        &["migrate"],
        &["doctor"],
        &["config", "print"],
        &["master-key", "rotate", "--yes"],
    ] {
        let output = installation.run(&[arguments, &["--json"]].concat());
        serde_json::from_str::<serde_json::Value>(&done(&output))
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        assert!(output.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[rstest]
fn the_quickstart_prints_one_object_and_serves(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    let quickstart = || {
        let mut child = installation
            .command(&["quickstart", "--json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let value: Value = serde_json::Deserializer::from_reader(&mut stdout).into_iter().next().unwrap().unwrap();
        (child, stdout, value)
    };
    let (mut child, mut stdout, made) = quickstart();
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    super::within_a_second("serving", || {
        let reached = installation.post("/oauth/token", (&id, &secret), &[("grant_type", "client_credentials")]);
        reached.is_ok_and(|answer| answer.status == 200)
    });
    let (username, password) = (text(&made, "username"), text(&made, "password"));
    let program = text(&made, "programmatic_client_id");
    assert_eq!(super::password_grant(&installation, (&program, ""), &username, &password), None);
    let endpoint = format!("{}/oauth/token", installation.base());
    assert_eq!((&made["is_new"], text(&made, "token_endpoint")), (&Value::Bool(true), endpoint));
    child.kill().unwrap();
    child.wait().unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.trim(), "");

    let (mut child, _, again) = quickstart();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(super::members(&again), ["is_new", "issuer", "token_endpoint"]);
    assert_eq!(again["is_new"], false);
}

#[test]
fn a_wrong_use_is_2_and_help_is_0() {
    let installation = Installation::new(Database::Sqlite);
    assert!(done(&installation.run(&["--help"])).contains("credentials"));
    assert!(done(&installation.run(&["--version"])).starts_with("grantor "));
    for arguments in [&["explode"][..], &["client"], &["--jsno"], &["user", "create"], &["serve", "now"]] {
        misused(&installation.run(arguments));
    }
}
