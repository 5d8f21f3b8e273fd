//! RFC 6749 §4.4: a client acts for itself.

use rstest::rstest;

use crate::harness::{Database, Server};

#[rstest]
fn a_client_gets_a_token_for_itself(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).scopes(["orders", "stock"]).create();

    let answer = client.client_credentials().ok();

    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let body = answer.json();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], "orders stock");
    let narrow = client.token(&[("grant_type", "client_credentials"), ("scope", "stock")]).ok();
    assert_eq!(narrow.text("scope"), "stock");
}

#[rstest]
fn the_client_credentials_grant_is_only_used_by_confidential_clients(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.public_client().grants(["password", "refresh_token"]).create();

    for pairs in [&[("client_id", client.id.as_str())][..], &[("client_id", &client.id), ("client_secret", "")]] {
        let asked = [&[("grant_type", "client_credentials")], pairs].concat();
        server.post("/oauth/token", &asked, &[]).is_refused("unauthorized_client");
    }
    // Nor can one be made that might.
    let new = grantor::admin::clients::NewClient {
        label: "public".to_owned(),
        public: true,
        grant_types: vec!["client_credentials".to_owned()],
        ..Default::default()
    };
    let made = server.run(async |context, by| {
        grantor::admin::clients::create(context, by, &new).await.map(|made| made.client.client_id)
    });
    assert!(made.is_err(), "{made:?}");
}

#[rstest]
fn the_lifetime_is_the_clients_own_or_the_servers(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("tokens.access_lifetime", 600).start();
    let of_server = server.confidential_client().grants(["client_credentials"]).create();
    let own = server.confidential_client().grants(["client_credentials"]);
    let own = own.change(|new| new.access_lifetime = Some(30)).create();

    for (client, lifetime) in [(&of_server, 600), (&own, 30)] {
        let answer = client.client_credentials().ok();
        assert_eq!(answer.json()["expires_in"], lifetime);
        let claims = answer.claims("access_token");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), lifetime);
    }
    let token = own.client_credentials().ok().access_token();
    server.get_with_token("/api/v1/me", &token).ok();
    server.clock.advance(31);
    assert_eq!(server.get_with_token("/api/v1/me", &token).status, 401);
}
