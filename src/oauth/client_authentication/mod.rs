//! Client authentication (RFC 6749 §2.3): what a request presents, and whether it is right. One file per method.

mod basic;
mod none;
mod noted;
mod secret_post;
mod verify;

use crate::crypto::secret::SecretString;
use crate::model::client::AuthenticationMethod;
use crate::oauth::error::ProtocolError;
use crate::oauth::parameters::Parameters;

pub use noted::{authenticate_and_note, note_refusal};
pub use verify::{AuthenticatedClient, SECRET_DIGEST_PURPOSE, authenticate, verify, verify_secret};

/// What a request presents, before anything is known to be true.
#[derive(Debug)]
pub struct PresentedClient {
    /// The client identifier.
    pub client_id: String,
    /// The secret; empty where the client only names itself.
    pub secret: SecretString,
    /// The method in use.
    pub method: AuthenticationMethod,
}

/// Reads the client from the `Authorization` header and the body. One method, never two (RFC 6749 §2.3).
///
/// # Errors
/// `invalid_client` if there is none or it cannot be read, `invalid_request` on two methods at once.
pub fn read(authorization: Option<&str>, parameters: &Parameters) -> Result<PresentedClient, ProtocolError> {
    match authorization {
        Some(header) => basic::read(header, parameters),
        None if parameters.get("client_secret").is_some() => secret_post::read(parameters),
        None => none::read(parameters),
    }
}
