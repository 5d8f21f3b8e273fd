//! Every operation as every kind of principal.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};

use super::principals::{NAMES, all, fixtures};
use super::{Caller, send};
use crate::harness::{Database, Server};

/// Method, path, and what the principals of [`NAMES`] get in their order: 401, 403 or 404, and `-` for anything else.
/// What is in the path belongs to the default organization, and none of it to the one who asks.
const MATRIX: &[(&str, &str, &str)] = &[
    ("GET", "/api/v1/me", "401 - - - - - - - - -"),
    ("GET", "/api/v1/organizations", "401 - - - - - - - - -"),
    ("POST", "/api/v1/organizations", "401 403 403 403 403 403 - 403 - -"),
    ("GET", "/api/v1/organizations/{organization}", "401 404 404 404 404 404 - 404 - -"),
    ("PATCH", "/api/v1/organizations/{organization}", "401 403 403 403 403 403 - 403 - -"),
    ("POST", "/api/v1/organizations/{organization}/disable", "401 403 403 403 403 403 - 403 - -"),
    ("POST", "/api/v1/organizations/{organization}/enable", "401 403 403 403 403 403 - 403 - -"),
    ("GET", "/api/v1/users", "401 403 403 403 - - - 403 - -"),
    ("POST", "/api/v1/users", "401 403 403 403 - - - 403 - -"),
    ("GET", "/api/v1/users/{user}", "401 403 403 403 - 404 - 403 - -"),
    ("PATCH", "/api/v1/users/{user}", "401 403 403 403 - 404 - 403 - -"),
    ("DELETE", "/api/v1/users/{user}", "401 403 403 403 - 404 - 403 - -"),
    ("POST", "/api/v1/users/{user}/disable", "401 403 403 403 - 404 - 403 - -"),
    ("POST", "/api/v1/users/{user}/enable", "401 403 403 403 - 404 - 403 - -"),
    ("POST", "/api/v1/users/{user}/unlock", "401 403 403 403 - 404 - 403 - -"),
    ("POST", "/api/v1/users/{user}/password", "401 403 403 403 - 404 - 403 - -"),
    ("GET", "/api/v1/users/{user}/verification", "401 403 403 403 - 404 - 403 - -"),
    ("POST", "/api/v1/users/{user}/verification", "401 403 403 403 - 404 - 403 - -"),
    ("GET", "/api/v1/users/{user}/memberships", "401 403 403 403 - 404 - 403 - -"),
    ("PUT", "/api/v1/users/{user}/memberships/{organization}", "401 403 403 403 - 404 - 403 - -"),
    ("DELETE", "/api/v1/users/{user}/memberships/{organization}", "401 403 403 403 - 404 - 403 - -"),
    ("GET", "/api/v1/users/{user}/sessions", "401 403 403 403 - 404 - 403 - -"),
    ("DELETE", "/api/v1/users/{user}/sessions/{session}", "401 403 403 403 - 404 - 403 - -"),
    ("GET", "/api/v1/roles", "401 403 403 403 403 - - 403 - -"),
    ("POST", "/api/v1/roles", "401 403 403 403 403 - - 403 - -"),
    ("GET", "/api/v1/roles/{role}", "401 403 403 403 403 404 - 403 - -"),
    ("PUT", "/api/v1/roles/{role}", "401 403 403 403 403 404 - 403 - -"),
    ("DELETE", "/api/v1/roles/{role}", "401 403 403 403 403 404 - 403 - -"),
    ("GET", "/api/v1/roles/{role}/users", "401 403 403 403 403 404 - 403 - -"),
    ("GET", "/api/v1/scopes", "401 - - - - - - - - -"),
    ("POST", "/api/v1/scopes", "401 403 403 403 403 403 - 403 - -"),
    ("GET", "/api/v1/scopes/{scope}", "401 - - - - - - - - -"),
    ("PATCH", "/api/v1/scopes/{scope}", "401 403 403 403 403 403 - 403 - -"),
    ("DELETE", "/api/v1/scopes/{scope}", "401 403 403 403 403 403 - 403 - -"),
    ("GET", "/api/v1/clients", "401 403 - 403 403 - - 403 - -"),
    ("POST", "/api/v1/clients", "401 403 - 403 403 - - 403 - -"),
    ("GET", "/api/v1/clients/{client}", "401 403 404 403 403 404 - 403 - -"),
    ("PATCH", "/api/v1/clients/{client}", "401 403 404 403 403 404 - 403 - -"),
    ("DELETE", "/api/v1/clients/{client}", "401 403 404 403 403 404 - 403 - -"),
    ("POST", "/api/v1/clients/{client}/approve", "401 403 403 403 403 404 - 403 - -"),
    ("POST", "/api/v1/clients/{client}/disable", "401 403 404 403 403 404 - 403 - -"),
    ("POST", "/api/v1/clients/{client}/enable", "401 403 403 403 403 404 - 403 - -"),
    ("GET", "/api/v1/clients/{client}/secrets", "401 403 404 403 403 404 - 403 - -"),
    ("POST", "/api/v1/clients/{client}/secrets", "401 403 404 403 403 404 - 403 - -"),
    ("POST", "/api/v1/clients/{client}/secrets/rotate", "401 403 404 403 403 404 - 403 - -"),
    ("DELETE", "/api/v1/clients/{client}/secrets/{secret}", "401 403 404 403 403 404 - 403 - -"),
    ("POST", "/api/v1/clients/{client}/secrets/{secret}/reveal", "401 403 404 403 403 404 - 403 - -"),
    ("GET", "/api/v1/clients/{client}/scope-requests", "401 403 404 403 403 404 - 403 - -"),
    ("POST", "/api/v1/clients/{client}/scope-requests", "401 403 404 403 403 404 - 403 - -"),
    ("GET", "/api/v1/scope-requests", "401 403 403 403 403 - - 403 - -"),
    ("POST", "/api/v1/scope-requests/{request}/approve", "401 403 403 403 403 404 - 403 - -"),
    ("POST", "/api/v1/scope-requests/{request}/deny", "401 403 403 403 403 404 - 403 - -"),
    ("GET", "/api/v1/credentials", "401 403 - 403 403 - - 403 - -"),
    ("POST", "/api/v1/credentials", "401 403 - 403 403 - - 403 - -"),
    ("GET", "/api/v1/credentials/{credentials}", "401 403 - 403 403 404 - 403 - -"),
    ("DELETE", "/api/v1/credentials/{credentials}", "401 403 - 403 403 404 - 403 - -"),
    ("GET", "/api/v1/api-keys", "401 403 - 403 403 - - 403 - -"),
    ("POST", "/api/v1/api-keys", "401 403 - 403 403 - - 403 - -"),
    ("GET", "/api/v1/api-keys/{key}", "401 403 404 403 403 404 - 403 - -"),
    ("DELETE", "/api/v1/api-keys/{key}", "401 403 404 403 403 404 - 403 - -"),
    ("POST", "/api/v1/api-keys/{key}/disable", "401 403 404 403 403 404 - 403 - -"),
    ("POST", "/api/v1/api-keys/{key}/enable", "401 403 404 403 403 404 - 403 - -"),
    ("POST", "/api/v1/api-keys/{key}/reveal", "401 403 404 403 403 404 - 403 - -"),
    ("GET", "/api/v1/audit-events", "401 403 403 - 403 - - 403 - -"),
    ("GET", "/api/v1/usage", "401 403 403 - 403 - - 403 - -"),
    ("GET", "/api/v1/clients/{client}/usage", "401 403 404 403 403 404 - 403 - -"),
    ("GET", "/api/v1/revocations", "401 403 403 403 403 403 403 403 403 403"),
    ("GET", "/api/v1/tokens/families", "401 - - - - - - - - -"),
    ("DELETE", "/api/v1/tokens/families/{family}", "401 404 404 404 - 404 - 404 - -"),
    ("GET", "/api/v1/signing-keys", "401 403 403 403 403 403 - 403 - -"),
    ("POST", "/api/v1/signing-keys/rotate", "401 403 403 403 403 403 - 403 - -"),
    ("POST", "/api/v1/signing-keys/{kid}/revoke", "401 403 403 403 403 403 - 403 - -"),
    ("POST", "/api/v1/links/redeem", "- - - - - - - - - -"),
    ("POST", "/api/v1/password-resets", "- - - - - - - - - -"),
];

