//! What only one node may do, with several real processes that would do it at the same moment.

use std::time::Duration;

use grantor::sabotage::Defect;
use grantor::store::Store;
use rstest::rstest;
use serde_json::Value;

use crate::faults::{Account, is_caught};
use crate::harness::{Database, Installation};
use crate::house::migrations::installation_settings;
use crate::house::registry::within;
use crate::house::store::execute;
use crate::security::rotation::in_parallel;

/// Empty databases in a trial: which process comes first differs.
const ROUNDS: usize = 5;

/// An installation that has no database yet, and further nodes of it.
fn nodes(db: Database, count: usize, defect: Option<Defect>) -> Vec<Installation> {
    let mut first = Installation::new(db);
    if let Some(defect) = defect {
        first.sabotage(defect);
    }
    let mut nodes: Vec<Installation> = (1..count).map(|_| first.second_node()).collect();
    // The master key is in its folder.
    nodes.push(first);
    nodes
}

fn start_at_once(nodes: &mut [Installation]) {
    for node in &mut *nodes {
        node.spawn();
    }
    for node in nodes {
        node.wait_until_ready();
    }
}

fn length(list: &Value) -> usize {
    list.as_array().expect("a list").len()
}

#[rstest]
fn an_empty_database_is_initialised_once_by_four_processes_that_start_together(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    first_starts(db, None);
}

#[test]
fn first_starts_without_a_lock_are_found() {
    is_caught(Defect::NoLock, &["the server ended", "left == right"], |defect| {
        first_starts(Database::Postgres, defect)
    });
}

fn first_starts(db: Database, defect: Option<Defect>) {
    for _ in 0..ROUNDS {
        let mut nodes = nodes(db, 4, defect);
        start_at_once(&mut nodes);
        assert_eq!(length(&nodes[0].json(&["organization", "list"])), 1);
        assert_eq!(length(&nodes[0].json(&["user", "list"])), 1);
        assert_eq!(length(&nodes[0].json(&["key", "list"])), 2);
        let published = nodes[0].get("/.well-known/jwks.json", &[]).ok().body;
        for node in &nodes {
            assert_eq!(node.get("/.well-known/jwks.json", &[]).ok().body, published);
        }
    }
}

#[rstest]
fn an_empty_database_is_migrated_once_by_two_that_migrate_at_once(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    migrators(db, None);
}

#[test]
fn migrators_without_a_lock_are_found() {
    is_caught(Defect::NoLock, &[r#""migrate", "run""#], |defect| migrators(Database::Postgres, defect));
}

fn migrators(db: Database, defect: Option<Defect>) {
    for _ in 0..ROUNDS {
        let nodes = nodes(db, 2, defect);
        let states = in_parallel(2, |index| nodes[index].json(&["migrate", "run"]));
        assert_eq!(states[0], states[1]);
        assert_eq!((length(&states[0]["pending"]), length(&states[0]["unknown"])), (0, 0), "{}", states[0]);
        assert!(length(&states[0]["applied"]) > 0);
    }
}

#[rstest]
fn nodes_whose_signing_keys_are_due_at_once_make_one_new_key_of_each_algorithm(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    due_keys(db, ROUNDS, None);
}

#[test]
fn a_rotation_without_a_lock_is_found() {
    is_caught(Defect::NoLock, &["left == right"], |defect| due_keys(Database::Postgres, ROUNDS, defect));
}

fn due_keys(db: Database, rounds: usize, defect: Option<Defect>) {
    let mut nodes = nodes(db, 3, defect);
    nodes[0].json(&["init"]);
    let of_each = |node: &Installation| {
        let keys = node.json(&["key", "list"]);
        ["ES256", "RS256"]
            .map(|algorithm| keys.as_array().unwrap().iter().filter(|key| key["algorithm"] == algorithm).count())
    };
    for made in 1..=rounds {
        assert_eq!(of_each(&nodes[0]), [made; 2]);
        // All have signed for `keys.rotation_interval`; each node looks whether a key is due when it starts.
        let mut connection = Store::connect(&installation_settings(&nodes[0])).unwrap();
        execute(&mut connection, "UPDATE signing_keys SET signs_at = signs_at - 7776000000000").unwrap();
        drop(connection);
        start_at_once(&mut nodes);
        within(Duration::from_secs(10), || of_each(&nodes[0]).iter().all(|count| *count > made));
        // Whoever came later has looked by then, too.
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(of_each(&nodes[0]), [made + 1; 2]);
        for node in &mut nodes {
            assert_eq!(node.stop(), Some(0), "{}", node.log());
        }
    }
}

#[rstest]
fn three_nodes_that_record_and_seal_at_once_keep_one_chain(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    const EVENTS: usize = 90;
    let mut nodes = nodes(db, 3, None);
    let account = Account::create(&nodes[0], 0);
    start_at_once(&mut nodes);
    let before = nodes[0].json(&["audit", "verify"])["checked"].as_u64().unwrap();
    in_parallel(EVENTS / 10, |thread| {
        for turn in 0..10 {
            let node = &nodes[(thread + turn) % nodes.len()];
            let token = account.sign_in(node).unwrap().ok().refresh_token();
            account.post(node, "/oauth/revoke", &[("token", &token)]).unwrap().ok();
        }
    });
    within(Duration::from_secs(2), || nodes[1].json(&["audit", "verify"])["unsealed"] == 0);
    let verdict = nodes[2].json(&["audit", "verify"]);
    assert_eq!(length(&verdict["findings"]), 0, "{verdict}");
    assert!(verdict["checked"].as_u64().unwrap() >= before + EVENTS as u64, "{before}: {verdict}");
    let revoked = nodes[0].json(&["audit", "export", "--action", "token_family.revoked"]);
    assert_eq!(length(&revoked), EVENTS);
}
