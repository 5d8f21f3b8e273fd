//! What handlers get of a request.

mod bearer;
mod client;
mod json;
mod network;
mod parameters;
mod request_id;

pub use bearer::Bearer;
pub use client::present_client;
pub use json::read_json;
pub use network::network_of;
pub use parameters::read_parameters;
pub use request_id::RequestId;
