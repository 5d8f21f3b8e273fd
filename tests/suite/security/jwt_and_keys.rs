//! The table *JWT and keys*.

use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::admin::signing_keys;
use grantor::crypto::signing::{SigningAlgorithm, SigningKeyPair};
use grantor::model::signing_key::KeyState;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Answer, Database, Server, TestClient};
use crate::house::registry::within;

/// A server, a resource server of it and one live token with its parts.
struct Sinks<'a> {
    server: &'a Server,
    resource: TestClient<'a>,
    client: TestClient<'a>,
    tokens: Answer,
    header: Value,
    claims: Value,
}

impl<'a> Sinks<'a> {
    fn of(server: &'a Server) -> Self {
        let audience = server.base().to_owned();
        let resource =
            server.confidential_client().may_introspect().change(|new| new.audiences = vec![audience]).create();
        let client = server.confidential_client().grants(["password", "refresh_token"]).scopes(["openid"]).create();
        let tokens = client.password_grant_with(&server.api_user().create(), &[("scope", "openid")]).ok();
        let header = part(&tokens.access_token(), 0);
        let claims = part(&tokens.access_token(), 1);
        Self { server, resource, client, tokens, header, claims }
    }

    /// Signs whatever is asked with the server's own key.
    fn sign(&self, header: &Value, claims: &str) -> String {
        let kid = self.header["kid"].as_str().unwrap().to_owned();
        let stored = self
            .server
            .run(async |context, _| context.store.read(grantor::store::signing_keys::list).await.unwrap())
            .into_iter()
            .find(|key| key.kid == kid)
            .unwrap();
        let sealing = &self.server.context().data_keys.sealing;
        let pkcs8 = sealing.open(&format!("signing key {kid}"), &stored.sealed_private_key).unwrap();
        let pair = SigningKeyPair::from_pkcs8(stored.algorithm, pkcs8.expose()).unwrap();
        let message = format!("{}.{}", encoded(&header.to_string()), encoded(claims));
        let signature = pair.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn with_claims(&self, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
        let mut claims = self.claims.clone();
        change(claims.as_object_mut().unwrap());
        self.sign(&self.header, &claims.to_string())
    }

    fn with_header(&self, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
        let mut header = self.header.clone();
        change(header.as_object_mut().unwrap());
        self.sign(&header, &self.claims.to_string())
    }

    #[track_caller]
    fn accept(&self, token: &str) {
        assert_eq!(self.resource.introspect(token).ok().json()["active"], true);
        self.server.get_with_token("/oauth/userinfo", token).ok();
        self.server.get_with_token("/api/v1/me", token).ok();
    }

    #[track_caller]
    fn refuse(&self, why: &str, token: &str) {
        for client in [&self.resource, &self.client] {
            let answer = client.introspect(token);
            let inactive = answer.status == 200 && answer.body == r#"{"active":false}"#;
            assert!(inactive || answer.status == 403, "{why}: {answer:?}");
        }
        for path in ["/oauth/userinfo", "/api/v1/me"] {
            let answer = self.server.get_with_token(path, token);
            assert_eq!(answer.status, 401, "{why}: {answer:?}");
            assert!(answer.header("www-authenticate").contains(r#"error="invalid_token""#), "{why}: {answer:?}");
        }
    }
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn decoded(token: &str, index: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&decoded(token, index)).unwrap()
}

#[rstest]
fn alg_none_is_refused_at_every_sink(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let sinks = Sinks::of(&server);
    sinks.accept(&sinks.tokens.access_token());
    // What this test forges is accepted when it is forged right.
    sinks.accept(&sinks.sign(&sinks.header, &sinks.claims.to_string()));
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let mut header = sinks.header.clone();
        header["alg"] = json!(alg);
        let message = format!("{}.{}", encoded(&header.to_string()), encoded(&sinks.claims.to_string()));
        sinks.refuse(alg, &format!("{message}."));
        sinks.refuse(alg, &message);
        sinks.refuse(alg, &sinks.with_header(|header| header["alg"] = json!(alg)));
    }
}

#[rstest]
fn the_public_key_is_no_shared_secret(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values("ES256", "RS256", "PS256", "EdDSA")] algorithm: &str,
) {
    let server = Server::with(db).set("tokens.signing_algorithm", algorithm).start();
    let sinks = Sinks::of(&server);
    assert_eq!(sinks.header["alg"], algorithm);
    let jwks = server.get("/.well-known/jwks.json", &[]).ok();
    let keys = jwks.json();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == sinks.header["kid"]).unwrap().clone();
    let bytes =
        |member: &str| key[member].as_str().map(|text| URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap_or_default();
    let secrets = [
        key.to_string().into_bytes(),
        jwks.body.into_bytes(),
        bytes("x"),
        bytes("n"),
        [vec![4], bytes("x"), bytes("y")].concat(),
        sinks.header["kid"].as_str().unwrap().as_bytes().to_vec(),
        Vec::new(),
    ];
    for (alg, hmac_algorithm) in [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
        (algorithm, hmac::HMAC_SHA256),
    ] {
        for secret in &secrets {
            let mut header = sinks.header.clone();
            header["alg"] = json!(alg);
            let message = format!("{}.{}", encoded(&header.to_string()), encoded(&sinks.claims.to_string()));
            let signature = hmac::sign(&hmac::Key::new(hmac_algorithm, secret), message.as_bytes());
            sinks.refuse(alg, &format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)));
        }
    }
}

