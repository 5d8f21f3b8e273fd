//! `kill -9` under load: what was answered holds.

use std::time::{Duration, Instant};

use rstest::rstest;

use crate::faults::Account;
use crate::faults::ledger::{Load, Otherwise};
use crate::harness::{Database, Installation};

/// Ready again after a kill.
const READY_WITHIN: Duration = Duration::from_secs(2);

fn kills() -> u64 {
    std::env::var("GRANTOR_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(5)
}

#[rstest]
fn what_was_answered_before_a_kill_holds_after_it(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut node = Installation::new(db);
    let accounts = [60, 59].map(|window| Account::create(&node, window));
    let accounts = [&accounts[0], &accounts[1]];
    node.start();
    let (mut slowest, mut refreshes, mut revocations) = (Duration::ZERO, 0, 0);
    for cycle in 0..kills() {
        let pid = rustix::process::Pid::from_raw(i32::try_from(node.pid().unwrap()).unwrap()).unwrap();
        let ledger = Load::new(&node, accounts, Otherwise::Torn).beside(|| {
            std::thread::sleep(Duration::from_millis(100 + cycle * 37 % 150));
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        });
        node.kill();
        let started = Instant::now();
        slowest = slowest.max(node.start());
        assert!(started.elapsed() < READY_WITHIN, "cycle {cycle}: ready after {:?}", started.elapsed());

        ledger.holds(&node, accounts, &format!("cycle {cycle}"));
        revocations += ledger.revocations();
        refreshes += ledger.refreshes();
    }
    println!(
        "{db:?}: {} kills, {refreshes} refreshes and {revocations} revocations held, ready after at most {slowest:?}",
        kills()
    );
}
