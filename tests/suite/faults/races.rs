//! Several real processes on one database: a refresh token is used once, whoever is asked.

use std::collections::HashSet;

use grantor::sabotage::Defect;
use rstest::rstest;

use crate::faults::{Account, is_caught};
use crate::harness::{Answer, Database, Installation};
use crate::security::rotation::{in_parallel, rounds};

#[rstest]
fn two_hundred_parallel_uses_across_two_processes_never_fork_a_family(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    trial(db, 2, 200, rounds(20), None);
}

#[test]
fn fifty_parallel_uses_across_three_nodes_never_fork_a_family() {
    trial(Database::Postgres, 3, 50, rounds(20), None);
}

#[rstest]
#[case(Database::Sqlite, 2, 200)]
#[case(Database::Postgres, 2, 200)]
#[case(Database::Postgres, 3, 50)]
fn a_rotation_that_compares_nothing_is_found(#[case] db: Database, #[case] nodes: usize, #[case] uses: usize) {
    // Two have to read before the first has written.
    is_caught(Defect::AnyGeneration, &["window 0", "window 10"], |defect| trial(db, nodes, uses, 50, defect));
}

fn trial(db: Database, nodes: usize, uses: usize, rounds: usize, defect: Option<Defect>) {
    let mut first = Installation::new(db);
    if let Some(defect) = defect {
        first.sabotage(defect);
    }
    let (strict, lenient) = (Account::create(&first, 0), Account::create(&first, 10));
    let mut all: Vec<Installation> = (1..nodes).map(|_| first.second_node()).collect();
    all.push(first);
    for node in &mut all {
        node.start();
    }
    let use_everywhere = |account: &Account, token: &str| -> Vec<Answer> {
        in_parallel(uses, |index| account.refresh(&all[index % nodes], token).expect("an answer"))
    };
    let started = std::time::Instant::now();
    for round in 0..rounds {
        let one = &all[round % nodes];
        let other = &all[(round + 1) % nodes];

        let token = strict.sign_in(one).unwrap().ok().refresh_token();
        let (won, lost): (Vec<_>, Vec<_>) =
            use_everywhere(&strict, &token).into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "window 0, round {round}: {:?}", lost.first());
        for answer in &lost {
            assert_eq!(answer.status, 400, "window 0, round {round}: {answer:?}");
            answer.is_refused("invalid_grant");
        }
        strict.refresh(other, &won[0].refresh_token()).unwrap().is_refused("invalid_grant");

        let token = lenient.sign_in(one).unwrap().ok().refresh_token();
        let answers = use_everywhere(&lenient, &token);
        let distinct: HashSet<_> = answers.into_iter().map(|answer| answer.ok().refresh_token()).collect();
        assert_eq!(distinct.len(), 1, "window 10, round {round}");
        let next = lenient.refresh(other, distinct.iter().next().unwrap()).unwrap().ok();
        // The successor was used: the first token is a replay now, wherever it is presented.
        lenient.refresh(one, &token).unwrap().is_refused("invalid_grant");
        for node in &all {
            lenient.refresh(node, &next.refresh_token()).unwrap().is_refused("invalid_grant");
        }
    }
    let took = started.elapsed();
    println!("{db:?}: {nodes} nodes, {rounds} rounds of {uses} uses at window 0 and at window 10 in {took:?}");
    for node in &all {
        let log = node.log();
        assert!(!log.contains("defect") && !log.contains("not available"), "{log}");
    }
}
