//! The console: pages as a platform's readers walk them.

mod administration;
mod akeneo_roles;
mod bandwidth;
mod visitor;
