//! The operator's verbs, shared by every face. Each runs in one transaction and leaves an audit event in it.

pub mod api_keys;
pub mod audit;
pub mod authority;
pub mod backup;
pub mod client_changes;
pub mod client_secrets;
pub mod client_views;
pub mod clients;
pub mod credentials;
pub mod declaration;
pub mod delivery;
pub mod error;
pub mod idempotency;
pub mod import;
pub mod links;
pub mod mail;
pub mod maintenance;
pub mod master_key;
pub mod memberships;
pub mod organizations;
pub mod password_resets;
pub mod passwords;
pub mod profiles;
pub mod redemption;
pub mod reports;
pub mod roles;
pub mod scope_requests;
pub mod scopes;
pub mod sessions;
pub mod setup;
pub mod signing_keys;
pub mod token_families;
pub mod usage;
pub mod users;

pub use authority::Authority;
pub use error::{AdminError, FieldError};
