//! `grantor user …`

use rstest::rstest;
use serde_json::json;

use super::{done, members, misused, password_grant, refused, text, within_a_second};
use crate::harness::{Database, Installation};

#[rstest]
fn a_user_created_with_json_is_one_object_of_the_documented_members(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    let program = installation.json(&["user", "create", "--username", "robot", "--kind", "api_user"]);
    assert_eq!(members(&program), ["id", "kind", "password", "status", "username"]);
    assert_eq!((&program["kind"], &program["status"]), (&json!("api_user"), &json!("active")));
    assert!(text(&program, "password").starts_with("gr_pw_"));

    let arguments = ["user", "create", "--username", "alice", "--email", "a@example.com", "--password-stdin", "--json"];
    let output = installation.run_with(&arguments, "a fine long passphrase\n");
    let person: serde_json::Value = serde_json::from_str(&done(&output)).unwrap();
    assert_eq!(members(&person), ["id", "kind", "status", "username"]);
    assert_eq!(person["kind"], "person");

    let access = |name: &str| installation.json(&["user", "show", name])["access"].clone();
    assert_eq!((access("alice"), access("robot")), (json!(["console", "api"]), json!(["api"])));
    let listed = installation.json(&["user", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 3);
    assert_eq!(members(&listed[0]), ["id", "kind", "status", "username"]);
    let everything = format!("{listed}{}", installation.json(&["user", "show", "robot"]));
    assert!(!everything.contains(&text(&program, "password")));
}

#[rstest]
fn a_running_server_sees_what_the_command_line_changes_within_a_second(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    let client = server.json(&["client", "create", "--label", "app", "--grant-type", "password"]);
    let (client_id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    server.start();
    let user = server.json(&["user", "create", "--username", "robot", "--kind", "api_user"]);
    let first = text(&user, "password");
    let opens = |password: &str| password_grant(&server, (&client_id, &secret), "robot", password).is_none();
    within_a_second("created", || opens(&first));

    assert_eq!(server.json(&["user", "disable", "robot"])["status"], "disabled");
    within_a_second("disabled", || !opens(&first));
    assert_eq!(server.json(&["user", "enable", &text(&user, "id")])["status"], "active");
    within_a_second("enabled", || opens(&first));
    assert_eq!(server.json(&["user", "unlock", "robot"])["status"], "active");

    assert!(refused(&server.run(&["user", "rotate-password", "robot"]), 1).contains("--yes"));
    let rotated = server.json(&["user", "rotate-password", "robot", "--yes"]);
    assert_eq!(members(&rotated), ["password", "username"]);
    within_a_second("rotated", || opens(&text(&rotated, "password")));
    assert!(!opens(&first));

    let chosen = "correct-horse-battery-staple";
    done(&server.run_with(&["user", "set-password", "robot", "--password-stdin"], chosen));
    within_a_second("set", || opens(chosen));
    assert!(!opens(&text(&rotated, "password")));

    server.json(&["role", "create", "--name", "reader", "--permission", "api:access"]);
    let granted = server.json(&["user", "grant-role", "robot", "reader"]);
    assert_eq!(granted["username"], "robot");
    assert_eq!(server.json(&["user", "show", "robot"])["role_ids"].as_array().unwrap().len(), 2);

    assert_eq!(server.json(&["user", "delete", "robot", "--yes"])["status"], "deleted");
    within_a_second("deleted", || !opens(chosen));
}

#[rstest]
fn passwords_come_from_standard_input_and_never_as_arguments(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    installation.json(&["user", "create", "--username", "alice"]);
    for arguments in [
        &["user", "create", "--username", "bob", "--password", "a fine long passphrase"][..],
        &["user", "set-password", "alice", "a fine long passphrase"],
        &["user", "set-password", "alice", "--password-stdin", "a fine long passphrase"],
        &["init", "--admin-password", "a fine long passphrase"],
        &["client", "create", "--label", "x", "--secret", "mine"],
    ] {
        misused(&installation.run(arguments));
    }
    // Without a terminal nobody is asked: the command says how.
    let said = refused(&installation.run(&["user", "set-password", "alice"]), 2);
    assert!(said.contains("--password-stdin"), "{said}");
}

#[rstest]
fn what_cannot_be_is_refused_in_one_line_that_says_why(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    installation.json(&["user", "create", "--username", "alice"]);
    for (arguments, wanted) in [
        (&["user", "create", "--username", "alice"][..], "alice is taken"),
        (&["user", "create", "--username", "a:b"], "no colon"),
        (&["user", "create", "--username", "b", "--kind", "robot"], "`robot` is not one of: person, api_user"),
        (&["user", "create", "--username", "b", "--access", "everything"], "`everything` is not one of: console, api"),
        (&["user", "create", "--username", "b", "--role", "king"], "there is no role `king`"),
        (&["user", "create", "--username", "b", "--email", "nowhere"], "must look like"),
        (&["user", "disable", "nobody"], "there is no user `nobody` (grantor user list shows what there is)"),
        (&["user", "delete", "alice"], "--yes"),
    ] {
        let said = refused(&installation.run(arguments), 1);
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    let weak = installation.run_with(&["user", "set-password", "alice", "--password-stdin"], "too short");
    let said = refused(&weak, 1);
    assert!(said.contains("at least 15 characters") && !said.contains("too short"), "{said}");
}

#[test]
fn unlocking_does_not_let_a_disabled_user_in() {
    let installation = Installation::new(Database::Sqlite);
    installation.json(&["user", "create", "--username", "bob"]);
    installation.json(&["user", "disable", "bob"]);
    let output = installation.run(&["user", "unlock", "bob"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("grantor user enable"));
    assert_eq!(installation.json(&["user", "show", "bob"])["status"], "disabled");
}
