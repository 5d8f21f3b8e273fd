//! Clients and resource servers of other people's making, and the files that people start from.

mod compose;
mod documents;
pub mod examples;
pub mod installed;
pub mod nginx;
mod node_clients;
mod oauth2_crate;
mod platform_clients;
mod postman;
pub mod program;
mod proxies;
mod python_clients;
mod snippets;
