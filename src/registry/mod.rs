//! What every request needs of the database, held in memory: organizations, clients, roles, scopes, signing keys,
//! and everything that ended a token early.
//!
//! One change counter in the database says whether there is news; a node that could not read it for two seconds
//! cannot tell, and says so.

mod shards;
mod snapshot;
mod watch;

pub use crate::model::time::LONGEST_ACCESS_LIFETIME;
pub use snapshot::{CHANGES_TOLD_FOR, Snapshot};
pub use watch::{Registry, STALE_AFTER};
