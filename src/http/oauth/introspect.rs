//! `POST /oauth/introspect` (RFC 7662).

use actix_web::{HttpRequest, HttpResponse, web};

use crate::config::ErrorShape;
use crate::http::extract::RequestId;
use crate::http::oauth::{authenticated, fresh};
use crate::http::oauth_error;
use crate::http::state::State;
use crate::oauth::{ProtocolError, introspection};

/// Tells a resource server about a token.
pub async fn introspect(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    id: RequestId,
) -> HttpResponse {
    match introspected(&request, payload, &state, &id).await {
        Ok(body) => fresh(body),
        Err(error) => oauth_error::respond(&error, ErrorShape::Rfc6749, &id.0),
    }
}

async fn introspected(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
    id: &RequestId,
) -> Result<String, ProtocolError> {
    let (client, parameters) = authenticated(request, payload, state, id).await?;
    introspection::introspect(state.context(), &client, parameters.required("token")?).await
}
