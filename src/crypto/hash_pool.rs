//! Threads of their own for password hashes, so that a flood of sign-ins slows only sign-ins.
//!
//! The queue holds at most two seconds of work, judged by how long jobs took lately; beyond that a
//! caller is told at once when to come back, before anything is queued.
//!
//! Longer than most files: the queue, its threads and the tests that hold them together are one thing.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

const QUEUED_WORK: Duration = Duration::from_secs(2);
// Where the machine has become much slower than the queue was judged by, its end would come too late for anybody.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
// Keeps the queue bounded when jobs are too short to measure.
const SHORTEST_AVERAGE: Duration = Duration::from_micros(100);
// A new sample has the weight of one in eight.
const SAMPLES: u32 = 8;

/// Why a job gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashPoolError {
    /// The queue is full and the job was not queued, or it waited for too long and was given up.
    #[error("too many passwords are being checked; try again in {} s", retry_after.as_secs())]
    Overloaded {
        /// When the queue should have drained, in whole seconds, at least one: for `Retry-After`.
        retry_after: Duration,
    },
    /// The job panicked, or the pool was stopped before it ran.
    #[error("the work in the hash pool did not finish")]
    Failed,
}

/// A fixed number of threads with a bounded queue. Dropping it lets running jobs finish, answers queued
/// ones with [`HashPoolError::Failed`] and ends the threads.
#[derive(Debug)]
pub struct HashPool {
    shared: Arc<Shared>,
    threads: usize,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
}

struct State {
    queue: VecDeque<Box<dyn Job>>,
    started: u64,
    average: Duration,
    stopping: bool,
}

trait Job: Send {
    fn is_abandoned(&self) -> bool;
    fn run(self: Box<Self>);
}

struct Answering<F, T> {
    work: F,
    answer: oneshot::Sender<T>,
}

impl<F: FnOnce() -> T + Send, T: Send> Job for Answering<F, T> {
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn run(self: Box<Self>) {
        let Self { work, answer } = *self;
        // A panic drops `answer` unsent, and that is what the caller sees.
        let outcome = catch_unwind(AssertUnwindSafe(work));
        if let Ok(value) = outcome {
            let _ = answer.send(value);
        }
    }
}

/// One core is left to everything else, where there is more than one.
#[must_use]
pub fn default_threads(cores: usize) -> usize {
    cores.saturating_sub(1).max(1)
}

impl HashPool {
    /// Starts `threads` threads (at least one), named `hash-0` and so on, of lower priority where the
    /// system allows it per thread. `estimate` is how long a job is thought to take until some were measured.
    ///
    /// # Errors
    ///
    /// The system's error when a thread cannot be started.
    pub fn start(threads: usize, estimate: Duration) -> std::io::Result<Self> {
        let pool = Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    queue: VecDeque::new(),
                    started: 0,
                    average: estimate.max(SHORTEST_AVERAGE),
                    stopping: false,
                }),
                work: Condvar::new(),
            }),
            threads: threads.max(1),
        };
        for number in 0..pool.threads {
            let shared = Arc::clone(&pool.shared);
            std::thread::Builder::new().name(format!("hash-{number}")).spawn(move || shared.work_until_stopped())?;
        }
        Ok(pool)
    }

    /// Runs `job` on a thread of the pool and waits for its result. A job whose caller stopped waiting
    /// before it began is skipped.
    ///
    /// # Errors
    ///
    /// [`HashPoolError::Overloaded`] at once when two seconds of work are queued already, and after ten seconds in any
    /// case; [`HashPoolError::Failed`] when the job panicked.
    pub async fn run<T, F>(&self, job: F) -> Result<T, HashPoolError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.run_within(LONGEST_WAIT, job).await
    }

    async fn run_within<T, F>(&self, longest: Duration, job: F) -> Result<T, HashPoolError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        self.enqueue(Box::new(Answering { work: job, answer }))?;
        match tokio::time::timeout(longest, result).await {
            Ok(result) => result.map_err(|_| HashPoolError::Failed),
            Err(_) => Err(HashPoolError::Overloaded { retry_after: longest }),
        }
    }

    /// Whether a job would be queued now: asked before anything else is done for it.
    ///
    /// # Errors
    ///
    /// [`HashPoolError::Overloaded`].
    pub fn admit(&self) -> Result<(), HashPoolError> {
        self.room(&mut self.shared.lock())
    }

    /// How many jobs wait for a thread.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.shared.lock().queue.len()
    }

    /// How many jobs a thread has taken up so far.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.shared.lock().started
    }

    /// How many threads the pool has.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    fn enqueue(&self, job: Box<dyn Job>) -> Result<(), HashPoolError> {
        let mut state = self.shared.lock();
        self.room(&mut state)?;
        state.queue.push_back(job);
        drop(state);
        self.shared.work.notify_one();
        Ok(())
    }

    fn room(&self, state: &mut State) -> Result<(), HashPoolError> {
        let limit = queue_limit(self.threads, state.average);
        if state.queue.len() >= limit {
            // Whoever hung up must not keep out those who wait.
            state.queue.retain(|queued| !queued.is_abandoned());
        }
        if state.queue.len() < limit {
            return Ok(());
        }
        Err(HashPoolError::Overloaded { retry_after: drain_time(state.queue.len(), self.threads, state.average) })
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        let abandoned = {
            let mut state = self.shared.lock();
            state.stopping = true;
            std::mem::take(&mut state.queue)
        };
        self.shared.work.notify_all();
        drop(abandoned);
    }
}

