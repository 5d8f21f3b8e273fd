//! Secrets at rest and in logs: what was handed out is looked for, byte by byte, where it must not be.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use grantor::store::{clients, families, instance, users};
use rstest::rstest;

use crate::harness::{Answer, Database, Installation, Server, TestUser, program};

const EACH: usize = 20;

/// Secrets by kind.
#[derive(Default)]
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn add(&mut self, kind: &'static str, secret: &str) {
        self.0.push((kind, secret.to_owned()));
        // Without the prefix and the checksum, and a JWT's signature: a part that opens nothing must not lead there.
        if let Some((_, rest)) = secret.strip_prefix("gr_").and_then(|rest| rest.split_once('_')) {
            let (body, _) = rest.rsplit_once('_').unwrap();
            assert!(body.len() >= 43, "{secret}");
            self.0.push((kind, body.to_owned()));
        } else if let [_, _, signature] = secret.split('.').collect::<Vec<_>>()[..] {
            self.0.push((kind, signature.to_owned()));
        }
    }

    fn add_tokens(&mut self, answer: &Answer) {
        self.add("access token", &answer.access_token());
        self.add("refresh token", &answer.refresh_token());
        if answer.json()["id_token"].is_string() {
            self.add("ID token", &answer.text("id_token"));
        }
    }

    fn count(&self, kind: &str) -> usize {
        self.0.iter().filter(|(known, _)| *known == kind).count()
    }

    #[track_caller]
    fn are_not_in(&self, place: &str, bytes: &[u8]) {
        // The search itself must be able to find something: every place names a client.
        assert!(finds(bytes, b"canary client 7") || finds(bytes, b"oauth/token"), "{place} is not what was meant");
        for (kind, secret) in &self.0 {
            assert!(!finds(bytes, secret.as_bytes()), "a {kind} stands in {place}");
        }
    }
}

pub fn finds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window[0] == wanted[0] && window == wanted)
}

/// Every byte of the database: the file and its log, or a dump with the data of all tables.
pub fn database_bytes(installation: &Installation, url: &str) -> Vec<u8> {
    if url.starts_with("sqlite://") {
        return ["grantor.db", "grantor.db-wal", "instead.db", "instead.db-wal"]
            .iter()
            .filter_map(|name| std::fs::read(installation.path().join(name)).ok())
            .flatten()
            .collect();
    }
    let dump = Command::new(program("pg_dump").expect("pg_dump")).args(["--inserts", url]).output().unwrap();
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    dump.stdout
}

