//! Three nodes behind nginx are restarted one after the other under load, while signing keys rotate and APIs that keep the
//! JWKS check every token: no request fails, no good token is refused, no chain of refresh tokens breaks.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use grantor::sabotage::Defect;
use serde_json::Value;
use tempfile::TempDir;

use super::validators::{Api, Findings, RustExample, check_all};
use crate::clients::installed::source;
use crate::clients::nginx;
use crate::clients::program::{Running, free_port};
use crate::faults::{Account, is_caught};
use crate::harness::{Answer, Database, Installation, agent, missing, program, times};

/// nginx leaves a node alone for two seconds after it failed, counted in whole ones. Two nodes must not be away for it at once.
const NOTICED: Duration = Duration::from_millis(3200);

/// Keys change in this interval.
const ROTATION: Duration = Duration::from_secs(3);

/// `keys.publish_ahead`, in seconds. The example asks for an unknown key ten seconds after it asked last.
const AHEAD: u64 = 12;

#[test]
fn nothing_fails_while_nodes_restart_one_after_the_other_and_keys_rotate() {
    trial(Duration::from_secs(times("GRANTOR_TEST_SECONDS", 20)), None);
}

#[test]
fn a_node_that_drops_what_is_in_flight_is_found() {
    if program("nginx").is_none() {
        return missing("nginx");
    }
    is_caught(Defect::NoDrain, &["status: 502"], |defect| trial(Duration::from_mins(1), defect));
}

#[test]
fn a_key_that_signs_before_it_was_published_is_found() {
    if program("nginx").is_none() {
        return missing("nginx");
    }
    is_caught(Defect::AbruptRotation, &["is not in the JWKS", "the Rust example", r#""active":false"#], |defect| {
        trial(Duration::from_mins(1), defect)
    });
}

/// nginx with the configuration of docs/scaling.md, in front of nodes.
struct Front {
    base: String,
    folder: TempDir,
    _nginx: Running,
}

impl Front {
    fn start(port: u16, nodes: &[Installation]) -> Option<Self> {
        let page = fs::read_to_string(source("docs/scaling.md")).unwrap();
        let written = page.split("```nginx\n").nth(1).and_then(|rest| rest.split("```").next()).expect("its block");
        let mut lines = Vec::new();
        for line in written.lines() {
            if line.contains("server 10.0.0.11:8080") {
                let address = |node: &Installation| node.base().replace("http://", "");
                lines.extend(nodes.iter().map(|node| line.replace("10.0.0.11:8080", &address(node))));
            } else if line.contains("listen 443 ssl") {
                // The callers here speak no TLS.
                lines.push(line.replace("443 ssl", &format!("127.0.0.1:{port}")));
            } else if !line.contains("server 10.0.0.12:8080") && !line.contains("ssl_certificate") {
                lines.push(line.to_owned());
            }
        }
        let configuration = format!("events {{}}\nhttp {{\naccess_log /dev/stdout;\n{}\n}}\n", lines.join("\n"));
        assert!(nodes.iter().all(|node| configuration.contains(&node.base()[7..])), "{configuration}");
        let folder = tempfile::tempdir().unwrap();
        let running = nginx::start(&configuration, folder.path(), port)?;
        Some(Self { base: format!("http://127.0.0.1:{port}"), folder, _nginx: running })
    }

    /// What it complained of last.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

/// Programs that use the service through nginx, until the trial is over.
#[derive(Clone)]
struct Caller<'a> {
    base: &'a str,
    account: &'a Account,
    findings: &'a Findings,
    validators: Vec<SyncSender<Arc<str>>>,
}

impl Caller<'_> {
    /// The body of a success; none, and the trial is over, where it is anything else.
    fn body(&self, what: &str, answer: &Result<Answer, String>) -> Option<Value> {
        self.findings.requests.fetch_add(1, Ordering::Relaxed);
        let body = answer.as_ref().ok().filter(|answer| answer.status == 200);
        let body = body.and_then(|answer| serde_json::from_str(&answer.body).ok());
        if body.is_none() {
            self.findings.fail(format!("{what}: {answer:?}"));
        }
        body
    }

    fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Option<Value> {
        self.body(&format!("{path} {}", pairs[0].1), &self.account.post_to(self.base, path, pairs))
    }

    /// An access token, which every API gets to see.
    fn token(&self, pairs: &[(&str, &str)]) -> Option<Value> {
        let told = self.post("/oauth/token", pairs)?;
        let token: Arc<str> = told["access_token"].as_str().unwrap().into();
        for api in &self.validators {
            // One that has failed does not listen any more.
            let _ = api.send(Arc::clone(&token));
        }
        Some(told)
    }

    /// One chain for the whole trial; what a node issued is active on the next.
    fn refreshes(&self) -> Option<()> {
        let mut tokens = self.token(&self.account.password_grant())?;
        while !self.findings.is_over() {
            let refresh = tokens["refresh_token"].as_str().unwrap();
            tokens = self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)])?;
            let told = self.post("/oauth/introspect", &[("token", tokens["access_token"].as_str().unwrap())])?;
            if told["active"] != true {
                self.findings.fail(format!("introspection: {told}"));
            }
        }
        Some(())
    }

    fn signs_in(&self) -> Option<()> {
        while !self.findings.is_over() {
            self.token(&self.account.password_grant())?;
        }
        Some(())
    }

    fn acts_for_itself(&self) -> Option<()> {
        while !self.findings.is_over() {
            self.token(&[("grant_type", "client_credentials")])?;
        }
        Some(())
    }

    fn reads_the_keys(&self) -> Option<()> {
        while self.findings.go_on_after(Duration::from_millis(20)) {
            let sent = agent().get(format!("{}/.well-known/jwks.json", self.base)).call();
            let answer = sent.map(|response| Answer::of(Ok(response))).map_err(|error| error.to_string());
            self.body("JWKS", &answer)?;
        }
        Some(())
    }
}