impl Shared {
    fn work_until_stopped(&self) {
        lower_priority();
        while let Some(job) = self.next() {
            let started = Instant::now();
            // The closure's own captures may panic while being dropped; the thread must outlive that too.
            let _ = catch_unwind(AssertUnwindSafe(|| job.run()));
            self.learn(started.elapsed());
        }
    }

    fn next(&self) -> Option<Box<dyn Job>> {
        let mut state = self.lock();
        loop {
            if state.stopping {
                return None;
            }
            match state.queue.pop_front() {
                Some(job) if job.is_abandoned() => {}
                Some(job) => {
                    state.started += 1;
                    return Some(job);
                }
                None => {
                    state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn learn(&self, took: Duration) {
        let mut state = self.lock();
        let sum = state.average * (SAMPLES - 1) + took;
        state.average = (sum / SAMPLES).max(SHORTEST_AVERAGE);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
    }
}

fn queue_limit(threads: usize, average: Duration) -> usize {
    let per_thread = QUEUED_WORK.as_nanos().saturating_mul(threads as u128) / average.as_nanos();
    usize::try_from(per_thread).unwrap_or(usize::MAX).max(threads)
}

fn drain_time(queued: usize, threads: usize, average: Duration) -> Duration {
    let nanos = average.as_nanos().saturating_mul(queued as u128) / threads as u128;
    let seconds = nanos.div_ceil(1_000_000_000).max(1);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX))
}

#[cfg(target_os = "linux")]
fn lower_priority() {
    // On Linux a nice value belongs to the thread, whatever POSIX says of the process.
    let thread = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(thread), 10) {
        tracing::debug!(%error, "the hash threads keep the normal priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;

    fn blocked_pool(estimate: Duration) -> (Arc<HashPool>, mpsc::Sender<()>) {
        let pool = Arc::new(HashPool::start(1, estimate).unwrap());
        let ((release, gate), (running, started)) = (mpsc::channel::<()>(), mpsc::channel());
        let (answer, _) = submitted(&pool, move || {
            running.send(()).unwrap();
            let _ = gate.recv();
        });
        started.recv().unwrap();
        drop(answer);
        (pool, release)
    }

    fn submitted<T: Send + 'static>(
        pool: &HashPool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> (oneshot::Receiver<T>, Result<(), HashPoolError>) {
        let (answer, result) = oneshot::channel();
        (result, pool.enqueue(Box::new(Answering { work, answer })))
    }

    #[tokio::test]
    async fn a_job_runs_on_a_thread_of_the_pool_and_answers() {
        let pool = HashPool::start(2, Duration::from_millis(1)).unwrap();
        let name = pool.run(|| std::thread::current().name().map(str::to_owned));
        assert!(name.await.unwrap().unwrap().starts_with("hash-"));
        assert_eq!((pool.threads(), pool.queue_depth()), (2, 0));
    }

    #[tokio::test]
    async fn a_panic_fails_its_caller_and_spares_the_thread() {
        let pool = HashPool::start(1, Duration::from_millis(1)).unwrap();
        let failed = pool.run(|| std::panic::resume_unwind(Box::new("on purpose")));
        assert_eq!(failed.await, Err(HashPoolError::Failed));
        assert_eq!(pool.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn beyond_two_seconds_of_work_a_caller_is_told_when_to_come_back() {
        let (pool, release) = blocked_pool(Duration::from_millis(500));
        let waiting: Vec<_> = (0..4).map(|_| submitted(&pool, || ())).collect();
        assert!(waiting.iter().all(|(_, queued)| queued.is_ok()));
        let retry_after = Duration::from_secs(2);
        let refused = pool.run(|| ()).await;
        assert_eq!(refused, Err(HashPoolError::Overloaded { retry_after }));
        assert_eq!(pool.queue_depth(), 4);
        release.send(()).unwrap();
    }

    #[tokio::test]
    async fn a_job_that_waits_for_too_long_is_given_up_and_never_run() {
        let (pool, release) = blocked_pool(Duration::from_millis(500));
        let ran = Arc::new(AtomicBool::new(false));
        let late = Arc::clone(&ran);
        let longest = Duration::from_millis(20);
        let given_up = pool.run_within(longest, move || late.store(true, Ordering::SeqCst)).await;
        assert_eq!(given_up, Err(HashPoolError::Overloaded { retry_after: longest }));
        release.send(()).unwrap();
        assert_eq!(pool.run(|| 7).await, Ok(7));
        assert!(!ran.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_full_queue_is_known_before_a_job_is_made() {
        let (pool, release) = blocked_pool(Duration::from_millis(500));
        assert_eq!(pool.admit(), Ok(()));
        let waiting: Vec<_> = (0..4).map(|_| submitted(&pool, || ())).collect();
        assert_eq!(pool.admit(), Err(HashPoolError::Overloaded { retry_after: Duration::from_secs(2) }));
        drop(waiting);
        assert_eq!(pool.admit(), Ok(()), "whoever hung up keeps nobody out");
        release.send(()).unwrap();
    }

    #[tokio::test]
    async fn jobs_whose_callers_hung_up_are_skipped_and_make_room() {
        let (pool, release) = blocked_pool(Duration::from_millis(500));
        let ran = Arc::new(AtomicBool::new(false));
        for _ in 0..4 {
            let ran = Arc::clone(&ran);
            drop(submitted(&pool, move || ran.store(true, Ordering::SeqCst)));
        }
        let (answer, queued) = submitted(&pool, || 7);
        assert_eq!(queued, Ok(()));
        release.send(()).unwrap();
        assert_eq!(answer.await.unwrap(), 7);
        assert!(!ran.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn dropping_the_pool_fails_what_was_queued() {
        let (pool, release) = blocked_pool(Duration::from_millis(500));
        let (answer, _) = submitted(&pool, || 7);
        drop(pool);
        assert!(answer.await.is_err());
        release.send(()).unwrap();
    }

    #[test]
    fn the_limit_follows_the_average_and_never_starves_a_thread() {
        assert_eq!(queue_limit(1, Duration::from_millis(234)), 8);
        assert_eq!(queue_limit(3, Duration::from_millis(234)), 25);
        assert_eq!(queue_limit(4, Duration::from_mins(1)), 4);
        assert_eq!((default_threads(0), default_threads(1)), (1, 1));
        assert_eq!(default_threads(8), 7);
    }
}