#[rstest]
fn no_secret_stands_in_the_database_or_in_the_log_of_a_server_that_tells_everything(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values("text", "json")] format: &str,
) {
    let mut server = Installation::new(db);
    server.set("log.level", "trace");
    server.set("log.format", format);
    server.set("limits.enabled", "false");
    let mut canaries = Canaries::default();
    let init = server.json(&["init"]);
    canaries.add("generated password", init["password"].as_str().unwrap());
    let key = std::fs::read_to_string(server.path().join("master.key")).unwrap().trim().to_owned();
    let raw = URL_SAFE_NO_PAD.decode(&key).unwrap();
    canaries.add("master key", &key);
    canaries.add("master key", &STANDARD.encode(&raw));
    canaries.add("master key", &raw.iter().map(|byte| format!("{byte:02x}")).collect::<String>());

    let (mut accounts, mut keys) = (Vec::new(), Vec::new());
    for number in 0..EACH {
        let label = format!("--label=canary client {number}");
        let mut arguments = vec!["client", "create", &label, "--scope", "openid", "--may-introspect"];
        for grant in ["password", "refresh_token", "client_credentials"] {
            arguments.extend(["--grant-type", grant]);
        }
        let client = server.json(&arguments);
        let program = server.json(&["credentials", "create", "--name", "canary"]);
        let chosen = format!("chosen canary passphrase number {number} of them");
        let username = format!("canary{number}");
        let made = server.run_with(&["user", "create", "--username", &username, "--password-stdin"], &chosen);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let text = |value: &serde_json::Value, member: &str| value[member].as_str().unwrap().to_owned();
        let client = (text(&client, "client_id"), text(&client, "client_secret"));
        canaries.add("client secret", &client.1);
        canaries.add("generated password", &text(&program, "password"));
        canaries.add("chosen password", &chosen);
        let key = server.json(&["api-key", "create", "--user", &username, "--reveal", "always"]);
        canaries.add("API key", &text(&key, "api_key"));
        keys.push(text(&key, "api_key"));
        accounts.push((client, (username, chosen), (text(&program, "username"), text(&program, "password"))));
    }

    server.start();
    for (key, (client, chosen, _)) in keys.iter().zip(&accounts) {
        let basic = super::verify::basic(&chosen.0, &chosen.1);
        for headers in [
            &[("X-API-Key", key.as_str())][..],
            &[("Client-ID", &client.0), ("Client-Secret", &client.1)],
            &[("Authorization", &basic)],
        ] {
            let answer = server.get("/verify?token=jwt", headers).ok();
            canaries.add("upstream token", answer.header("authorization").strip_prefix("Bearer ").unwrap());
            server.get("/api/v1/me", headers).ok();
        }
        assert_eq!(server.get("/verify", &[("X-API-Key", key), ("Authorization", &basic)]).status, 401);
        assert_eq!(server.get("/verify", &[("Client-ID", key), ("Client-Secret", &client.1)]).status, 401);
        assert_eq!(server.get(&format!("/verify?audience={}&scope=x", client.1), &[("X-API-Key", key)]).status, 403);
    }
    for (client, chosen, generated) in &accounts {
        let post =
            |path: &str, secret: &str, pairs: &[(&str, &str)]| server.post(path, (&client.0, secret), pairs).unwrap();
        let password = |(username, password): &(String, String)| {
            let pairs = [
                ("grant_type", "password"),
                ("scope", "openid"),
                ("username", username.as_str()),
                ("password", password.as_str()),
            ];
            post("/oauth/token", &client.1, &pairs)
        };
        let refresh = |token: &str, secret: &str| {
            post("/oauth/token", secret, &[("grant_type", "refresh_token"), ("refresh_token", token)])
        };
        let first = password(chosen).ok();
        let other = password(generated).ok();
        let second = refresh(&first.refresh_token(), &client.1).ok();
        for answer in [&first, &other, &second] {
            canaries.add_tokens(answer);
        }
        // Right and wrong uses, and the mistakes that people make: each leaves a line in the log.
        let bearer = format!("Bearer {}", first.access_token());
        server.get("/api/v1/me", &[("Authorization", &bearer)]).ok();
        server.get("/oauth/userinfo", &[("Authorization", &bearer)]);
        server.get(&format!("/oauth/userinfo?access_token={}", first.access_token()), &[]);
        server.get(&format!("/oauth/token?password={}", chosen.1.replace(' ', "+")), &[]);
        post("/oauth/introspect", &client.1, &[("token", &second.access_token())]).ok();
        post("/oauth/introspect", &client.1, &[("token", &second.refresh_token())]).ok();
        refresh(&second.refresh_token(), "gr_cs_wrong").is_refused("invalid_client");
        refresh(&format!("{}x", second.refresh_token()), &client.1).is_refused("invalid_grant");
        password(&(chosen.0.clone(), format!("{} and more", chosen.1))).is_refused("invalid_grant");
        password(&(generated.0.clone(), chosen.1.clone())).is_refused("invalid_grant");
        password(&(format!("nobody {}", chosen.0), generated.1.clone())).is_refused("invalid_grant");
        post("/oauth/token", &chosen.1, &[("grant_type", "password"), ("password", &generated.1)])
            .is_refused("invalid_client");
        post("/oauth/revoke", &client.1, &[("token", &other.refresh_token())]).ok();
        post("/oauth/revoke", &client.1, &[("token", &other.access_token())]).ok();
    }
    for (kind, least) in [
        ("client secret", EACH),
        ("generated password", EACH),
        ("chosen password", EACH),
        ("refresh token", EACH),
        ("access token", EACH),
        ("API key", EACH),
        ("upstream token", EACH),
        ("master key", 3),
    ] {
        assert!(canaries.count(kind) >= least, "{kind}");
    }

    let url = server.database_url();
    canaries.are_not_in("the database of a running server", &database_bytes(&server, &url));
    assert_eq!(server.stop(), Some(0));
    canaries.are_not_in("the database of a stopped server", &database_bytes(&server, &url));
    let log = server.log();
    assert!(log.contains("TRACE") && log.contains("refused"), "{log}");
    for (kind, secret) in &canaries.0 {
        assert!(!log.contains(secret.as_str()), "a {kind} stands in the log");
    }
}

