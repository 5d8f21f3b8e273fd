//! The house: its store, its migrations, its registry.

mod migrations;
pub mod registry;
pub mod store;
