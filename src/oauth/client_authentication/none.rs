//! `none` (RFC 6749 §3.2.1): a public client only names itself, with or without an empty `client_secret`.

use crate::crypto::secret::SecretString;
use crate::model::client::AuthenticationMethod;
use crate::oauth::client_authentication::PresentedClient;
use crate::oauth::error::ProtocolError;
use crate::oauth::parameters::Parameters;

pub(super) fn read(parameters: &Parameters) -> Result<PresentedClient, ProtocolError> {
    let client_id = parameters.get("client_id").ok_or_else(|| ProtocolError::no_client().because("no client named"))?;
    Ok(PresentedClient {
        client_id: client_id.to_owned(),
        secret: SecretString::default(),
        method: AuthenticationMethod::None,
    })
}
