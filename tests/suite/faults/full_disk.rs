//! A disk that is full in the middle of a batch, and a file that cannot be written (SQLite). `max_page_count` is the disk's size here: SQLite answers
//! the same SQLITE_FULL.

use std::sync::atomic::{AtomicBool, Ordering};

use grantor::store::{Db, Store, StoreError};

use crate::harness::{Database, Server};
use crate::house::store::{at_once, execute, facts, runtime, settings};

/// No more pages than there are now, and `further`.
fn fill(db: &mut Db, further: i64) -> Result<(), StoreError> {
    use diesel::prelude::*;
    #[derive(diesel::QueryableByName)]
    struct Pages {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        page_count: i64,
    }
    let Db::Sqlite(connection) = db else { return Ok(()) };
    let pages: Pages = diesel::sql_query("PRAGMA page_count").get_result(connection)?;
    execute(db, &format!("PRAGMA max_page_count = {}", pages.page_count + further))
}

/// A row of three pages.
fn insert(db: &mut Db, n: i64) -> Result<(), StoreError> {
    execute(db, &format!("INSERT INTO facts (n, filling) VALUES ({n}, zeroblob(10000))"))
}

#[test]
fn a_disk_that_fills_up_in_a_batch_makes_no_answer_a_lie_and_no_write_commits_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let settings = settings(Database::Sqlite, &folder);
        let store = Store::open(&settings).unwrap();
        store.write(|db| execute(db, "CREATE TABLE facts (n BIGINT PRIMARY KEY, filling BLOB)")).await.unwrap();
        let mut stored = Vec::new();
        let (mut broken, mut recovered) = (0, 0);
        // The disk fills up at every place of the batch.
        for round in 0..30_i64 {
            let told = at_once(&store, 40, move |db, n| {
                if n == round {
                    fill(db, round % 5)?;
                }
                insert(db, round * 1000 + n)?;
                // A small write beside the large one: it would fit, and must not stand alone.
                execute(db, &format!("INSERT INTO facts (n) VALUES ({})", 1_000_000 + round * 1000 + n))
            })
            .await;
            let ok: Vec<i64> = told.iter().filter_map(|told| told.as_ref().ok().copied()).collect();
            for told in told.iter().filter_map(|told| told.as_ref().err()) {
                assert!(matches!(told, StoreError::Unavailable(_)), "{told:?}");
                broken += 1;
            }
            stored.extend(ok.iter().flat_map(|n| [round * 1000 + n, 1_000_000 + round * 1000 + n]));
            stored.sort_unstable();
            assert_eq!(facts(&mut Store::connect(&settings).unwrap()), stored, "round {round}");
            // Space is back with the next connection, which a broken batch asks for.
            let lifted = store
                .write(move |db| {
                    execute(db, "PRAGMA max_page_count = 1000000")?;
                    insert(db, 9_000_000 + round)
                })
                .await;
            lifted.expect("the writer recovers");
            stored.push(9_000_000 + round);
            recovered += 1;
        }
        assert_eq!(recovered, 30);
        assert!(broken > 30, "the disk was full: {broken}");
        println!("30 full disks, {broken} writes told so, {} rows as told", stored.len());
    });
}

#[test]
fn while_nothing_can_be_written_nothing_is_issued_or_revoked_and_reads_go_on() {
    let server = Server::with(Database::Sqlite).set("refresh.reuse_window", 0).start();
    let client = server.confidential_client().grants(["password", "refresh_token"]).may_introspect().create();
    let user = server.api_user().create();
    let tokens = client.password_grant(&user).ok();
    let other = client.password_grant(&user).ok();
    let held = AtomicBool::new(true);
    std::thread::scope(|scope| {
        // A connection of its own keeps the write lock, so that no write of the server can be made.
        let (server, held) = (&server, &held);
        let holder = scope.spawn(move || {
            let mut db = Store::connect(&server.config().database).unwrap();
            execute(&mut db, "BEGIN IMMEDIATE").unwrap();
            while held.load(Ordering::Acquire) {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            execute(&mut db, "ROLLBACK").unwrap();
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        let writes = [
            scope.spawn(|| client.refresh(&tokens.refresh_token())),
            scope.spawn(|| client.revoke(&other.refresh_token())),
            scope.spawn(|| client.revoke(&other.access_token())),
            scope.spawn(|| client.password_grant(&user)),
        ];
        // Reads never wait for the writer.
        let asked = std::time::Instant::now();
        assert_eq!(client.introspect(&tokens.access_token()).ok().json()["active"], true);
        assert_eq!(client.introspect(&tokens.refresh_token()).ok().json()["active"], true);
        assert!(asked.elapsed() < std::time::Duration::from_secs(2));
        for write in writes {
            let answer = write.join().unwrap();
            assert_eq!(answer.status, 503, "{answer:?}");
            answer.is_refused("temporarily_unavailable");
            assert!(answer.header("retry-after").parse::<u64>().is_ok(), "{answer:?}");
        }
        held.store(false, Ordering::Release);
        holder.join().unwrap();
    });
    // A write whose caller gave up may still be made: a 503 says that nobody knows.
    crate::house::registry::within(std::time::Duration::from_secs(10), || client.password_grant(&user).status == 200);
}
