//! By the tables of the security design, on both databases where they touch one.

pub mod canaries;
mod client_authentication;
mod enumeration;
mod grants;
mod jwt_and_keys;
mod parameters;
mod passwords;
mod revocation;
pub mod rotation;
