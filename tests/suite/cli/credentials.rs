//! `grantor credentials …`

use std::os::unix::fs::PermissionsExt;

use rstest::rstest;

use super::{done, members, misused, password_grant, refused, text, within_a_second};
use crate::harness::{Database, Installation};

const MEMBERS: [&str; 6] = ["client_id", "id", "password", "scope", "token_endpoint", "username"];

#[rstest]
fn credentials_work_through_the_public_client_as_they_were_printed(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.start();
    let made = server.json(&["credentials", "create", "--name", "nightly export", "--description", "runs at 2"]);
    assert_eq!(members(&made), MEMBERS);
    assert_eq!((text(&made, "client_id"), text(&made, "scope")), ("programmatic-users".into(), "openid".into()));
    assert_eq!(text(&made, "token_endpoint"), format!("{}/oauth/token", server.base()));
    let (username, password) = (text(&made, "username"), text(&made, "password"));
    let opens = || password_grant(&server, ("programmatic-users", ""), &username, &password).is_none();
    within_a_second("created", opens);

    let listed = server.json(&["credentials", "list"]);
    assert_eq!(members(&listed[0]), ["description", "id", "name", "status", "username"]);
    assert!(!listed.to_string().contains(&password));
    assert!(refused(&server.run(&["credentials", "delete", "nightly export"]), 1).contains("--yes"));
    assert!(opens());
    server.json(&["credentials", "delete", "nightly export", "--yes"]);
    within_a_second("deleted", || !opens());
}

#[rstest]
fn credentials_are_written_to_a_new_file_that_only_its_owner_reads(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    let create = |file: &str| installation.run(&["credentials", "create", "--name", "x", "--output", file]);
    let output = create("own.json");
    assert_eq!(done(&output), "", "nothing stands on the terminal but where the file is");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "written to own.json\n");
    let written = std::fs::read_to_string(installation.path().join("own.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(members(&value), MEMBERS);

    let printed = installation.json(&["credentials", "create", "--name", "x", "--output", "other.json"]);
    assert_eq!(members(&printed), ["client_id", "id", "output", "scope", "token_endpoint", "username"]);
    assert_eq!(printed["output"], "other.json");
    let written = std::fs::read_to_string(installation.path().join("other.json")).unwrap();
    assert!(written.contains(&text(&printed, "username")) && !printed.to_string().contains("gr_pw_"));

    done(&create("own.env"));
    let written = std::fs::read_to_string(installation.path().join("own.env")).unwrap();
    let names: Vec<&str> = written.lines().map(|line| line.split_once("='").unwrap().0).collect();
    let wanted = ["ID", "USERNAME", "PASSWORD", "CLIENT_ID", "TOKEN_ENDPOINT", "SCOPE"];
    assert_eq!(names, wanted.map(|name| format!("GRANTOR_{name}")));
    // A shell reads it as it is.
    let shell = std::process::Command::new("sh")
        .args(["-c", ". ./own.env && printf %s \"$GRANTOR_PASSWORD\""])
        .current_dir(installation.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&shell.stdout).starts_with("gr_pw_"));

    for name in ["own.json", "own.env"] {
        let mode = installation.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[rstest]
fn a_file_that_is_there_is_not_overwritten_and_nothing_is_made(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    installation.json(&["init"]);
    std::fs::write(installation.path().join("own.json"), "precious").unwrap();
    for (file, code, wanted) in [
        ("own.json", 1, "own.json exists already"),
        ("no/such/folder/own.json", 1, "no/such/folder/own.json cannot be written"),
        ("own.txt", 2, ".json or .env"),
    ] {
        let output = installation.run(&["credentials", "create", "--name", "x", "--output", file]);
        let said = refused(&output, code);
        assert!(said.contains(wanted), "{said}");
    }
    assert_eq!(std::fs::read_to_string(installation.path().join("own.json")).unwrap(), "precious");
    assert_eq!(installation.json(&["credentials", "list"]).as_array().unwrap().len(), 0);
    misused(&installation.run(&["credentials", "create"]));
    assert!(refused(&installation.run(&["credentials", "create", "--name", " "]), 1).contains("1 to 255 bytes"));
}

#[test]
fn credentials_that_there_are_not_are_plural() {
    let installation = Installation::new(Database::Sqlite);
    installation.json(&["init"]);
    let said = refused(&installation.run(&["credentials", "delete", "x", "--yes"]), 1);
    assert_eq!(said, "there are no credentials `x` (grantor credentials list shows what there is)");
}
