//! Time is an argument: the system's clock, or one that a test holds still and moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::time::Timestamp;

/// Where `now` comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that runs with the machine's, moved by so many microseconds.
    Shifted(Arc<AtomicI64>),
    /// A clock that stands at so many microseconds since 1970 until it is moved.
    Still(Arc<AtomicI64>),
}

impl Clock {
    /// A clock for tests: the machine's time until it is moved.
    #[must_use]
    pub fn shifted() -> Self {
        Self::Shifted(Arc::new(AtomicI64::new(0)))
    }

    /// A clock for tests that count on instants: it stands still at the machine's time.
    #[must_use]
    pub fn still() -> Self {
        Self::Still(Arc::new(AtomicI64::new(Self::System.now().micros())))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
        let system = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        let system = i64::try_from(system).unwrap_or(i64::MAX);
        match self {
            Self::System => Timestamp::from_micros(system),
            Self::Shifted(by) => Timestamp::from_micros(system.saturating_add(by.load(Ordering::Relaxed))),
            Self::Still(at) => Timestamp::from_micros(at.load(Ordering::Relaxed)),
        }
    }

    /// Moves a clock of a test forward by so many seconds; the system's clock stays as it is.
    pub fn advance(&self, seconds: i64) {
        if let Self::Shifted(by) | Self::Still(by) = self {
            by.fetch_add(seconds.saturating_mul(1_000_000), Ordering::Relaxed);
        }
    }
}
