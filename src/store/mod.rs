//! The database: the only address of SQL. One file per table family, one schema, two databases.
//!
//! [`Store::read`] and [`Store::write`] take a closure over a connection. What a closure decides is a model type;
//! rows never leave this folder.

pub mod api_keys;
pub mod attempts;
pub mod audit;
pub mod audit_chain;
pub mod backup;
mod client_secrets;
pub mod clients;
pub mod connection;
pub mod credential_sets;
pub mod denied_tokens;
pub mod error;
pub mod families;
mod figures;
mod handle;
pub mod idle;
pub mod imported_users;
pub mod instance;
pub mod known_networks;
pub mod mail_outbox;
pub mod memberships;
pub mod migrations;
pub mod one_time_links;
pub mod organizations;
pub mod overview;
mod pool;
mod prepared;
pub mod recipients;
pub mod remembered_posts;
pub mod restored;
pub mod roles;
mod schema;
pub mod scope_requests;
pub mod scopes;
pub mod sessions;
pub mod signing_keys;
mod sqlite;
pub mod sweeper;
pub mod usage;
pub mod usage_tallies;
pub mod user_names;
pub mod user_profiles;
pub mod users;

pub use connection::Db;
pub use error::StoreError;
pub use figures::StoreFigures;
pub use handle::Store;
pub(crate) use pool::in_transaction;
