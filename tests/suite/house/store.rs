//! The store: writes that share a commit, and what each caller is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use futures_util::future::join_all;
use grantor::store::{Db, Store, StoreError};
use rstest::rstest;
use tempfile::TempDir;

use crate::harness::{Database, Server, fresh_postgres_url, missing};

/// Runs statements of a test's own.
pub fn execute(db: &mut Db, statements: &str) -> Result<(), StoreError> {
    match db {
        Db::Sqlite(connection) => connection.batch_execute(statements)?,
        Db::Postgres(connection) => connection.batch_execute(statements)?,
    }
    Ok(())
}

/// The rows of a table.
pub fn count(server: &Server, table: &'static str) -> i64 {
    let read = server.run(async |context, _| {
        let counted = context.store.read(move |db| {
            let query = diesel::sql_query(format!("SELECT count(*) AS n FROM {table}"));
            Ok(match db {
                Db::Sqlite(connection) => query.get_result::<Number>(connection)?,
                Db::Postgres(connection) => query.get_result::<Number>(connection)?,
            })
        });
        counted.await
    });
    read.unwrap().n
}

/// The settings of a new, empty database.
pub fn settings(database: Database, folder: &TempDir) -> grantor::config::Database {
    let postgres = || {
        fresh_postgres_url().unwrap_or_else(|| {
            missing("PostgreSQL");
            format!("sqlite://{}", folder.path().join("instead.db").display())
        })
    };
    let url = match database {
        Database::Sqlite => format!("sqlite://{}", folder.path().join("grantor.db").display()),
        Database::Postgres => postgres(),
    };
    let environment =
        [("GRANTOR__ENVIRONMENT".to_owned(), "test".to_owned()), ("GRANTOR__DATABASE__URL".to_owned(), url)];
    let file = folder.path().join("test.toml");
    std::fs::write(&file, "").unwrap();
    let options =
        grantor::config::LoadOptions { config_file: Some(file), environment: environment.into(), ..Default::default() };
    grantor::config::load(&options).expect("a good configuration").database
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The rows of the table `facts`.
pub fn facts(db: &mut Db) -> Vec<i64> {
    let query = diesel::sql_query("SELECT n FROM facts ORDER BY n");
    let rows: Vec<Number> = match db {
        Db::Sqlite(connection) => query.load(connection).unwrap(),
        Db::Postgres(connection) => query.load(connection).unwrap(),
    };
    rows.into_iter().map(|row| row.n).collect()
}

/// Runs so many writes at once, all of them queued before the first may end: on SQLite they share one batch.
/// Answers what each was told.
pub async fn at_once<F>(store: &Store, count: i64, write: F) -> Vec<Result<i64, StoreError>>
where
    F: Fn(&mut Db, i64) -> Result<(), StoreError> + Clone + Send + 'static,
{
    let queued = Arc::new(AtomicBool::new(false));
    let writes: Vec<_> = (0..count)
        .map(|n| {
            let (store, write, queued) = (store.clone(), write.clone(), Arc::clone(&queued));
            tokio::spawn(async move {
                store
                    .write(move |db| {
                        while !queued.load(Ordering::Acquire) {
                            std::thread::yield_now();
                        }
                        write(db, n).map(|()| n)
                    })
                    .await
            })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    queued.store(true, Ordering::Release);
    join_all(writes).await.into_iter().map(Result::unwrap).collect()
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn insert(db: &mut Db, n: i64) -> Result<(), StoreError> {
    execute(db, &format!("INSERT INTO facts (n) VALUES ({n})"))
}

async fn opened(database: Database, folder: &TempDir) -> (grantor::config::Database, Store) {
    let settings = settings(database, folder);
    let store = Store::open(&settings).unwrap();
    store.write(|db| execute(db, "CREATE TABLE facts (n BIGINT PRIMARY KEY)")).await.unwrap();
    (settings, store)
}

/// What callers were told is what a connection of its own sees.
#[track_caller]
fn told_the_truth(settings: &grantor::config::Database, told: &[Result<i64, StoreError>]) {
    let stored = facts(&mut Store::connect(settings).unwrap());
    let ok: Vec<i64> = told.iter().filter_map(|told| told.as_ref().ok().copied()).collect();
    assert_eq!(stored, ok);
}

#[rstest]
fn a_write_that_answers_err_changes_nothing_and_harms_nobody_else_in_its_batch(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let (settings, store) = opened(db, &folder).await;
        let before = store.figures().batches;
        let told = at_once(&store, 60, |db, n| {
            insert(db, n)?;
            if n % 3 == 1 { Err(StoreError::Conflict("no".to_owned())) } else { Ok(()) }
        })
        .await;
        assert_eq!(told.iter().filter(|told| told.is_ok()).count(), 40);
        told_the_truth(&settings, &told);
        if db == Database::Sqlite {
            assert!(store.figures().batches - before <= 2, "the writes shared a commit");
        }
    });
}

#[rstest]
fn a_write_that_panics_is_not_stored_and_nobody_else_is_told_a_lie(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let (settings, store) = opened(db, &folder).await;
        let told = at_once(&store, 30, |db, n| {
            insert(db, n)?;
            assert!(n != 7, "a panic of the test's own");
            Ok(())
        })
        .await;
        assert!(matches!(told[7], Err(StoreError::Unavailable(_) | StoreError::Bug(_))), "{:?}", told[7]);
        for (n, told) in told.iter().enumerate().filter(|(n, _)| *n != 7) {
            assert!(matches!(told, Ok(_) | Err(StoreError::Unavailable(_))), "{n}: {told:?}");
        }
        told_the_truth(&settings, &told);
        store.write(|db| insert(db, 1000)).await.expect("the store goes on");
        store.read(|db| Ok(facts(db))).await.expect("reads go on");
    });
}

#[rstest]
fn a_write_whose_statement_is_refused_leaves_nothing_of_its_own(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let (settings, store) = opened(db, &folder).await;
        let told = at_once(&store, 20, |db, n| {
            insert(db, n)?;
            // The second statement of every other write meets a row that is there already.
            if n % 2 == 1 { insert(db, n) } else { Ok(()) }
        })
        .await;
        for (n, told) in told.iter().enumerate() {
            assert_eq!(matches!(told, Err(StoreError::Conflict(_))), n % 2 == 1, "{n}: {told:?}");
        }
        told_the_truth(&settings, &told);
    });
}

#[rstest]
fn a_lost_compare_and_swap_is_an_answer_and_not_a_wait(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let (_, store) = opened(db, &folder).await;
        store.write(|db| insert(db, 0)).await.unwrap();
        let told = at_once(&store, 50, |db, _| {
            let statement = diesel::sql_query("UPDATE facts SET n = n + 1 WHERE n = 0");
            let changed = match db {
                Db::Sqlite(connection) => statement.execute(connection)?,
                Db::Postgres(connection) => statement.execute(connection)?,
            };
            if changed == 1 { Ok(()) } else { Err(StoreError::Conflict("lost".to_owned())) }
        })
        .await;
        assert_eq!(told.iter().filter(|told| told.is_ok()).count(), 1, "{told:?}");
        assert!(told.iter().all(|told| matches!(told, Ok(_) | Err(StoreError::Conflict(_)))), "{told:?}");
    });
}
