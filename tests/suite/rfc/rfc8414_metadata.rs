//! RFC 8414 and OpenID Connect Discovery: what is advertised is accepted, and the other way round.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::Value;

use crate::harness::{Answer, Database, Server};

const BOTH: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

fn texts(metadata: &Value, member: &str) -> BTreeSet<String> {
    let list = metadata[member].as_array().unwrap_or_else(|| panic!("no {member}: {metadata}"));
    list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[rstest]
fn both_addresses_have_one_document(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let [first, second] = BOTH.map(|path| server.get(path, &[("Host", "evil.example")]).ok());

    assert_eq!(first.body, second.body);
    assert_eq!(first.header("content-type"), "application/json");
    assert!(first.header("cache-control").contains("max-age="));
    let metadata = first.json();
    // RFC 8414 §3.3, and no URL is built from a header.
    assert_eq!(metadata["issuer"], server.base());
    assert!(!first.body.contains("evil.example"));
    assert!(metadata.get("authorization_endpoint").is_none());
}

#[rstest]
fn every_advertised_endpoint_exists(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let metadata = server.get(BOTH[0], &[]).ok().json();
    let endpoints = metadata.as_object().unwrap().iter();
    let mut found = BTreeSet::new();
    for (name, url) in endpoints.filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri") {
        let path = url.as_str().unwrap().strip_prefix(server.base()).expect("an address under the issuer");
        let answers = [server.get(path, &[]), server.post(path, &[], &[])];
        assert!(answers.iter().all(|answer| answer.status != 404), "{name}: {answers:?}");
        assert!(answers.iter().any(|answer| answer.status != 405), "{name}: {answers:?}");
        found.insert(path.to_owned());
    }
    let expected = ["/.well-known/jwks.json", "/oauth/introspect", "/oauth/revoke", "/oauth/token", "/oauth/userinfo"];
    assert_eq!(found, expected.map(str::to_owned).into());
}

#[rstest]
fn advertised_grant_types_are_accepted_and_no_others(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values(true, false)] password: bool,
) {
    let server = Server::with(db).set("grants.password.enabled", password).start();
    let advertised = texts(&server.get(BOTH[0], &[]).ok().json(), "grant_types_supported");
    let client = server.confidential_client().create();

    for grant in [
        "password",
        "refresh_token",
        "client_credentials",
        "authorization_code",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ] {
        // A client without any grant is told `unauthorized_client` about those that there are.
        let pairs = [("grant_type", grant), ("refresh_token", "x"), ("username", "x"), ("password", "x")];
        let error = client.token(&pairs).text("error");
        let expected = if advertised.contains(grant) { "unauthorized_client" } else { "unsupported_grant_type" };
        assert_eq!(error, expected, "{grant}");
    }
    assert_eq!(advertised.len(), if password { 3 } else { 2 });
}

#[rstest]
fn advertised_authentication_methods_are_accepted_and_no_others(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let metadata = server.get(BOTH[0], &[]).ok().json();
    let build = server.confidential_client().grants(["client_credentials", "password"]);
    let confidential = build.may_introspect().create();
    let public = server.public_client().grants(["password"]).create();

    for endpoint in ["token", "introspection", "revocation"] {
        let path = metadata[format!("{endpoint}_endpoint")].as_str().unwrap().strip_prefix(server.base()).unwrap();
        let advertised = texts(&metadata, &format!("{endpoint}_endpoint_auth_methods_supported"));
        let further = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("token", "x")];
        let authenticated = |answer: &Answer| match endpoint {
            // Who is let in is told that it lacks the grant.
            "token" => answer.json()["error"] == "unauthorized_client",
            _ => answer.status == 200,
        };
        let by_basic = confidential.post(path, &further);
        let secret = [("client_id", confidential.id.as_str()), ("client_secret", &confidential.secret)];
        let by_post = server.post(path, &[&further[..], &secret].concat(), &[]);
        let by_name = server.post(path, &[&further[..], &[("client_id", &public.id)]].concat(), &[]);
        let accepted = [("client_secret_basic", &by_basic), ("client_secret_post", &by_post), ("none", &by_name)]
            .into_iter()
            .filter(|(_, answer)| authenticated(answer))
            .map(|(method, _)| method.to_owned())
            .collect::<BTreeSet<_>>();
        assert_eq!(advertised, accepted, "{endpoint}");
    }
}

#[rstest]
fn advertised_scopes_and_algorithms_are_those_that_there_are(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let before = texts(&server.get(BOTH[0], &[]).ok().json(), "scopes_supported");
    assert_eq!(before, ["email", "offline_access", "openid", "profile"].map(str::to_owned).into());
    server.confidential_client().scopes(["orders"]).create();
    let metadata = server.get(BOTH[0], &[]).ok().json();
    assert!(texts(&metadata, "scopes_supported").contains("orders"));

    let algorithms = texts(&metadata, "id_token_signing_alg_values_supported");
    // OpenID Connect Discovery §3: RS256 MUST be included.
    assert_eq!(algorithms, ["ES256", "RS256"].map(str::to_owned).into());
    for algorithm in algorithms {
        let build = server.confidential_client().grants(["client_credentials"]);
        let client = build.change(|new| new.signing_algorithm = Some(algorithm.clone())).create();
        let token = client.client_credentials().ok().access_token();
        assert_eq!(header_of(&token)["alg"], algorithm);
        server.get_with_token("/api/v1/me", &token).ok();
    }
}

fn header_of(token: &str) -> Value {
    use base64::Engine;
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}
