//! The protocol's endpoints, one file each.

pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod revoke;
pub mod token;
pub mod userinfo;

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::extract::{present_client, read_parameters};
use crate::http::state::State;
use crate::oauth::ProtocolError;
use crate::oauth::client_authentication::{AuthenticatedClient, authenticate};
use crate::oauth::parameters::Parameters;
use crate::oauth::rendered::Document;

/// A node that cannot tell what was revoked answers for nothing.
///
/// # Errors
/// 503.
pub(super) fn must_be_fresh(state: &State) -> Result<(), ProtocolError> {
    if state.context().registry.is_fresh() {
        Ok(())
    } else {
        Err(ProtocolError::unavailable(2).because("the database has not answered for two seconds"))
    }
}

/// The parameters of a request whose client is authenticated.
async fn authenticated(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
) -> Result<(AuthenticatedClient, Parameters), ProtocolError> {
    let parameters = read_parameters(request, payload, state).await?;
    must_be_fresh(state)?;
    let presented = present_client(request, &parameters)?;
    Ok((authenticate(state.context(), &presented)?, parameters))
}

/// A document that caches may keep for `keys.publish_ahead`: a new signing key is in the JWKS for as long before its
/// first signature.
fn cached(request: &HttpRequest, document: &Document, seconds: i64) -> HttpResponse {
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == document.etag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((CACHE_CONTROL, format!("public, max-age={seconds}")))
        .insert_header((ETAG, &*document.etag))
        .content_type("application/json");
    if known { response.finish() } else { response.body(document.body.to_string()) }
}
