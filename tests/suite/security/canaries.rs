//! Secrets at rest and in logs: what was handed out is looked for, byte by byte, where it must not be.

use std::collections::HashMap;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use grantor::admin::mail;
use grantor::store::mail_outbox;
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Answer, Database, Installation, agent, program};

/// Secrets of each kind.
const EACH: usize = 200;

/// Callers at once.
const AT_ONCE: usize = 8;

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

    fn add_member(&mut self, kind: &'static str, answer: &Answer, member: &str) -> String {
        let secret = answer.text(member);
        self.add(kind, &secret);
        secret
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

    /// Searches megabytes for thousands of secrets at once, by the last eight bytes of each.
    fn search(&self) -> Search<'_> {
        let mut by_end: HashMap<[u8; 8], Vec<(&str, &[u8])>> = HashMap::new();
        for (kind, secret) in &self.0 {
            let secret = secret.as_bytes();
            by_end.entry(*secret.last_chunk().unwrap()).or_default().push((kind, secret));
        }
        Search(by_end)
    }
}

struct Search<'a>(HashMap<[u8; 8], Vec<(&'a str, &'a [u8])>>);

impl Search<'_> {
    /// The kind of the first secret that stands there.
    fn first_in(&self, bytes: &[u8]) -> Option<&str> {
        let ends = bytes.windows(8).enumerate().filter_map(|(at, window)| {
            let known = self.0.get(window)?;
            let before = &bytes[..at + 8];
            known.iter().find(|(_, secret)| before.ends_with(secret)).map(|(kind, _)| *kind)
        });
        ends.into_iter().next()
    }

    /// `known` is no secret, and stands there: the search itself must be able to find something.
    #[track_caller]
    fn finds_nothing_in(&self, place: &str, bytes: &[u8], known: &str) {
        assert!(finds(bytes, known.as_bytes()), "{place} is not what was meant");
        assert_eq!(self.first_in(bytes), None, "in {place}");
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

#[test]
fn the_search_finds_a_secret_wherever_it_stands() {
    let mut canaries = Canaries::default();
    for number in 0..EACH {
        canaries.add("canary", &format!("a secret that is long {number:08}"));
    }
    let search = canaries.search();
    for place in
        ["a secret that is long 00000007", "x a secret that is long 00000199", "\0a secret that is long 00000000\n"]
    {
        assert_eq!(search.first_in(place.as_bytes()), Some("canary"), "{place}");
    }
    for place in ["", "short", "secret that is long 00000007", "a secret that is long 0000000"] {
        assert_eq!(search.first_in(place.as_bytes()), None, "{place}");
    }
}

/// An administrator of a running server, who calls with username and password.
struct Administrator<'a> {
    server: &'a Installation,
    authorization: String,
}

impl Administrator<'_> {
    fn post(&self, path: &str, body: &Value, key: Option<&str>) -> Answer {
        let mut request = agent()
            .post(format!("{}/api/v1/{path}", self.server.base()))
            .header("Authorization", &self.authorization)
            .header("Content-Type", "application/json");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        Answer::of(request.send(body.to_string()))
    }

    /// Makes something with a secret, once: the repeat has none.
    fn make(&self, canaries: &mut Canaries, kind: &'static str, path: &str, member: &str, body: &Value) -> Answer {
        let key = uuid::Uuid::now_v7().to_string();
        canaries.add("Idempotency-Key", &key);
        let made = self.post(path, body, Some(&key));
        assert!(matches!(made.status, 200 | 201), "{path}: {made:?}");
        let secret = canaries.add_member(kind, &made, member);
        let again = self.post(path, body, Some(&key));
        assert!(again.status == 409 && !again.body.contains(&secret), "{path}: {again:?}");
        made
    }
}

/// A client, a person, a program and its key, and who is invited: each with secrets of their own.
struct Account {
    client: (String, String),
    person: (String, String),
    program: (String, String),
    key: String,
    invited: String,
}

fn chosen_password(canaries: &mut Canaries) -> String {
    let unique = uuid::Uuid::now_v7().simple().to_string();
    let chosen = format!("the passphrase of a canary {unique}");
    canaries.add("chosen password", &chosen);
    // However its spaces are written.
    canaries.add("chosen password", &unique);
    chosen
}

