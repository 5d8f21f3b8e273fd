//! `[[http.token_path]]`: the token endpoint at other servers' paths, so that their clients need no change.

use rstest::rstest;
use serde_json::json;

use crate::harness::{Database, Installation, Server, TestClient};

const PATHS: &str = r#"
[[http.token_path]]
path = "/api/oauth/v1/token"
errors = "akeneo"

[[http.token_path]]
path = "/realms/{any}/protocol/openid-connect/token"

[[http.token_path]]
path = "/api/v1/oauth2/token"
errors = "rfc6749"
"#;

const AKENEO: &str = "/api/oauth/v1/token";
const STANDARD: [&str; 3] = [
    "/realms/shop/protocol/openid-connect/token",
    "/realms/m%C3%BC/protocol/openid-connect/token",
    "/api/v1/oauth2/token",
];
const ALL: [&str; 3] = ["password", "refresh_token", "client_credentials"];

fn stranger<'a>(client: &TestClient<'a>) -> TestClient<'a> {
    TestClient { secret: "wrong".to_owned(), ..client.clone() }
}

#[rstest]
fn every_path_is_the_token_endpoint(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).file(PATHS).start();
    let client = server.confidential_client().grants(ALL).create();
    let user = server.api_user().create();

    for path in [&[AKENEO][..], &STANDARD].concat() {
        let sign_in = [("grant_type", "password"), ("username", &user.username), ("password", &user.password)];
        let tokens = client.post(path, &sign_in).ok();
        // A token of one path is a token at all of them.
        let again = [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh_token())];
        let again = client.post(path, &again).ok();
        client.refresh(&again.refresh_token()).ok();
        client.post(path, &[("grant_type", "client_credentials")]).ok();
        assert_eq!(tokens.claims("access_token")["iss"], server.base());
        let json =
            format!(r#"{{"grant_type":"password","username":"{}","password":"{}"}}"#, user.username, user.password);
        let authorization = client.authorization();
        let headers = [("Authorization", authorization.as_str())];
        server.post_raw(path, "application/json", json.as_bytes(), &headers).ok();
    }
    for wrong in
        ["/api/oauth/v1/token/", "/realms/protocol/openid-connect/token", "/realms/a/b/protocol/openid-connect/token"]
    {
        assert_eq!(client.post(wrong, &[("grant_type", "client_credentials")]).status, 404, "{wrong}");
    }
}

#[rstest]
fn without_the_setting_there_is_nothing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).create();
    for path in [&[AKENEO][..], &STANDARD].concat() {
        assert_eq!(client.post(path, &[("grant_type", "client_credentials")]).status, 404, "{path}");
    }
}

#[rstest]
fn refusals_have_the_standards_shape(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).file(PATHS).start();
    let client = server.confidential_client().grants(ALL).create();
    for path in STANDARD {
        let answer = client.post(path, &[("grant_type", "refresh_token"), ("refresh_token", "x")]);
        assert_eq!(answer.status, 400);
        answer.is_refused("invalid_grant");
        assert_eq!(answer.text("request_id"), answer.header("x-request-id"));
        let answer = stranger(&client).post(path, &[("grant_type", "client_credentials")]);
        assert_eq!(answer.status, 401);
        answer.is_refused("invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic "));
    }
}

#[rstest]
fn refusals_have_akeneos_shape(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).file(PATHS).start();
    let client = server.confidential_client().grants(ALL).create();
    let lacking = server.confidential_client().create();
    let user = server.api_user().create();
    let client_credentials = [("grant_type", "client_credentials")];
    for (answer, same) in [
        (client.post(AKENEO, &[]), client.token(&[])),
        (client.post(AKENEO, &[("grant_type", "x")]), client.token(&[("grant_type", "x")])),
        (stranger(&client).post(AKENEO, &client_credentials), stranger(&client).token(&client_credentials)),
        (lacking.post(AKENEO, &client_credentials), lacking.token(&client_credentials)),
        (
            client.post(AKENEO, &[("grant_type", "password"), ("username", &user.username), ("password", "wrong")]),
            client.password_grant(&user.with_password("wrong")),
        ),
        (client.post(AKENEO, &[("grant_type", "refresh_token"), ("refresh_token", "x")]), client.refresh("x")),
    ] {
        assert!(matches!(same.status, 400 | 401), "{same:?}");
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.json(), json!({"code": 422, "message": same.text("error_description")}));
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.header("x-request-id").is_empty());
    }
}

#[rstest]
fn other_refusals_keep_their_status(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    // Whose failures are not forgiven: the third one in a row must wait.
    let server = Server::with(db).file(PATHS).set("limits.account_network_failures", 2).start();
    let client = server.confidential_client().grants(ALL).create();
    let user = server.person().create();
    let wrong = [("grant_type", "password"), ("username", &user.username), ("password", "a wrong passphrase")];
    let authorization = client.authorization();
    let headers = [("Authorization", authorization.as_str())];
    for path in [&[AKENEO][..], &STANDARD].concat() {
        let answer = server.post_raw(path, "text/plain", b"x", &headers);
        assert_eq!(answer.status, 415, "{answer:?}");
        assert!(answer.text("error_description").contains("curl -u"));
        let large = [("grant_type", "client_credentials"), ("x", &"x".repeat(17_000))];
        assert_eq!(client.post(path, &large).status, 413);
        let answer = server.get(path, &[]);
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{path}");
    }
    let answers: Vec<_> = (0..4).map(|_| client.post(AKENEO, &wrong)).collect();
    let limited = answers.last().unwrap();
    assert_eq!(limited.status, 429, "{answers:?}");
    assert!(limited.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{limited:?}");
}

#[test]
fn a_path_that_covers_one_of_the_servers_own_is_refused_before_the_start() {
    for (path, own) in [
        ("/{any}/v1/users", "/api/v1/users"),
        ("/api/{any}/clients", "/api/v1/clients"),
        ("/{any}/sign-in", "/console/sign-in"),
        ("/console/sign-in", "/console/sign-in"),
        ("/docs/token", "/docs/{rest}"),
        ("/api/v1/users/token", "/api/v1/users/{user}"),
    ] {
        let mut installation = Installation::new(Database::Sqlite);
        installation.set("http.token_path", format!("[{{\"path\": \"{path}\"}}]"));
        for command in [&["serve"][..], &["config", "check"]] {
            let output = installation.run(command);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                !output.status.success() && said.contains(&format!("covers the built-in {own};")),
                "{path}: {said}"
            );
        }
    }
    let mut installation = Installation::new(Database::Sqlite);
    installation.set("http.token_path", r#"[{"path": "/api/v1/{any}/oauth/token"}, {"path": "/{any}/oauth2/token"}]"#);
    assert!(installation.run(&["config", "check"]).status.success());
}
