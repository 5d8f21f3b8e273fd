//! Usage: what credentials are used for, counted in memory and stored in batches. No request writes or waits for it.

mod collector;
mod tallies;

pub use collector::Usage;
