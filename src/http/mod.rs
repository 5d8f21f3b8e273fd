//! All the HTTP code. Handlers extract, call, render; the route table is `routes`.

pub mod admin_api;
mod connections;
pub mod console;
pub mod extract;
pub mod health;
pub mod middleware;
pub mod oauth;
mod oauth_error;
pub mod paging;
mod paths;
mod problem;
mod routes;
mod state;
pub mod verify;

pub use admin_api::openapi::document_of as openapi_document;
pub use connections::Connections;
pub use middleware::{identify, observe};
pub use routes::{ANY, cors, own_path, private, public, table};
pub use state::{HttpSettings, State};
