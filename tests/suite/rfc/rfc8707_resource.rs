//! RFC 8707: resource indicators, and whom a token is for.

use grantor::admin::scopes;
use grantor::model::scope::CatalogueScope;
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Answer, Database, Server};

const SHOP: &str = "https://shop.example";
const STOCK: &str = "https://stock.example";
const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn scope_of(server: &Server, name: &str, audience: &str) {
    server.run(async |context, by| {
        let scope = CatalogueScope {
            name: name.to_owned(),
            description: String::new(),
            requires_approval: false,
            audience: Some(audience.to_owned()),
        };
        scopes::create(context, by, scope).await.unwrap();
    });
}

fn audience(answer: Answer) -> Value {
    answer.ok().claims("access_token")["aud"].clone()
}

#[rstest]
fn the_audience_is_the_resource_else_the_scopes_else_the_clients_else_the_servers(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    scope_of(&server, "orders", "https://orders.example");
    scope_of(&server, "invoices", "https://invoices.example");
    let build = || server.confidential_client().grants(["client_credentials"]);
    let all = build().audiences([SHOP, STOCK]).scopes(["orders", "invoices", "plain"]).create();
    let without = build().scopes(["plain"]).create();

    assert_eq!(audience(all.token(&[GRANT, ("resource", SHOP), ("scope", "orders")])), SHOP);
    assert_eq!(audience(all.token(&[GRANT, ("resource", SHOP), ("resource", STOCK)])), json!([SHOP, STOCK]));
    assert_eq!(audience(all.token(&[GRANT, ("scope", "orders")])), "https://orders.example");
    assert_eq!(
        audience(all.token(&[GRANT, ("scope", "orders invoices plain")])),
        json!(["https://invoices.example", "https://orders.example"])
    );
    let mut of_client = audience(all.token(&[GRANT, ("scope", "plain")]));
    of_client.as_array_mut().unwrap().sort_by_key(Value::to_string);
    assert_eq!(of_client, json!([SHOP, STOCK]));
    assert_eq!(audience(without.client_credentials()), server.base());
}

#[rstest]
fn the_servers_audience_is_a_setting(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("tokens.audience", "https://api.example").start();
    let client = server.confidential_client().grants(["client_credentials"]).create();

    assert_eq!(audience(client.client_credentials()), "https://api.example");
}

#[rstest]
fn only_scopes_that_were_granted_name_an_audience(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    scope_of(&server, "orders", "https://orders.example");
    let client = server.confidential_client().grants(["password"]).scopes(["orders"]).create();
    let with = server.person().permissions(["api:access", "orders"]).create();
    let without = server.person().permissions(["api:access"]).create();

    assert_eq!(audience(client.password_grant(&with)), "https://orders.example");
    assert_eq!(audience(client.password_grant(&without)), server.base());
}

#[rstest]
fn a_resource_that_is_not_the_clients_is_invalid_target(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let all = ["client_credentials", "password", "refresh_token"];
    let client = server.confidential_client().grants(all).audiences([SHOP]).create();
    let without = server.confidential_client().grants(all).create();
    let user = server.api_user().create();

    for wrong in [STOCK, "https://shop.example/", "x", "a b", "https://shop.example https://stock.example"] {
        for pairs in [&[("resource", wrong)][..], &[("resource", SHOP), ("resource", wrong)]] {
            let answer = client.token(&[&[GRANT], pairs].concat());
            assert_eq!(answer.status, 400);
            answer.is_refused("invalid_target");
            client.password_grant_with(&user, pairs).is_refused("invalid_target");
        }
    }
    // Not even the server's own, unless it is one of the client's.
    without.token(&[GRANT, ("resource", server.base())]).is_refused("invalid_target");
    client.token(&[GRANT, ("resource", SHOP)]).ok();
}

#[rstest]
fn a_refresh_stays_within_the_resources_granted_first(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let build = server.confidential_client().grants(["password", "refresh_token"]);
    let client = build.audiences([SHOP, STOCK]).create();
    let user = server.api_user().create();
    let refresh = |token: &str, resources: &[(&str, &str)]| {
        client.token(&[&[("grant_type", "refresh_token"), ("refresh_token", token)], resources].concat())
    };

    let for_shop = client.password_grant_with(&user, &[("resource", SHOP)]).ok();
    let token = for_shop.refresh_token();
    refresh(&token, &[("resource", STOCK)]).is_refused("invalid_target");
    let again = refresh(&token, &[]).ok();
    assert_eq!(audience(again.clone()), SHOP);
    assert_eq!(audience(refresh(&again.refresh_token(), &[("resource", SHOP)])), SHOP);

    let for_both = client.password_grant(&user).ok();
    let narrow = refresh(&for_both.refresh_token(), &[("resource", STOCK)]).ok();
    assert_eq!(audience(narrow.clone()), STOCK);
    // RFC 8707 §2.2: narrowing one access token does not narrow the grant.
    assert_eq!(audience(refresh(&narrow.refresh_token(), &[("resource", SHOP)])), SHOP);
}
