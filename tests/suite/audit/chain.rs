//! The chain: sealed within a second, by however many nodes, and it names what was touched.

use std::time::Duration;

use grantor::admin::maintenance;
use grantor::audit::{Finding, FindingKind};
use rstest::rstest;

use super::{events, intruder, of_action, record, verify};
use crate::harness::{Database, Server};
use crate::house::registry::within;
use crate::house::store::execute;

/// Within a second; and a second for a machine with other things to do.
const SOON: Duration = Duration::from_secs(2);

const DAY: i64 = 86_400;

/// A server with twenty sealed events of the test's own, and the `seq` of each.
fn with_twenty(db: Database) -> (Server, Vec<i64>) {
    let server = Server::start(db);
    let now = server.clock.now();
    server.run(async |context, _| {
        for n in 0..20 {
            record(&context.store, format!("{n}"), now).await.unwrap();
        }
    });
    within(SOON, || verify(&server).unsealed == 0);
    let seqs = of_action(&server, "test.happened").iter().map(|event| event.seq).collect();
    (server, seqs)
}

fn number_of(server: &Server, seq: i64) -> i64 {
    events(server, Default::default()).iter().find(|event| event.seq == seq).unwrap().number.unwrap()
}

fn kinds(findings: &[Finding]) -> Vec<(FindingKind, Option<i64>, Option<i64>)> {
    findings.iter().map(|finding| (finding.kind, finding.number, finding.seq)).collect()
}

#[rstest]
fn an_event_is_sealed_within_a_second_of_its_change(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    within(SOON, || verify(&server).unsealed == 0);
    let before = verify(&server);
    assert!(before.checked > 0 && before.findings.is_empty(), "{before:?}");
    server.confidential_client().grants(["client_credentials"]).create();
    within(SOON, || verify(&server).unsealed == 0);
    let after = verify(&server);
    assert!(after.last > before.last && after.findings.is_empty(), "{after:?}");
    let numbers: Vec<i64> = events(&server, Default::default()).iter().map(|event| event.number.unwrap()).collect();
    assert_eq!(numbers, (1..=after.last).collect::<Vec<_>>());
}

#[rstest]
fn an_edited_event_is_named_and_no_other(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let (server, seqs) = with_twenty(db);
    let (edited, number) = (seqs[7], number_of(&server, seqs[7]));
    let mut intruder = intruder(&server);
    for change in ["details = 'nothing'", "actor_id = 'somebody'", "occurred_at = 0", "ip = ''", "seal = ''"] {
        let undo = events(&server, Default::default()).into_iter().find(|event| event.seq == edited).unwrap();
        execute(&mut intruder, &format!("UPDATE audit_events SET {change} WHERE seq = {edited}")).unwrap();
        let findings = verify(&server).findings;
        assert_eq!(kinds(&findings), [(FindingKind::Edited, Some(number), Some(edited))], "{change}");
        assert!(findings[0].message.contains(&format!("the event {edited} ")), "{findings:?}");
        let back = format!(
            "details = '{}', actor_id = '{}', occurred_at = {}, ip = NULL, seal = '{}'",
            undo.details,
            undo.actor_id,
            undo.occurred_at,
            undo.seal.unwrap()
        );
        execute(&mut intruder, &format!("UPDATE audit_events SET {back} WHERE seq = {edited}")).unwrap();
        assert!(verify(&server).findings.is_empty(), "as it was");
    }
}

#[rstest]
fn two_events_that_changed_places_are_named(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let (server, seqs) = with_twenty(db);
    let mut intruder = intruder(&server);
    let (one, other) = (number_of(&server, seqs[3]), number_of(&server, seqs[4]));
    execute(&mut intruder, &format!("UPDATE audit_events SET number = {other} WHERE seq = {}", seqs[3])).unwrap();
    execute(&mut intruder, &format!("UPDATE audit_events SET number = {one} WHERE seq = {}", seqs[4])).unwrap();
    let named: Vec<_> = verify(&server).findings.into_iter().map(|finding| (finding.kind, finding.seq)).collect();
    assert!(named.contains(&(FindingKind::Edited, Some(seqs[3]))), "{named:?}");
    assert!(named.contains(&(FindingKind::Edited, Some(seqs[4]))), "{named:?}");
}

