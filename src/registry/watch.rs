//! Keeping the picture fresh.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::clock::Clock;
use crate::registry::snapshot::Snapshot;
use crate::sabotage::{self, Defect};
use crate::store::{Store, StoreError};

/// A node that has not read the change counter for so long cannot tell whether a token was revoked.
pub const STALE_AFTER: Duration = Duration::from_secs(2);

/// The picture that requests look at, and when it was last known to be true.
pub struct Registry {
    current: ArcSwap<Snapshot>,
    started: Instant,
    // Milliseconds from `started` to the last reading; the machine's monotonic clock, whatever a test's clock says.
    read_after: AtomicU64,
    refreshing: tokio::sync::Mutex<()>,
}

impl Registry {
    /// Reads the first picture.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub async fn load(store: &Store, clock: &Clock) -> Result<Self, StoreError> {
        let registry = Self {
            current: ArcSwap::from_pointee(Snapshot::default()),
            started: Instant::now(),
            read_after: AtomicU64::new(0),
            refreshing: tokio::sync::Mutex::new(()),
        };
        registry.refresh(store, clock).await?;
        Ok(registry)
    }

    /// Reads what changed. After it, requests of this node see every change committed before it was called.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read; the old picture stays.
    pub async fn refresh(&self, store: &Store, clock: &Clock) -> Result<(), StoreError> {
        let _one_at_a_time = self.refreshing.lock().await;
        let asked_at = self.elapsed();
        let before = self.current.load_full();
        let now = clock.now();
        let known = before.change;
        let next = store.read(move |db| before.next(db, now)).await?;
        if next.change != known || known == 0 {
            self.current.store(Arc::new(next));
        }
        self.read_after.fetch_max(asked_at, Ordering::Release);
        Ok(())
    }

    /// The present picture.
    #[must_use]
    pub fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// Whether the picture is fresh enough to answer for revocations.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let age = self.elapsed().saturating_sub(self.read_after.load(Ordering::Acquire));
        u128::from(age) <= STALE_AFTER.as_millis() || sabotage::is(Defect::StaleRegistry)
    }

    fn elapsed(&self) -> u64 {
        if sabotage::is(Defect::WallClock) {
            return u64::try_from(Clock::System.now().micros() / 1000).unwrap_or_default();
        }
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
