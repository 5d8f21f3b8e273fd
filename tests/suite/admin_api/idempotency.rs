//! `Idempotency-Key`: a POST is carried out once.

use rstest::rstest;
use serde_json::json;

use super::{Caller, id_of, made, names, refused};
use crate::harness::{Database, Server};

fn named(caller: &Caller<'_>, list: &str, name: &str) -> usize {
    let all = caller.get(list).ok().json();
    let items = all.as_array().or(all["items"].as_array()).unwrap().clone();
    items.iter().filter(|item| item["name"] == name || item["label"] == name || item["username"] == name).count()
}

#[rstest]
fn a_repeat_is_answered_as_the_first_one_and_makes_nothing(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    for (path, body) in [
        ("roles", json!({ "name": "once" })),
        ("scopes", json!({ "name": "once" })),
        ("organizations", json!({ "name": "once", "slug": "once" })),
    ] {
        let first = administrator.post_once(path, "key", &body);
        made(&first);
        let again = administrator.post_once(path, "key", &body);
        assert_eq!((again.status, &again.body), (201, &first.body), "{path}");
        assert_eq!(again.header("content-type"), first.header("content-type"), "{path}");
        assert_eq!(named(&administrator, path, "once"), 1, "{path}");
        // Another body, or another operation, is another request.
        let mut other = body.clone();
        other["name"] = "twice".into();
        names(&administrator.post_once(path, "key", &other), "Idempotency-Key");
        refused(&administrator.post_once(path, "other key", &body), 409);
        assert_eq!(named(&administrator, path, "twice"), 0, "{path}");
        // The key is the caller's own: a stranger's is another one.
        let second = Caller::administrator(&server);
        refused(&second.post_once(path, "key", &body), 409);
        // And it names one operation, so the next path starts with a key of its own.
        server.clock.advance(86_401);
    }
}

#[rstest]
fn a_repeat_of_what_made_a_secret_has_its_id_and_no_secret(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let grants = ["client_credentials"];
    let client = made(&administrator.post("clients", &json!({ "label": "rotated", "grant_types": grants })));
    let client = client["client_id"].as_str().unwrap();
    let user = id_of(&made(&administrator.post("users", &json!({ "username": "changed", "kind": "api_user" }))));
    for (path, body, secret, id) in [
        ("users".to_owned(), json!({ "username": "once", "kind": "api_user" }), "password", "id"),
        ("clients".to_owned(), json!({ "label": "once", "grant_types": grants }), "client_secret", "client_id"),
        ("credentials".to_owned(), json!({ "name": "once" }), "password", "id"),
        ("api-keys".to_owned(), json!({ "name": "once" }), "api_key", "id"),
        (format!("clients/{client}/secrets"), json!({}), "client_secret", "secret_id"),
        (format!("clients/{client}/secrets/rotate"), json!({}), "client_secret", "secret_id"),
        (format!("users/{user}/password"), json!({}), "password", "id"),
    ] {
        let key = format!("key for {path}");
        let first = administrator.post_once(&path, &key, &body);
        assert!(matches!(first.status, 200 | 201), "{path}: {first:?}");
        let (secret, id) = (first.text(secret), first.text(id));
        assert!(!secret.is_empty() && !id.is_empty());
        let again = administrator.post_once(&path, &key, &body);
        assert!(refused(&again, 409).contains(&id), "{path}: {again:?}");
        assert!(!again.body.contains(&secret), "{path}");
        if !path.contains('/') {
            assert_eq!(named(&administrator, &path, "once"), 1, "{path}");
        }
        let other = match path.rsplit('/').next().unwrap() {
            "secrets" => json!({ "label": "another" }),
            "rotate" => json!({ "overlap": 60 }),
            "password" => json!({ "password": "another fine passphrase" }),
            "users" => json!({ "username": "another", "kind": "api_user" }),
            "clients" => json!({ "label": "another" }),
            _ => json!({ "name": "another" }),
        };
        names(&administrator.post_once(&path, &key, &other), "Idempotency-Key");
    }
}

#[rstest]
fn a_refused_request_leaves_its_key_free(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let body = json!({ "username": "free", "kind": "api_user", "roles": ["late"] });
    refused(&administrator.post_once("users", "key", &body), 404);
    made(&administrator.post("roles", &json!({ "name": "late" })));
    made(&administrator.post_once("users", "key", &body));
    for bad in ["", &"x".repeat(256)] {
        refused(&administrator.post_once("users", bad, &body), 400);
    }
}

#[rstest]
fn ten_at_once_with_one_key_make_one_thing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    for (path, body) in [("roles", json!({ "name": "once" })), ("credentials", json!({ "name": "once" }))] {
        let key = format!("key for {path}");
        let answers: Vec<_> = std::thread::scope(|scope| {
            let ask = || administrator.post_once(path, &key, &body);
            let threads: Vec<_> = (0..10).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(named(&administrator, path, "once"), 1, "{path}");
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)), "{path}: {answers:?}");
        assert!(made.iter().all(|answer| answer.body == made[0].body), "{path}: {answers:?}");
        // A repeat of a role is answered like the first; one of a secret is not.
        assert!(!made.is_empty() && (path == "roles" || made.len() == 1), "{path}: {answers:?}");
    }
}

#[rstest]
fn a_repeated_change_is_answered_as_the_first_one(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let developer = Caller::developer(&server);
    made(&administrator.post("scopes", &json!({ "name": "orders", "requires_approval": true })));
    let user = server.api_user().create().id;
    let robot = json!({ "label": "robot", "purpose": "orders", "grant_types": ["client_credentials"] });
    let client = id_of(&made(&developer.post("clients", &robot)));
    administrator.post(&format!("clients/{client}/approve"), &json!({})).ok();
    let asked = json!({ "scope": "orders", "justification": "to read them" });
    let request = id_of(&made(&developer.post(&format!("clients/{client}/scope-requests"), &asked)));
    let key = id_of(&made(&administrator.post("api-keys", &json!({}))));
    let kid = administrator.get("signing-keys").ok().json()[0]["kid"].as_str().unwrap().to_owned();
    for path in [
        format!("scope-requests/{request}/approve"),
        format!("clients/{client}/disable"),
        format!("clients/{client}/enable"),
        format!("users/{user}/disable"),
        format!("users/{user}/enable"),
        format!("users/{user}/unlock"),
        format!("api-keys/{key}/disable"),
        format!("api-keys/{key}/enable"),
        format!("signing-keys/{kid}/revoke"),
    ] {
        let first = administrator.post_once(&path, &path, &json!({})).ok();
        let again = administrator.post_once(&path, &path, &json!({})).ok();
        assert_eq!(again.body, first.body, "{path}");
    }
    // Without a key a decided request stays decided.
    refused(&administrator.post(&format!("scope-requests/{request}/approve"), &json!({})), 409);
}
