//! The console: its pages by HTTP, and as people see them in a real browser.

mod akeneo_connections;
mod buymed;
mod forms;
mod looks;
mod reports;
mod sessions;
