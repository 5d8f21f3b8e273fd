//! Stopping: readiness goes first, then the listener; what is in flight ends, and a second signal ends it at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use grantor::sabotage::Defect;
use rstest::rstest;

use crate::faults::{Account, is_caught};
use crate::harness::{Database, Installation};

#[rstest]
fn a_node_that_drains_is_not_ready_and_answers_on(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut node = Installation::new(db);
    node.set("server.drain", 2);
    let account = Account::create(&node, 10);
    node.start();
    let first = account.sign_in(&node).unwrap().ok().refresh_token();
    assert_eq!(node.get("/health/ready", &[]).header("connection"), "", "kept alive before");
    assert_eq!(node.metric("ready"), 1);

    let told = Instant::now();
    node.tell_to_stop();
    while node.get("/health/ready", &[]).status == 200 {
        assert!(told.elapsed() < Duration::from_secs(1), "it says for too long that it is ready");
        std::thread::sleep(Duration::from_millis(5));
    }
    let refreshed = account.refresh(&node, &first).unwrap().ok();
    assert_eq!(refreshed.header("connection"), "close", "{refreshed:?}");
    assert_eq!(node.metric("ready"), 0);
    assert_eq!(node.get("/health/live", &[]).status, 200);

    assert_eq!(node.wait(), Some(0), "{}", node.log());
    assert!(told.elapsed() >= Duration::from_secs(2), "{:?}", told.elapsed());
    assert!(told.elapsed() < Duration::from_secs(8), "{:?}", told.elapsed());
    node.start();
    account.refresh(&node, &refreshed.refresh_token()).unwrap().ok();
}

#[test]
fn a_second_signal_ends_a_drain_at_once() {
    let mut node = Installation::new(Database::Sqlite);
    node.set("server.drain", 600);
    node.start();
    node.tell_to_stop();
    while node.get("/health/ready", &[]).status == 200 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let told = Instant::now();
    node.tell_to_stop();
    assert_eq!(node.wait(), Some(0), "{}", node.log());
    assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
    assert!(node.log().contains("stopping at once"), "{}", node.log());
}

#[test]
fn a_hash_in_flight_is_finished_and_answered() {
    let mut node = Installation::new(Database::Sqlite);
    // A hash of about a second, so that the signal comes in its middle.
    node.set("passwords.bcrypt_cost", 14);
    let client = node.json(&["client", "create", "--label", "people", "--grant-type", "password"]);
    let arguments = ["user", "create", "--username", "ada", "--kind", "person", "--password-stdin", "--json"];
    let made = node.run_with(&arguments, "a long passphrase 7421");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    node.start();
    let id = client["client_id"].as_str().unwrap();
    let secret = client["client_secret"].as_str().unwrap();
    let pairs = [("grant_type", "password"), ("username", "ada"), ("password", "a long passphrase 7421")];

    let answer = std::thread::scope(|scope| {
        let asked = scope.spawn(|| node.post("/oauth/token", (id, secret), &pairs));
        std::thread::sleep(Duration::from_millis(60));
        node.tell_to_stop();
        asked.join().unwrap()
    });

    answer.unwrap().ok().access_token();
    assert_eq!(node.wait(), Some(0), "{}", node.log());
}

#[test]
fn whoever_has_connected_when_the_port_closes_is_answered() {
    connected_at_the_end(None);
}

#[test]
fn a_stop_that_drops_whoever_has_connected_is_found() {
    is_caught(Defect::NoDrain, &["answers: "], connected_at_the_end);
}

/// Callers with a connection for each request, as of a proxy that asks no health check: each is answered or refused.
fn connected_at_the_end(defect: Option<Defect>) {
    let mut node = Installation::new(Database::Sqlite);
    if let Some(defect) = defect {
        node.sabotage(defect);
    }
    let address = node.base().replace("http://", "");
    let ask_until_refused = || {
        let mut answered = 0;
        while let Ok(mut connection) = TcpStream::connect(&address) {
            let mut answer = String::new();
            let request = "GET /health/live HTTP/1.1\r\nHost: grantor\r\nConnection: close\r\n\r\n";
            let told = connection.write_all(request.as_bytes()).and_then(|()| connection.read_to_string(&mut answer));
            assert!(answer.starts_with("HTTP/1.1 200 "), "after {answered} answers: {told:?} {answer:?}");
            answered += 1;
        }
        answered
    };
    for _ in 0..5 {
        node.start();
        let answered: Vec<usize> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..16).map(|_| scope.spawn(ask_until_refused)).collect();
            std::thread::sleep(Duration::from_millis(200));
            node.tell_to_stop();
            let answered: Result<_, _> = callers.into_iter().map(ScopedJoinHandle::join).collect();
            answered.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        assert!(answered.iter().all(|answered| *answered > 0), "{answered:?}");
        assert_eq!(node.wait(), Some(0), "{}", node.log());
    }
}
