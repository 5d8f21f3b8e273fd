//! The machine with PostgreSQL's primary is lost, and its synchronous standby takes over.

use std::time::{Duration, Instant};

use grantor::sabotage::Defect;

use crate::faults::ledger::{GIVEN, LOST};
use crate::faults::outages::{ANSWERED_WITHIN, DEADLINE_MS, LAZY, Served};
use crate::faults::{Account, is_caught, is_unavailable};
use crate::harness::{Cluster, Installation, missing};
use crate::house::registry::within;

/// Without any primary.
const NOBODY_FOR: Duration = Duration::from_secs(1);

const SERVES_AGAIN_WITHIN: Duration = Duration::from_secs(10);

#[test]
fn what_was_answered_before_a_failover_holds_after_it() {
    let Some(primary) = Cluster::create("") else { return missing("PostgreSQL") };
    let standby = primary.synchronous_standby();
    trial(&primary, &standby, Served::on(&url_of_both(&primary, &standby), None));
}

#[test]
fn a_commit_that_waits_for_no_standby_is_found() {
    // A standby is sent what was written.
    let Some(primary) = Cluster::create(LAZY) else { return missing("PostgreSQL") };
    let standby = primary.synchronous_standby();
    let served = Served::on(&url_of_both(&primary, &standby), Some(Defect::UnsyncedCommit));
    is_caught(Defect::UnsyncedCommit, &[GIVEN, LOST], |_| trial(&primary, &standby, served));
}

#[test]
fn a_primary_whose_standby_is_away_takes_no_write_and_says_so() {
    let Some(primary) = Cluster::create("") else { return missing("PostgreSQL") };
    let standby = primary.synchronous_standby();
    let mut node = Installation::on_url(&primary.fresh_url());
    let account = Account::create(&node, 60);
    node.set("database.deadline_ms", DEADLINE_MS);
    node.start();
    let token = account.sign_in(&node).unwrap().ok().refresh_token();

    standby.freeze();
    for _ in 0..3 {
        let asked = Instant::now();
        is_unavailable(&account.refresh(&node, &token).unwrap());
        is_unavailable(&account.sign_in(&node).unwrap());
        assert!(asked.elapsed() < ANSWERED_WITHIN * 2, "{:?}", asked.elapsed());
    }
    standby.thaw();
    within(SERVES_AGAIN_WITHIN, || account.refresh(&node, &token).unwrap().status == 200);
}

/// The URL of a new database, wherever it can be written.
fn url_of_both(primary: &Cluster, standby: &Cluster) -> String {
    let hosts = format!("{},{}", primary.address(), standby.address());
    format!("{}?target_session_attrs=read-write", primary.fresh_url().replace(&primary.address(), &hosts))
}

fn trial(primary: &Cluster, standby: &Cluster, mut served: Served) {
    let mut back = Duration::ZERO;
    let ledger = served.load().beside(|| {
        std::thread::sleep(Duration::from_millis(500));
        primary.kill();
        std::thread::sleep(NOBODY_FOR);
        let promoted = Instant::now();
        standby.promote();
        within(SERVES_AGAIN_WITHIN, || served.is_well());
        back = promoted.elapsed();
        std::thread::sleep(Duration::from_secs(1));
    });
    assert!(ledger.put_off() > 0, "nobody met it");
    ledger.holds(&served.node, &served.accounts, "after the failover");

    // The lost primary stays in the URL: whoever starts now finds the other.
    served.node.kill();
    served.node.start();
    ledger.revocations_hold(&served.node, &served.accounts[1], "after a restart");
    served.has_a_clean_log();
    println!(
        "a failover: {} refreshes and {} revocations held, {} requests put off, none answered after more than {:?}, \
         serves again {back:?} after the promotion began",
        ledger.refreshes(),
        ledger.revocations(),
        ledger.put_off(),
        ledger.slowest(),
    );
}
