//! The console: its pages by HTTP, and as people see them in a real browser.

mod biotz;
mod akeneo_connections;
mod buymed;
mod forms;
mod kizen;
mod administration;
mod akeneo_roles;
mod bandwidth;
mod forms;
mod in_a_browser;
mod looks;
mod own;
mod reports;
mod sessions;
mod visitor;
