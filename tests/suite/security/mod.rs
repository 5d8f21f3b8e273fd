//! By the tables of the security design, on both databases where they touch one.

mod canaries;
mod client_authentication;
mod enumeration;
mod grants;
mod parameters;
mod passwords;
