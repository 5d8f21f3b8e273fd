//! RFC 6749 §4.3: resource owner password credentials.

use rstest::rstest;

use crate::harness::{Database, Server};

#[rstest]
fn a_username_and_a_password_are_exchanged_for_tokens(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "refresh_token"]).scopes(["orders"]).create();
    let user = server.person().permissions(["api:access", "orders"]).create();

    let answer = client.password_grant_with(&user, &[("scope", "orders")]).ok();

    // RFC 6749 §5.1.
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let body = answer.json();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &3600.into()));
    assert!(answer.refresh_token().starts_with("gr_rt_"));
    server.get_with_token("/api/v1/me", &answer.access_token()).ok();
}

#[rstest]
fn username_and_password_are_required(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.api_user().create();
    let grant = ("grant_type", "password");

    for missing in [&[grant][..], &[grant, ("username", &user.username)], &[grant, ("password", &user.password)]] {
        let answer = client.token(missing);
        assert_eq!(answer.status, 400);
        answer.is_refused("invalid_request");
    }
    // An empty password is a wrong one: it costs and says what every wrong one does.
    client.token(&[grant, ("username", &user.username), ("password", "")]).is_refused("invalid_grant");
}

#[rstest]
fn the_client_is_authenticated_before_the_resource_owner(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let user = server.api_user().create();
    let right = [("grant_type", "password"), ("username", &user.username), ("password", &user.password)];
    let wrong = [("grant_type", "password"), ("username", &user.username), ("password", "wrong")];
    let answers = [right, wrong].map(|pairs| {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value as &str)).collect();
        server.post("/oauth/token", &[&pairs[..], &[("client_id", "nobody")]].concat(), &[])
    });
    for answer in &answers {
        assert_eq!(answer.status, 401);
        answer.is_refused("invalid_client");
    }
    assert_eq!(answers[0].without_request_id(), answers[1].without_request_id());
}

#[rstest]
fn usernames_are_case_sensitive_and_may_be_any_text_without_a_colon(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    for name in ["Ünal & Söhne + 50%", "日本", "a=b;c", "o'brien \"x\" \\"] {
        let user = server.person().username(name).password("päss + wörd % & = ; : 日本 \" \\").create();
        let answer = client.password_grant(&user).ok();
        assert_eq!(answer.claims("access_token")["sub"], user.id);
    }
    let user = server.api_user().username("Case").create();
    client.password_grant(&user).ok();
    let other = crate::harness::TestUser { username: "case".to_owned(), ..user };
    client.password_grant(&other).is_refused("invalid_grant");
}
