//! The npm package `openid-client`.

use std::process::Command;

use rstest::rstest;

use super::installed::beside_packages;
use super::program::output_of;
use crate::harness::{Database, Server};

#[rstest]
fn openid_client_gets_along_with_every_endpoint(#[values(Database::Sqlite, Database::Postgres)] database: Database) {
    let Some(module) = beside_packages("tests/clients/node/openid-client.mjs", "node") else { return };
    let server = Server::start(database);
    let client = server
        .confidential_client()
        .grants(["password", "refresh_token", "client_credentials"])
        .scopes(["openid", "orders:read"])
        .may_introspect()
        .create();
    let user = server.api_user().permissions(["api:access", "orders:read"]).create();
    let settings = [
        ("ISSUER", server.base()),
        ("CLIENT_ID", &client.id),
        ("CLIENT_SECRET", &client.secret),
        ("LOGIN_NAME", &user.username),
        ("LOGIN_PASSWORD", &user.password),
    ];
    let said = output_of(Command::new("node").arg(module).envs(settings));
    assert!(said.ends_with("all good\n"), "{said}");
}
