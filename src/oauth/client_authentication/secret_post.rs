//! `client_secret_post` (RFC 6749 §2.3.1): identifier and secret in the body.

use crate::crypto::secret::SecretString;
use crate::model::client::AuthenticationMethod;
use crate::oauth::client_authentication::PresentedClient;
use crate::oauth::error::ProtocolError;
use crate::oauth::parameters::Parameters;

pub(super) fn read(parameters: &Parameters) -> Result<PresentedClient, ProtocolError> {
    let client_id = parameters
        .get("client_id")
        .ok_or_else(|| ProtocolError::invalid_client().because("client_secret without client_id"))?;
    Ok(PresentedClient {
        client_id: client_id.to_owned(),
        secret: SecretString::from(parameters.get("client_secret").unwrap_or_default()),
        method: AuthenticationMethod::ClientSecretPost,
    })
}
