//! The console: its pages by HTTP, and as people see them in a real browser.

mod biotz;
mod akeneo_connections;
mod buymed;
mod forms;
mod kizen;
mod looks;
mod own;
mod reports;
mod sessions;