#[rstest]
fn a_missing_or_mistyped_claim_under_a_good_signature_is_refused(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let sinks = Sinks::of(&server);
    sinks.accept(&sinks.with_claims(|_| ()));
    for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "epoch"] {
        sinks.refuse(
            claim,
            &sinks.with_claims(|claims| {
                claims.remove(claim).unwrap();
            }),
        );
        let right = sinks.claims[claim].clone();
        let mut wrong = vec![json!(null), json!({}), json!(true), json!([1]), json!(-1.5)];
        wrong.push(if right.is_string() { json!(12) } else { json!(right.to_string()) });
        for wrong in wrong {
            sinks.refuse(&format!("{claim}: {wrong}"), &sinks.with_claims(|claims| claims[claim] = wrong.clone()));
        }
    }
    for (claim, wrong) in [
        ("aud", json!([])),
        ("aud", json!([server.base(), 1])),
        ("jti", json!("")),
        ("exp", json!(f64::from(u32::MAX))),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!(u64::MAX)),
        ("epoch", json!("")),
        ("epoch", json!("0.0")),
        ("epoch", json!("0.0.0.0")),
        ("epoch", json!("a.b.c")),
        ("iss", json!("https://elsewhere.example")),
        ("iss", json!(format!("{}/", server.base()))),
        ("client_id", json!("nobody")),
        ("org", json!("nobody")),
        ("sid", json!(7)),
        ("roles", json!("administrator")),
        ("auth_time", json!("yesterday")),
    ] {
        sinks.refuse(&format!("{claim}: {wrong}"), &sinks.with_claims(|claims| claims[claim] = wrong.clone()));
    }
    let twice = sinks.claims.to_string().replacen('{', r#"{"sub":"somebody else","#, 1);
    sinks.refuse("a claim twice", &sinks.sign(&sinks.header, &twice));
    for claims in ["", "null", "[]", "\"text\"", "{}", "{"] {
        sinks.refuse(claims, &sinks.sign(&sinks.header, claims));
    }
}

#[rstest]
fn another_header_under_a_good_signature_is_refused(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let sinks = Sinks::of(&server);
    let rsa = server.context().ring.load();
    let other = rsa.published(server.clock.now()).find(|key| key.algorithm == SigningAlgorithm::Rs256).unwrap();
    for (member, wrong) in [
        ("typ", json!("JWT")),
        ("typ", json!("JWS")),
        ("typ", json!("at+jwt ")),
        ("typ", json!("")),
        ("typ", json!(1)),
        ("typ", Value::Null),
        ("kid", json!("unknown")),
        ("kid", json!("")),
        ("kid", json!(7)),
        ("kid", Value::Null),
        ("kid", json!(other.kid)),
        ("kid", json!("../../dev/null")),
        ("alg", json!("RS256")),
        ("alg", json!("ES384")),
        ("alg", json!("es256")),
        ("alg", Value::Null),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!("exp")),
    ] {
        let token = sinks.with_header(|header| {
            header.insert(member.to_owned(), wrong.clone());
        });
        sinks.refuse(&format!("{member}: {wrong}"), &token);
    }
    for member in ["typ", "kid", "alg"] {
        sinks.refuse(
            member,
            &sinks.with_header(|header| {
                header.remove(member).unwrap();
            }),
        );
    }
    // A key that the token brings along is none.
    let jwk = json!({ "kty": "oct", "k": "c2VjcmV0" });
    let mut header = json!({ "typ": "at+jwt", "alg": "HS256", "jwk": jwk, "kid": sinks.header["kid"] });
    for alg in ["HS256", "ES256"] {
        header["alg"] = json!(alg);
        let message = format!("{}.{}", encoded(&header.to_string()), encoded(&sinks.claims.to_string()));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"secret"), message.as_bytes());
        sinks.refuse("jwk", &format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)));
    }
    sinks.refuse("an ID token", &sinks.tokens.text("id_token"));
    sinks.refuse("a refresh token", &sinks.tokens.refresh_token());
}