/// `grantor key rotate`, again and again; answers how often.
fn rotate(operator: &Installation, findings: &Findings) -> usize {
    let mut rotations = 0;
    while findings.go_on_after(ROTATION) {
        let output = operator.run(&["key", "rotate"]);
        if !output.status.success() {
            findings.fail(format!("key rotate: {}", String::from_utf8_lossy(&output.stderr)));
        }
        rotations += 1;
    }
    rotations
}

/// As docs/scaling.md tells: the next one when the one before is ready and nginx knows it. Answers how often.
fn restart(nodes: &mut [Installation], length: Duration, findings: &Findings) -> usize {
    let (started, count, mut restarts) = (Instant::now(), nodes.len(), 0);
    loop {
        for node in &mut *nodes {
            // A busy machine restarts fewer in the time, and each at least once.
            if !findings.go_on_after(NOTICED) || started.elapsed() >= length && restarts >= count {
                return restarts;
            }
            let status = node.stop();
            if status != Some(0) {
                findings.fail(format!("a node ended with {status:?}: {}", node.log()));
            }
            node.start();
            restarts += 1;
        }
    }
}

/// Ends the trial for all its threads, also where one of them panics.
struct End<'a>(&'a Findings);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn trial(length: Duration, defect: Option<Defect>) {
    let port = free_port();
    let mut first = Installation::new(Database::Postgres);
    if let Some(defect) = defect {
        first.sabotage(defect);
    }
    first.set("issuer", format!("http://127.0.0.1:{port}"));
    first.set("http.trusted_proxies", "127.0.0.1");
    first.set("keys.publish_ahead", AHEAD);
    first.set("tokens.access_lifetime", 60);
    let operator = first.second_node();
    // A proxy that sends a refresh twice would break a chain: there is no window in which that is forgiven.
    let (chains, sign_ins) = (Account::create(&first, 0), Account::create(&first, 1));
    operator.json(&["key", "rotate"]);
    let mut nodes = vec![first.second_node(), first.second_node(), first];
    for node in &mut nodes {
        node.start();
    }
    let Some(front) = Front::start(port, &nodes) else { return };
    let example = RustExample::start(&front.base);

    let (findings, started) = (Findings::default(), Instant::now());
    let (restarts, rotations, apis) = std::thread::scope(|scope| {
        let (findings, front, operator) = (&findings, &front, &operator);
        let _end = End(findings);
        let (validators, mut tokens): (Vec<_>, Vec<_>) = (0..3).map(|_| sync_channel(100)).unzip();
        if let Some(example) = &example {
            let tokens = tokens.pop().unwrap();
            scope.spawn(move || check_all(findings, &tokens, |token| example.check(token)));
        }
        let apis: Vec<_> = tokens
            .into_iter()
            .map(|tokens| {
                scope.spawn(move || {
                    let mut api = Api::of(&front.base);
                    check_all(findings, &tokens, |token| api.check(token));
                    api
                })
            })
            .collect();
        let call = |account, job: fn(&Caller<'_>) -> Option<()>| {
            let caller = Caller { base: &front.base, account, findings, validators: validators.clone() };
            scope.spawn(move || job(&caller));
        };
        for _ in 0..3 {
            call(&chains, |caller| caller.refreshes());
            call(&sign_ins, |caller| caller.signs_in());
        }
        call(&sign_ins, |caller| caller.acts_for_itself());
        call(&chains, |caller| caller.reads_the_keys());
        let rotating = scope.spawn(move || rotate(operator, findings));
        let restarts = restart(&mut nodes, length, findings);
        findings.end();
        drop(validators);
        let apis: Vec<Api> = apis.into_iter().map(|api| api.join().unwrap()).collect();
        (restarts, rotating.join().unwrap(), apis)
    });
    if let Some(failure) = findings.failure() {
        let logs: Vec<String> = nodes.iter().map(Installation::log).collect();
        panic!("nodes: {}\nnginx: {}\nafter {:?}: {failure}", logs.join("\n"), front.log(), started.elapsed());
    }
    let (requests, validations) = (findings.requests.into_inner(), findings.validations.into_inner());
    println!(
        "{:?}: {requests} requests and {validations} validations, {restarts} restarts, {rotations} rotations, {} keys, no failure",
        started.elapsed(),
        apis[0].kids.len(),
    );
    assert!(restarts > 2 && rotations > 2 && requests > 1000 && validations > 1000);
    for api in apis {
        assert!(api.kids.len() > 2, "the keys did rotate: {:?}", api.kids);
        let longest = started.elapsed().as_secs() / (AHEAD - 2);
        assert!(api.fetched <= longest + 1, "the APIs did keep the keys: {}", api.fetched);
    }
}