#[rstest]
fn a_removed_event_is_named_wherever_it_stood(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let (server, seqs) = with_twenty(db);
    let mut intruder = intruder(&server);
    let number = number_of(&server, seqs[7]);
    execute(&mut intruder, &format!("DELETE FROM audit_events WHERE seq = {}", seqs[7])).unwrap();
    let findings = verify(&server).findings;
    assert_eq!(kinds(&findings), [(FindingKind::Removed, Some(number), None)]);
    let between = format!("between the events {} and {}", seqs[6], seqs[8]);
    assert!(findings[0].message.contains(&between), "{findings:?}");

    // The newest, which nothing follows, and the very first.
    let last = verify(&server).last;
    execute(&mut intruder, &format!("DELETE FROM audit_events WHERE number = {last} OR number = 1")).unwrap();
    let numbers: Vec<_> = verify(&server).findings.iter().map(|finding| finding.number.unwrap()).collect();
    assert_eq!(numbers, [1, number, last]);

    // One that is unsealed by hand gets a new place, and its old one is missed.
    let moved = number_of(&server, seqs[2]);
    execute(&mut intruder, &format!("UPDATE audit_events SET number = NULL WHERE seq = {}", seqs[2])).unwrap();
    within(SOON, || verify(&server).unsealed == 0);
    assert!(verify(&server).findings.iter().any(|finding| finding.number == Some(moved)), "{moved}");
}

#[rstest]
fn an_inserted_event_is_named(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let (server, seqs) = with_twenty(db);
    let mut intruder = intruder(&server);
    let last = verify(&server).last;
    let columns = "occurred_at, actor_kind, actor_id, action, target_kind, target_id, result, details, seal, link";
    for (seq, number) in
        [(900_001, format!("{}", last - 3)), (900_002, format!("{}", last + 1000)), (900_003, "0".to_owned())]
    {
        let copy = format!(
            "INSERT INTO audit_events (seq, number, {columns}) SELECT {seq}, {number}, {columns} FROM audit_events \
             WHERE seq = {}",
            seqs[5]
        );
        execute(&mut intruder, &copy).unwrap();
        let findings = verify(&server).findings;
        let expected = [(FindingKind::Inserted, Some(number.parse().unwrap()), Some(seq))];
        assert_eq!(kinds(&findings), expected, "{findings:?}");
        execute(&mut intruder, &format!("DELETE FROM audit_events WHERE seq = {seq}")).unwrap();
    }
    assert!(verify(&server).findings.is_empty());
}

#[rstest]
fn the_ends_are_sealed_too_and_nothing_is_sealed_upon_false_ones(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let (server, _) = with_twenty(db);
    let mut intruder = intruder(&server);
    let last = verify(&server).last;
    // The tail is cut off and the record of the ends made to fit.
    execute(&mut intruder, &format!("DELETE FROM audit_events WHERE number = {last}")).unwrap();
    execute(
        &mut intruder,
        &format!(
            "UPDATE audit_chain SET number = {}, link = (SELECT link FROM audit_events WHERE number = {})",
            last - 1,
            last - 1
        ),
    )
    .unwrap();
    assert_eq!(verify(&server).findings[0].kind, FindingKind::Ends);
    let now = server.clock.now();
    server.run(async |context, _| {
        record(&context.store, "after".to_owned(), now).await.unwrap();
        assert!(grantor::audit::seal(&context.store, &context.data_keys.audit).await.is_err());
    });
    execute(&mut intruder, "DELETE FROM audit_chain").unwrap();
    assert_eq!(verify(&server).findings[0].kind, FindingKind::Ends);
    server.run(async |context, _| {
        assert!(grantor::audit::seal(&context.store, &context.data_keys.audit).await.is_err());
    });
}

