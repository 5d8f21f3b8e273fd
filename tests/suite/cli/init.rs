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
        let first = |label: String| {
            installation.json(&["client", "create", "--label", &label]);
            installation.json(&["key", "list"])
        };
        let threads: Vec<_> = (0..4).map(|number| scope.spawn(move || first(format!("client {number}")))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|keys| *keys == answers[0] && keys.as_array().unwrap().len() == 2), "{answers:?}");
}

#[rstest]
fn only_an_administrator_is_recovered_and_a_second_name_makes_nothing(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    installation.json(&["init"]);
    installation.json(&["user", "create", "--username", "u2"]);
    for arguments in [&["init", "--recover-admin", "--admin-username", "u2"][..], &["init", "--admin-username", "u2"]] {
        let said = refused(&installation.run(arguments), 1);
        assert!(said.contains("u2 is no administrator") && said.contains("user grant-role u2 administrator"), "{said}");
    }
    let said = refused(&installation.run(&["init", "--admin-username", "root"]), 1);
    assert_eq!(
        said,
        "it is installed already, without an administrator root: \
         'grantor user create --username root --role administrator' makes one"
    );
    // The last administrator stays.
    assert!(refused(&installation.run(&["user", "delete", "admin", "--yes"]), 1).contains("the last administrator"));
    installation.json(&["user", "create", "--username", "root", "--role", "administrator"]);
    installation.json(&["user", "delete", "admin", "--yes"]);
    assert!(refused(&installation.run(&["init"]), 1).contains("without an administrator admin"));
    assert!(installation.json(&["init", "--recover-admin", "--admin-username", "root"])["password"].is_string());
}

#[rstest]
fn what_only_looks_or_changes_makes_no_installation(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut installation = Installation::new(db);
    if db == Database::Sqlite {
        let file = installation.path().join("data/grantor.db");
        installation.set("database.url", format!("sqlite://{}", file.display()));
        installation.set("security.master_key_file", installation.path().join("data/master.key").display());
    }
    for arguments in [
        &["client", "list"][..],
        &["client", "show", "x"],
        &["client", "disable", "x"],
        &["user", "list"],
        &["user", "unlock", "x"],
        &["credentials", "list"],
        &["role", "list"],
        &["scope", "list"],
        &["organization", "list"],
        &["key", "list"],
        &["key", "rotate"],
        &["migrate", "status"],
        &["master-key", "export"],
    ] {
        let said = refused(&installation.run(arguments), 1);
        let rest = said.strip_prefix("no installation in ").unwrap_or_else(|| panic!("{arguments:?}: {said}"));
        assert!(rest.ends_with(": grantor init makes one"), "{said}");
        if db == Database::Sqlite {
            assert_eq!(rest, format!("{}: grantor init makes one", installation.path().join("data").display()));
        }
    }
    let doctor = installation.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("BAD   installation: no installation in "));
    assert_eq!(installation.path().read_dir().unwrap().count(), 0, "nothing was made");
    installation.json(&["migrate", "run"]);
    assert!(refused(&installation.run(&["client", "list"]), 1).starts_with("no installation in "));
    installation.json(&["init"]);
    installation.json(&["client", "list"]);
}

#[rstest]
fn the_administrators_set_up_link_works_once_and_without_a_terminal_only_its_path_is_said(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    use std::os::unix::fs::PermissionsExt;
    let mut server = Installation::new(db);
    let file = server.path().join("setup-link");
    let read = |file: &std::path::Path| {
        let text = std::fs::read_to_string(file).unwrap();
        text.trim().split_once("/console/link#").unwrap_or_else(|| panic!("{text}")).1.to_owned()
    };
    // The first start is a server's.
    server.start();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let first = read(&file);
    let log = server.log();
    assert!(log.contains(&file.display().to_string()) && !log.contains("gr_ot_"), "{log}");

    let made = server.run(&["init", "--recover-admin"]);
    let said = done(&made) + &String::from_utf8_lossy(&made.stderr);
    assert!(said.contains(&file.display().to_string()) && !said.contains("gr_ot_"), "{said}");
    let second = read(&file);
    assert_ne!(first, second);
    let client = server.json(&["client", "create", "--label", "app", "--grant-type", "password"]);
    let client = (text(&client, "client_id"), text(&client, "client_secret"));
    let redeem = |token: &str| {
        let body = serde_json::json!({ "token": token, "password": "a fine long passphrase" }).to_string();
        let request = ureq::http::Request::post(format!("{}/api/v1/links/redeem", server.base()));
        let request = request.header("Content-Type", "application/json").body(body).unwrap();
        crate::harness::Answer::of(crate::harness::agent().run(request)).status
    };
    assert_eq!(redeem(&first), 400, "the older link opens nothing any more");
    assert_eq!(redeem(&second), 200);
    assert_eq!(redeem(&second), 400, "it works once");
    within_a_second("set up", || {
        password_grant(&server, (&client.0, &client.1), "admin", "a fine long passphrase").is_none()
    });
}
