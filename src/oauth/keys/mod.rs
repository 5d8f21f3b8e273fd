//! Signing keys: opened once, handed to `jsonwebtoken` as parsed keys, rotated by time.

mod jwks;
mod jws;
mod provider;
mod ring;
mod rotation;

pub use jwks::jwks;
pub use jws::TokenType;
pub use provider::install;
pub use ring::{KeyRing, OpenKey};
pub use rotation::{make_key, revoke, rotate, rotate_if_due, seal_key};
