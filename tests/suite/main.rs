//! The one test binary: by RFC, by the tables of the security design, against real clients, real databases and
//! real processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::pedantic,
    reason = "a test panics where it fails, says what it did, and finds its surroundings in the environment"
)]

mod admin_api;
mod audit;
mod cli;
mod clients;
mod console;
mod faults;
mod harness;
mod house;
mod journeys;
mod mail;
mod properties;
mod rfc;
mod security;
mod usage;
