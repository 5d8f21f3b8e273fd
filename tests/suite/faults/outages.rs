//! PostgreSQL stops, freezes or drops its sessions under load: nobody waits for longer than the deadline, no answer is a lie, and
//! the node serves again by itself.

use std::time::{Duration, Instant};

use grantor::sabotage::Defect;

use crate::faults::ledger::{GIVEN, LOST, Ledger, Load, Otherwise, accounts};
use crate::faults::{Account, Machine, is_caught};
use crate::harness::{Cluster, Installation, missing, times};
use crate::house::registry::within;

pub const DEADLINE_MS: u64 = 1000;

/// A request asks the database more than once, and the machine has other things to do.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

/// Longer than any request may take.
const FROZEN_FOR: Duration = Duration::from_secs(5);

/// The database has gone: two seconds in which a node answers from memory, and the deadline of its last reading.
const REFUSES_WITHIN: Duration = Duration::from_secs(4);

const SERVES_AGAIN_WITHIN: Duration = Duration::from_secs(5);

/// A cluster that writes the end of its log only when a commit waits for it: its own writer rests, and many commits share a page.
pub const LAZY: &str = "wal_writer_delay = 10s\nfull_page_writes = off";

#[derive(Debug, Clone, Copy)]
enum Outage {
    /// `pg_ctl -m immediate stop`, and a start that recovers.
    Stopped,
    /// SIGSTOP: connections stay open, and nothing answers.
    Frozen,
    /// `pg_terminate_backend`, again and again, in the middle of what the sessions do.
    SessionsEnded,
}

use Outage::{Frozen, SessionsEnded, Stopped};

#[test]
fn what_was_answered_before_an_outage_of_the_database_holds_after_it() {
    let Some(cluster) = Cluster::create("") else { return missing("PostgreSQL") };
    let count = usize::try_from(times("GRANTOR_TEST_OUTAGES", 3)).unwrap();
    let outages: Vec<_> = [Stopped, Frozen, SessionsEnded].into_iter().cycle().take(count).collect();
    trial(&cluster, &Served::on(&cluster.fresh_url(), None), &outages);
}

#[test]
fn a_wait_without_an_end_is_found_by_a_frozen_database() {
    is_found(Defect::EndlessWait, &["answered after", "not within"], "", &[Frozen]);
}

#[test]
fn a_node_that_answers_from_memory_for_ever_is_found_by_a_stopped_database() {
    is_found(Defect::StaleRegistry, &["not within"], "", &[Stopped]);
}

#[test]
fn a_commit_that_does_not_wait_for_the_disk_is_found_by_a_stopped_database() {
    is_found(Defect::UnsyncedCommit, &[GIVEN, LOST], LAZY, &[Stopped; 3]);
}

fn is_found(defect: Defect, words: &[&str], settings: &str, outages: &[Outage]) {
    let Some(cluster) = Cluster::create(settings) else { return missing("PostgreSQL") };
    let served = Served::on(&cluster.fresh_url(), Some(defect));
    is_caught(defect, words, |_| trial(&cluster, &served, outages));
}

/// A node on a database that a trial breaks, and those whom it serves.
pub struct Served {
    pub node: Installation,
    pub accounts: [Account; 2],
    machine: Machine,
}

impl Served {
    pub fn on(url: &str, defect: Option<Defect>) -> Self {
        let mut node = Installation::on_url(url);
        let accounts = accounts(&node);
        let machine = Machine::create(&node);
        node.set("database.deadline_ms", DEADLINE_MS);
        if let Some(defect) = defect {
            node.sabotage(defect);
        }
        node.start();
        Self { node, accounts, machine }
    }

    /// Clients that must be answered in time, whatever becomes of the database.
    pub fn load(&self) -> Load<'_> {
        Load::new(&self.node, &self.accounts, Otherwise::Unavailable(ANSWERED_WITHIN))
    }

    /// Whether everything works that needs the database.
    pub fn is_well(&self) -> bool {
        self.node.get("/health/ready", &[]).status == 200
            && self.machine.is_served(&self.node)
            && self.accounts[1].sign_in(&self.node).is_ok_and(|answer| answer.status == 200)
    }

    /// Nothing of it was a defect to the node.
    pub fn has_a_clean_log(&self) {
        let log = self.node.log();
        assert!(!log.contains("defect") && !log.contains("panicked"), "{log}");
    }
}

impl Outage {
    fn happens(self, cluster: &Cluster, served: &Served) {
        let is_refused = || served.machine.is_refused_within(REFUSES_WITHIN, &served.node);
        match self {
            Self::Stopped => {
                cluster.stop_at_once();
                is_refused();
                cluster.start();
            }
            Self::Frozen => {
                let frozen = Instant::now();
                cluster.freeze();
                is_refused();
                std::thread::sleep(FROZEN_FOR.saturating_sub(frozen.elapsed()));
                cluster.thaw();
            }
            Self::SessionsEnded => {
                let ended: usize = (0..20).map(|_| cluster.end_sessions()).sum();
                assert!(ended > 20, "{ended} sessions");
            }
        }
    }
}

fn trial(cluster: &Cluster, served: &Served, outages: &[Outage]) {
    let [_, revoking] = &served.accounts;
    let (mut ledgers, mut slowest_return) = (Vec::<Ledger>::new(), Duration::ZERO);
    for (number, outage) in outages.iter().enumerate() {
        let ledger = served.load().beside(|| {
            // At another place of what the clients do each time.
            std::thread::sleep(Duration::from_millis(300 + number as u64 * 37 % 150));
            outage.happens(cluster, served);
            let back = within(SERVES_AGAIN_WITHIN, || served.is_well());
            slowest_return = slowest_return.max(back);
            println!("outage {number}: {outage:?}, serves again after {back:?}");
            std::thread::sleep(Duration::from_secs(1));
        });
        assert!(ledger.put_off() > 0, "{outage:?}: nobody met it");
        ledger.holds(&served.node, &served.accounts, &format!("outage {number}, {outage:?}"));
        ledgers.push(ledger);
    }
    // No later outage has taken an earlier one's word back.
    ledgers.iter().for_each(|ledger| ledger.revocations_hold(&served.node, revoking, "at the end"));
    served.has_a_clean_log();
    let sum = |count: fn(&Ledger) -> usize| ledgers.iter().map(count).sum::<usize>();
    println!(
        "{} outages, {} refreshes and {} revocations held, {} requests put off, none answered after more than {:?}, \
         serves again after at most {slowest_return:?}",
        outages.len(),
        sum(Ledger::refreshes),
        sum(Ledger::revocations),
        sum(Ledger::put_off),
        ledgers.iter().map(Ledger::slowest).max().unwrap_or_default(),
    );
}
