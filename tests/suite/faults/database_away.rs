//! PostgreSQL goes away and comes back: the node fails closed, says so, and recovers by itself.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::faults::is_unavailable;
use crate::harness::{Answer, Database, Server, TestClient, agent, fresh_postgres_url, missing};
use crate::house::registry::within;

const OPEN: u8 = 0;
const CUT: u8 = 1;
const STALLED: u8 = 2;

/// A wire to PostgreSQL that can be cut, or go dead without a word.
pub struct Wire {
    state: Arc<AtomicU8>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    pub url: String,
}

impl Wire {
    pub fn to(url: &str) -> Self {
        let target = url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = url.replace(&target, &listener.local_addr().unwrap().to_string());
        let wire = Self { state: Arc::default(), connections: Arc::default(), url };
        let (state, connections) = (Arc::clone(&wire.state), Arc::clone(&wire.connections));
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if state.load(Ordering::Acquire) == CUT {
                    continue;
                }
                let Ok(far) = TcpStream::connect(&target) else { continue };
                let mut open = connections.lock().unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let state = Arc::clone(&state);
                    std::thread::spawn(move || copy(from, to, &state));
                }
                open.extend([near, far]);
            }
        });
        wire
    }

    pub fn cut(&self) {
        self.state.store(CUT, Ordering::Release);
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    fn stall(&self) {
        self.state.store(STALLED, Ordering::Release);
    }

    pub fn mend(&self) {
        self.state.store(OPEN, Ordering::Release);
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, state: &AtomicU8) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        while state.load(Ordering::Acquire) == STALLED {
            std::thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

struct Calls<'a> {
    client: TestClient<'a>,
    machine: TestClient<'a>,
    user: crate::harness::TestUser,
    tokens: Answer,
}

impl<'a> Calls<'a> {
    fn on(server: &'a Server) -> Self {
        let client = server
            .confidential_client()
            .grants(["password", "refresh_token"])
            .scopes(["openid"])
            .may_introspect()
            .create();
        let machine = server.confidential_client().grants(["client_credentials"]).create();
        let user = server.api_user().create();
        let tokens = client.password_grant_with(&user, &[("scope", "openid")]).ok();
        Self { client, machine, user, tokens }
    }

    fn secret_headers(&self) -> [(&str, &str); 2] {
        [("Client-ID", &self.machine.id), ("Client-Secret", &self.machine.secret)]
    }

    fn basic(&self) -> String {
        crate::security::verify::basic(&self.user.username, &self.user.password)
    }

    /// Every door that answers for the database, by name.
    fn all(&self) -> Vec<(&'static str, Answer)> {
        let server = self.client.server;
        let (access, refresh) = (self.tokens.access_token(), self.tokens.refresh_token());
        vec![
            ("client_credentials", self.machine.client_credentials()),
            ("password", self.client.password_grant(&self.user)),
            ("refresh", self.client.refresh(&refresh)),
            ("introspect access", self.client.introspect(&access)),
            ("introspect refresh", self.client.introspect(&refresh)),
            ("introspect garbage", self.client.introspect("garbage")),
            ("revoke access", self.client.revoke(&access)),
            ("revoke refresh", self.client.revoke(&refresh)),
            ("revoke garbage", self.client.revoke("garbage")),
            ("userinfo", server.get_with_token("/oauth/userinfo", &access)),
            ("me", server.get_with_token("/api/v1/me", &access)),
            ("verify", server.get_with_token("/verify", &access)),
            ("verify a client's secret", server.get("/verify", &self.secret_headers())),
            ("verify a password", server.get("/verify", &[("Authorization", &self.basic())])),
            ("verify garbage", server.get("/verify", &[("X-API-Key", "garbage")])),
        ]
    }

    /// What must be refused from the first moment on: it asks the database.
    fn that_ask_the_database(&self) -> Vec<(&'static str, Answer)> {
        let (access, refresh) = (self.tokens.access_token(), self.tokens.refresh_token());
        vec![
            ("password", self.client.password_grant(&self.user)),
            ("refresh", self.client.refresh(&refresh)),
            ("introspect refresh", self.client.introspect(&refresh)),
            ("revoke access", self.client.revoke(&access)),
            ("revoke refresh", self.client.revoke(&refresh)),
            ("userinfo", self.client.server.get_with_token("/oauth/userinfo", &access)),
            ("me", self.client.server.get_with_token("/api/v1/me", &access)),
            ("verify a password", self.client.server.get("/verify", &[("Authorization", &self.basic())])),
        ]
    }
}

/// A node whose PostgreSQL is behind a wire, and how long it waits for an answer.
fn over_a_wire(deadline: Duration) -> Option<(Wire, Server)> {
    let wire = Wire::to(&fresh_postgres_url()?);
    let server = Server::with(Database::Postgres)
        .set("database.url", &wire.url)
        .set("database.deadline_ms", deadline.as_millis())
        .start();
    Some((wire, server))
}

fn goes_away_and_comes_back(go_away: impl Fn(&Wire), deadline: Duration) {
    let Some((wire, server)) = over_a_wire(deadline) else { return missing("PostgreSQL") };
    let calls = Calls::on(&server);
    let jwks = server.get("/.well-known/jwks.json", &[]).ok().body;

    for outage in 0..2 {
        go_away(&wire);
        for (name, answer) in calls.that_ask_the_database() {
            println!("outage {outage}: {name}");
            is_unavailable(&answer);
        }
        within(Duration::from_secs(4), || calls.machine.client_credentials().status == 503);
        let asked = Instant::now();
        for (name, answer) in calls.all() {
            println!("outage {outage}: {name}");
            is_unavailable(&answer);
        }
        assert!(asked.elapsed() < Duration::from_secs(1), "a stale node does not make anybody wait");
        assert_eq!(server.get("/.well-known/jwks.json", &[]).ok().body, jwks);
        server.get("/.well-known/openid-configuration", &[]).ok();
        server.get("/health/live", &[]).ok();
        assert_eq!(server.get("/health/ready", &[]).status, 503);

        wire.mend();
        let took = within(Duration::from_secs(8), || {
            server.get("/health/ready", &[]).status == 200 && calls.machine.client_credentials().status == 200
        });
        println!("outage {outage}: well again after {took:?}");
        for _ in 0..20 {
            calls.client.password_grant(&calls.user).ok();
        }
        let told = calls.client.introspect(&calls.tokens.access_token()).ok();
        // A revocation that was answered with 503 may have been made or not; nobody was told that it was.
        assert!(told.json()["active"].is_boolean());
    }
}

#[test]
fn a_refresh_waits_for_a_dead_database_once() {
    let deadline = Duration::from_secs(1);
    let Some((wire, server)) = over_a_wire(deadline) else { return missing("PostgreSQL") };
    let calls = Calls::on(&server);
    wire.stall();
    let asked = Instant::now();
    is_unavailable(&calls.client.refresh(&calls.tokens.refresh_token()));
    let took = asked.elapsed();
    assert!(took >= deadline && took < deadline * 2, "{took:?}");
}

#[test]
fn metrics_wait_for_a_dead_database_once_and_say_that_the_node_is_not_ready() {
    let deadline = Duration::from_secs(2);
    let Some((wire, server)) = over_a_wire(deadline) else { return missing("PostgreSQL") };
    let page = || Answer::of(agent().get(format!("{}/metrics", server.private_base())).call()).ok().body;
    assert!(page().lines().any(|line| line == "grantor_ready 1"));
    wire.stall();
    let asked = Instant::now();
    let told = page();
    let took = asked.elapsed();
    assert!(told.lines().any(|line| line == "grantor_ready 0"), "{told}");
    assert!(took >= deadline && took < deadline * 2, "{took:?}");
}

#[test]
fn a_database_that_is_cut_off_is_503_everywhere_and_never_200() {
    goes_away_and_comes_back(Wire::cut, Duration::from_secs(5));
}

#[test]
fn a_database_that_goes_dead_without_a_word_is_503_within_the_deadline() {
    goes_away_and_comes_back(Wire::stall, Duration::from_millis(500));
}
