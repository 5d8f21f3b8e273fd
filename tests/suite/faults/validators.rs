//! APIs that check access tokens offline while signing keys rotate, and what such a trial has seen.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::oauth::keys;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::clients::examples::{Example, command};
use crate::clients::program::{Running, free_port};
use crate::harness::{Answer, agent};

/// What a trial has seen. Its first failure ends it.
#[derive(Default)]
pub struct Findings {
    over: AtomicBool,
    failure: Mutex<Option<String>>,
    pub requests: AtomicUsize,
    pub validations: AtomicUsize,
}

impl Findings {
    pub fn fail(&self, what: String) {
        self.failure.lock().unwrap().get_or_insert(what);
        self.end();
    }

    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap().clone()
    }

    pub fn end(&self) {
        self.over.store(true, Ordering::Release);
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Waits for so long, or until the trial is over; answers whether it goes on.
    pub fn go_on_after(&self, wait: Duration) -> bool {
        let started = Instant::now();
        while !self.is_over() && started.elapsed() < wait {
            std::thread::sleep(Duration::from_millis(10));
        }
        !self.is_over()
    }
}

/// Checks every token when it comes, and each time one that came before, until it expires.
pub fn check_all(findings: &Findings, tokens: &Receiver<Arc<str>>, mut check: impl FnMut(&str) -> Result<(), String>) {
    let mut known: VecDeque<(Arc<str>, i64)> = VecDeque::new();
    while let Ok(token) = tokens.recv() {
        // What expires while it is checked is rightly refused.
        let soon = now_in_seconds() + 2;
        while known.front().is_some_and(|(_, until)| *until <= soon) {
            known.pop_front();
        }
        let until = claims(&token)["exp"].as_i64().unwrap();
        for (token, until) in [Some((token, until)), known.pop_front()].into_iter().flatten() {
            if let Err(why) = check(&token) {
                return findings.fail(format!("{why}: {}", claims(&token)));
            }
            findings.validations.fetch_add(1, Ordering::Relaxed);
            known.push_back((token, until));
        }
    }
}

fn now_in_seconds() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// An API that keeps the JWKS for as long as it may, and never asks in between. The documentation lets an API ask for a `kid`
/// that it does not know; with keys that are published before they sign none has to.
pub struct Api {
    issuer: String,
    kept: Option<(JwkSet, Instant)>,
    pub fetched: u64,
    pub kids: HashSet<String>,
}

impl Api {
    pub fn of(issuer: &str) -> Self {
        // Whoever checks first in this process chooses what `jsonwebtoken` checks with, and its servers need theirs.
        keys::install();
        Self { issuer: issuer.to_owned(), kept: None, fetched: 0, kids: HashSet::new() }
    }

    pub fn check(&mut self, token: &str) -> Result<(), String> {
        let kid = decode_header(token).ok().and_then(|header| header.kid).ok_or("no kid")?;
        if self.kept.as_ref().is_none_or(|(_, until)| Instant::now() >= *until) {
            self.fetch()?;
        }
        let key =
            self.kept.as_ref().and_then(|(keys, _)| keys.find(&kid)).ok_or(format!("{kid} is not in the JWKS"))?;
        let algorithm = key.common.key_algorithm.ok_or("no alg")?.to_string();
        let mut rules = Validation::new(algorithm.parse::<Algorithm>().map_err(|error| error.to_string())?);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.issuer]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.leeway = 0;
        let key = DecodingKey::from_jwk(key).map_err(|error| error.to_string())?;
        decode::<Value>(token, &key, &rules).map_err(|error| error.to_string())?;
        self.kids.insert(kid);
        Ok(())
    }

    fn fetch(&mut self) -> Result<(), String> {
        // RFC 9111 §4.2.3: the time of the transfer is part of the age.
        let asked = Instant::now();
        let sent = agent().get(format!("{}/.well-known/jwks.json", self.issuer)).call();
        let answer = Answer::of(Ok(sent.map_err(|error| error.to_string())?));
        let age = answer.header("cache-control").split("max-age=").nth(1).and_then(|age| age.parse().ok());
        let age = age.ok_or_else(|| format!("no max-age: {answer:?}"))?;
        let keys = serde_json::from_str(&answer.body).map_err(|error| format!("{error}: {answer:?}"))?;
        self.kept = Some((keys, asked + Duration::from_secs(age)));
        self.fetched += 1;
        Ok(())
    }
}

/// The API of examples/rust as a process: it keeps the JWKS for a minute, and asks for an unknown `kid` every ten seconds at most.
pub struct RustExample {
    port: u16,
    _running: Running,
}

impl RustExample {
    /// None where it is not built.
    pub fn start(issuer: &str) -> Option<Self> {
        let port = free_port();
        let settings = [("ISSUER", issuer), ("AUDIENCE", issuer), ("PORT", &port.to_string())];
        let mut running = Running::start(command(Example::Rust)?.envs(settings));
        running.until("it answers", || agent().get(format!("http://127.0.0.1:{port}/orders")).call().is_ok());
        Some(Self { port, _running: running })
    }

    pub fn check(&self, token: &str) -> Result<(), String> {
        let request = agent().get(format!("http://127.0.0.1:{}/orders", self.port));
        match request.header("Authorization", format!("Bearer {token}")).call() {
            Ok(mut answer) if answer.status() == 200 => {
                // Read to its end, the connection can be used again.
                answer.body_mut().read_to_string().map(|_| ()).map_err(|error| error.to_string())
            }
            other => Err(format!("the Rust example: {other:?}")),
        }
    }
}
