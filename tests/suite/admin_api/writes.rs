//! What a body may say, and what stays whoever asks.

use rstest::rstest;
use serde_json::{Value, json};

use super::principals::administrator_elsewhere;
use super::{Caller, id_of, made, names, refused, send};
use crate::harness::{Database, Server};

/// Every body of the API, with a member that must be there; none where all may be missing.
const WRITES: &[(&str, &str, Option<&str>)] = &[
    ("POST", "organizations", Some("name")),
    ("PATCH", "organizations/default", Some("name")),
    ("POST", "users", Some("username")),
    ("PATCH", "users/somebody", None),
    ("POST", "users/somebody/password", None),
    ("PUT", "users/somebody/memberships/default", Some("roles")),
    ("POST", "roles", Some("name")),
    ("PUT", "roles/some role", Some("name")),
    ("POST", "scopes", Some("name")),
    ("PATCH", "scopes/profile", None),
    ("POST", "clients", Some("label")),
    ("PATCH", "clients/some-client", None),
    ("POST", "clients/some-client/secrets", None),
    ("POST", "clients/some-client/secrets/rotate", None),
    ("POST", "clients/some-client/secrets/some-secret/reveal", None),
    ("POST", "clients/some-client/scope-requests", Some("scope")),
    ("POST", "scope-requests/some-request/approve", None),
    ("POST", "scope-requests/some-request/deny", None),
    ("POST", "credentials", Some("name")),
    ("POST", "api-keys", None),
    ("POST", "api-keys/some-key/reveal", None),
    ("POST", "signing-keys/rotate", None),
    ("POST", "links/redeem", Some("token")),
    ("POST", "password-resets", Some("username")),
];

#[rstest]
fn a_member_that_is_unknown_missing_or_given_twice_is_named(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    for (method, path, needed) in WRITES {
        let path = path.replace(' ', "%20");
        for unknown in ["is_admin", "organization_id", "id", "status", "programmatic", "epoch"] {
            let answer = administrator.send(method, &path, Some(&json!({ unknown: true })), &[]);
            names(&answer, unknown);
        }
        if let Some(needed) = needed {
            names(&administrator.send(method, &path, Some(&json!({})), &[]), needed);
        }
        let json = [("Authorization", administrator.authorization.as_str()), ("Content-Type", "application/json")];
        for (text, status) in [("{", 400), ("[1]", 422), ("\"text\"", 422), ("{} {}", 400), ("nothing", 400)] {
            let url = format!("{}/api/v1/{path}", server.base());
            let mut request = ureq::http::Request::builder().method(*method).uri(url);
            for (name, value) in json {
                request = request.header(name, value);
            }
            let answer = crate::harness::agent().run(request.body(text).unwrap());
            let answer = crate::harness::Answer::of(answer);
            let missing_first = text == "{} {}" && needed.is_some();
            refused(&answer, if missing_first { 422 } else { status });
        }
    }
    let twice = server.post_raw(
        "/api/v1/users",
        "application/json",
        br#"{"username": "one", "username": "two"}"#,
        &[("Authorization", &administrator.authorization)],
    );
    names(&twice, "username");
    let as_form =
        server.post("/api/v1/users", &[("username", "x")], &[("Authorization", &administrator.authorization)]);
    refused(&as_form, 415);
}

#[rstest]
fn a_member_of_another_type_is_named_and_not_said_back(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    for canary in ["hunter2-canary", "a canary at line 7", "the canary, expected by nobody", "`canary`"] {
        for (path, member) in [
            ("users", "roles"),
            ("users", "access"),
            ("clients", "public"),
            ("clients", "access_lifetime"),
            ("clients", "static_claims"),
            ("api-keys", "networks"),
            ("api-keys", "scopes"),
            ("roles", "permissions"),
            ("scopes", "requires_approval"),
        ] {
            let mut body = json!({ "username": "x", "name": "x", "label": "x", "grant_types": [] });
            let known: &[&str] = match path {
                "users" => &["username", "name"],
                "clients" => &["label", "grant_types"],
                _ => &["name"],
            };
            body.as_object_mut().unwrap().retain(|name, _| known.contains(&name.as_str()));
            body[member] = canary.into();
            let answer = administrator.post(path, &body);
            names(&answer, member);
            assert!(!answer.body.contains("canary"), "{path} {member}: {answer:?}");
        }
    }
    for (body, member) in
        [(json!({ "username": 7 }), "username"), (json!({ "username": "x", "password": [] }), "password")]
    {
        names(&administrator.post("users", &body), member);
    }
    names(&administrator.post("roles", &json!({ "name": "x", "permissions": ["api:access", 7] })), "permissions[1]");
}

