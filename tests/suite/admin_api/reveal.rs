//! Secrets that are shown again, where the policy says so.

use rstest::rstest;
use serde_json::json;

use super::{Caller, id_of, made, names, refused, send};
use crate::audit::of_action;
use crate::harness::{Database, Server};

#[rstest]
fn what_is_shown_once_is_not_shown_again(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let client = json!({ "label": "once", "grant_types": ["client_credentials"] });
    let client = id_of(&made(&administrator.post("clients", &client)));
    let secrets = administrator.get(&format!("clients/{client}/secrets")).ok().json();
    assert_eq!(secrets[0]["revealable"], false);
    let secret = id_of(&secrets[0]);
    refused(&administrator.post(&format!("clients/{client}/secrets/{secret}/reveal"), &json!({})), 409);
    let key = id_of(&made(&administrator.post("api-keys", &json!({}))));
    refused(&administrator.post(&format!("api-keys/{key}/reveal"), &json!({})), 409);
    assert!(of_action(&server, "client.secret_revealed").is_empty());
    assert!(of_action(&server, "api_key.revealed").is_empty());
}

#[rstest]
fn what_is_always_shown_needs_the_callers_password_and_is_audited(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db)
        .set("credentials.reveal.client_secret", "always")
        .set("credentials.reveal.api_key", "always")
        .start();
    let administrator = Caller::administrator(&server);
    let portal = server.confidential_client().grants(["password"]).create();
    let token = portal.password_grant(&administrator.user).ok().access_token();
    let bearer = [("Authorization", format!("Bearer {token}"))];
    let bearer = bearer.each_ref().map(|(name, value)| (*name, value.as_str()));

    let client = json!({ "label": "always", "grant_types": ["client_credentials"] });
    let client = made(&administrator.post("clients", &client));
    let secrets = administrator.get(&format!("clients/{}/secrets", id_of(&client))).ok().json();
    assert_eq!(secrets[0]["revealable"], true);
    let key = made(&administrator.post("api-keys", &json!({})));
    for (path, member, secret, action) in [
        (
            format!("clients/{}/secrets/{}/reveal", id_of(&client), id_of(&secrets[0])),
            "client_secret",
            &client["client_secret"],
            "client.secret_revealed",
        ),
        (format!("api-keys/{}/reveal", id_of(&key)), "api_key", &key["api_key"], "api_key.revealed"),
    ] {
        let ask = |body| send(&server, "POST", &format!("/api/v1/{path}"), Some(&body), &bearer);
        names(&ask(json!({})), "password");
        names(&ask(json!({ "password": "not it" })), "password");
        assert!(of_action(&server, action).is_empty(), "{path}");
        let shown = ask(json!({ "password": administrator.user.password })).ok();
        assert_eq!(shown.json()[member], *secret, "{path}");
        assert_eq!(shown.header("cache-control"), "no-store");
        // The request itself brings the password.
        assert_eq!(administrator.post(&path, &json!({})).ok().json()[member], *secret, "{path}");
        let recorded = of_action(&server, action);
        assert_eq!(recorded.len(), 2, "{path}");
        let said = format!("{recorded:?}");
        assert!(said.contains(&administrator.user.id) && !said.contains(secret.as_str().unwrap()), "{said}");
    }
    // An API key is no proof of who holds it.
    let by_key = [("X-API-Key", key["api_key"].as_str().unwrap())];
    let path = format!("/api/v1/api-keys/{}/reveal", id_of(&key));
    names(&send(&server, "POST", &path, Some(&json!({})), &by_key), "password");
}

#[rstest]
fn wrong_passwords_before_a_secret_are_limited_as_everywhere(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("credentials.reveal.api_key", "always").start();
    let administrator = Caller::administrator(&server);
    let portal = server.confidential_client().grants(["password"]).create();
    let bearer = format!("Bearer {}", portal.password_grant(&administrator.user).ok().access_token());
    let key = id_of(&made(&administrator.post("api-keys", &json!({}))));
    let path = format!("/api/v1/api-keys/{key}/reveal");
    let ask = || send(&server, "POST", &path, Some(&json!({ "password": "not it" })), &[("Authorization", &bearer)]);
    for _ in 0..10 {
        names(&ask(), "password");
    }
    let limited = ask();
    refused(&limited, 429);
    assert!(limited.header("retry-after").parse::<u64>().unwrap() >= 1, "{limited:?}");
}
