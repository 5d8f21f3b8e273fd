//! Stopping: readiness goes first, then the listener; what is in flight ends, and a second signal ends it at once.

use std::time::{Duration, Instant};

use rstest::rstest;

use crate::faults::Account;
use crate::harness::{Database, Installation};

#[rstest]
fn a_node_that_drains_is_not_ready_and_answers_on(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut node = Installation::new(db);
    node.set("server.drain", 2);
    let account = Account::create(&node, 10);
    node.start();
    let first = account.sign_in(&node).unwrap().ok().refresh_token();
    assert_eq!(node.get("/health/ready", &[]).header("connection"), "", "kept alive before");

    let told = Instant::now();
    node.tell_to_stop();
    while node.get("/health/ready", &[]).status == 200 {
        assert!(told.elapsed() < Duration::from_secs(1), "it says for too long that it is ready");
        std::thread::sleep(Duration::from_millis(5));
    }
    let refreshed = account.refresh(&node, &first).unwrap().ok();
    assert_eq!(refreshed.header("connection"), "close", "{refreshed:?}");
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
