//! RFC 6749 §5.2: error answers.

use grantor::admin::clients;
use grantor::model::client::ClientStatus;
use rstest::rstest;

use crate::harness::{Database, Server, basic};

#[rstest]
fn an_error_has_its_members_and_is_never_stored(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials", "refresh_token", "password"]).create();
    let lacking = server.confidential_client().create();
    let post = |pairs: &[(&str, &str)]| client.token(pairs);
    let marker = "echo-of-the-input";
    let cases = [
        (post(&[]), 400, "invalid_request"),
        (post(&[("grant_type", marker)]), 400, "unsupported_grant_type"),
        (post(&[("grant_type", "authorization_code"), ("code", marker)]), 400, "unsupported_grant_type"),
        (post(&[("grant_type", "refresh_token")]), 400, "invalid_request"),
        (post(&[("grant_type", "refresh_token"), ("refresh_token", marker)]), 400, "invalid_grant"),
        (post(&[("grant_type", "client_credentials"), ("scope", marker)]), 400, "invalid_scope"),
        (post(&[("grant_type", "client_credentials"), ("resource", marker)]), 400, "invalid_target"),
        (post(&[("grant_type", "password"), ("username", marker), ("password", marker)]), 400, "invalid_grant"),
        (post(&[(marker, ""), (marker, "")]), 400, "invalid_request"),
        (lacking.client_credentials(), 400, "unauthorized_client"),
        (
            server.post("/oauth/token", &[("grant_type", marker)], &[("Authorization", &basic(marker, marker))]),
            401,
            "invalid_client",
        ),
        (server.post_raw("/oauth/token", &format!("text/{marker}"), b"", &[]), 415, "invalid_request"),
        (client.introspect(marker), 403, "unauthorized_client"),
    ];
    for (answer, status, error) in cases {
        assert_eq!(answer.status, status, "{answer:?}");
        answer.is_refused(error);
        assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"), "{answer:?}");
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401, "{answer:?}");
        let body = answer.json();
        let members: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["error", "error_description", "request_id"]);
        // %x20-21 / %x23-5B / %x5D-7E.
        let description = answer.text("error_description");
        let plain = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
        assert!(!description.is_empty() && description.chars().all(plain), "{description}");
        assert!(!answer.body.contains(marker), "{answer:?}");
    }
}

#[rstest]
fn only_an_authenticated_client_is_told_which_grants_there_are(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().create();
    let ask = |secret: &str, pairs: &[(&str, &str)]| {
        server.post("/oauth/token", pairs, &[("Authorization", &basic(&client.id, secret))])
    };

    let answer = ask(&client.secret, &[("grant_type", "implicit")]);
    answer.is_refused("unsupported_grant_type");
    for grant in ["password", "refresh_token", "client_credentials"] {
        assert!(answer.text("error_description").contains(grant), "{answer:?}");
    }
    ask("wrong", &[("grant_type", "implicit")]).is_refused("invalid_client");
    ask("wrong", &[]).is_refused("invalid_client");
    // The names of grants are case-sensitive.
    ask(&client.secret, &[("grant_type", "Client_Credentials")]).is_refused("unsupported_grant_type");
}

#[rstest]
fn the_reason_for_a_refused_client_is_not_told(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).create();
    client.client_credentials().ok();
    server.run(async |context, by| {
        clients::set_status(context, by, &client.id, ClientStatus::Disabled).await.unwrap();
    });

    let disabled = client.client_credentials();

    disabled.is_refused("invalid_client");
    let unknown = server.post(
        "/oauth/token",
        &[("grant_type", "client_credentials")],
        &[("Authorization", &basic("nobody", "nothing"))],
    );
    assert_eq!(disabled.without_request_id(), unknown.without_request_id());
}
