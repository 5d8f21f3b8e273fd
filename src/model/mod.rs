//! The nouns: plain types, one file per noun. Nothing here knows a database, a protocol or a clock.

pub mod api_key;
pub mod audit;
pub mod client;
pub mod family;
pub mod grant_type;
pub mod mail;
pub mod network;
pub mod organization;
pub mod profile;
pub mod reveal;
pub mod role;
pub mod scope;
pub mod scope_request;
pub mod session;
pub mod signing_key;
pub mod states;
pub mod time;
pub mod usage;
pub mod user;
pub mod wording;
