//! `grantor doctor`

use std::os::unix::fs::PermissionsExt;

use rstest::rstest;
use serde_json::Value;

use super::done;
use crate::harness::{Database, Installation};
use crate::house::store::execute;

fn finding<'a>(findings: &'a Value, check: &str) -> &'a Value {
    let found = findings.as_array().unwrap().iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {check}: {findings}"))
}

fn findings(installation: &Installation) -> (Option<i32>, Value) {
    let output = installation.run(&["doctor", "--json"]);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[rstest]
fn a_healthy_installation_has_no_bad_line_and_a_missing_one_has_one(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    let (code, before) = findings(&installation);
    assert_eq!(code, Some(1), "{before}");
    assert_eq!(finding(&before, "installation")["ok"], false);
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
    let detail = finding(&found, "master key")["detail"].as_str().unwrap();
    assert_eq!(format!("grantor: {detail}\n"), {
        installation.set("server.private_address", "127.0.0.1:0");
        String::from_utf8(installation.run(&["serve"]).stderr).unwrap()
    });
    assert!(!found.to_string().contains("signing keys"), "nothing signs without the master key: {found}");
    installation.set("database.url", "sqlite:///dev/null/grantor.db");
    let (code, found) = findings(&installation);
    assert_eq!((code, &finding(&found, "database")["ok"]), (Some(1), &Value::Bool(false)));
}

#[test]
fn a_port_is_good_where_a_grantor_has_it_and_bad_where_another_program_has() {
    let mut server = Installation::new(Database::Sqlite);
    server.start();
    let (code, found) = findings(&server);
    assert_eq!(code, Some(0), "{found}");
    for check in ["server.address", "server.private_address"] {
        let detail = finding(&found, check)["detail"].as_str().unwrap();
        assert!(detail.ends_with("is in use by a running grantor"), "{detail}");
    }
    server.stop();
    let other = std::net::TcpListener::bind(server.base().trim_start_matches("http://")).unwrap();
    let answering = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = other.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
        other
    });
    let (code, found) = findings(&server);
    drop(answering.join().unwrap());
    assert_eq!((code, &finding(&found, "server.address")["ok"]), (Some(1), &Value::Bool(false)));
}

#[rstest]
fn the_client_of_all_credentials_is_looked_for(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut installation = Installation::new(db);
    installation.json(&["init"]);
    let said = super::refused(&installation.run(&["client", "delete", "programmatic-users", "--yes"]), 1);
    assert!(said.contains("grantor client disable programmatic-users"), "{said}");
    let check = "credentials.programmatic_client_id";
    installation.json(&["client", "disable", "programmatic-users"]);
    let (code, found) = findings(&installation);
    assert_eq!(code, Some(1));
    assert!(finding(&found, check)["detail"].as_str().unwrap().contains("grantor client enable programmatic-users"));
    installation.set(check, "another");
    let (_, found) = findings(&installation);
    assert!(finding(&found, check)["detail"].as_str().unwrap().starts_with("there is no client another"), "{found}");
}

#[rstest]
fn a_sweeper_that_is_a_day_late_is_a_fault_where_a_server_runs_and_none_where_none_does(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut installation = Installation::new(db);
    installation.json(&["init"]);
    // Another node has the turn, so that the server's own first round changes nothing.
    installation.run_verb(async |context, _| {
        let now = context.clock.now();
        let (until, late) = (now.plus_seconds(100).micros(), now.plus_seconds(-90_000).micros());
        let statement = format!("UPDATE sweeper SET holder = 'x', leased_until = {until}, finished_at = {late}");
        context.store.write(move |db| execute(db, &statement)).await.unwrap();
    });
    let (code, stopped) = findings(&installation);
    assert_eq!((code, &finding(&stopped, "sweeper")["ok"]), (Some(0), &Value::Bool(true)), "{stopped}");
    installation.start();
    let (code, running) = findings(&installation);
    assert_eq!((code, &finding(&running, "sweeper")["ok"]), (Some(1), &Value::Bool(false)), "{running}");
}
