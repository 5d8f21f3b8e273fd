//! SQLite: reads on the calling thread, writes by one thread that commits what has queued up at once.
//!
//! Group commit: `fdatasync` is the price of a commit, so one commit serves every write that waits. One that fails
//! takes nothing of the others with it; no caller hears of success before the commit. Longer than most files: what a
//! batch, a failure in it and the answers after it are must be read together.

use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager, TransactionManagerStatus};
use diesel::{Connection, SqliteConnection};
use tokio::sync::oneshot;

use crate::config::DatabaseUrl;
use crate::sabotage::{self, Defect};
use crate::store::connection::{Db, Use, open};
use crate::store::error::StoreError;
use crate::store::figures::StoreFigures;

/// Writes that one commit may serve.
const LARGEST_BATCH: usize = 256;

/// Writes that may wait; beyond it the disk is too slow for what is asked of it.
const LONGEST_QUEUE: usize = 4096;

/// How often the writer lets others run before it takes what has queued up: after one it may be given the core back
/// before the next write has come.
const STEPS_ASIDE: usize = 2;

/// Size of the write-ahead log at which a checkpoint is worth its time, in bytes (16,000 pages of 4 KiB).
const CHECKPOINT_AT: u64 = 16_000 * 4096;

thread_local! {
    static READERS: RefCell<HashMap<PathBuf, Db>> = RefCell::new(HashMap::new());
}

/// Runs a read on this thread's own connection. An `Unavailable` closes it: the next read opens a new one.
pub(crate) fn with_reader<T>(
    url: &DatabaseUrl,
    read: impl Fn(&mut Db) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let DatabaseUrl::Sqlite(path) = url else {
        return Err(StoreError::Bug("a reader of SQLite was asked for another database".to_owned()));
    };
    READERS.with_borrow_mut(|readers| {
        if !readers.contains_key(path) {
            readers.insert(path.clone(), open(url, Use::Read, 0)?);
        }
        let Some(db) = readers.get_mut(path) else {
            return Err(StoreError::Bug("a reader vanished".to_owned()));
        };
        let answer = read(db);
        if matches!(answer, Err(StoreError::Unavailable(_))) {
            readers.remove(path);
        }
        answer
    })
}

/// A write that waits for the writer thread.
trait Job: Send {
    /// Runs inside the batch's transaction. `false`: it failed, and what it did must be undone.
    fn run(&mut self, db: &mut Db, isolation: Isolation) -> bool;
    /// Tells the caller how it ended, after the batch has.
    fn answer(self: Box<Self>, batch: Result<(), &str>);
}

/// What a write that fails takes with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Isolation {
    /// The batch, which is then run again with savepoints.
    Shared,
    /// Nothing but itself.
    Savepoint,
}

struct Write<T, F> {
    closure: F,
    outcome: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: Fn(&mut Db) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, db: &mut Db, isolation: Isolation) -> bool {
        // The caller has been told 503: nothing may be spent behind their back.
        if self.caller.is_closed() {
            return true;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| match isolation {
            Isolation::Shared => (self.closure)(db),
            Isolation::Savepoint => db.transaction(|db| (self.closure)(db)),
        }))
        .unwrap_or_else(|_| Err(StoreError::Bug("a write panicked".to_owned())));
        let succeeded = outcome.is_ok();
        self.outcome = Some(outcome);
        succeeded
    }

    fn answer(self: Box<Self>, batch: Result<(), &str>) {
        let answer = match (batch, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            // A refusal needs no commit to be true.
            (Err(_), Some(Err(error @ StoreError::Conflict(_)))) => Err(error),
            (Err(_), Some(Ok(value))) if sabotage::is(Defect::SwallowedFailure) => Ok(value),
            (Err(cause), _) => Err(StoreError::Unavailable(cause.to_owned())),
            (Ok(()), None) => Err(StoreError::Bug("a write did not run".to_owned())),
        };
        // The caller may have given up at its deadline.
        let _ = self.caller.send(answer);
    }
}

