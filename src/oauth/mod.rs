//! The protocol: no HTTP framework, no database types.
//!
//! A request passes through here in this order: its [`parameters`] are read strictly, its client is authenticated
//! (`client_authentication`), its grant is driven (`grants`, through the state machines in `oxide`), and what was
//! granted passes the one gate (`tokens::gate`) that alone can make something issuable.

pub mod client_authentication;
pub mod context;
pub mod error;
pub mod grants;
pub mod introspection;
pub mod keys;
pub mod metadata;
pub mod oxide;
pub mod parameters;
pub mod rendered;
pub mod revocation;
pub mod scope;
pub mod tokens;
pub mod userinfo;

pub use context::Context;
pub use error::{ErrorCode, ProtocolError};
