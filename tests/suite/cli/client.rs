//! `grantor client …`

use rstest::rstest;
use serde_json::{Value, json};

use super::{client_credentials, done, members, misused, refused, text, within_a_second};
use crate::harness::{Database, Installation};

const MACHINE: [&str; 6] = ["client", "create", "--label", "machine", "--grant-type", "client_credentials"];

#[rstest]
fn akeneos_documented_line_works_and_prints_the_four_lines_that_its_developers_know(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    let output = installation.run(&[
        "client",
        "create",
        "--label=My very first API connection",
        "--grant_type=password",
        "--grant_type=refresh_token",
        "--env=prod",
    ]);
    let printed = done(&output);
    let lines: Vec<&str> = printed.lines().collect();
    let [first, client_id, secret, label] = lines[..] else { panic!("{printed}") };
    assert_eq!(first, "A new client has been added:");
    let digits = client_id.strip_prefix("client_id: app_").unwrap();
    assert!(digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{client_id}");
    assert!(secret.starts_with("secret: gr_cs_"), "{secret}");
    assert_eq!(label, "label: My very first API connection");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = installation.json(&["client", "show", "My very first API connection"]);
    assert_eq!(shown["grant_types"], json!(["password", "refresh_token"]));
}

#[rstest]
fn a_client_created_with_json_is_one_object_of_the_documented_members(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    let made =
        installation.json(&["client", "create", "--label", "app", "--grant-type", "password", "--scope", "openid"]);
    let documented = ["client_id", "client_secret", "grant_types", "kind", "label", "scopes", "status"];
    assert!(documented.iter().all(|name| members(&made).contains(name)), "{made}");
    assert_eq!(
        (&made["label"], &made["kind"], &made["grant_types"], &made["scopes"], &made["status"]),
        (&json!("app"), &json!("confidential"), &json!(["password"]), &json!(["openid"]), &json!("active"))
    );
    let public =
        installation.json(&["client", "create", "--label", "spa", "--public", "--grant-type", "refresh_token"]);
    assert_eq!((&public["kind"], &public["client_secret"]), (&json!("public"), &Value::Null));
    let chosen = installation.json(&["client", "create", "--label", "own", "--client-id", "my own id"]);
    assert_eq!(chosen["client_id"], "my own id");
}

#[rstest]
fn secrets_are_shown_once_and_never_again(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    let made = installation.json(&MACHINE);
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    for arguments in [&["client", "list"][..], &["client", "show", &id], &["client", "secrets", &id]] {
        let json = installation.json(arguments).to_string();
        let plain = done(&installation.run(arguments));
        assert!(!json.contains(&secret) && !plain.contains(&secret), "{arguments:?}");
    }
    let secrets = installation.json(&["client", "secrets", "machine"]);
    assert_eq!(secrets.as_array().unwrap().len(), 1);
    assert_eq!(members(&secrets[0]), ["created_at", "expires_at", "id", "label"]);
    let listed = installation.json(&["client", "list"]);
    assert!(listed.as_array().unwrap().iter().any(|client| client["client_id"] == id.as_str()));
}

#[rstest]
fn a_running_server_sees_what_the_command_line_changes_within_a_second(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.start();
    let made = server.json(&MACHINE);
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let opens = |secret: &str| client_credentials(&server, &id, secret).is_none();
    within_a_second("created", || opens(&secret));

    assert_eq!(server.json(&["client", "disable", &id])["status"], "disabled");
    within_a_second("disabled", || !opens(&secret));
    assert_eq!(server.json(&["client", "enable", "machine"])["status"], "active");
    within_a_second("enabled", || opens(&secret));

    let rotated = server.json(&["client", "rotate-secret", &id, "--yes"]);
    assert_eq!(members(&rotated), ["client_id", "client_secret", "secret_id"]);
    let second = text(&rotated, "client_secret");
    within_a_second("rotated", || opens(&second));
    assert!(!opens(&secret), "without an overlap the old secret ends at once");

    let rotated = server.json(&["client", "rotate-secret", &id, "--overlap", "24h"]);
    assert_eq!(members(&rotated), ["client_id", "client_secret", "previous_expires_at", "secret_id"]);
    let third = text(&rotated, "client_secret");
    within_a_second("rotated with an overlap", || opens(&third));
    assert!(opens(&second), "the old secret works on");
    assert!(!opens(&secret), "an overlap does not bring a dead secret back");

    assert_eq!(server.json(&["client", "delete", &id, "--yes"])["status"], "deleted");
    within_a_second("deleted", || !opens(&third));
}

#[rstest]
fn what_destroys_asks_or_takes_yes(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    let made = installation.json(&MACHINE);
    let id = text(&made, "client_id");
    for arguments in [&["client", "delete", &id][..], &["client", "rotate-secret", &id]] {
        let said = refused(&installation.run(arguments), 1);
        assert!(said.contains("--yes"), "{said}");
    }
    assert_eq!(installation.json(&["client", "show", &id])["status"], "active");
    assert_eq!(installation.json(&["client", "secrets", &id]).as_array().unwrap().len(), 1);
}

#[rstest]
fn what_cannot_be_is_refused_in_one_line_that_says_why(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    installation.json(&["client", "create", "--label", "first", "--client-id", "taken"]);
    for (arguments, wanted) in [
        (&["--label", ""][..], "1 to 255 bytes"),
        (&["--label", "a", "--grant-type", "implicit"], "`implicit` is not one of"),
        (&["--label", "a", "--scope", "orders:read"], "grantor scope create --name 'orders:read'"),
        (&["--label", "a", "--public", "--grant-type", "client_credentials"], "RFC 6749 section 4.4"),
        (&["--label", "a", "--public", "--may-introspect"], "only a confidential client"),
        (&["--label", "a", "--access-lifetime", "29"], "30 to 86400"),
        (&["--label", "a", "--reuse-window", "61"], "0 to 60"),
        (&["--label", "a", "--client-id", "taken"], "taken"),
        (&["--label", "a", "--client-id", "018f4e2a-7b1c-7d3e-8f4a-5b6c7d8e9f00"], "UUID"),
        (&["--label", "a", "--signing-algorithm", "HS256"], "`HS256` is not one of"),
        (&["--label", "a", "--organization", "nowhere"], "there is no organization `nowhere`"),
    ] {
        let said = refused(&installation.run(&[&["client", "create"], arguments].concat()), 1);
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    let said = refused(&installation.run(&["client", "show", "nobody"]), 1);
    assert_eq!(said, "there is no client `nobody` (grantor client list shows what there is)");
    assert!(misused(&installation.run(&["client", "create"])).contains("--label"));
    assert!(misused(&installation.run(&["client", "rotate-secret", "x", "--overlap", "soon"])).contains("24h"));
    let plain = misused(&installation.run(&["client", "rotate-secret", "taken", "--overlap", "24"]));
    assert!(plain.contains("with its unit, s, m, h or d"), "{plain}");
    assert!(misused(&installation.run(&["client", "explode"])).contains("explode"));
}

#[test]
fn a_client_of_another_organization_is_shown_disabled_and_deleted_like_any_other() {
    let installation = Installation::new(Database::Sqlite);
    installation.json(&["organization", "create", "--name", "Other", "--slug", "other"]);
    let made = installation.json(&["client", "create", "--label", "elsewhere", "--organization", "other"]);
    let id = made["client_id"].as_str().unwrap();
    assert_eq!(installation.json(&["client", "show", id])["label"], "elsewhere");
    assert!(installation.json(&["client", "list"]).to_string().contains(id));
    installation.json(&["client", "rotate-secret", id, "--yes"]);
    assert_eq!(installation.json(&["client", "disable", id])["status"], "disabled");
    assert_eq!(installation.json(&["client", "delete", id, "--yes"])["status"], "deleted");
}

#[test]
fn approving_is_for_pending_clients_alone() {
    let installation = Installation::new(Database::Sqlite);
    let made = installation.json(&["client", "create", "--label", "one"]);
    let id = made["client_id"].as_str().unwrap();
    installation.json(&["client", "disable", id]);
    let output = installation.run(&["client", "approve", id]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("grantor client enable"));
    assert_eq!(installation.json(&["client", "enable", id])["status"], "active");
}

#[test]
fn a_client_that_lacks_a_grant_is_told_and_one_that_introspects_is_not() {
    let installation = Installation::new(Database::Sqlite);
    let noted = |arguments: &[&str]| {
        let output = installation.run(&[&["client", "create", "--label", "x"], arguments].concat());
        done(&output);
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(noted(&[]).contains("--grant-type client_credentials"));
    assert!(noted(&["--grant-type", "refresh_token"]).contains("--grant-type password"));
    assert_eq!(noted(&["--may-introspect"]), "");
    assert_eq!(noted(&["--grant-type", "password", "--grant-type", "refresh_token"]), "");
}
