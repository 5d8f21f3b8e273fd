//! The keeping of the audit log: what seals its events, proves that none was touched and drops the oldest, and what
//! collects refusals, so that nobody can flood it.
//!
//! An event is written in the transaction of its change and sealed afterwards, so no write waits on the chain. The
//! chain has numbers of its own, in the order of sealing: `seq` has gaps, and on PostgreSQL a lower one may become
//! visible later.

mod chain;
mod pruner;
mod refusals;
mod sealer;
mod verifier;

pub use pruner::prune;
pub use refusals::Refusals;
pub use sealer::seal;
pub use verifier::{Finding, FindingKind, Verdict, verify};
