//! `kill -9` under load: what was answered holds.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::Value;

use crate::faults::Account;
use crate::harness::{Answer, Database, Installation};
use crate::house::registry::within;

/// Ready again after a kill.
const READY_WITHIN: Duration = Duration::from_secs(2);

fn kills() -> u64 {
    std::env::var("GRANTOR_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(5)
}

/// What a client of the killed server has heard.
#[derive(Default)]
struct Heard {
    /// The newest refresh token of a family, and its predecessor.
    families: Vec<(String, Option<String>)>,
    /// Tokens whose revocation was answered with 200.
    revoked: Vec<(String, String)>,
    refreshes: usize,
}

/// A whole answer with 200, or nothing.
fn success(answer: Result<Answer, String>) -> Option<Value> {
    let answer = answer.ok()?;
    // A torn answer is none; a refusal under this load is a fault.
    let body = serde_json::from_str(&answer.body).ok()?;
    assert_eq!(answer.status, 200, "{answer:?}");
    Some(body)
}

fn text(body: &Value, member: &str) -> String {
    body[member].as_str().unwrap().to_owned()
}

/// Signs in, refreshes and refreshes until the server is gone. A connection of the server before may fail meanwhile.
fn refresh_until(gone: &AtomicBool, busy: &AtomicUsize, node: &Installation, account: &Account) -> Heard {
    let mut heard = Heard::default();
    while !gone.load(Ordering::Acquire) {
        let Some(first) = success(account.sign_in(node)) else { continue };
        heard.families.push((text(&first, "refresh_token"), None));
        for _ in 0..20 {
            let newest = heard.families.last_mut().unwrap();
            let Some(next) = success(account.refresh(node, &newest.0)) else { break };
            let next = text(&next, "refresh_token");
            newest.1 = Some(std::mem::replace(&mut newest.0, next));
            heard.refreshes += 1;
            if heard.refreshes == 1 {
                busy.fetch_add(1, Ordering::AcqRel);
            }
        }
    }
    heard
}

/// Signs in and revokes until the server is gone: the family by turns, or the access token alone.
fn revoke_until(gone: &AtomicBool, node: &Installation, account: &Account) -> Heard {
    let mut heard = Heard::default();
    while !gone.load(Ordering::Acquire) {
        let Some(tokens) = success(account.sign_in(node)) else { continue };
        let (refresh, access) = (text(&tokens, "refresh_token"), text(&tokens, "access_token"));
        let whole_family = heard.revoked.len() % 2 == 0;
        let token = if whole_family { &refresh } else { &access };
        let Some(_) = success(account.post(node, "/oauth/revoke", &[("token", token)])) else { continue };
        heard.revoked.push((access, if whole_family { refresh } else { String::new() }));
    }
    heard
}

/// A call after the restart: connections of the dead process may still be in the client's pool.
fn call(try_once: impl Fn() -> Result<Answer, String>) -> Answer {
    for _ in 0..50 {
        if let Ok(answer) = try_once() {
            return answer;
        }
    }
    try_once().expect("the server is back")
}

#[rstest]
fn what_was_answered_before_a_kill_holds_after_it(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut node = Installation::new(db);
    // A window: the client may not have heard of its last rotation.
    let accounts: Vec<Account> = {
        let first = Account::create(&node, 60);
        let revoker = Account::create(&node, 59);
        vec![first, revoker]
    };
    node.start();
    let (mut slowest, mut refreshes, mut revocations) = (Duration::ZERO, 0, 0);
    for cycle in 0..kills() {
        let (gone, busy) = (AtomicBool::new(false), AtomicUsize::new(0));
        let pid = rustix::process::Pid::from_raw(i32::try_from(node.pid().unwrap()).unwrap()).unwrap();
        let heard: Vec<Heard> = std::thread::scope(|scope| {
            let (gone, busy, node, accounts) = (&gone, &busy, &node, &accounts);
            let mut threads: Vec<_> =
                (0..6).map(|_| scope.spawn(move || refresh_until(gone, busy, node, &accounts[0]))).collect();
            threads.extend((0..2).map(|_| scope.spawn(move || revoke_until(gone, node, &accounts[1]))));
            within(Duration::from_secs(10), || busy.load(Ordering::Acquire) == 6);
            std::thread::sleep(Duration::from_millis(100 + cycle * 37 % 150));
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            gone.store(true, Ordering::Release);
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        node.kill();
        let started = Instant::now();
        slowest = slowest.max(node.start());
        assert!(started.elapsed() < READY_WITHIN, "cycle {cycle}: ready after {:?}", started.elapsed());

        let account = &accounts[0];
        // At most a hundred families of one user are live: only the newest can be held to it.
        let families: Vec<_> = heard.iter().filter_map(|heard| heard.families.last()).collect();
        assert!(families.len() >= 6);
        for (newest, before) in families {
            // Had the generation gone back, this one would be from a future that the database does not know.
            let next = call(|| account.refresh(&node, newest)).ok();
            assert_ne!(next.refresh_token(), *newest, "cycle {cycle}");
            if let Some(before) = before {
                assert_eq!(call(|| account.refresh(&node, before)).status, 400, "cycle {cycle}: a replay");
            }
        }
        let account = &accounts[1];
        for (access, refresh) in heard.iter().flat_map(|heard| &heard.revoked) {
            let told = call(|| account.post(&node, "/oauth/introspect", &[("token", access)])).ok();
            assert_eq!(told.body, r#"{"active":false}"#, "cycle {cycle}");
            if !refresh.is_empty() {
                call(|| account.refresh(&node, refresh)).is_refused("invalid_grant");
            }
            revocations += 1;
        }
        refreshes += heard.iter().map(|heard| heard.refreshes).sum::<usize>();
    }
    assert!(refreshes > 0 && revocations > 0);
    println!(
        "{db:?}: {} kills, {refreshes} refreshes and {revocations} revocations held, ready after at most {slowest:?}",
        kills()
    );
}
