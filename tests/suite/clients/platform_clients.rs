//! Clients that were published for the platforms, unmodified but for the address.

use std::path::Path;
use std::process::Command;

use rstest::rstest;

use super::installed::{beside_packages, installed, source};
use super::program::output_of;
use crate::harness::{Database, Server, TestClient, TestUser};

/// Runs a program with what it needs to know; it must say that all is good.
fn is_content(program: &Path, script: &Path, server: &Server, client: &TestClient<'_>, user: &TestUser) {
    let settings = [
        ("ISSUER", server.base()),
        ("CLIENT_ID", &client.id),
        ("CLIENT_SECRET", &client.secret),
        ("LOGIN_NAME", &user.username),
        ("LOGIN_PASSWORD", &user.password),
        ("no_proxy", "*"),
        ("PYTHONUTF8", "1"),
    ];
    let said = output_of(Command::new(program).arg(script).current_dir(script.parent().unwrap()).envs(settings));
    assert!(said.ends_with("all good\n"), "{said}");
}

/// The user of Akeneo's document, and the connection.
fn akeneo(server: &Server) -> (TestClient<'_>, TestUser) {
    let user = server.api_user().username("myAPIuser").password("myAPIuserPassword").create();
    (server.confidential_client().grants(["password", "refresh_token"]).create(), user)
}

#[rstest]
fn the_akeneo_clients_for_python_sign_in_and_refresh(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(python) = installed("venv/bin/python") else { return };
    let server = Server::with(db).set("preset", "akeneo").start();
    let (client, user) = akeneo(&server);
    is_content(&python, &source("tests/clients/python/akeneo_clients.py"), &server, &client, &user);
}

#[rstest]
fn the_akeneo_client_for_node_signs_in(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(module) = beside_packages("tests/clients/node/node-akeneo-api.mjs", "node") else { return };
    let server = Server::with(db).set("preset", "akeneo").start();
    let (client, user) = akeneo(&server);
    is_content(Path::new("node"), &module, &server, &client, &user);
}

#[rstest]
fn python_keycloak_gets_tokens_at_keycloaks_path(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(python) = installed("venv/bin/python") else { return };
    let path = "[[http.token_path]]\npath = '/realms/{any}/protocol/openid-connect/token'\nerrors = 'rfc6749'\n";
    let server = Server::with(db).file(path).start();
    let client = server
        .confidential_client()
        .grants(["password", "refresh_token", "client_credentials"])
        .scopes(["openid"])
        .create();
    let user = server.person().username("zoë").create();
    is_content(&python, &source("tests/clients/python/keycloak_client.py"), &server, &client, &user);
}

#[rstest]
fn bandwidths_own_sdk_works_with_basic_and_with_oauth(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(python) = installed("venv/bin/python") else { return };
    let server = Server::with(db).set("preset", "bandwidth").start();
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let user = server.api_user().username("jdoe").password("correct-horse-battery-staple").create();
    is_content(&python, &source("tests/clients/python/bandwidth_client.py"), &server, &client, &user);
}