#[rstest]
fn two_nodes_that_seal_at_once_keep_one_chain(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let other = server.second_node();
    let now = server.clock.now();
    std::thread::scope(|scope| {
        for (number, node) in [&server, &other, &server, &other].into_iter().enumerate() {
            scope.spawn(move || {
                node.run(async |context, _| {
                    for n in 0..50 {
                        record(&context.store, format!("{number} {n}"), now).await.unwrap();
                        grantor::audit::seal(&context.store, &context.data_keys.audit).await.unwrap();
                    }
                });
            });
        }
    });
    within(SOON, || verify(&server).unsealed == 0);
    let verdict = verify(&other);
    assert!(verdict.findings.is_empty(), "{:?}", verdict.findings);
    assert_eq!(of_action(&server, "test.happened").len(), 200);
    assert_eq!(i64::try_from(events(&server, Default::default()).len()).unwrap(), verdict.checked);
}

#[rstest]
fn an_event_that_becomes_visible_late_is_chained_late(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let (server, seqs) = with_twenty(db);
    let before = verify(&server);
    // As a transaction that took its number early and committed after the others were sealed.
    execute(
        &mut intruder(&server),
        "INSERT INTO audit_events (seq, occurred_at, actor_kind, actor_id, action, target_kind, target_id, result, \
         details) VALUES (-5, 1, 'system', 'server', 'test.late', 'test', 'x', 'ok', '')",
    )
    .unwrap();
    within(SOON, || verify(&server).unsealed == 0);
    let after = verify(&server);
    assert!(after.findings.is_empty(), "{:?}", after.findings);
    assert!(seqs[0] > -5 && number_of(&server, seqs[0]) < before.last + 1);
    assert_eq!(after.last, before.last + 1);
}

#[rstest]
fn pruning_leaves_an_anchor_that_verifies(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("audit.retention_days", 30).start();
    let now = server.clock.now();
    server.run(async |context, _| {
        for n in 0..1200 {
            record(&context.store, format!("{n}"), now).await.unwrap();
        }
    });
    within(SOON * 3, || verify(&server).unsealed == 0);
    let before = verify(&server).last;
    server.clock.advance(31 * DAY);
    let client = server.confidential_client().create();
    within(SOON, || verify(&server).unsealed == 0);
    server.run(async |context, _| maintenance::round(context).await.unwrap());

    assert!(of_action(&server, "test.happened").is_empty());
    assert!(events(&server, Default::default()).iter().any(|event| event.target_id == client.id));
    assert!(!of_action(&server, "audit.pruned").is_empty(), "the pruning itself is an event");
    within(SOON, || verify(&server).unsealed == 0);
    let verdict = verify(&server);
    assert!(verdict.findings.is_empty(), "{:?}", verdict.findings);
    assert!(verdict.first > before, "{verdict:?}");

    // What stood right behind the anchor is missed as anything else.
    let first = verdict.first;
    execute(&mut intruder(&server), &format!("DELETE FROM audit_events WHERE number = {first}")).unwrap();
    assert_eq!(kinds(&verify(&server).findings), [(FindingKind::Removed, Some(first), None)]);
}

#[rstest]
fn what_was_touched_is_not_pruned_away(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let (server, seqs) = with_twenty(db);
    execute(&mut intruder(&server), &format!("UPDATE audit_events SET details = 'x' WHERE seq = {}", seqs[4])).unwrap();
    server.clock.advance(401 * DAY);
    server.run(async |context, _| {
        let now = context.clock.now();
        let key = &context.data_keys.audit;
        assert!(grantor::audit::prune(&context.store, key, now.plus_seconds(-400 * DAY), now, 200).await.is_err());
    });
    assert_eq!(verify(&server).findings[0].seq, Some(seqs[4]));
    assert_eq!(of_action(&server, "test.happened").len(), 20);
}
