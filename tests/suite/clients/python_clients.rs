//! The Python package `Authlib`, which sends its forms with `;charset=UTF-8`.

use std::process::Command;

use rstest::rstest;

use super::installed::{installed, source};
use super::program::output_of;
use crate::harness::{Database, Server};

#[rstest]
fn authlib_gets_along_with_every_endpoint(#[values(Database::Sqlite, Database::Postgres)] database: Database) {
    let Some(python) = installed("venv/bin/python") else { return };
    let server = Server::start(database);
    let client = server
        .confidential_client()
        .grants(["password", "refresh_token", "client_credentials"])
        .scopes(["orders:read"])
        .may_introspect()
        .create();
    // A name that a form must escape, and that is not ASCII.
    let user = server.person().username("zoë+orders").password("größer als 15 & zwar = sehr").create();
    let settings = [
        ("ISSUER", server.base()),
        ("CLIENT_ID", &client.id),
        ("CLIENT_SECRET", &client.secret),
        ("LOGIN_NAME", &user.username),
        ("LOGIN_PASSWORD", &user.password),
        // Authlib allows plain http only when told so; the tests' server is on this machine.
        ("AUTHLIB_INSECURE_TRANSPORT", "1"),
        ("PYTHONUTF8", "1"),
    ];
    let said = output_of(Command::new(python).arg(source("tests/clients/python/authlib_client.py")).envs(settings));
    assert!(said.ends_with("all good\n"), "{said}");
}
