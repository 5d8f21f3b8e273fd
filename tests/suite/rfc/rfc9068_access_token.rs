//! RFC 9068: the header and the claims of an access token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Database, Server};

fn header(token: &str) -> Value {
    let encoded = token.split('.').next().expect("a header");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).expect("base64url")).expect("JSON")
}

fn members(claims: &Value) -> Vec<&str> {
    claims.as_object().unwrap().keys().map(String::as_str).collect()
}

#[rstest]
fn an_access_token_is_typed_and_names_a_published_key(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).create();

    let header = header(&client.client_credentials().ok().access_token());

    assert_eq!(members(&header), ["alg", "kid", "typ"]);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let keys = server.get("/.well-known/jwks.json", &[]).ok().json();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).expect("the key");
    assert_eq!((&key["alg"], &key["use"]), (&json!("ES256"), &json!("sig")));
}

#[rstest]
fn a_users_token_has_the_claims_of_a_user(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client =
        server.confidential_client().grants(["password", "refresh_token"]).scopes(["orders", "stock"]).create();
    let user = server.person().permissions(["api:access", "orders", "stock"]).create();
    let organization =
        server.run(async |context, by| grantor::admin::organizations::reached(context, by, None).await.unwrap().id);

    let first = client.password_grant(&user).ok();

    let claims = first.claims("access_token");
    let all =
        ["aud", "auth_time", "client_id", "epoch", "exp", "iat", "iss", "jti", "org", "roles", "scope", "sid", "sub"];
    assert_eq!(members(&claims), all);
    let expected = json!({
        "iss": server.base(), "aud": server.base(), "sub": user.id, "client_id": client.id, "scope": "orders stock",
        "org": organization, "roles": [format!("role of {}", user.username)], "epoch": "0.0.0",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(claims[name], *value, "{name}");
    }
    let number = |claims: &Value, name: &str| claims[name].as_i64().unwrap_or_else(|| panic!("{name}: {claims}"));
    assert_eq!(number(&claims, "exp") - number(&claims, "iat"), 3600);
    assert!(number(&claims, "auth_time") <= number(&claims, "iat"));

    server.clock.advance(100);
    let second = client.refresh(&first.refresh_token()).ok().claims("access_token");
    assert_eq!(members(&second), all);
    for same in ["iss", "aud", "sub", "client_id", "scope", "org", "roles", "epoch", "sid", "auth_time"] {
        assert_eq!(claims[same], second[same], "{same}");
    }
    assert_ne!(claims["jti"], second["jti"]);
    assert!(number(&second, "iat") >= number(&claims, "iat") + 100);
}

#[rstest]
fn without_a_family_there_is_no_sid(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();

    let claims = client.password_grant(&server.api_user().create()).ok().claims("access_token");

    let all = ["aud", "auth_time", "client_id", "epoch", "exp", "iat", "iss", "jti", "org", "roles", "scope", "sub"];
    assert_eq!(members(&claims), all);
    assert_eq!((&claims["roles"], &claims["scope"]), (&json!(["api user"]), &json!("")));
}

#[rstest]
fn a_clients_own_token_has_no_claim_of_a_user(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).create();

    let [claims, other] = [(); 2].map(|()| client.client_credentials().ok().claims("access_token"));

    assert_eq!(members(&claims), ["aud", "client_id", "epoch", "exp", "iat", "iss", "jti", "scope", "sub"]);
    // RFC 9068 §2.2: the subject is the client itself.
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(client.id), &json!(client.id)));
    assert_eq!((&claims["scope"], &claims["epoch"]), (&json!(""), &json!("0.0.0")));
    assert_ne!(claims["jti"], other["jti"]);
}

#[rstest]
fn the_epoch_counts_what_ended_tokens(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.api_user().create();

    let new = server.run(async |context, by| {
        grantor::admin::passwords::rotate(context, by, &user.username).await.unwrap().1.into_exposed()
    });

    let claims = client.password_grant(&user.with_password(&new)).ok().claims("access_token");
    assert_eq!(claims["epoch"], "0.1.0");
}
