//! Two real processes on one database: a refresh token is used once, whoever is asked.

use std::collections::HashSet;

use grantor::sabotage::Defect;
use rstest::rstest;

use crate::faults::{Account, is_caught};
use crate::harness::{Answer, Database, Installation};
use crate::security::rotation::{in_parallel, rounds};

const USES: usize = 200;

fn use_everywhere(nodes: &[&Installation; 2], account: &Account, token: &str) -> Vec<Answer> {
    in_parallel(USES, |index| account.refresh(nodes[index % 2], token).expect("an answer"))
}

#[rstest]
fn two_hundred_parallel_uses_across_two_processes_never_fork_a_family(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    trial(db, rounds(20), None);
}

#[rstest]
fn a_rotation_that_compares_nothing_is_found(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    is_caught(Defect::AnyGeneration, |defect| trial(db, 1, defect));
}

fn trial(db: Database, rounds: usize, defect: Option<Defect>) {
    let mut first = Installation::new(db);
    if let Some(defect) = defect {
        first.sabotage(defect);
    }
    let (strict, lenient) = (Account::create(&first, 0), Account::create(&first, 10));
    let mut second = first.second_node();
    first.start();
    second.start();
    let nodes = [&first, &second];
    let started = std::time::Instant::now();
    for round in 0..rounds {
        let one = nodes[round % 2];
        let other = nodes[(round + 1) % 2];

        let token = strict.sign_in(one).unwrap().ok().refresh_token();
        let (won, lost): (Vec<_>, Vec<_>) =
            use_everywhere(&nodes, &strict, &token).into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "window 0, round {round}: {:?}", lost.first());
        for answer in &lost {
            assert_eq!(answer.status, 400, "window 0, round {round}: {answer:?}");
            answer.is_refused("invalid_grant");
        }
        strict.refresh(other, &won[0].refresh_token()).unwrap().is_refused("invalid_grant");

        let token = lenient.sign_in(one).unwrap().ok().refresh_token();
        let answers = use_everywhere(&nodes, &lenient, &token);
        let distinct: HashSet<_> = answers.into_iter().map(|answer| answer.ok().refresh_token()).collect();
        assert_eq!(distinct.len(), 1, "window 10, round {round}");
        let next = lenient.refresh(other, distinct.iter().next().unwrap()).unwrap().ok();
        // The successor was used: the first token is a replay now, wherever it is presented.
        lenient.refresh(one, &token).unwrap().is_refused("invalid_grant");
        for node in nodes {
            lenient.refresh(node, &next.refresh_token()).unwrap().is_refused("invalid_grant");
        }
    }
    println!("{db:?}: {rounds} rounds of {USES} uses at window 0 and at window 10 in {:?}", started.elapsed());
    for node in nodes {
        let log = node.log();
        assert!(!log.contains("defect") && !log.contains("not available"), "{log}");
    }
}
