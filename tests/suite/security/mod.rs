//! By the tables of the security design.

mod jwt_and_keys;
mod revocation;
pub mod rotation;
