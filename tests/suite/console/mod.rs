//! The console: its pages by HTTP, and as people see them in a real browser.

mod administration;
mod akeneo_roles;
mod bandwidth;
mod forms;
mod in_a_browser;
mod looks;
mod sessions;
mod visitor;
