//! Sign-in by password: one pipeline for every door, with limits that all nodes share.

mod limits;
mod password;
mod session;

pub use crate::model::network::Network;
pub use limits::LimitSettings;
pub use password::{
    Door, Face, GENERATED_DIGEST_PURPOSE, Login, LoginSettings, NETWORK_KNOWN_FOR, SignInError, SignedIn,
    is_generated_shape,
};
pub use session::{SESSION_IDLE_LIFETIME, Secret, is_live, session_digest};