#[rstest]
fn a_changed_bit_in_any_part_is_refused(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values("ES256", "EdDSA")] algorithm: &str,
) {
    let server = Server::with(db).set("tokens.signing_algorithm", algorithm).start();
    let sinks = Sinks::of(&server);
    let token = sinks.tokens.access_token();
    sinks.accept(&token);
    for index in 0..3 {
        let bytes = decoded(&token, index);
        let step = (bytes.len() / 12).max(1);
        for (place, bit) in (0..bytes.len()).step_by(step).zip([0, 3, 7].into_iter().cycle()) {
            let mut changed = bytes.clone();
            changed[place] ^= 1 << bit;
            let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
            parts[index] = URL_SAFE_NO_PAD.encode(&changed);
            sinks.refuse(&format!("part {index}, byte {place}, bit {bit}"), &parts.join("."));
        }
    }
    let parts: Vec<&str> = token.split('.').collect();
    for odd in [
        format!("{token}."),
        format!(".{token}"),
        format!("{token}="),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}.{}.{}.{}", parts[0], parts[1], parts[2], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], &parts[2][..parts[2].len() - 2]),
        format!("{}.{}.{}{}", parts[0], parts[1], parts[2], parts[2]),
        token.to_uppercase(),
        "..".to_owned(),
        ".".to_owned(),
    ] {
        sinks.refuse(&odd, &odd);
    }
}

#[rstest]
fn a_huge_token_is_refused(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let sinks = Sinks::of(&server);
    sinks.refuse(
        "10 KB, well signed",
        &sinks.with_claims(|claims| {
            claims.insert("padding".to_owned(), json!("x".repeat(10_000)));
        }),
    );
    sinks.refuse("12 KB of dots", &".".repeat(12_000));
    let huge = format!("{}.{}", sinks.tokens.access_token(), "x".repeat(1 << 20));
    assert_eq!(sinks.resource.introspect(&huge).status, 413);
    // A head of a megabyte is cut off, with or without an answer.
    let request = crate::harness::agent()
        .get(format!("{}/api/v1/me", server.base()))
        .header("Authorization", format!("Bearer {huge}"))
        .call();
    assert!(request.map_or(true, |answer| answer.status().as_u16() >= 400));
    sinks.accept(&sinks.tokens.access_token());
}

#[rstest]
fn the_jwks_has_no_private_member_and_verifies_every_algorithm(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    for algorithm in SigningAlgorithm::ALL {
        let client = server
            .confidential_client()
            .grants(["client_credentials"])
            .change(|new| new.signing_algorithm = Some(algorithm.as_str().to_owned()))
            .create();
        let token = client.client_credentials().ok().access_token();
        assert_eq!(part(&token, 0)["alg"], algorithm.as_str());
        assert!(Validator::default().accepts(&server, &token), "{algorithm}");
    }
    let jwks = server.get("/.well-known/jwks.json", &[]).ok();
    let keys = jwks.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 4);
    for key in keys {
        let mut members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        let expected: &[&str] = match key["kty"].as_str().unwrap() {
            "EC" => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            "RSA" => &["alg", "e", "kid", "kty", "n", "use"],
            "OKP" => &["alg", "crv", "kid", "kty", "use", "x"],
            other => panic!("{other}"),
        };
        assert_eq!(members, expected);
        assert_eq!(key["use"], "sig");
    }
}

/// A resource server that keeps the JWKS for as long as it may.
#[derive(Default)]
struct Validator {
    cached: Option<(i64, JwkSet)>,
    fetched: usize,
}

