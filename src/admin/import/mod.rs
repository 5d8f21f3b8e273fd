//! Users of another program, with the hashes of their passwords: read, checked as a whole, then written.

mod document;
mod keycloak;
mod problem;
mod record;
mod users;

pub use users::{Imported, Skipped, import};
