//! Tokens: one gate that authorizes, one place that signs, one verifier.

pub mod access_token;
pub mod family;
pub mod gate;
pub mod id_token;
pub mod issue;
pub mod presented;
pub mod refresh_token;
pub mod verifier;