#[rstest]
fn a_username_stays_and_an_address_belongs_to_one_user(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let new = |name: &str, email: &str| json!({ "username": name, "kind": "api_user", "email": email });
    let first = id_of(&made(&administrator.post("users", &new("first", "zoe@example.org"))));
    names(&administrator.patch(&format!("users/{first}"), &json!({ "username": "other" })), "username");
    refused(&administrator.post("users", &new("first", "other@example.org")), 409);
    refused(&administrator.post("users", &new("second", "ZOE@example.org")), 409);
    let second = id_of(&made(&administrator.post("users", &new("second", "second@example.org"))));
    refused(&administrator.patch(&format!("users/{second}"), &json!({ "email": "zoe@EXAMPLE.org" })), 409);
    let changed = administrator.patch(&format!("users/{second}"), &json!({ "email": null, "name": "Zoë" })).ok().json();
    assert_eq!((&changed["email"], &changed["name"]), (&Value::Null, &json!("Zoë")));
    assert_eq!(administrator.delete(&format!("users/{first}")).status, 204);
    refused(&administrator.get(&format!("users/{first}")), 404);
    refused(&administrator.post("users", &new("first", "free@example.org")), 409);
}

#[rstest]
fn the_last_administrator_of_an_organization_stays(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let last = Caller::new(&server, administrator_elsewhere(&server));
    let own = last.get("me").ok().text("organization_id");
    let id = &last.user.id;
    let takes_away = |caller: &Caller<'_>, id: &str| {
        [
            caller.delete(&format!("users/{id}")),
            caller.post(&format!("users/{id}/disable"), &json!({})),
            caller.put(&format!("users/{id}/memberships/{own}"), &json!({ "roles": ["api user"] })),
            caller.put(&format!("users/{id}/memberships/{own}"), &json!({ "roles": [] })),
            caller.delete(&format!("users/{id}/memberships/{own}")),
        ]
    };
    for answer in takes_away(&last, id) {
        refused(&answer, 409);
    }
    // One who cannot sign in does not count.
    let body = json!({ "username": "second", "kind": "api_user", "roles": ["administrator"] });
    let second = id_of(&made(&last.post("users", &body)));
    last.post(&format!("users/{second}/disable"), &json!({})).ok();
    for answer in takes_away(&last, id) {
        refused(&answer, 409);
    }
    last.post(&format!("users/{second}/enable"), &json!({})).ok();
    assert_eq!(last.delete(&format!("users/{id}")).status, 204);
    refused(&last.get("me"), 401);
}

#[rstest]
fn what_is_another_organizations_is_not_there_in_path_query_and_body(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (administrator, stranger) =
        (Caller::administrator(&server), Caller::new(&server, administrator_elsewhere(&server)));
    let role = id_of(&made(&administrator.post("roles", &json!({ "name": "theirs" }))));
    let user = id_of(&made(&administrator.post("users", &json!({ "username": "theirs", "kind": "api_user" }))));
    let none = uuid::Uuid::now_v7().to_string();
    for role in [&role, &none, "theirs"] {
        for (path, body) in [
            ("users", json!({ "username": "mine", "kind": "api_user", "roles": [role] })),
            ("credentials", json!({ "name": "mine", "roles": [role] })),
            ("clients", json!({ "label": "mine", "grant_types": ["client_credentials"], "roles": [role] })),
        ] {
            refused(&stranger.post(path, &body), 404);
        }
    }
    for user in [&user, &none, "theirs"] {
        refused(&stranger.post("api-keys", &json!({ "user": user })), 404);
        refused(&stranger.get(&format!("api-keys?user={user}")), 404);
        refused(&stranger.get(&format!("tokens/families?user={user}")), 404);
    }
    let default = administrator.get("me").ok().text("organization_id");
    for organization in ["default", &default, &none, "elsewhere"] {
        for path in ["users", "clients", "credentials", "api-keys", "roles", "me"] {
            let answer = stranger.get(&format!("{path}?organization={organization}"));
            // `me` is one question to the credential itself.
            if path != "me" {
                refused(&answer, 404);
            }
        }
        let body = json!({ "roles": ["administrator"] });
        refused(&stranger.put(&format!("users/{}/memberships/{organization}", stranger.user.id), &body), 404);
    }
    assert!(stranger.get("users?username=theirs").ok().json()["items"].as_array().unwrap().is_empty());
    let anonymous = send(&server, "GET", "/api/v1/users?organization=default", None, &[]);
    assert_eq!(anonymous.status, 401, "{anonymous:?}");
}
