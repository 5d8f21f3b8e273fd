//! Sign-in by password: one pipeline for every door, with limits that all nodes share.

mod limits;
mod network;
mod password;

pub use limits::LimitSettings;
pub use network::Network;
pub use password::{Door, GENERATED_DIGEST_PURPOSE, Login, LoginSettings, SignInError, SignedIn, is_generated_shape};
