//! Grantor's own API, `/api/v1`: one file per resource.

pub mod links;
pub mod me;
pub mod password_resets;
