//! Applications of developers, and the scopes that they ask for: somebody else decides.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Caller, id_of, made, names, refused};
use crate::harness::{Database, Server, basic};

fn application(label: &str) -> Value {
    json!({ "label": label, "grant_types": ["client_credentials"] })
}

#[rstest]
fn an_application_waits_without_credentials_for_somebody_elses_approval(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (developer, other) = (Caller::developer(&server), Caller::developer(&server));
    let administrator = Caller::administrator(&server);
    let registered = made(&developer.post("clients", &application("waiting")));
    assert_eq!((&registered["status"], &registered["client_id"]), (&json!("pending"), &Value::Null), "{registered}");
    assert!(registered.get("client_secret").is_none(), "{registered}");
    assert_eq!(registered["owner_id"], json!(developer.user.id));
    let path = format!("clients/{}", id_of(&registered));
    assert_eq!(developer.get(&path).ok().json()["client_id"], Value::Null);
    let listed = developer.get("clients").ok().json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    // Another developer does not see it, whatever they ask.
    assert!(other.get("clients").ok().json()["items"].as_array().unwrap().is_empty());
    for answer in [
        other.get(&path),
        other.get("clients/waiting"),
        other.patch(&path, &json!({ "label": "taken" })),
        other.delete(&path),
        other.post(&format!("{path}/disable"), &json!({})),
        other.get(&format!("{path}/secrets")),
        other.post(&format!("{path}/secrets"), &json!({})),
        other.post(&format!("{path}/secrets/rotate"), &json!({})),
        other.get(&format!("{path}/scope-requests")),
    ] {
        refused(&answer, 404);
    }
    // No way around the approval.
    for verb in ["approve", "enable"] {
        let answer = developer.post(&format!("{path}/{verb}"), &json!({}));
        assert!(matches!(answer.status, 403 | 409), "{verb}: {answer:?}");
    }
    refused(&administrator.post(&format!("{path}/enable"), &json!({})), 409);
    for caller in [&developer, &administrator] {
        refused(&caller.post(&format!("{path}/secrets"), &json!({})), 409);
        refused(&caller.post(&format!("{path}/secrets/rotate"), &json!({})), 409);
    }
    refused(&developer.patch(&path, &json!({ "scopes": ["profile"] })), 403);
    developer.patch(&path, &json!({ "purpose": "to be seen" })).ok();

    let approved = administrator.post(&format!("{path}/approve"), &json!({})).ok().json();
    let (id, secret) = (approved["client_id"].as_str().unwrap(), approved["client_secret"].as_str().unwrap());
    assert_eq!(approved["status"], "active");
    let token = || {
        let headers = [("Authorization", basic(id, secret))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        server.post("/oauth/token", &[("grant_type", "client_credentials")], &headers).status
    };
    assert_eq!(token(), 200);
    // Once: neither a repeat nor a look shows the secret again.
    let again = administrator.post(&format!("{path}/approve"), &json!({}));
    assert!(!again.body.contains(secret), "{again:?}");
    for caller in [&developer, &administrator] {
        assert!(!caller.get(&path).ok().body.contains(secret));
        assert!(!caller.get(&format!("{path}/secrets")).ok().body.contains(secret));
    }
    assert_eq!(developer.get(&path).ok().text("client_id"), id);
    // What an approver has stopped, its developer does not start.
    administrator.post(&format!("{path}/disable"), &json!({})).ok();
    refused(&developer.post(&format!("{path}/enable"), &json!({})), 403);
    assert_eq!(token(), 401);
    assert_eq!(developer.delete(&path).status, 204);
    refused(&developer.get(&path), 404);
}

#[rstest]
fn nobody_approves_their_own_application(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let promoted = Caller::developer(&server);
    let path = format!("clients/{}", id_of(&made(&promoted.post("clients", &application("own")))));
    let roles = json!({ "roles": ["administrator"] });
    administrator.put(&format!("users/{}/memberships/default", promoted.user.id), &roles).ok();
    assert!(refused(&promoted.post(&format!("{path}/approve"), &json!({})), 403).contains("their own"));
    administrator.post(&format!("{path}/approve"), &json!({})).ok();
}

#[rstest]
fn a_developer_registers_nothing_that_an_approver_alone_gives(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let developer = Caller::developer(&server);
    for (member, value) in [
        ("may_introspect", json!(true)),
        ("access_lifetime", json!(60)),
        ("idle_lifetime", json!(600)),
        ("absolute_lifetime", json!(600)),
        ("reuse_window", json!(60)),
        ("signing_algorithm", json!("RS256")),
        ("static_claims", json!({ "tenant": "1" })),
        ("client_id", json!("chosen")),
        ("roles", json!(["administrator"])),
    ] {
        let mut body = application("beyond");
        body[member] = value;
        let answer = developer.post("clients", &body);
        assert!(matches!(answer.status, 403 | 422), "{member}: {answer:?}");
    }
    assert!(developer.get("clients").ok().json()["items"].as_array().unwrap().is_empty());
}

#[rstest]
fn a_request_for_a_scope_is_decided_once_and_never_by_who_made_it(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let developer = Caller::developer(&server);
    for (name, guarded) in [("orders:read", false), ("orders:write", true), ("orders:delete", true)] {
        made(&administrator.post("scopes", &json!({ "name": name, "requires_approval": guarded })));
    }
    let path = format!("clients/{}", id_of(&made(&developer.post("clients", &application("asking")))));
    let ask = |caller: &Caller<'_>, scope: &str| {
        let body = json!({ "scope": scope, "justification": "we need it" });
        caller.post(&format!("{path}/scope-requests"), &body)
    };
    let scopes = || developer.get(&path).ok().json()["scopes"].clone();
    names(&ask(&developer, "no:such"), "scope");
    let empty = json!({ "scope": "orders:write", "justification": " " });
    names(&developer.post(&format!("{path}/scope-requests"), &empty), "justification");
    assert_eq!(made(&ask(&developer, "orders:read"))["status"], "approved");
    assert_eq!(scopes(), json!(["orders:read"]));
    let (write, delete) = (made(&ask(&developer, "orders:write")), made(&ask(&developer, "orders:delete")));
    assert_eq!((&write["status"], &delete["status"]), (&json!("pending"), &json!("pending")));
    assert_eq!(scopes(), json!(["orders:read"]));
    let decide = |caller: &Caller<'_>, request: &Value, verb: &str| {
        caller.post(&format!("scope-requests/{}/{verb}", id_of(request)), &json!({ "reason": "because" }))
    };
    for verb in ["approve", "deny"] {
        refused(&decide(&developer, &write, verb), 403);
        refused(&decide(&Caller::developer(&server), &write, verb), 403);
    }
    // Nor by who made it and has become an approver.
    let roles = json!({ "roles": ["administrator"] });
    administrator.put(&format!("users/{}/memberships/default", developer.user.id), &roles).ok();
    for verb in ["approve", "deny"] {
        assert!(refused(&decide(&developer, &write, verb), 403).contains("their own"));
    }
    let listed = administrator.get("scope-requests?status=pending").ok().json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    let granted = decide(&administrator, &write, "approve").ok().json();
    assert_eq!((&granted["status"], &granted["decided_by"]), (&json!("approved"), &json!(administrator.user.id)));
    assert_eq!(decide(&administrator, &delete, "deny").ok().text("reason"), "because");
    assert_eq!(scopes(), json!(["orders:read", "orders:write"]));
    for (request, verb) in [(&write, "deny"), (&delete, "approve"), (&write, "approve")] {
        refused(&decide(&administrator, request, verb), 409);
    }
    assert_eq!(scopes(), json!(["orders:read", "orders:write"]));
}
