//! The console: its pages by HTTP, and as people see them in a real browser.

mod administration;
mod akeneo_connections;
mod akeneo_roles;
mod bandwidth;
mod biotz;
mod buymed;
mod forms;
mod in_a_browser;
mod kizen;
mod looks;
mod markup;
mod own;
mod pictures;
mod proofs;
mod reports;
mod sessions;
mod visitor;