impl Validator {
    fn accepts(&mut self, server: &Server, token: &str) -> bool {
        let now = server.clock.now().seconds();
        if self.cached.as_ref().is_none_or(|(until, _)| now >= *until) {
            let answer = server.get("/.well-known/jwks.json", &[]).ok();
            let age = answer.header("cache-control").split("max-age=").nth(1).unwrap().parse::<i64>().unwrap();
            self.cached = Some((now + age, serde_json::from_str(&answer.body).unwrap()));
            self.fetched += 1;
        }
        let header = jsonwebtoken::decode_header(token).unwrap();
        let (_, keys) = self.cached.as_ref().unwrap();
        let Some(key) = keys.find(header.kid.as_deref().unwrap()) else { return false };
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).is_ok()
    }
}

#[rstest]
fn of_100_000_validations_while_keys_rotate_and_tokens_are_issued_none_fails(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    const VALIDATIONS: usize = 100_000;
    let server = &Server::with(db).set("keys.publish_ahead", 60).start();
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let issue = || (server.clock.now().seconds() + 3600, client.client_credentials().ok().access_token());
    let (issued, done) = (&RwLock::new(vec![issue()]), &AtomicUsize::new(0));
    let mut kids = std::collections::HashSet::new();
    let fetched: usize = std::thread::scope(|scope| {
        let validators: Vec<_> = (0..4)
            .map(|thread| {
                scope.spawn(move || {
                    let mut validator = Validator::default();
                    let mut turn = thread;
                    while done.fetch_add(1, Ordering::Relaxed) < VALIDATIONS {
                        turn += 7;
                        // The newest, and one that was issued long ago, perhaps under a key of long ago.
                        let tokens = issued.read().unwrap();
                        let (until, token) =
                            if turn % 2 == 0 { &tokens[turn % tokens.len()] } else { tokens.last().unwrap() };
                        let (until, token) = (*until, token.clone());
                        drop(tokens);
                        let accepted = validator.accepts(server, &token);
                        assert!(accepted || until <= server.clock.now().seconds(), "{token}");
                    }
                    validator.fetched
                })
            })
            .collect();
        for round in 0.. {
            if done.load(Ordering::Relaxed) >= VALIDATIONS {
                break;
            }
            server.clock.advance(1 + round % 3);
            if round % 29 == 13 {
                server.run(async |context, by| {
                    signing_keys::rotate(context, by, SigningAlgorithm::Es256).await.unwrap();
                });
            }
            let new = issue();
            kids.insert(part(&new.1, 0)["kid"].as_str().unwrap().to_owned());
            issued.write().unwrap().push(new);
        }
        validators.into_iter().map(|validator| validator.join().unwrap()).sum()
    });
    assert!(kids.len() > 10, "the keys did rotate: {}", kids.len());
    assert!(fetched < VALIDATIONS / 4, "the validators did cache: {fetched}");
    println!("{VALIDATIONS} validations, {} keys, {fetched} fetches, 0 failures", kids.len());
}

#[rstest]
fn a_new_key_is_published_before_it_signs_and_the_old_one_stays_for_the_longest_lifetime(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("keys.publish_ahead", 60).set("keys.rotation_interval", "90d").start();
    let sinks = Sinks::of(&server);
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let signer = || part(&client.client_credentials().ok().access_token(), 0)["kid"].as_str().unwrap().to_owned();
    let published = || server.get("/.well-known/jwks.json", &[]).ok().body;
    let old = signer();

    let (new, state) =
        server.run(async |context, by| signing_keys::rotate(context, by, SigningAlgorithm::Es256).await.unwrap());

    assert_eq!(state, KeyState::Published);
    assert!(published().contains(&new.kid) && published().contains(&old));
    assert_eq!(signer(), old);
    server.clock.advance(57);
    assert_eq!(signer(), old);
    server.clock.advance(4);
    assert_eq!(signer(), new.kid);
    assert!(published().contains(&old));
    sinks.accept(&sinks.tokens.access_token());
    server.clock.advance(86_400 - 10);
    assert!(published().contains(&old));
    server.clock.advance(20);
    assert!(!published().contains(&old));
    assert_eq!(signer(), new.kid);
}