/// A body with which the operation is carried out; none where it takes none.
fn body(method: &str, path: &str, unique: &str) -> Option<Value> {
    let operation = format!("{method} {}", path.trim_start_matches("/api/v1/"));
    Some(match operation.as_str() {
        "POST organizations" => json!({ "name": "New", "slug": format!("x{unique}") }),
        "PATCH organizations/{organization}" => json!({ "name": "Renamed" }),
        "POST users" => json!({ "username": unique, "kind": "api_user" }),
        "PATCH users/{user}" => json!({ "name": "Renamed" }),
        "PUT users/{user}/memberships/{organization}" => json!({ "roles": ["api user"] }),
        "POST roles" | "PUT roles/{role}" => json!({ "name": unique }),
        "POST scopes" => json!({ "name": unique }),
        "PATCH scopes/{scope}" => json!({ "description": "changed" }),
        "POST clients" => json!({ "label": unique, "grant_types": ["client_credentials"] }),
        "PATCH clients/{client}" => json!({ "description": "changed" }),
        "POST clients/{client}/scope-requests" => json!({ "scope": "profile", "justification": "for the matrix" }),
        "POST credentials" => json!({ "name": unique }),
        "POST links/redeem" => json!({ "token": "gr_ot_none" }),
        "POST password-resets" => json!({ "username": unique }),
        _ if method == "POST" => json!({}),
        _ => return None,
    })
}

