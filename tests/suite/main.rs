//! The one test binary: by RFC, by the tables of the security design, against real clients, real databases and
//! real processes.

mod cli;
mod clients;
mod faults;
mod harness;
mod house;
mod properties;
mod rfc;
mod security;
