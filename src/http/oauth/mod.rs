//! The protocol's endpoints, one file each.

pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod revoke;
pub mod token;
pub mod userinfo;

use actix_web::body::MessageBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::extract::{RequestId, network_of, present_client, read_parameters};
use crate::http::state::State;
use crate::oauth::ProtocolError;
use crate::oauth::client_authentication::{AuthenticatedClient, authenticate_and_note};
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
    id: &RequestId,
) -> Result<(AuthenticatedClient, Parameters), ProtocolError> {
    let parameters = read_parameters(request, payload, state).await?;
    must_be_fresh(state)?;
    let presented = present_client(request, &parameters)?;
    let client = authenticate_and_note(state.context(), &presented, network_of(request, state), &id.0)?;
    Ok((client, parameters))
}

/// A JSON text that no cache may keep. Its headers are constants: from a text, each would be checked and copied.
fn fresh(body: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .body(body)
}

/// A document that caches may keep for as long as the `Cache-Control` says.
pub(super) fn cached(request: &HttpRequest, cache_control: &HeaderValue, document: &Document) -> HttpResponse {
    let known = request.headers().get_all(IF_NONE_MATCH).any(|known| matches_etag(known, &document.etag));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((CACHE_CONTROL, cache_control.clone()))
        .insert_header((ETAG, &*document.etag))
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")));
    if known { response.finish() } else { response.body(document.body.to_string()) }
}

/// RFC 9110 §13.1.2: a list of entity tags or `*`, compared weakly.
pub(super) fn matches_etag(condition: &HeaderValue, etag: &str) -> bool {
    let Ok(condition) = condition.to_str() else { return false };
    condition.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
