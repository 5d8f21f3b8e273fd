//! A client's id and secret in headers of their own (`Client-ID`, `Client-Secret`), with every request.

use crate::credentials::Asked;
use crate::credentials::principal::{Limit, Principal, Reach};
use crate::credentials::shape::{ClientAndSecret, Shape, refused};
use crate::login::Face;
use crate::model::scope::{OFFLINE_ACCESS, OPENID};
use crate::oauth::client_authentication::verify_secret;
use crate::oauth::{Context, ProtocolError};

pub(super) fn authenticate(
    context: &Context,
    given: &ClientAndSecret,
    asked: &Asked,
) -> Result<Principal, ProtocolError> {
    let client = verify_secret(context, given.client_id.expose(), given.secret.expose()).map_err(|error| {
        ProtocolError { cause: error.cause, refusal: error.refusal, ..ProtocolError::invalid_credentials() }
    })?;
    let secret_id = client.secret_id().ok_or_else(|| refused("a client without a secret"))?.to_owned();
    let secret = client.secrets.iter().find(|known| known.id == secret_id);
    let scopes = client.scopes.iter().filter(|scope| *scope != OPENID && *scope != OFFLINE_ACCESS).collect();
    let reach = Reach {
        shape: Shape::ClientSecret,
        face: Face::Api,
        expires_at: secret.and_then(|secret| secret.expires_at),
        credential_id: secret_id,
        client_id: Some(client.client_id.clone()),
        limit: Limit::None,
        despite_lock: false,
        auth_time: None,
    };
    Principal::of_client(context, &client, scopes, asked.organization.as_deref(), reach)
}
