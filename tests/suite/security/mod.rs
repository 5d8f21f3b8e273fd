//! By the tables of the security design, on both databases where they touch one.

pub mod canaries;
mod client_authentication;
mod enumeration;
mod grants;
mod imported_passwords;
mod jwt_and_keys;
mod load;
mod parameters;
mod passwords;
mod revocation;
pub mod rotation;
mod stored_values;
pub mod verify;
