//! By the tables of the security design, on both databases.

mod client_authentication;
mod grants;
mod parameters;
