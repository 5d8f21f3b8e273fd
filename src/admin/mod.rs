//! The operator's verbs, shared by every face. Each runs in one transaction and leaves an audit event in it.

pub mod authority;
pub mod clients;
pub mod credentials;
pub mod delivery;
pub mod error;
pub mod links;
pub mod mail;
pub mod maintenance;
pub mod master_key;
pub mod organizations;
pub mod password_resets;
pub mod redemption;
pub mod roles;
pub mod scopes;
pub mod setup;
pub mod signing_keys;
pub mod users;

pub use authority::Authority;
pub use error::{AdminError, FieldError};
