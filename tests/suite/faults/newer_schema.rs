//! An old program on the schema of a newer one: it says so in one line, ends, and has changed nothing.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::Text;
use grantor::sabotage::Defect;
use grantor::store::{Db, Store};
use rstest::rstest;

use crate::faults::is_caught;
use crate::harness::{Database, Installation, agent};
use crate::house::migrations::installation_settings;
use crate::house::store::execute;

#[derive(QueryableByName)]
struct Trace {
    #[diesel(sql_type = Text)]
    trace: String,
}

/// What every start and every change leaves behind.
fn trace(db: &mut Db) -> String {
    let query = diesel::sql_query(
        "SELECT (SELECT max(version) FROM __diesel_schema_migrations) \
         || ', ' || (SELECT count(*) FROM __diesel_schema_migrations) || ' versions, change ' || (SELECT changes FROM instance) \
         || ', swept ' || (SELECT finished_at FROM sweeper) || ' until ' || (SELECT leased_until FROM sweeper) \
         || ', ' || (SELECT count(*) FROM audit_events) || ' events, ' || (SELECT count(number) FROM audit_events) || ' sealed' \
         AS trace",
    );
    let found: Trace = match db {
        Db::Sqlite(connection) => query.get_result(connection).unwrap(),
        Db::Postgres(connection) => query.get_result(connection).unwrap(),
    };
    found.trace
}

fn trial(db: Database, defect: Option<Defect>) {
    let mut node = Installation::new(db);
    node.json(&["init"]);
    if let Some(defect) = defect {
        node.sabotage(defect);
    }
    let mut connection = Store::connect(&installation_settings(&node)).unwrap();
    execute(&mut connection, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')").unwrap();
    let before = trace(&mut connection);
    assert!(before.starts_with("29991231000000, "), "{before}");

    node.spawn();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = node.has_ended() {
            break status;
        }
        let ready = agent().get(format!("{}/health/ready", node.base())).call();
        assert!(!ready.is_ok_and(|answer| answer.status() == 200), "it runs on a schema that it does not know");
        assert!(started.elapsed() < Duration::from_secs(10), "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    };

    assert_eq!(status, Some(1));
    let said = node.log();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("(29991231000000) is newer than this grantor knows"), "{said}");
    assert!(said.contains("run the newer grantor"), "{said}");
    assert_eq!(trace(&mut connection), before);
    // Commands refuse as well.
    let listed = node.run(&["client", "list"]);
    assert_eq!(listed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&listed.stderr).contains("is newer than this grantor knows"));
    assert_eq!(trace(&mut connection), before);
}

#[rstest]
fn a_server_refuses_to_start_on_a_newer_schema_in_one_line_and_changes_nothing(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    trial(db, None);
}

#[rstest]
fn a_server_that_takes_any_schema_is_found(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    is_caught(Defect::AnySchema, &["it runs on a schema that it does not know"], |defect| trial(db, defect));
}