fn account(administrator: &Administrator<'_>, canaries: &mut Canaries, number: usize) -> Account {
    let label = format!("canary client {number}");
    let grants = ["password", "refresh_token", "client_credentials"];
    let client = json!({ "label": label, "grant_types": grants, "scopes": ["openid"], "may_introspect": true });
    let client = administrator.make(canaries, "client secret", "clients", "client_secret", &client);
    let id = client.text("client_id");
    administrator.make(canaries, "client secret", &format!("clients/{id}/secrets"), "client_secret", &json!({}));
    let rotate = format!("clients/{id}/secrets/rotate");
    let rotated = administrator.make(canaries, "client secret", &rotate, "client_secret", &json!({ "overlap": 600 }));

    let set = json!({ "name": format!("canary {number}") });
    let set = administrator.make(canaries, "generated password", "credentials", "password", &set);
    let program = set.text("id");
    let path = format!("users/{program}/password");
    let changed = administrator.make(canaries, "generated password", &path, "password", &json!({}));
    let (reveal, is_shown_again) = if number.is_multiple_of(2) { ("always", true) } else { ("once", false) };
    let key = json!({ "user": program, "name": "canary", "reveal": reveal });
    let key = administrator.make(canaries, "API key", "api-keys", "api_key", &key);
    if is_shown_again {
        let shown = administrator.post(&format!("api-keys/{}/reveal", key.text("id")), &json!({}), None);
        assert_eq!(shown.text("api_key"), key.text("api_key"), "{shown:?}");
    }

    let chosen = chosen_password(canaries);
    let username = format!("canary{number}");
    let person = json!({ "username": username, "password": chosen });
    assert_eq!(administrator.post("users", &person, None).status, 201);
    let invited = json!({ "username": format!("invited{number}"), "email": format!("canary{number}@example.org") });
    let invited = administrator.post("users", &invited, None);
    assert_eq!(invited.text("status"), "invited", "{invited:?}");
    Account {
        client: (id, rotated.text("client_secret")),
        person: (username, chosen),
        program: (set.text("username"), changed.text("password")),
        key: key.text("api_key"),
        invited: invited.text("id"),
    }
}

/// Right and wrong uses, and the mistakes that people make: each leaves a line in the log.
fn use_everything(server: &Installation, canaries: &mut Canaries, account: &Account) {
    let Account { client, person, program, key, .. } = account;
    let basic = super::verify::basic(&person.0, &person.1);
    canaries.add("Basic credentials", basic.strip_prefix("Basic ").unwrap().trim_end_matches('='));
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

    let post =
        |path: &str, secret: &str, pairs: &[(&str, &str)]| server.post(path, (&client.0, secret), pairs).unwrap();
    let password = |(username, password): &(String, String)| {
        let (username, password) = (("username", username.as_str()), ("password", password.as_str()));
        post("/oauth/token", &client.1, &[("grant_type", "password"), ("scope", "openid"), username, password])
    };
    let refresh = |token: &str, secret: &str| {
        post("/oauth/token", secret, &[("grant_type", "refresh_token"), ("refresh_token", token)])
    };
    let first = password(person).ok();
    let other = password(program).ok();
    let second = refresh(&first.refresh_token(), &client.1).ok();
    for answer in [&first, &other, &second] {
        canaries.add_tokens(answer);
    }
    let own = post("/oauth/token", &client.1, &[("grant_type", "client_credentials")]).ok();
    canaries.add("access token", &own.access_token());
    let bearer = format!("Bearer {}", first.access_token());
    server.get("/api/v1/me", &[("Authorization", &bearer)]).ok();
    server.get("/oauth/userinfo", &[("Authorization", &bearer)]);
    server.get(&format!("/oauth/userinfo?access_token={}", first.access_token()), &[]);
    server.get(&format!("/oauth/token?password={}", person.1.replace(' ', "+")), &[]);
    post("/oauth/introspect", &client.1, &[("token", &second.access_token())]).ok();
    post("/oauth/introspect", &client.1, &[("token", &second.refresh_token())]).ok();
    refresh(&second.refresh_token(), "gr_cs_wrong").is_refused("invalid_client");
    refresh(&format!("{}x", second.refresh_token()), &client.1).is_refused("invalid_grant");
    password(&(person.0.clone(), format!("{} and more", person.1))).is_refused("invalid_grant");
    password(&(program.0.clone(), person.1.clone())).is_refused("invalid_grant");
    password(&(format!("nobody {}", person.0), program.1.clone())).is_refused("invalid_grant");
    post("/oauth/token", &person.1, &[("grant_type", "password"), ("password", &program.1)])
        .is_refused("invalid_client");
    post("/oauth/revoke", &client.1, &[("token", &other.refresh_token())]).ok();
    post("/oauth/revoke", &client.1, &[("token", &other.access_token())]).ok();
}

/// The links that wait in the outbox, as the operator is shown them, by the user whom each is for.
fn links(server: &Installation) -> HashMap<String, String> {
    server.run_verb(async |context, by| {
        let waiting = context.store.read(|db| mail_outbox::list(db, 10_000)).await.unwrap();
        let mut links = HashMap::new();
        // The newest first: the older link of a user opens nothing any more.
        for message in waiting.into_iter().rev().filter(|message| message.link_id.is_some()) {
            let shown = mail::show(context, by, &message.id).await.unwrap();
            let link = shown.link.unwrap().into_exposed();
            links.insert(message.user_id.unwrap(), link.rsplit_once('#').unwrap().1.to_owned());
        }
        links
    })
}

