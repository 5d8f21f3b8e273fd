//! The catalogue: what is deleted, and what is not.

use rstest::rstest;
use serde_json::json;

use super::{Caller, id_of, made, refused};
use crate::harness::{Database, Server};

#[rstest]
fn a_scope_is_deleted_when_no_client_no_role_and_no_request_names_it(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (administrator, developer) = (Caller::administrator(&server), Caller::developer(&server));
    made(&administrator.post("scopes", &json!({ "name": "orders:read", "requires_approval": true })));
    let delete = || administrator.delete("scopes/orders:read");
    let client = json!({ "label": "holder", "grant_types": ["client_credentials"], "scopes": ["orders:read"] });
    let client = id_of(&made(&administrator.post("clients", &client)));
    let role = json!({ "name": "holder", "permissions": ["orders:read"] });
    let role = id_of(&made(&administrator.post("roles", &role)));
    let application = json!({ "label": "asking", "grant_types": ["client_credentials"] });
    let application = id_of(&made(&developer.post("clients", &application)));
    let request = json!({ "scope": "orders:read", "justification": "we need it" });
    let request = id_of(&made(&developer.post(&format!("clients/{application}/scope-requests"), &request)));

    let said = refused(&delete(), 409);
    assert!(said.contains("1 client holds, 1 role holds, 1 open request names the scope orders:read"), "{said}");
    administrator.patch(&format!("clients/{client}"), &json!({ "scopes": [] })).ok();
    assert!(!refused(&delete(), 409).contains("client"));
    assert_eq!(administrator.delete(&format!("roles/{role}")).status, 204);
    assert!(!refused(&delete(), 409).contains("role"));
    administrator.post(&format!("scope-requests/{request}/deny"), &json!({})).ok();
    assert_eq!(delete().status, 204);

    // It is nowhere, and nobody is given it any more.
    refused(&delete(), 404);
    refused(&administrator.get("scopes/orders:read"), 404);
    assert!(!administrator.get("scopes").ok().body.contains("orders:read"));
    for (path, body) in [
        ("clients", json!({ "label": "late", "grant_types": [], "scopes": ["orders:read"] })),
        ("roles", json!({ "name": "late", "permissions": ["orders:read"] })),
    ] {
        refused(&administrator.post(path, &body), 422);
    }
    // What was decided about it can still be read; another entry may have the name.
    assert!(administrator.get("scope-requests?status=denied").ok().body.contains("orders:read"));
    let again = made(&administrator.post("scopes", &json!({ "name": "orders:read" })));
    assert_eq!(again["requires_approval"], false);
    assert_eq!(delete().status, 204);
}

#[rstest]
fn a_client_that_was_deleted_holds_nothing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    made(&administrator.post("scopes", &json!({ "name": "orders:read" })));
    let client = json!({ "label": "holder", "grant_types": ["client_credentials"], "scopes": ["orders:read"] });
    let client = id_of(&made(&administrator.post("clients", &client)));
    refused(&administrator.delete("scopes/orders:read"), 409);
    assert_eq!(administrator.delete(&format!("clients/{client}")).status, 204);
    assert_eq!(administrator.delete("scopes/orders:read").status, 204);
}

#[rstest]
fn a_built_in_scope_stays(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    for name in ["openid", "profile", "email", "offline_access"] {
        assert!(refused(&administrator.delete(&format!("scopes/{name}")), 409).contains("built in"));
    }
}

#[rstest]
fn of_two_who_give_a_scope_away_and_delete_it_at_once_one_is_refused(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    for round in 0..20 {
        let name = format!("round:{round}");
        made(&administrator.post("scopes", &json!({ "name": name })));
        let role = json!({ "name": name, "permissions": [name] });
        let (given, deleted) = std::thread::scope(|scope| {
            let given = scope.spawn(|| administrator.post("roles", &role).status);
            let deleted = administrator.delete(&format!("scopes/{name}")).status;
            (given.join().unwrap(), deleted)
        });
        assert!(matches!((given, deleted), (201, 409) | (409 | 422, 204)), "{given} {deleted}");
    }
}
