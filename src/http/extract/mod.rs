//! What handlers get of a request.

mod bearer;
mod body;
mod client;
mod network;
mod parameters;
mod principal;
mod request_id;

pub use bearer::Bearer;
pub use body::{BodyError, read_body};
pub use client::present_client;
pub use network::{address_of, network_of};
pub use parameters::read_parameters;
pub use principal::{authority_of, caller_of, principal_of};
pub use request_id::RequestId;
