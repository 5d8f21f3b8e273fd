//! The database: the only address of SQL. One file per table family, one schema, two databases.
//!
//! [`Store::read`] and [`Store::write`] take a closure over a connection. What a closure decides is a model type;
//! rows never leave this folder.

pub mod attempts;
pub mod audit;
pub mod clients;
pub mod connection;
pub mod denied_tokens;
pub mod error;
pub mod families;
mod figures;
mod handle;
pub mod instance;
pub mod known_networks;
pub mod mail_outbox;
pub mod migrations;
pub mod one_time_links;
pub mod organizations;
mod pool;
mod prepared;
pub mod recipients;
pub mod roles;
mod schema;
pub mod scopes;
pub mod signing_keys;
mod sqlite;
pub mod users;

pub use connection::Db;
pub use error::StoreError;
pub use figures::StoreFigures;
pub use handle::Store;
