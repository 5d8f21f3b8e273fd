//! Power cuts (SQLite): what was answered is on the disk, and not in the memory of a kernel that is gone.

use grantor::sabotage::Defect;

use crate::faults::is_caught;
use crate::faults::kill::kill;
use crate::faults::ledger::{LOST, Load, Otherwise, accounts};
use crate::harness::{Database, Disk, Injection, Installation, times};

#[test]
fn what_was_answered_before_a_power_cut_holds_after_it() {
    let Some(disk) = Disk::new(64) else { return };
    if Injection::is_possible() {
        trial(disk, times("GRANTOR_TEST_POWER_CUTS", 6), None);
    }
}

/// The disk of these trials loses what was not synced, or they would prove nothing. One cut: such a server makes no sync to be killed at.
#[test]
fn commits_that_do_not_wait_for_the_disk_are_found() {
    let Some(disk) = Disk::new(64) else { return };
    is_caught(Defect::UnsyncedCommit, &[LOST, "malformed"], |defect| trial(disk, 1, defect));
}

fn trial(mut disk: Disk, cuts: u64, defect: Option<Defect>) {
    let mut node = Installation::new(Database::Sqlite);
    node.set("database.url", format!("sqlite://{}", disk.path().join("grantor.db").display()));
    let accounts = accounts(&node);
    disk.sync();
    if let Some(defect) = defect {
        node.sabotage(defect);
    }
    node.start();
    let (mut refreshes, mut revocations) = (0, 0);
    for cycle in 0..cuts {
        let ledger = Load::new(&node, &accounts, Otherwise::Torn).beside(|| kill(&node, cycle, Database::Sqlite));
        // Before the power goes: a dead process writes nothing more.
        node.kill();
        disk.lose_power();
        node.start();
        ledger.holds(&node, &accounts, &format!("cut {cycle}"));
        refreshes += ledger.refreshes();
        revocations += ledger.revocations();
    }
    println!("{cuts} power cuts, {refreshes} refreshes and {revocations} revocations held");
}