fn operations(server: &Server) -> BTreeSet<(String, String)> {
    let document = server.get("/api/openapi.json", &[]).ok().json();
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().keys().filter(|method| *method != "parameters");
        methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_matrix_the_document_and_the_routes_have_the_same_operations() {
    let server = Server::start(Database::Sqlite);
    let documented = operations(&server);
    let declared: BTreeSet<_> =
        MATRIX.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(declared.len(), MATRIX.len(), "a row is there twice");
    assert_eq!(declared, documented);
    let routed: BTreeSet<_> = grantor::http::table()
        .filter(|(path, ..)| path.starts_with("/api/v1/"))
        .flat_map(|(path, methods, _)| methods.split(", ").map(|method| (method.to_owned(), (*path).to_owned())))
        .filter(|(method, _)| method != "HEAD")
        .collect();
    assert_eq!(documented, routed);
}

#[rstest]
fn every_operation_answers_every_principal_as_the_matrix_says(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (askers, administrator) = (all(&server), Caller::administrator(&server));
    let (mut wrong, mut problems) = (Vec::new(), Vec::new());
    for (method, path, declared) in MATRIX {
        let answered: Vec<String> = askers
            .iter()
            .map(|asker| {
                let unique = format!("new-{}", uuid::Uuid::now_v7());
                let target = fixtures(&administrator, path).in_path(path);
                let headers: Vec<_> = asker.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let answer = send(&server, method, &target, body(method, path, &unique).as_ref(), &headers);
                // A secret is shown again to whoever gives their own password, which a token or a key does not bring.
                let refused = answer.status == 422 && *method != "GET" && !path.ends_with("/reveal");
                if answer.status >= 500 || refused {
                    problems.push(format!("{method} {path} as {}: {answer:?}", asker.name));
                }
                if answer.status >= 400 && answer.header("content-type") != "application/problem+json" {
                    problems.push(format!("{method} {path} as {}: no problem: {answer:?}", asker.name));
                }
                match answer.status {
                    401 | 403 | 404 => answer.status.to_string(),
                    _ => "-".to_owned(),
                }
            })
            .collect();
        if answered.join(" ") != *declared {
            wrong.push(format!("    ({method:?}, {path:?}, {:?}),", answered.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "{NAMES:?} got\n{}", wrong.join("\n"));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
