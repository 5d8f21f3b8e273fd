//! `grantor init`

use rstest::rstest;
use serde_json::Value;

use super::{done, members, password_grant, refused, text, within_a_second};
use crate::harness::{Database, Installation};

#[rstest]
fn init_makes_the_installation_once_and_is_harmless_afterwards(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    let first = installation.json(&["init"]);
    assert_eq!(members(&first), ["organization_id", "organization_number", "password", "username"]);
    assert_eq!(first["username"], "admin");
    assert!(first["organization_number"].as_i64().unwrap() >= 100_000, "six digits or more");

    let again = installation.json(&["init"]);
    assert_eq!(members(&again), ["organization_id", "organization_number", "username"]);
    assert_eq!(again["organization_id"], first["organization_id"]);
    let printed = done(&installation.run(&["init"]));
    assert!(printed.contains("grantor init --recover-admin"), "{printed}");
    assert_eq!(installation.json(&["user", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(installation.json(&["key", "list"]).as_array().unwrap().len(), 2);
}

#[rstest]
fn recover_admin_gives_a_new_password_and_ends_the_old_one(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    let client = server.json(&["client", "create", "--label", "app", "--grant-type", "password"]);
    let client = (text(&client, "client_id"), text(&client, "client_secret"));
    let first = text(&server.json(&["init"]), "password");
    server.start();
    let opens = |password: &str| password_grant(&server, (&client.0, &client.1), "admin", password).is_none();
    assert!(opens(&first));

    let second = text(&server.json(&["init", "--recover-admin"]), "password");
    within_a_second("recovered", || opens(&second));
    assert!(!opens(&first));

    let chosen = "correct-horse-battery-staple";
    let output = server.run_with(&["init", "--recover-admin", "--admin-password-stdin", "--json"], chosen);
    let answer: Value = serde_json::from_str(&done(&output)).unwrap();
    assert_eq!(answer["password"], Value::Null, "a password that was typed is not printed");
    within_a_second("recovered by hand", || opens(chosen));
    assert!(!opens(&second));
}

#[rstest]
fn the_administrators_name_and_password_can_be_chosen(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    let arguments = ["init", "--admin-username", "root", "--admin-password-stdin", "--json"];
    let weak = installation.run_with(&arguments, "too short");
    assert!(refused(&weak, 1).contains("at least 15 characters"));
    let answer: Value =
        serde_json::from_str(&done(&installation.run_with(&arguments, "a fine long passphrase"))).unwrap();
    assert_eq!((&answer["username"], &answer["password"]), (&Value::from("root"), &Value::Null));
    assert_eq!(installation.json(&["user", "show", "root"])["status"], "active");
}

#[rstest]
fn two_nodes_that_start_at_once_on_an_empty_database_make_one_installation(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| installation.json(&["key", "list"]))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|keys| *keys == answers[0] && keys.as_array().unwrap().len() == 2), "{answers:?}");
}