#[rstest]
fn nothing_that_is_stored_works_as_a_credential(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("limits.enabled", false).start();
    let client = server
        .confidential_client()
        .grants(["password", "refresh_token", "client_credentials"])
        .change(|new| new.may_introspect = true)
        .create();
    let (person, machine) = (server.person().create(), server.api_user().create());
    let tokens = client.password_grant(&person).ok();
    let family = tokens.claims("access_token")["sid"].as_str().unwrap().to_owned();
    let (client_id, person_id, machine_id) = (client.id.clone(), person.id.clone(), machine.id.clone());
    let stored: Vec<String> = server.run(async |context, _| {
        let read = context.store.read(move |db| {
            let mut stored = Vec::new();
            let mut add = |bytes: &[u8]| {
                stored.push(STANDARD.encode(bytes));
                stored.push(URL_SAFE_NO_PAD.encode(bytes));
                stored.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            };
            for secret in clients::find(db, &client_id)?.unwrap().secrets {
                add(&secret.digest[..]);
            }
            stored.push(families::find(db, &family)?.unwrap().salt);
            for id in [&person_id, &machine_id] {
                let hash = users::by_id(db, id)?.unwrap().password.unwrap().1;
                // The whole text, and bcrypt's own part.
                stored.extend(hash.split_once("$2b$").map(|(_, own)| format!("$2b${own}")));
                stored.push(hash);
            }
            let found = instance::find(db)?.unwrap();
            stored.extend([found.data_keys, found.master_key_fingerprint, family.clone()]);
            Ok(stored)
        });
        read.await.unwrap()
    });
    assert!(stored.len() >= 10, "{stored:?}");
    let minted: Vec<String> =
        stored.iter().flat_map(|text| ["gr_cs", "gr_pw", "gr_rt"].map(|prefix| with_checksum(prefix, text))).collect();
    for text in stored.iter().chain(&minted).filter(|text| !text.contains(char::is_control)) {
        let with_secret = crate::harness::TestClient { secret: text.clone(), ..client.clone() };
        with_secret.client_credentials().is_refused("invalid_client");
        for user in [&person, &machine] {
            let TestUser { username, .. } = user;
            let answer = client.token(&[("grant_type", "password"), ("username", username), ("password", text)]);
            answer.is_refused("invalid_grant");
        }
        assert!(client.refresh(text).status >= 400, "{text}");
        assert_eq!(server.get_with_token("/api/v1/me", text.trim()).status, 401, "{text}");
    }
    // What was tried does not hide behind something that fails anyway.
    client.client_credentials().ok();
    client.refresh(&tokens.refresh_token()).ok();
    client.password_grant(&machine).ok();
}

/// A stored text in the shape of a secret, so that it passes the look at the checksum.
fn with_checksum(prefix: &str, text: &str) -> String {
    let body: String = text.chars().filter(char::is_ascii_alphanumeric).cycle().take(43).collect();
    let before = format!("{prefix}_{body}");
    let minted = grantor::crypto::token_format::seal_checksum(&before);
    assert!(grantor::crypto::token_format::has_checksum(&minted), "{minted}");
    minted
}