#[rstest]
fn a_clock_behind_the_first_keys_beginning_keeps_nobody_from_signing(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let kids = |server: &Server| {
        let all = server.run(async |context, by| signing_keys::list(context, by).await.unwrap());
        all.into_iter().map(|(key, _)| key.kid).collect::<Vec<_>>()
    };
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let before = kids(&server);
    let signer = part(&client.client_credentials().ok().access_token(), 0)["kid"].clone();
    server.clock.advance(-3600);
    assert_eq!(server.get("/health/ready", &[]).status, 200);
    let token = client.client_credentials().ok().access_token();
    assert_eq!(part(&token, 0)["kid"], signer);
    assert!(Validator::default().accepts(&server, &token));
    // Nor does a start at that time make a further key.
    let server = server.restart();
    assert_eq!(kids(&server), before);
}

#[rstest]
fn a_key_is_rotated_by_itself_when_it_is_due(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("keys.publish_ahead", 60).set("keys.rotation_interval", "1d").start();
    let other = server.second_node();
    let keys = || {
        let all = server.run(async |context, by| signing_keys::list(context, by).await.unwrap());
        all.into_iter().filter(|(key, _)| key.algorithm == SigningAlgorithm::Es256).count()
    };
    let round = |server: &Server| {
        server.run(async |context, _| grantor::admin::maintenance::round(context).await.unwrap());
    };
    server.clock.advance(86_400 - 120);
    round(&server);
    assert_eq!(keys(), 1);
    server.clock.advance(90);
    // Whichever node comes first does it, and only one.
    crate::security::rotation::in_parallel(4, |index| round(if index % 2 == 0 { &server } else { &other }));
    assert_eq!(keys(), 2);
}

#[rstest]
fn a_revoked_key_kills_its_tokens_at_once_and_a_successor_signs(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("keys.publish_ahead", 60).start();
    let sinks = Sinks::of(&server);
    let token = sinks.tokens.access_token();
    sinks.accept(&token);
    let kid = sinks.header["kid"].as_str().unwrap();

    let successor = server.run(async |context, by| signing_keys::revoke(context, by, kid).await.unwrap()).unwrap();

    assert_eq!(successor.1, KeyState::Signing);
    sinks.refuse("of a revoked key", &token);
    sinks.refuse("signed with a revoked key", &sinks.with_claims(|claims| claims["jti"] = json!("new")));
    let jwks = server.get("/.well-known/jwks.json", &[]).ok().body;
    assert!(!jwks.contains(kid) && jwks.contains(&successor.0.kid));
    let next = sinks.client.refresh(&sinks.tokens.refresh_token()).ok();
    assert_eq!(part(&next.access_token(), 0)["kid"], successor.0.kid);
    sinks.accept(&next.access_token());
}

#[rstest]
fn when_the_key_that_was_to_follow_is_revoked_the_present_one_goes_on_signing(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("keys.publish_ahead", 60).start();
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let old = part(&client.client_credentials().ok().access_token(), 0)["kid"].clone();
    server.run(async |context, by| {
        let (new, _) = signing_keys::rotate(context, by, SigningAlgorithm::Es256).await.unwrap();
        assert!(signing_keys::revoke(context, by, &new.kid).await.unwrap().is_none());
    });
    for _ in 0..3 {
        assert_eq!(part(&client.client_credentials().ok().access_token(), 0)["kid"], old);
        server.clock.advance(86_400);
    }
}

#[rstest]
fn when_the_signing_key_is_revoked_while_another_waits_somebody_always_signs(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("keys.publish_ahead", 60).start();
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let old = part(&client.client_credentials().ok().access_token(), 0)["kid"].as_str().unwrap().to_owned();
    server.run(async |context, by| {
        signing_keys::rotate(context, by, SigningAlgorithm::Es256).await.unwrap();
        signing_keys::revoke(context, by, &old).await.unwrap();
    });
    for seconds in [0, 30, 31, 86_400, 86_400] {
        server.clock.advance(seconds);
        let token = client.client_credentials().ok().access_token();
        assert_ne!(part(&token, 0)["kid"], old);
        assert!(Validator::default().accepts(&server, &token));
    }
}

#[rstest]
fn another_node_sees_a_rotation_within_a_second(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let other = server.second_node();
    let (new, _) =
        server.run(async |context, by| signing_keys::rotate(context, by, SigningAlgorithm::Es256).await.unwrap());
    let took = within(Duration::from_secs(1), || other.get("/.well-known/jwks.json", &[]).ok().body.contains(&new.kid));
    println!("seen after {took:?}");
}
