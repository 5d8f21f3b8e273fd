//! RFC 7662: token introspection.

use rstest::rstest;

use crate::harness::{Database, Server, TestClient};

const INACTIVE: &str = r#"{"active":false}"#;

#[rstest]
fn an_active_token_is_told_with_its_claims(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server
        .confidential_client()
        .grants(["password", "refresh_token"])
        .scopes(["orders:read"])
        .audiences(["https://api.example"])
        .create();
    let resource = server.confidential_client().may_introspect().audiences(["https://api.example"]).create();
    let user = server.api_user().permissions(["api:access", "orders:read"]).create();
    let tokens = client.password_grant(&user).ok();
    let answer = resource.introspect(&tokens.access_token()).ok();
    let told = answer.json();
    let claims = tokens.claims("access_token");
    assert_eq!(told["active"], true);
    assert_eq!(told["token_type"], "Bearer");
    for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "sid"] {
        assert_eq!(told[claim], claims[claim], "{claim}");
        assert!(!told[claim].is_null(), "{claim}");
    }
    assert_eq!((told["sub"].as_str().unwrap(), told["scope"].as_str().unwrap()), (user.id.as_str(), "orders:read"));
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[rstest]
fn a_token_for_another_audience_is_inactive_for_a_resource_server(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    // §4: a protected resource must not learn about tokens for another.
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).audiences(["https://a.example"]).create();
    let a = server.confidential_client().may_introspect().audiences(["https://a.example"]).create();
    let b = server.confidential_client().may_introspect().audiences(["https://b.example"]).create();
    let none = server.confidential_client().may_introspect().create();
    let token = client.client_credentials().ok().access_token();
    assert_eq!(a.introspect(&token).ok().json()["active"], true);
    for other in [b, none] {
        assert_eq!(other.introspect(&token).ok().body, INACTIVE);
    }
}

#[rstest]
fn a_client_sees_its_own_tokens_whatever_their_audience(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "refresh_token"]).may_introspect().create();
    let tokens = client.password_grant(&server.api_user().create()).ok();
    assert_eq!(client.introspect(&tokens.access_token()).ok().json()["active"], true);
    let told = client.introspect(&tokens.refresh_token()).ok().json();
    assert_eq!((told["active"].as_bool(), told["client_id"].as_str()), (Some(true), Some(client.id.as_str())));
}

#[rstest]
fn a_refresh_token_of_another_client_is_inactive(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let audience = server.base().to_owned();
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let resource = server.confidential_client().may_introspect().change(|new| new.audiences = vec![audience]).create();
    let tokens = client.password_grant(&server.api_user().create()).ok();
    assert_eq!(resource.introspect(&tokens.access_token()).ok().json()["active"], true);
    assert_eq!(resource.introspect(&tokens.refresh_token()).ok().body, INACTIVE);
}

#[rstest]
fn a_client_that_may_not_introspect_is_forbidden(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let public = server.public_client().grants(["password"]).create();
    let token = client.client_credentials().ok().access_token();
    for caller in [&client, &public] {
        for asked in [token.as_str(), "unknown"] {
            let answer = caller.introspect(asked);
            assert_eq!(answer.status, 403, "{answer:?}");
            answer.is_refused("unauthorized_client");
            assert!(!answer.body.contains("active"), "{answer:?}");
        }
    }
}

#[rstest]
fn the_caller_authenticates_and_names_a_token(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    // §2.1: the endpoint MUST require some form of authorization.
    let server = Server::start(db);
    let resource = server.confidential_client().may_introspect().create();
    server.post("/oauth/introspect", &[("token", "x")], &[]).is_refused("invalid_client");
    let bearer = [("Authorization", "Bearer x")];
    assert_eq!(server.post("/oauth/introspect", &[("token", "x")], &bearer).status, 401);
    let wrong = TestClient { secret: "wrong".to_owned(), ..resource.clone() };
    wrong.introspect("x").is_refused("invalid_client");
    resource.post("/oauth/introspect", &[]).is_refused("invalid_request");
    assert_eq!(resource.introspect("x").ok().body, INACTIVE);
}

#[rstest]
fn a_hint_changes_nothing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "refresh_token"]).may_introspect().create();
    let tokens = client.password_grant(&server.api_user().create()).ok();
    for token in [tokens.access_token(), tokens.refresh_token()] {
        for hint in ["access_token", "refresh_token", "nonsense"] {
            let answer = client.post("/oauth/introspect", &[("token", &token), ("token_type_hint", hint)]).ok();
            assert_eq!(answer.json()["active"], true, "{hint}");
        }
    }
}
