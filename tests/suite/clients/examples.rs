//! RFC 9068, RFC 8725: the resource servers of `examples/` take our access tokens, and nothing else, offline.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rstest::rstest;

use super::installed::{beside_packages, installed, source};
use super::program::{Running, free_port};
use crate::harness::{Answer, Database, Server, agent, missing};
use crate::house::registry::within;

// Also the id of the client, so that its ID tokens have this audience too, and only their type tells them apart.
const AUDIENCE: &str = "orders-api";
const TWO_HOURS: i64 = 2 * 3600;

#[derive(Debug, Clone, Copy)]
pub enum Example {
    Rust,
    Node,
    Python,
}

/// The example as a command; none where what it needs is not installed.
pub fn command(example: Example) -> Option<Command> {
    Some(match example {
        Example::Rust => {
            let programs = Path::new(env!("CARGO_BIN_EXE_grantor")).parent()?;
            let program = programs.join("examples/resource-server");
            if !program.is_file() {
                missing("the program of examples/rust (cargo build --example resource-server)");
                return None;
            }
            Command::new(program)
        }
        Example::Node => {
            let module = beside_packages("examples/node/server.mjs", "node-example")?;
            let mut node = Command::new("node");
            node.arg(module);
            node
        }
        Example::Python => {
            let mut python = Command::new(installed("venv/bin/python")?);
            python.arg(source("examples/python/server.py"));
            python
        }
    })
}

#[rstest]
fn an_example_takes_our_access_tokens_and_nothing_else(
    #[values(Example::Rust, Example::Node, Example::Python)] example: Example,
) {
    let Some(mut command) = command(example) else { return };
    let server = Server::with(Database::Sqlite).clock_at(-TWO_HOURS).start();
    let port = free_port();
    let settings = [("ISSUER", server.base()), ("AUDIENCE", AUDIENCE), ("PORT", &port.to_string())];
    let mut api = Running::start(command.envs(settings));
    let orders = |authorization: &str| {
        let mut request = agent().get(format!("http://127.0.0.1:{port}/orders"));
        if !authorization.is_empty() {
            request = request.header("Authorization", authorization);
        }
        request.call()
    };
    api.until("it answers", || orders("").is_ok());
    let status = |token: &str| Answer::of(orders(&format!("Bearer {token}"))).status;

    let client = server
        .confidential_client()
        .grants(["password", "client_credentials"])
        .scopes(["orders:read", "openid"])
        .audiences([AUDIENCE])
        .change(|new| new.client_id = Some(AUDIENCE.to_owned()));
    let client = client.create();
    let expired = client.client_credentials().ok().access_token();
    server.clock.advance(TWO_HOURS);
    let user = server.api_user().permissions(["api:access", "orders:read"]).create();
    let of_a_user = client.password_grant_with(&user, &[("scope", "openid orders:read")]).ok();
    let taken = Answer::of(orders(&format!("Bearer {}", of_a_user.access_token()))).ok();
    assert_eq!(taken.text("sub"), user.id);
    assert!(taken.text("scope").split(' ').any(|scope| scope == "orders:read"), "{taken:?}");
    let of_the_client = client.client_credentials().ok().access_token();
    assert_eq!(status(&of_the_client), 200);

    let without = Answer::of(orders(""));
    assert_eq!((without.status, without.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(Answer::of(orders("Basic YTpi")).status, 401);
    assert_eq!(status("not.a.token"), 401);
    assert_eq!(status(&changed(&of_the_client)), 401, "a changed signature");
    assert_eq!(of_a_user.claims("id_token")["aud"], AUDIENCE);
    assert_eq!(status(&of_a_user.text("id_token")), 401, "an ID token");
    let other = server.confidential_client().grants(["client_credentials"]).audiences(["https://bills.example"]);
    assert_eq!(status(&other.create().client_credentials().ok().access_token()), 401, "another audience");
    let stranger = Server::start(Database::Sqlite);
    let elsewhere = stranger.confidential_client().grants(["client_credentials"]).audiences([AUDIENCE]);
    assert_eq!(status(&elsewhere.create().client_credentials().ok().access_token()), 401, "another issuer");
    assert_eq!(status(&expired), 401, "an expired token");
}

#[rstest]
fn an_example_with_a_client_refuses_a_revoked_token_within_seconds(
    #[values(Example::Rust, Example::Node, Example::Python)] example: Example,
) {
    let Some(mut command) = command(example) else { return };
    let server = Server::start(Database::Sqlite);
    let api_client = server.confidential_client().grants(["client_credentials"]).may_introspect().create();
    let port = free_port();
    let settings = [
        ("ISSUER", server.base()),
        ("AUDIENCE", AUDIENCE),
        ("PORT", &port.to_string()),
        ("CLIENT_ID", &api_client.id),
        ("CLIENT_SECRET", &api_client.secret),
    ];
    let mut api = Running::start(command.envs(settings));
    let status = |token: &str| {
        let header = format!("Bearer {token}");
        agent().get(format!("http://127.0.0.1:{port}/orders")).header("Authorization", &header).call()
    };
    let status = |token: &str| status(token).map(|answer| answer.status().as_u16());
    let portal = server.confidential_client().grants(["password", "refresh_token"]).audiences([AUDIENCE]).create();
    let user = server.api_user().create();
    let [living, revoked, ended] = [(), (), ()].map(|()| portal.password_grant(&user).ok());
    api.until("it takes a token", || matches!(status(&living.access_token()), Ok(200)));
    assert_eq!(status(&revoked.access_token()).unwrap(), 200);
    assert_eq!(status(&ended.access_token()).unwrap(), 200);

    portal.revoke(&revoked.access_token()).ok();
    portal.revoke(&ended.refresh_token()).ok();

    within(Duration::from_secs(5), || {
        [&revoked, &ended].iter().all(|tokens| matches!(status(&tokens.access_token()), Ok(401)))
    });
    assert_eq!(status(&living.access_token()).unwrap(), 200);
}

/// The token with one character of its signature exchanged; not the last, some of whose bits are padding.
fn changed(token: &str) -> String {
    let at = token.len() - 10;
    let other = if &token[at..=at] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}
