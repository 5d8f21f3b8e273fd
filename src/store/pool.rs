//! PostgreSQL: a pool of threads, each with a connection of its own.
//!
//! libpq blocks, and has no query time-out that Diesel can set: the caller's wait has its own deadline, and a
//! thread whose database does not answer is replaced, up to a cap.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use diesel::Connection;
use tokio::sync::oneshot;

use crate::config::DatabaseUrl;
use crate::store::connection::{Db, Use, open};
use crate::store::error::StoreError;
use crate::store::figures::StoreFigures;

/// Tries of a transaction that lost against another writer.
const TRIES: usize = 5;

/// Jobs that may wait; beyond it the database is too slow for what is asked of it.
const LONGEST_QUEUE: usize = 4096;

type Job = Box<dyn FnOnce(&mut Db) -> Health + Send>;

/// What a job learnt about its connection.
enum Health {
    Good,
    Broken,
}

/// Runs a write in a transaction; a serialization failure runs it again.
pub(crate) fn in_transaction<T>(
    db: &mut Db,
    write: &impl Fn(&mut Db) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    for _ in 1..TRIES {
        match db.transaction(|db| write(db)) {
            Err(StoreError::Serialization) => {}
            answer => return answer,
        }
    }
    match db.transaction(|db| write(db)) {
        Err(StoreError::Serialization) => Err(StoreError::Unavailable("too many writers at once".to_owned())),
        answer => answer,
    }
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    url: DatabaseUrl,
    deadline: Duration,
    size: usize,
    writes: AtomicU64,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    idle: usize,
    threads: usize,
    // When each busy thread took its job, by thread number.
    busy: Vec<(u64, Instant)>,
    given_up: Vec<u64>,
    next_number: u64,
    closed: bool,
}

/// The pool.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

impl Pool {
    /// Opens one connection, so that a wrong URL is heard at the start; the others follow with the need.
    pub(crate) fn start(url: DatabaseUrl, size: usize, deadline_ms: u64) -> Result<Self, StoreError> {
        let first = open(&url, Use::Write, deadline_ms)?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::default()),
            wake: Condvar::new(),
            url,
            deadline: Duration::from_millis(deadline_ms),
            size: size.max(1),
            writes: AtomicU64::new(0),
        });
        spawn_thread(&shared, &mut lock(&shared), Some(first))?;
        Ok(Self { shared })
    }

    /// Runs a job on a connection of the pool.
    pub(crate) async fn run<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Db) -> Result<T, StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            if caller.is_closed() {
                return Health::Good;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| job(db)))
                .unwrap_or_else(|_| Err(StoreError::Bug("a database job panicked".to_owned())));
            // A closure that panicked or lost its connection leaves a connection that nobody can trust.
            let health = match &outcome {
                Err(StoreError::Unavailable(_) | StoreError::Bug(_)) => Health::Broken,
                _ => Health::Good,
            };
            let _ = caller.send(outcome);
            health
        });
        self.submit(job)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the connection was lost".to_owned())))
    }

    fn submit(&self, job: Job) -> Result<(), StoreError> {
        let mut state = lock(&self.shared);
        if state.queue.len() >= LONGEST_QUEUE {
            return Err(StoreError::Unavailable("too many requests wait for the database".to_owned()));
        }
        give_up_wedged(&mut state, self.shared.deadline);
        let working = state.threads - state.given_up.len();
        state.queue.push_back(job);
        // Given-up threads count against the cap: a database that is gone must not eat the machine's threads.
        if state.queue.len() > state.idle && working < self.shared.size && state.threads < self.shared.size * 2 {
            spawn_thread(&self.shared, &mut state, None)?;
        }
        drop(state);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Counts a committed write for the metrics page.
    pub(crate) fn count_write(&self) {
        self.shared.writes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn figures(&self) -> StoreFigures {
        let state = lock(&self.shared);
        let writes = self.shared.writes.load(Ordering::Relaxed);
        StoreFigures {
            reads: 0,
            batches: writes,
            writes,
            busy_connections: state.busy.len() - state.given_up.len().min(state.busy.len()),
            queued: state.queue.len(),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        lock(&self.shared).closed = true;
        self.shared.wake.notify_all();
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn give_up_wedged(state: &mut State, deadline: Duration) {
    let wedged: Vec<u64> = state
        .busy
        .iter()
        .filter(|(number, since)| since.elapsed() > deadline * 2 && !state.given_up.contains(number))
        .map(|(number, _)| *number)
        .collect();
    for number in wedged {
        tracing::warn!(connection = number, "a database connection does not answer and is given up");
        state.given_up.push(number);
    }
}

fn spawn_thread(shared: &Arc<Shared>, state: &mut State, connection: Option<Db>) -> Result<(), StoreError> {
    let number = state.next_number;
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name(format!("grantor-db-{number}"))
        .spawn(move || serve(&shared, number, connection))
        .map_err(|cause| StoreError::Unavailable(format!("cannot start a database thread: {cause}")))?;
    state.next_number += 1;
    state.threads += 1;
    Ok(())
}

fn serve(shared: &Shared, number: u64, mut connection: Option<Db>) {
    let mut state = lock(shared);
    loop {
        while state.queue.is_empty() && !state.closed {
            state.idle += 1;
            state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        let Some(job) = state.queue.pop_front() else { break };
        state.busy.push((number, Instant::now()));
        drop(state);

        if connection.is_none() {
            match open(&shared.url, Use::Write, u64::try_from(shared.deadline.as_millis()).unwrap_or(5000)) {
                Ok(open) => connection = Some(open),
                Err(error) => tracing::warn!(%error, "no connection to the database"),
            }
        }
        if let Some(db) = connection.as_mut() {
            if matches!(job(db), Health::Broken) {
                connection = None;
            }
        } else {
            // The caller's channel closes with the job: it hears that the connection was lost.
            drop(job);
        }

        state = lock(shared);
        state.busy.retain(|(busy, _)| *busy != number);
        if state.given_up.contains(&number) {
            // Its place was taken meanwhile.
            state.given_up.retain(|given_up| *given_up != number);
            break;
        }
    }
    state.threads -= 1;
}
