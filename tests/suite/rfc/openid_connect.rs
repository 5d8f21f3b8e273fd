//! OpenID Connect Core: ID tokens, and the `UserInfo` endpoint.

use rstest::rstest;
use serde_json::json;

use crate::harness::{Answer, Database, Server, TestClient, TestUser, agent};

fn client(server: &Server) -> TestClient<'_> {
    let build = server.confidential_client().grants(["password", "refresh_token", "client_credentials"]);
    build.scopes(["openid", "profile", "email", "orders"]).create()
}

/// A person with a name and an e-mail address.
fn alice(server: &Server) -> TestUser {
    // The built-in role holds `profile` and `email`.
    server
        .person()
        .username("alice")
        .change(|new| {
            new.name = "Alice Ashcroft".to_owned();
            new.email = Some("alice@example.com".to_owned());
        })
        .create()
}

fn sign_in(client: &TestClient<'_>, user: &TestUser, scope: &str) -> Answer {
    client.password_grant_with(user, &[("scope", scope)]).ok()
}

#[rstest]
fn an_id_token_says_who_signed_in_when_and_how(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = client(&server);
    let user = alice(&server);
    let before = server.clock.now().seconds();

    let answer = sign_in(&client, &user, "openid profile");

    let claims = answer.claims("id_token");
    let access = answer.claims("access_token");
    let members: Vec<&String> = claims.as_object().unwrap().keys().collect();
    assert_eq!(members, ["amr", "aud", "auth_time", "exp", "iat", "iss", "sid", "sub"]);
    assert_eq!(claims["iss"], server.base());
    assert_eq!(claims["sub"], user.id);
    assert_eq!(claims["aud"], client.id);
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!((&claims["sid"], &claims["auth_time"]), (&access["sid"], &access["auth_time"]));
    let auth_time = claims["auth_time"].as_i64().unwrap();
    assert!((before..=server.clock.now().seconds()).contains(&auth_time), "{auth_time}");
    assert!(claims["exp"].as_i64() > claims["iat"].as_i64());
}

#[rstest]
fn at_refresh_the_id_token_has_the_first_auth_time(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = client(&server);
    let first = sign_in(&client, &alice(&server), "openid email");

    server.clock.advance(1_000);
    let second = client.refresh(&first.refresh_token()).ok();

    let (before, after) = (first.claims("id_token"), second.claims("id_token"));
    // OpenID Connect Core §12.2.
    for same in ["iss", "sub", "aud", "auth_time", "amr", "sid"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert!(after["iat"].as_i64().unwrap() >= before["iat"].as_i64().unwrap() + 1_000);
    assert_eq!(second.claims("access_token")["auth_time"], before["auth_time"]);
    let narrow = [("grant_type", "refresh_token"), ("refresh_token", &second.refresh_token()), ("scope", "email")];
    assert!(client.token(&narrow).ok().json().get("id_token").is_none());
}

#[rstest]
fn there_is_no_id_token_without_openid(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = client(&server);
    let user = alice(&server);

    for answer in [client.password_grant(&user).ok(), sign_in(&client, &user, "profile email")] {
        assert!(answer.json().get("id_token").is_none(), "{answer:?}");
        let again = client.refresh(&answer.refresh_token()).ok();
        assert!(again.json().get("id_token").is_none(), "{again:?}");
    }
    let own = client.token(&[("grant_type", "client_credentials"), ("scope", "openid")]).ok();
    assert!(own.json().get("id_token").is_none(), "{own:?}");
}

#[rstest]
fn userinfo_answers_the_claims_that_the_scope_opens(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = client(&server);
    let user = alice(&server);
    let (name, email) = ("Alice Ashcroft", "alice@example.com");

    for (scope, claims) in [
        ("openid", json!({"sub": user.id})),
        ("openid email", json!({"sub": user.id, "email": email})),
        ("openid profile", json!({"sub": user.id, "name": name, "preferred_username": "alice"})),
        ("openid profile email", json!({"sub": user.id, "name": name, "preferred_username": "alice", "email": email})),
    ] {
        let token = sign_in(&client, &user, scope).access_token();
        let answer = server.get_with_token("/oauth/userinfo", &token).ok();
        assert_eq!(answer.json(), claims, "{scope}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        // OpenID Connect Core §5.3.1: GET and POST.
        let request = agent().post(format!("{}/oauth/userinfo", server.base()));
        let posted = Answer::of(request.header("Authorization", format!("Bearer {token}")).send_empty()).ok();
        assert_eq!(posted.json(), claims);
    }
}

#[rstest]
fn the_access_token_tells_no_name_and_no_address(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = client(&server);
    let answer = sign_in(&client, &alice(&server), "openid profile email");

    for token in ["access_token", "id_token"] {
        let claims = answer.claims(token).to_string();
        assert!(!claims.contains("alice") && !claims.contains("Alice"), "{token}: {claims}");
    }
}

#[rstest]
fn userinfo_without_openid_is_insufficient_scope(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = client(&server);
    let user = alice(&server);
    let own = |scope: &str| client.token(&[("grant_type", "client_credentials"), ("scope", scope)]).ok();

    for answer in [sign_in(&client, &user, "profile email"), own("orders"), own("openid")] {
        let answer = server.get_with_token("/oauth/userinfo", &answer.access_token());
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.json()["error"], "insufficient_scope");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.starts_with("Bearer ") && challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    }
}

#[rstest]
fn userinfo_takes_tokens_for_any_audience(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let build = server.confidential_client().grants(["password"]).scopes(["openid"]);
    let client = build.audiences(["https://shop.example"]).create();
    let token = sign_in(&client, &alice(&server), "openid").access_token();

    server.get_with_token("/oauth/userinfo", &token).ok();
    assert_eq!(server.get_with_token("/api/v1/me", &token).status, 401);
}
