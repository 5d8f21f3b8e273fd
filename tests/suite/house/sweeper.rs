//! The sweeper: what nothing needs any more goes, in batches, by one node at a time.

use grantor::admin::sweeper;
use grantor::store::sweeper as turns;
use rstest::rstest;

use super::registry::within;
use super::store::{count, execute};
use crate::harness::{Answer, Database, Server, agent};

const DAY: i64 = 86_400;

/// Rows `from` to `to` of a table, from a template in which `{n}` is the row's number.
fn insert(server: &Server, table: &str, numbers: std::ops::Range<i64>, row: &str) {
    let rows: Vec<String> = numbers.map(|n| format!("({})", row.replace("{n}", &n.to_string()))).collect();
    let statement = format!("INSERT INTO {table} VALUES {}", rows.join(", "));
    server.run(async |context, _| context.store.write(move |db| execute(db, &statement)).await).unwrap();
}

/// A server whose own first round is over.
fn settled(server: Server) -> Server {
    let last = || server.run(async |context, _| context.store.read(turns::last_round).await).unwrap();
    within(std::time::Duration::from_secs(5), || last().is_some());
    server
}

fn sweep(server: &Server) {
    server.run(async |context, _| sweeper::sweep(context).await).unwrap();
}

#[rstest]
fn more_rows_than_a_batch_go_and_those_that_are_needed_stay(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = settled(Server::with(db).set("retention.mail_days", 3).set("retention.usage_days", 2).start());
    let now = server.clock.now().micros();
    let ago = |days: i64| now - days * DAY * 1_000_000;
    let soon = now + 1_000_000_000;
    insert(&server, "denied_tokens", 0..450, &format!("'old-{{n}}', {}, 0", ago(1) - 1));
    insert(&server, "denied_tokens", 0..30, &format!("'new-{{n}}', {soon}, 0"));
    let message = |status: &str, at: i64| {
        format!("'{status}-{at}-{{n}}', 'verify', 'a@example.com', NULL, NULL, '', '{status}', 1, 0, NULL, {at}, NULL")
    };
    insert(&server, "mail_outbox", 0..210, &message("sent", ago(4)));
    insert(&server, "mail_outbox", 0..5, &message("sent", ago(2)));
    insert(&server, "mail_outbox", 0..5, &message("queued", ago(4)).replace("1, 0,", &format!("1, {soon},")));
    insert(&server, "remembered_posts", 0..3, &format!("'old-{{n}}', '', 200, '', {}", ago(2)));
    insert(&server, "remembered_posts", 0..2, &format!("'new-{{n}}', '', 200, '', {now}"));
    insert(&server, "usage_hours", 0..205, &format!("'client', 'c-{{n}}', {}, 1, 1, 1, NULL, NULL", ago(3)));
    insert(&server, "usage_details", 0..205, &format!("'client', 'c-{{n}}', {}, 'grant', 'password', 1", ago(3)));
    insert(&server, "usage_hours", 0..7, &format!("'client', 'c-{{n}}', {}, 1, 1, 1, NULL, NULL", ago(1)));

    sweep(&server);

    assert_eq!(count(&server, "denied_tokens"), 30);
    assert_eq!(count(&server, "mail_outbox"), 10);
    assert_eq!(count(&server, "remembered_posts"), 2);
    assert_eq!(count(&server, "usage_hours"), 7);
    assert_eq!(count(&server, "usage_details"), 0);
    let last = server.run(async |context, _| context.store.read(turns::last_round).await).unwrap().unwrap();
    assert!(last.finished_at.micros() >= now, "{last:?}");
    assert_eq!(last.dropped, 450 + 210 + 3 + 205 + 205);
    let page = Answer::of(agent().get(format!("{}/metrics", server.private_base())).call()).ok().body;
    for line in [
        r#"grantor_swept_rows_total{rows="denied tokens"} 450"#,
        r#"grantor_swept_rows_total{rows="messages"} 210"#,
        r#"grantor_swept_rows_total{rows="usage"} 410"#,
        "grantor_sweep_finished_timestamp_seconds 1",
    ] {
        assert!(page.contains(line), "no {line} in\n{page}");
    }
}

#[rstest]
fn one_node_sweeps_at_a_time_and_one_that_died_keeps_the_turn_for_a_minute(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = settled(Server::start(db));
    let now = server.clock.now();
    let expired = now.plus_seconds(-DAY).micros() - 1;
    insert(&server, "denied_tokens", 0..3, &format!("'old-{{n}}', {expired}, 0"));
    let hold = |holder: &'static str, seconds: i64| {
        let at = server.clock.now();
        server.run(async |context, _| context.store.write(move |db| turns::hold(db, holder, at, seconds)).await)
    };
    assert!(hold("another node", 60).unwrap());
    assert!(hold("another node", 60).unwrap(), "it goes on with its own turn");
    assert!(!hold("a third", 60).unwrap());
    sweep(&server);
    assert_eq!(count(&server, "denied_tokens"), 3);

    server.clock.advance(61);
    sweep(&server);
    assert_eq!(count(&server, "denied_tokens"), 0);
    assert!(hold("a third", 60).unwrap(), "a round that ended gives the turn back");
}

#[rstest]
fn a_turn_that_a_wrong_clock_took_far_ahead_keeps_nobody_waiting(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = settled(Server::start(db));
    let at = server.clock.now();
    let hold = |holder: &'static str, at: grantor::model::time::Timestamp| {
        server.run(async |context, _| context.store.write(move |db| turns::hold(db, holder, at, 60)).await).unwrap()
    };
    assert!(hold("of next year", at.plus_seconds(365 * DAY)));
    assert!(hold("of today", at));
}
