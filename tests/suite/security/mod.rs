//! By the tables of the security design, on both databases where they touch one.

mod canaries;
mod enumeration;
mod passwords;
