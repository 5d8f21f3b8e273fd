//! The house's own rules, its store, its migrations, its registry.

mod architecture;
mod metrics;
pub mod migrations;
mod program;
pub mod registry;
pub mod store;
mod sweeper;
