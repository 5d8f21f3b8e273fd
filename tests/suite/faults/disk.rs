//! A disk that is full, and one that errs (SQLite): writes are 503, reads go on, and all is well again without a restart.

use std::time::Duration;

use grantor::sabotage::Defect;
use rstest::rstest;

use crate::faults::ledger::{GIVEN, Load, Otherwise, accounts};
use crate::faults::{Account, is_caught};
use crate::harness::{Database, Disk, Injection, Installation};
use crate::house::registry::within;

/// The deadline of the database, and what a request waits besides.
const ANSWERED_WITHIN: Duration = Duration::from_secs(8);

/// What becomes of the disk.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Full,
    WritesFail,
    SyncsFail,
    ReadsFail,
}

/// Ends the fault when it is dropped.
enum Ending {
    Space(std::path::PathBuf),
    Errors(#[expect(dead_code, reason = "held for its end")] Injection),
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Self::Space(ballast) = self {
            std::fs::remove_file(ballast).unwrap();
        }
    }
}

impl Fault {
    fn begin(self, disk: &Disk, node: &Installation) -> Ending {
        let errors = |what: &str| Ending::Errors(Injection::into(node.pid().unwrap(), what));
        match self {
            Self::Full => Ending::Space(disk.fill()),
            Self::WritesFail => errors("pwrite64:error=EIO"),
            Self::SyncsFail => errors("fsync,fdatasync:error=EIO"),
            Self::ReadsFail => errors("pread64:error=EIO"),
        }
    }
}

#[rstest]
fn a_disk_that_is_full_or_errs_costs_nothing_that_was_answered_and_is_well_again_by_itself(
    #[values(Fault::Full, Fault::WritesFail, Fault::SyncsFail, Fault::ReadsFail)] fault: Fault,
) {
    let Some(disk) = Disk::new(64) else { return };
    if matches!(fault, Fault::Full) || Injection::is_possible() {
        trial(&disk, fault, None);
    }
}

#[test]
fn a_failure_that_is_answered_as_a_success_is_found() {
    let Some(disk) = Disk::new(64) else { return };
    is_caught(Defect::SwallowedFailure, &[GIVEN, "not within"], |defect| trial(&disk, Fault::Full, defect));
}

fn trial(disk: &Disk, fault: Fault, defect: Option<Defect>) {
    let mut node = Installation::new(Database::Sqlite);
    node.set("database.url", format!("sqlite://{}", disk.path().join("grantor.db").display()));
    let accounts = accounts(&node);
    let account = Account::create(&node, 10);
    if let Some(defect) = defect {
        node.sabotage(defect);
    }
    node.start();
    let access = account.sign_in(&node).unwrap().ok().access_token();
    let status = || account.sign_in(&node).unwrap().status;

    let ledger = Load::new(&node, &accounts, Otherwise::Unavailable(ANSWERED_WITHIN)).beside(|| {
        for _ in 0..2 {
            let ending = fault.begin(disk, &node);
            if !matches!(fault, Fault::ReadsFail) {
                // A log that was written before has room until it grows.
                within(Duration::from_secs(8), || status() == 503);
                let told = account.post(&node, "/oauth/introspect", &[("token", &access)]).unwrap().ok();
                assert_eq!(told.json()["active"], true);
            }
            for _ in 0..20 {
                assert_eq!(node.get("/.well-known/jwks.json", &[]).status, 200);
                assert_eq!(node.get("/.well-known/openid-configuration", &[]).status, 200);
                assert_eq!(node.get("/health/live", &[]).status, 200);
                std::thread::sleep(Duration::from_millis(25));
            }
            drop(ending);
            let took = within(Duration::from_secs(5), || status() == 200);
            println!("{fault:?}: well again after {took:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    assert!(ledger.put_off() > 0, "{fault:?}: nobody met it");
    ledger.holds(&node, &accounts, &format!("{fault:?}"));
    println!(
        "{fault:?}: {} refreshes and {} revocations held, {} requests put off, none answered after more than {:?}",
        ledger.refreshes(),
        ledger.revocations(),
        ledger.put_off(),
        ledger.slowest(),
    );
}
