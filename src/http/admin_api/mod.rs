//! Grantor's own API, `/api/v1`: one file per resource.

pub mod me;
pub mod organizations;