/// Carries `work` out for each of these, several at a time, each time with secrets to add to.
fn for_each<T: Sync, R: Send>(
    canaries: &mut Canaries,
    all: &[T],
    work: impl Fn(&mut Canaries, &T) -> R + Sync,
) -> Vec<R> {
    let work = &work;
    let done: Vec<(Canaries, Vec<R>)> = std::thread::scope(|scope| {
        let some = all.chunks(all.len().div_ceil(AT_ONCE));
        let threads: Vec<_> = some
            .map(|some| {
                scope.spawn(move || {
                    let mut own = Canaries::default();
                    let answers = some.iter().map(|one| work(&mut own, one)).collect();
                    (own, answers)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut answers = Vec::new();
    for (own, some) in done {
        canaries.0.extend(own.0);
        answers.extend(some);
    }
    answers
}

/// What the API answers about everything that there is, and what it says of itself.
fn listed(administrator: &Administrator<'_>) -> Vec<u8> {
    let headers = [("Authorization", administrator.authorization.as_str())];
    let mut said = administrator.server.get("/api/openapi.json", &[]).ok().body;
    for list in [
        "me",
        "organizations",
        "users",
        "roles",
        "scopes",
        "clients",
        "scope-requests",
        "credentials",
        "api-keys",
        "tokens/families",
        "signing-keys",
        "audit-events",
    ] {
        let (mut cursor, is_paged) =
            (None::<String>, administrator.server.get(&format!("/api/v1/{list}?limit=200"), &headers).status == 200);
        loop {
            let from = cursor.take().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let query = if is_paged { format!("?limit=200{from}") } else { String::new() };
            let page = administrator.server.get(&format!("/api/v1/{list}{query}"), &headers).ok();
            said.push_str(&page.body);
            if list == "clients" {
                for client in page.json()["items"].as_array().unwrap() {
                    for part in ["", "/secrets", "/usage", "/scope-requests"] {
                        let path = format!("/api/v1/clients/{}{part}", client["id"].as_str().unwrap());
                        said.push_str(&administrator.server.get(&path, &headers).ok().body);
                    }
                }
            }
            cursor = page.json()["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
    }
    said.into_bytes()
}

#[rstest]
#[case::sqlite_and_text(Database::Sqlite, "text")]
#[case::postgres_and_json(Database::Postgres, "json")]
fn no_secret_stands_in_database_log_audit_outbox_or_api_of_a_server_that_tells_everything(
    #[case] db: Database,
    #[case] format: &str,
) {
    let mut server = Installation::new(db);
    server.set("log.level", "trace");
    server.set("log.format", format);
    server.set("limits.enabled", "false");
    let mut canaries = Canaries::default();
    let init = server.json(&["init"]);
    let (username, password) = (init["username"].as_str().unwrap(), init["password"].as_str().unwrap());
    canaries.add("generated password", password);
    let authorization = super::verify::basic(username, password);
    let key = std::fs::read_to_string(server.path().join("master.key")).unwrap().trim().to_owned();
    let raw = URL_SAFE_NO_PAD.decode(&key).unwrap();
    canaries.add("master key", &key);
    canaries.add("master key", &STANDARD.encode(&raw));
    canaries.add("master key", &raw.iter().map(|byte| format!("{byte:02x}")).collect::<String>());

    server.start();
    let administrator = Administrator { server: &server, authorization };
    let numbers: Vec<usize> = (0..EACH).collect();
    let accounts = for_each(&mut canaries, &numbers, |canaries, number| account(&administrator, canaries, *number));
    for_each(&mut canaries, &accounts, |canaries, account| use_everything(&server, canaries, account));
    // Mail one, and mail two: every second user goes all the way.
    for purpose in ["verify_email", "set_password"] {
        let links = links(&server);
        for_each(&mut canaries, &accounts, |canaries, account| {
            let token = &links[&account.invited];
            canaries.add("one-time link", token);
            let chosen = chosen_password(canaries);
            let redeemed = administrator.post("links/redeem", &json!({ "token": token, "password": chosen }), None);
            assert_eq!(redeemed.ok().text("purpose"), purpose);
        });
    }
    for kind in [
        "client secret",
        "generated password",
        "chosen password",
        "refresh token",
        "access token",
        "ID token",
        "API key",
        "upstream token",
        "one-time link",
        "Basic credentials",
        "Idempotency-Key",
    ] {
        assert!(canaries.count(kind) >= EACH, "{kind}: {}", canaries.count(kind));
    }

    let search = canaries.search();
    let url = server.database_url();
    let label = "canary client 7";
    search.finds_nothing_in("the answers of the API", &listed(&administrator), label);
    search.finds_nothing_in("the database of a running server", &database_bytes(&server, &url), label);
    for (what, arguments, known) in [
        ("the audit export", &["audit", "export"][..], "client.created"),
        ("the outbox", &["mail", "list", "--json"], "canary7@example.org"),
        ("the declaration", &["export"], label),
        ("the list of clients", &["client", "list", "--json"], label),
    ] {
        let output = server.run(arguments);
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        search.finds_nothing_in(what, &[output.stdout, output.stderr].concat(), known);
    }
    drop(administrator);
    assert_eq!(server.stop(), Some(0));
    search.finds_nothing_in("the database of a stopped server", &database_bytes(&server, &url), label);
    let log = server.log();
    assert!(log.contains("TRACE"));
    search.finds_nothing_in("the log", log.as_bytes(), "refused");
}
