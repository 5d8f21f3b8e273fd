//! RFC 6750: bearer tokens, at Grantor's own API and at `UserInfo`.

use grantor::admin::users;
use grantor::model::user::UserStatus;
use rstest::rstest;

use crate::harness::{Answer, Database, Server};

/// 401 with a challenge that says why.
#[track_caller]
fn is_invalid_token(answer: &Answer) {
    assert_eq!(answer.status, 401, "{answer:?}");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with("Bearer realm=\"") && challenge.contains("error=\"invalid_token\""), "{answer:?}");
    assert_eq!(answer.json()["error"], "invalid_token", "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[rstest]
fn a_user_and_a_client_learn_who_they_are(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "client_credentials"]).scopes(["orders"]).create();
    let person = server.person().permissions(["api:access", "orders"]).create();
    let api_user = server.api_user().create();

    for (user, kind, scopes) in [(&person, "person", vec!["orders"]), (&api_user, "api_user", vec![])] {
        let tokens = client.password_grant(user).ok();
        let me = server.get_with_token("/api/v1/me", &tokens.access_token()).ok();
        let claims = tokens.claims("access_token");
        let body = me.json();
        assert_eq!((&body["sub"], &body["kind"]), (&user.id.clone().into(), &kind.into()));
        assert_eq!((&body["username"], &body["client_id"]), (&user.username.clone().into(), &client.id.clone().into()));
        assert_eq!((&body["organization_id"], &body["expires_at"]), (&claims["org"], &claims["exp"]));
        assert_eq!(body["scopes"], serde_json::json!(scopes));
        assert_eq!(me.header("cache-control"), "no-store");
    }
    let me = server.get_with_token("/api/v1/me", &client.client_credentials().ok().access_token()).ok();
    assert_eq!(
        (me.text("sub"), me.text("kind"), me.text("client_id")),
        (client.id.clone(), "client".into(), client.id)
    );
    assert!(me.json().get("username").is_none());
    assert_eq!(me.json()["scopes"], serde_json::json!(["orders"]));
}

#[rstest]
fn a_request_without_a_token_is_challenged_without_an_error_code(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    for path in ["/api/v1/me", "/oauth/userinfo"] {
        for headers in [&[][..], &[("Authorization", "Basic eDp5")], &[("Authorization", "Bearer")]] {
            let answer = server.get(path, headers);
            assert_eq!(answer.status, 401, "{answer:?}");
            // RFC 6750 §3.1: SHOULD NOT include an error code or other error information.
            let bearer = "Bearer realm=\"grantor\"";
            // Grantor's own API takes other shapes as well (RFC 9110 §11.6.1: a list of challenges).
            let expected = if path == "/api/v1/me" {
                format!("{bearer}, Basic realm=\"grantor\", charset=\"UTF-8\"")
            } else {
                bearer.to_owned()
            };
            assert_eq!(answer.header("www-authenticate"), expected, "{answer:?}");
            assert_eq!(answer.header("x-request-id"), answer.text("request_id"));
        }
    }
}

#[rstest]
fn a_token_that_is_none_is_invalid_token(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "refresh_token"]).scopes(["openid"]).create();
    let tokens = client.password_grant_with(&server.person().create(), &[("scope", "openid")]).ok();
    let token = tokens.access_token();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let changed = format!("{head}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
    let wrong = [
        "x".to_owned(),
        "a.b.c".to_owned(),
        format!("{head}."),
        changed,
        format!("{token} {token}"),
        tokens.text("id_token"),
        tokens.refresh_token(),
        client.secret.clone(),
    ];
    for path in ["/api/v1/me", "/oauth/userinfo"] {
        server.get_with_token(path, &token).ok();
        // RFC 9110 §11.1: the scheme is case-insensitive.
        server.get(path, &[("Authorization", &format!("bEARER {token}"))]).ok();
        let answers: Vec<Answer> = wrong.iter().map(|wrong| server.get_with_token(path, wrong)).collect();
        for answer in &answers {
            is_invalid_token(answer);
            assert_eq!(answer.without_request_id(), answers[0].without_request_id());
        }
        let twice = format!("Bearer {token}");
        let answer = server.get(path, &[("Authorization", &twice), ("Authorization", &twice)]);
        assert!(matches!(answer.status, 400 | 401), "{answer:?}");
    }
    server.clock.advance(3600);
    is_invalid_token(&server.get_with_token("/api/v1/me", &token));
    is_invalid_token(&server.get_with_token("/oauth/userinfo", &token));
}

#[rstest]
fn a_valid_token_without_api_access_is_insufficient(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "client_credentials"]).scopes(["orders"]).create();
    let user = server.person().permissions(["orders"]).create();
    // The token endpoint does not ask for it.
    let token = client.password_grant(&user).ok().access_token();

    let answer = server.get_with_token("/api/v1/me", &token);

    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(answer.json()["error"], "insufficient_scope");
    assert!(answer.header("www-authenticate").contains("error=\"insufficient_scope\""), "{answer:?}");
    // It is asked of the user as they are now.
    server.run(async |context, by| {
        grantor::admin::memberships::grant_role(context, by, &user.username, None, "api user").await.unwrap();
    });
    server.get_with_token("/api/v1/me", &token).ok();
    // And of users, not of clients acting for themselves.
    server.get_with_token("/api/v1/me", &client.client_credentials().ok().access_token()).ok();
}

#[rstest]
fn a_token_for_another_audience_is_invalid_here(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let shop = "https://shop.example";
    let build = || server.confidential_client().grants(["password", "client_credentials"]);
    let elsewhere = build().audiences([shop]).create();
    let both = build().audiences([shop, server.base()]).create();
    let user = server.api_user().create();

    for token in [elsewhere.client_credentials().ok(), elsewhere.password_grant(&user).ok()] {
        assert_eq!(token.claims("access_token")["aud"], shop);
        is_invalid_token(&server.get_with_token("/api/v1/me", &token.access_token()));
    }
    for token in [both.client_credentials().ok(), both.password_grant(&user).ok()] {
        server.get_with_token("/api/v1/me", &token.access_token()).ok();
    }
}

#[rstest]
fn the_token_of_a_deleted_user_is_invalid(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.api_user().create();
    let token = client.password_grant(&user).ok().access_token();
    server.get_with_token("/api/v1/me", &token).ok();

    server.run(async |context, by| {
        users::set_status(context, by, &user.username, UserStatus::Deleted).await.unwrap();
    });

    is_invalid_token(&server.get_with_token("/api/v1/me", &token));
}
