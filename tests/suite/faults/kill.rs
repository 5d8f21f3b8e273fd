//! `kill -9` under load, at any time and at a sync of the disk: what was answered holds.

use std::time::{Duration, Instant};

use grantor::sabotage::Defect;
use rstest::rstest;

use crate::faults::is_caught;
use crate::faults::ledger::{GIVEN, LOST, Load, Otherwise, accounts};
use crate::harness::{Database, Injection, Installation, times};

/// Ready again after a kill.
const READY_WITHIN: Duration = Duration::from_secs(2);

#[rstest]
fn what_was_answered_before_a_kill_holds_after_it(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    if Injection::is_possible() {
        trial(db, times("GRANTOR_TEST_KILLS", 6), None);
    }
}

#[test]
fn an_answer_before_its_commit_is_found() {
    is_caught(Defect::AnswerBeforeCommit, &[GIVEN, LOST], |defect| trial(Database::Sqlite, 6, defect));
}

/// `kill -9`: by turns at any time, and at the moment when one of the next syncs begins, which then is not made.
pub fn kill(node: &Installation, cycle: u64, db: Database) {
    // PostgreSQL syncs in processes of its own.
    if db == Database::Postgres || cycle.is_multiple_of(2) {
        std::thread::sleep(Duration::from_millis(50 + cycle * 37 % 200));
        return node.signal(rustix::process::Signal::KILL);
    }
    let nth = 1 + cycle * 13 % 40;
    let _injection = Injection::into(node.pid().unwrap(), &format!("fsync,fdatasync:retval=0:signal=KILL:when={nth}"));
    let started = Instant::now();
    while !node.is_gone() {
        assert!(started.elapsed() < Duration::from_secs(10), "no sync in ten seconds");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn trial(db: Database, kills: u64, defect: Option<Defect>) {
    let mut node = Installation::new(db);
    let accounts = accounts(&node);
    if let Some(defect) = defect {
        node.sabotage(defect);
    }
    node.start();
    let (mut slowest, mut refreshes, mut revocations) = (Duration::ZERO, 0, 0);
    for cycle in 0..kills {
        let ledger = Load::new(&node, &accounts, Otherwise::Torn).beside(|| kill(&node, cycle, db));
        node.kill();
        let started = Instant::now();
        slowest = slowest.max(node.start());
        assert!(started.elapsed() < READY_WITHIN, "cycle {cycle}: ready after {:?}", started.elapsed());
        ledger.holds(&node, &accounts, &format!("cycle {cycle}"));
        refreshes += ledger.refreshes();
        revocations += ledger.revocations();
    }
    println!(
        "{db:?}: {kills} kills, {refreshes} refreshes and {revocations} revocations held, ready after at most {slowest:?}"
    );
}