#[derive(Default)]
struct Counters {
    batches: AtomicU64,
    writes: AtomicU64,
    queued: AtomicUsize,
    busy: AtomicUsize,
}

/// The hand that writes to one SQLite file.
pub(crate) struct Writer {
    jobs: Mutex<Option<Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
    counters: Arc<Counters>,
}

impl Writer {
    /// Opens the file and starts the writer and the checkpointer.
    pub(crate) fn start(url: DatabaseUrl) -> Result<Self, StoreError> {
        let first = open_writer(&url)?;
        let (sender, receiver) = channel();
        let counters = Arc::new(Counters::default());
        let (stop, stopped) = channel();
        spawn("grantor-checkpoint", {
            let url = url.clone();
            move || checkpoint_until(&url, &stopped)
        })?;
        let thread = spawn("grantor-writer", {
            let counters = Arc::clone(&counters);
            move || {
                write_until_closed(&url, first, &receiver, &counters);
                drop(stop);
            }
        })?;
        Ok(Self { jobs: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)), counters })
    }

    /// Queues a write and waits for its commit.
    pub(crate) async fn run<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Db) -> Result<T, StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let stopped = || StoreError::Unavailable("the writer has stopped".to_owned());
        {
            let jobs = self.jobs.lock().map_err(|_| stopped())?;
            let sender = jobs.as_ref().ok_or_else(stopped)?;
            if self.counters.queued.load(Ordering::Relaxed) >= LONGEST_QUEUE {
                return Err(StoreError::Unavailable("too many writes wait for the database".to_owned()));
            }
            self.counters.queued.fetch_add(1, Ordering::Relaxed);
            sender.send(Box::new(Write { closure: write, outcome: None, caller })).map_err(|_| stopped())?;
        }
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    pub(crate) fn figures(&self) -> StoreFigures {
        StoreFigures {
            reads: 0,
            batches: self.counters.batches.load(Ordering::Relaxed),
            writes: self.counters.writes.load(Ordering::Relaxed),
            busy_connections: self.counters.busy.load(Ordering::Relaxed),
            queued: self.counters.queued.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Closing the queue ends the thread once it has answered every caller.
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
        if let Some(thread) = self.thread.lock().ok().and_then(|mut thread| thread.take()) {
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, StoreError> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|cause| StoreError::Unavailable(format!("cannot start the thread {name}: {cause}")))
}

fn open_writer(url: &DatabaseUrl) -> Result<SqliteConnection, StoreError> {
    match open(url, Use::Write, 0)? {
        Db::Sqlite(connection) => Ok(connection),
        Db::Postgres(_) => Err(StoreError::Bug("the writer of SQLite was given another database".to_owned())),
    }
}

/// Lets others bring further writes first. The first write wakes this thread, which on a busy core takes the place of the
/// worker that is about to bring the next ones: it would commit one alone, and then the fifteen that queued up meanwhile
/// (`docs/benchmarks.md`, *What stepping aside is worth*). On an idle core this takes a microsecond; where something else
/// computes on this one, a time slice of it each.
fn step_aside() {
    for _ in 0..STEPS_ASIDE {
        thread::yield_now();
    }
}

fn write_until_closed(
    url: &DatabaseUrl,
    first: SqliteConnection,
    receiver: &Receiver<Box<dyn Job>>,
    counters: &Counters,
) {
    let mut db = Some(Db::Sqlite(first));
    while let Ok(job) = receiver.recv() {
        step_aside();
        let mut batch = vec![job];
        batch.extend(receiver.try_iter().take(LARGEST_BATCH - 1));
        counters.queued.fetch_sub(batch.len(), Ordering::Relaxed);
        counters.busy.store(1, Ordering::Relaxed);
        let connection = match db.take() {
            Some(open) => Ok(open),
            None => open_writer(url).map(Db::Sqlite),
        };
        let ended = match connection {
            Ok(mut open) => {
                let ended = commit_batch(&mut open, &mut batch);
                // After a failure the connection's transaction cannot be trusted: it is opened anew.
                if ended.is_ok() {
                    db = Some(open);
                }
                ended
            }
            Err(error) => Err(error.to_string()),
        };
        if ended.is_ok() {
            counters.batches.fetch_add(1, Ordering::Relaxed);
            counters.writes.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
        counters.busy.store(0, Ordering::Relaxed);
        for job in batch {
            job.answer(ended.as_ref().map_err(String::as_str).copied());
        }
    }
}

/// Runs every job in one transaction and commits. On `Err` nothing of the batch is on disk.
///
/// A savepoint costs as much as a small write (SQLite copies every page that is touched in it), and hardly a write
/// fails: so the batch is tried without, and where one fails it is undone and run again, each write in a savepoint.
/// Closures are `Fn` and touch nothing but the database, since PostgreSQL may run them twice too.
fn commit_batch(db: &mut Db, batch: &mut [Box<dyn Job>]) -> Result<(), String> {
    if sabotage::is(Defect::AnswerBeforeCommit) && still_in_transaction(db) {
        commit(db)?;
    }
    begin_immediate(db)?;
    if batch.iter_mut().all(|job| job.run(db, Isolation::Shared)) {
        // The next batch commits it, if there is one.
        return if sabotage::is(Defect::AnswerBeforeCommit) { Ok(()) } else { commit(db) };
    }
    match db {
        Db::Sqlite(connection) => AnsiTransactionManager::rollback_transaction(connection)
            .map_err(|error| format!("a write failed, and its batch could not be undone: {error}"))?,
        Db::Postgres(_) => return Err("not SQLite".to_owned()),
    }
    // Alone it took nobody with it: its caller hears why it failed.
    if batch.len() == 1 {
        return Ok(());
    }
    begin_immediate(db)?;
    for job in batch {
        if job.run(db, Isolation::Savepoint) {
            continue;
        }
        // A full disk, an I/O error or a panic ends the whole transaction in SQLite, and the next savepoint
        // would silently become a transaction that commits by itself. So a failed write is followed by proof
        // that the batch's transaction is still open.
        if !still_in_transaction(db) {
            return Err("a write ended the transaction of its batch; nothing of it was stored".to_owned());
        }
    }
    commit(db)
}

fn commit(db: &mut Db) -> Result<(), String> {
    match db {
        Db::Sqlite(connection) => AnsiTransactionManager::commit_transaction(connection)
            .map_err(|error| format!("the commit failed: {error}")),
        Db::Postgres(_) => Err("not SQLite".to_owned()),
    }
}

fn begin_immediate(db: &mut Db) -> Result<(), String> {
    match db {
        Db::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")
            .map_err(|error| format!("the database cannot be written to: {error}")),
        Db::Postgres(_) => Err("not SQLite".to_owned()),
    }
}

/// Whether both Diesel and SQLite hold the batch's transaction open, and no savepoint in it.
fn still_in_transaction(db: &mut Db) -> bool {
    let Db::Sqlite(connection) = db else { return false };
    let depth = match AnsiTransactionManager::transaction_manager_status_mut(connection) {
        TransactionManagerStatus::Valid(status) => status.transaction_depth().map(std::num::NonZeroU32::get),
        TransactionManagerStatus::InError => None,
    };
    // SQLite refuses to begin a transaction inside one: the refusal is the proof.
    depth == Some(1) && connection.batch_execute("BEGIN").is_err()
}

fn checkpoint_until(url: &DatabaseUrl, stopped: &Receiver<()>) {
    let DatabaseUrl::Sqlite(path) = url else { return };
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let mut connection: Option<SqliteConnection> = None;
    while stopped.recv_timeout(Duration::from_millis(500)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
        if std::fs::metadata(&log).map_or(0, |file| file.len()) < CHECKPOINT_AT {
            continue;
        }
        connection = connection.or_else(|| open_writer(url).ok());
        // PASSIVE waits for nobody; the log is written from its start again once all of it is in the file.
        let done = connection.as_mut().map(|open| open.batch_execute("PRAGMA wal_checkpoint(PASSIVE);"));
        if let Some(Err(error)) = done {
            tracing::warn!(%error, "a checkpoint of the write-ahead log failed");
            connection = None;
        }
    }
}
