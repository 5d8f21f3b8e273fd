//! `/verify` behind real proxies, with the configurations that people start from (`examples/proxies`).

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use yaml_rust2::YamlLoader;

use super::installed::source;
use super::nginx;
use super::program::{Running, free_port};
use crate::faults::database_away::Wire;
use crate::harness::{Answer, Database, Server, agent, fresh_postgres_url, missing, program};
use crate::house::registry::within;
use crate::security::verify::{Caller, api_key};

/// An API that answers what it was sent, and remembers it.
struct Upstream {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let remembered = Arc::clone(&seen);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let seen = Arc::clone(&remembered);
                std::thread::spawn(move || answer(connection, &seen));
            }
        });
        Self { port, seen }
    }

    fn hits(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

fn answer(mut connection: TcpStream, seen: &Mutex<Vec<String>>) {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    let (head, mut body) = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&read[..end]).into_owned(), read[end + 4..].to_vec());
        }
        match connection.read(&mut buffer) {
            Ok(length @ 1..) => read.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    };
    let headers: Vec<(String, String)> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    while body.len() < length {
        match connection.read(&mut buffer) {
            Ok(length @ 1..) => body.extend_from_slice(&buffer[..length]),
            _ => return,
        }
    }
    seen.lock().unwrap().push(head.clone());
    let told = json!({
        "line": head.lines().next(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    })
    .to_string();
    let length = told.len();
    let _ = write!(connection, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{told}");
}

/// The values of a header that arrived at the upstream.
fn arrived(answer: &Answer, name: &str) -> Vec<String> {
    let told: Value = answer.json();
    let headers = told["headers"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    headers.iter().filter(|pair| pair[0] == name).map(|pair| text(&pair[1])).filter(|value| !value.is_empty()).collect()
}

#[derive(Debug, Clone, Copy)]
enum Proxy {
    Nginx,
    Caddy,
}

/// A proxy in front of an upstream and of Grantor, on loopback.
struct Front {
    base: String,
    _proxy: Running,
    _folder: TempDir,
}

impl Proxy {
    /// None where the program is missing on this machine.
    fn start(self, grantor: &Server, upstream: &Upstream) -> Option<Front> {
        let example = match self {
            Self::Nginx => "nginx.conf",
            Self::Caddy => "Caddyfile",
        };
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let here = folder.path().display().to_string();
        let mut configuration = fs::read_to_string(source(&format!("examples/proxies/{example}"))).unwrap();
        let mut exchange = |from: &str, to: String| {
            assert!(configuration.contains(from), "{example}: no {from}");
            configuration = configuration.replace(from, &to);
        };
        exchange("127.0.0.1:8080", grantor.base().replace("http://", ""));
        exchange("127.0.0.1:3000", format!("127.0.0.1:{}", upstream.port));
        let proxy = match self {
            Self::Nginx => {
                exchange("listen 8000", format!("listen 127.0.0.1:{port}"));
                nginx::start(&configuration, folder.path(), port)?
            }
            Self::Caddy => {
                let Some(binary) = program("caddy") else {
                    missing("caddy");
                    return None;
                };
                exchange("http://:8000", format!("http://:{port}"));
                let global = "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n";
                let file = folder.path().join(example);
                fs::write(&file, format!("{global}{configuration}")).unwrap();
                let mut command = Command::new(binary);
                command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
                command.env("HOME", &here).env("XDG_DATA_HOME", &here).env("XDG_CONFIG_HOME", &here);
                let log = fs::File::create(folder.path().join("caddy.log")).unwrap();
                let mut caddy = Running::start(command.stderr(log));
                caddy.until("it listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
                caddy
            }
        };
        Some(Front { base: format!("http://127.0.0.1:{port}"), _proxy: proxy, _folder: folder })
    }
}

impl Front {
    fn get(&self, path: &str, headers: &[(String, String)]) -> Answer {
        let mut request = agent().get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Answer::of(request.call())
    }

    fn post(&self, path: &str, headers: &[(String, String)], body: &str) -> Answer {
        let mut request = agent().post(format!("{}{path}", self.base)).header("Content-Type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Answer::of(request.send(body))
    }
}

fn forged() -> Vec<(String, String)> {
    ["Subject", "Kind", "Username", "Client-ID", "Organization", "Scopes", "Credential-ID"]
        .map(|name| (format!("X-Auth-{name}"), "forged".to_owned()))
        .to_vec()
}

#[rstest]
fn every_shape_passes_a_real_proxy_and_nothing_that_a_client_forges_does(
    #[values(Proxy::Nginx, Proxy::Caddy)] proxy: Proxy,
) {
    let server = Server::start(Database::Sqlite);
    let upstream = Upstream::start();
    let Some(front) = proxy.start(&server, &upstream) else { return };
    let caller = Caller::new(&server);
    for (shape, headers) in caller.shapes() {
        let sent = [headers.clone(), forged()].concat();
        // What the client writes into its own query is no option of the check.
        for answer in [
            front.get("/orders?scope=x&organization=1&y=1", &sent).ok(),
            front.post("/orders", &sent, r#"{"a":1}"#).ok(),
        ] {
            let subject = if shape == "client" { &caller.client_id } else { &caller.user.id };
            assert_eq!(arrived(&answer, "x-auth-subject").join("|"), *subject, "{shape}");
            for name in ["kind", "username", "client-id", "organization", "scopes", "credential-id"] {
                assert!(!arrived(&answer, &format!("x-auth-{name}")).contains(&"forged".to_owned()), "{shape}: {name}");
            }
            // The upstream gets a token in the place of the credential.
            let token = arrived(&answer, "authorization");
            let part = token[0].strip_prefix("Bearer ").and_then(|token| token.split('.').nth(1)).unwrap();
            let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
            assert_eq!(claims["sub"], subject.as_str(), "{shape}");
            assert!(arrived(&answer, "client-secret").is_empty() && arrived(&answer, "x-api-key").is_empty());
        }
        let posted = front.post("/orders", &headers, r#"{"a":1}"#).ok();
        assert_eq!(posted.json()["body"], r#"{"a":1}"#, "{shape}");
        assert!(posted.text("line").starts_with("POST /orders HTTP/"), "{shape}");
    }

    let before = upstream.hits();
    let answer = front.get("/orders", &forged());
    assert_eq!(answer.status, 401, "{answer:?}");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains("Bearer") && challenge.contains("Basic"), "{answer:?}");
    for (shape, headers) in caller.shapes() {
        let mut wrong = headers.clone();
        let last = wrong.last_mut().unwrap();
        last.1 = if last.0 == "X-Business-ID" { "nonsense".to_owned() } else { format!("{}x", last.1) };
        assert_eq!(front.get("/orders", &wrong).status, 401, "{shape}");
        let twice = [headers.clone(), headers].concat();
        assert!(matches!(front.get("/orders", &twice).status, 400 | 401), "{shape}");
    }
    let stranger = server.api_user().permissions([]).create();
    let key = api_key(&server, &stranger, |_| {});
    assert_eq!(front.get("/orders", &[("X-API-Key".to_owned(), key.1)]).status, 403);
    assert_eq!(upstream.hits(), before, "what is refused does not reach the upstream");
}

#[rstest]
fn limits_and_outages_arrive_as_what_they_are(#[values(Proxy::Nginx, Proxy::Caddy)] proxy: Proxy) {
    let Some(url) = fresh_postgres_url() else { return missing("PostgreSQL") };
    let wire = Wire::to(&url);
    let server = Server::with(Database::Postgres).set("database.url", &wire.url).start();
    let upstream = Upstream::start();
    let Some(front) = proxy.start(&server, &upstream) else { return };
    let (person, caller) = (server.person().create(), Caller::new(&server));
    let guess = |number: usize| {
        let basic = STANDARD.encode(format!("{}:wrong password {number}", person.username));
        front.get("/orders", &[("Authorization".to_owned(), format!("Basic {basic}"))])
    };
    for number in 0..10 {
        assert_eq!(guess(number).status, 401);
    }
    let limited = guess(10);
    assert_eq!(limited.status, 429, "{limited:?}");
    assert!(limited.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{limited:?}");

    let shapes = caller.shapes();
    for (_, headers) in &shapes {
        front.get("/orders", headers).ok();
    }
    let before = upstream.hits();
    wire.cut();
    within(Duration::from_secs(4), || shapes.iter().all(|(_, headers)| front.get("/orders", headers).status == 503));
    let passed = upstream.hits();
    for (shape, headers) in &shapes {
        let answer = front.post("/orders", headers, "{}");
        assert_eq!(answer.status, 503, "{shape}: {answer:?}");
        assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{shape}: {answer:?}");
    }
    assert_eq!(upstream.hits(), passed);
    assert!(passed - before < 2000, "known callers pass for two seconds at most");
}

#[test]
fn a_proxy_whose_grantor_is_gone_lets_nobody_in() {
    for proxy in [Proxy::Nginx, Proxy::Caddy] {
        let server = Server::start(Database::Sqlite);
        let upstream = Upstream::start();
        let Some(front) = proxy.start(&server, &upstream) else { return };
        let shapes = Caller::new(&server).shapes();
        drop(server);
        for (shape, headers) in shapes {
            let answer = front.get("/orders", &headers);
            assert!(matches!(answer.status, 502 | 503), "{shape}: {answer:?}");
        }
        assert_eq!(upstream.hits(), 0);
    }
}

#[test]
fn the_examples_for_traefik_and_envoy_are_yaml_and_name_every_identity_header() {
    for name in ["traefik.yml", "envoy.yaml"] {
        let text = fs::read_to_string(source(&format!("examples/proxies/{name}"))).unwrap();
        assert_eq!(YamlLoader::load_from_str(&text).unwrap().len(), 1, "{name}");
        let text = text.to_lowercase();
        for header in ["subject", "kind", "username", "client-id", "organization", "scopes", "credential-id"] {
            assert!(text.contains(&format!("x-auth-{header}")), "{name}: {header}");
        }
    }
}
