//! `POST /oauth/revoke` (RFC 7009).

use actix_web::{HttpRequest, HttpResponse, web};

use crate::config::ErrorShape;
use crate::http::extract::{RequestId, network_of};
use crate::http::oauth::{authenticated, fresh};
use crate::http::oauth_error;
use crate::http::state::State;
use crate::oauth::{ProtocolError, revocation};

/// Ends a token. The answer is `{}`: clients in the wild parse it.
pub async fn revoke(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    id: RequestId,
) -> HttpResponse {
    match revoked(&request, payload, &state, &id).await {
        Ok(()) => fresh("{}"),
        Err(error) => oauth_error::respond(&error, ErrorShape::Rfc6749, &id.0),
    }
}

async fn revoked(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
    id: &RequestId,
) -> Result<(), ProtocolError> {
    let (client, parameters) = authenticated(request, payload, state, id).await?;
    revocation::revoke(state.context(), &client, parameters.required("token")?, &id.0, network_of(request, state)).await
}
