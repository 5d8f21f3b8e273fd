//! `grantor role …`, `grantor scope …`, `grantor organization …`

use rstest::rstest;
use serde_json::json;

use super::{client_credentials, done, members, refused, text, within_a_second};
use crate::harness::{Database, Installation};

#[rstest]
fn a_role_is_made_with_its_permissions(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    installation.json(&["scope", "create", "--name", "orders:read"]);
    let arguments = ["role", "create", "--name", "reader", "--permission", "api:access", "--permission", "orders:read"];
    let made = installation.json(&arguments);
    assert_eq!(members(&made), ["built_in", "id", "name", "permissions"]);
    assert_eq!(made["permissions"], json!(["api:access", "orders:read"]));
    let listed = installation.json(&["role", "list"]);
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
    assert!(["administrator", "developer", "api user", "reader"].iter().all(|name| names.contains(name)), "{names:?}");
    assert_eq!(refused(&installation.run(&arguments), 1), "there is a role `reader` already");
    let said = refused(&installation.run(&["role", "create", "--name", "b", "--permission", "orders:eat"]), 1);
    assert!(said.contains("orders:eat"), "{said}");
    assert!(done(&installation.run(&["role", "list"])).contains("orders:read"));
}

#[rstest]
fn a_scope_joins_the_catalogue_once(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    let arguments = ["scope", "create", "--name", "orders:read", "--requires-approval", "--audience", "https://orders"];
    let made = installation.json(&arguments);
    assert_eq!(members(&made), ["audience", "description", "name", "requires_approval"]);
    assert_eq!((&made["requires_approval"], &made["audience"]), (&json!(true), &json!("https://orders")));
    let said = refused(&installation.run(&arguments), 1);
    assert!(said.starts_with("there is a scope"), "{said}");
    assert!(refused(&installation.run(&["scope", "create", "--name", "two words"]), 1).contains("scope"));
    let listed = installation.json(&["scope", "list"]);
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|scope| scope["name"].as_str().unwrap()).collect();
    assert!(["openid", "profile", "email", "offline_access", "orders:read"].iter().all(|name| names.contains(name)));
}

#[rstest]
fn a_scope_that_nobody_holds_is_deleted_and_its_name_may_be_given_again(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.json(&["scope", "create", "--name", "orders:read", "--requires-approval"]);
    server.json(&["role", "create", "--name", "reader", "--permission", "orders:read"]);
    server.start();
    let delete = ["scope", "delete", "orders:read", "--yes"];
    assert!(refused(&server.run(&["scope", "delete", "orders:read"]), 1).contains("--yes"));
    assert!(refused(&server.run(&delete), 1).contains("1 role holds the scope orders:read"));
    server.json(&["role", "delete", "reader", "--yes"]);
    let advertised = || {
        let metadata = server.get("/.well-known/openid-configuration", &[]).ok().json();
        metadata["scopes_supported"].as_array().unwrap().contains(&json!("orders:read"))
    };
    within_a_second("made", advertised);
    assert_eq!(server.json(&delete)["name"], "orders:read");
    within_a_second("deleted", || !advertised());
    assert!(refused(&server.run(&delete), 1).starts_with("there is no scope `orders:read`"));
    for built_in in ["openid", "profile", "email", "offline_access"] {
        assert!(refused(&server.run(&["scope", "delete", built_in, "--yes"]), 1).contains("built in"));
    }
    // As new: nothing of the old entry is left.
    let again = server.json(&["scope", "create", "--name", "orders:read"]);
    assert_eq!(again["requires_approval"], false);
    within_a_second("made again", advertised);
}

#[rstest]
fn an_organization_is_made_and_its_disabling_stops_its_clients_within_a_second(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.start();
    let made = server.json(&["organization", "create", "--name", "Other Company", "--slug", "other"]);
    assert_eq!(members(&made), ["id", "name", "number", "slug", "status"]);
    assert!(made["number"].as_i64().unwrap() >= 100_000);
    let said = refused(&server.run(&["organization", "create", "--name", "Again", "--slug", "other"]), 1);
    assert_eq!(said, "there is an organization `other` already");
    assert!(refused(&server.run(&["organization", "create", "--name", "X", "--slug", "No Slug"]), 1).contains("a-z"));

    let create = ["client", "create", "--label", "x", "--grant-type", "client_credentials", "--organization", "other"];
    let client = server.json(&create);
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    let opens = || client_credentials(&server, &id, &secret).is_none();
    within_a_second("created", opens);
    assert_eq!(server.json(&["organization", "disable", "other"])["status"], "disabled");
    within_a_second("disabled", || !opens());
    server.json(&["organization", "enable", &made["number"].to_string()]);
    within_a_second("enabled", opens);
    assert_eq!(server.json(&["organization", "list"]).as_array().unwrap().len(), 2);
}
