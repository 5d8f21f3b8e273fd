//! The parameters of a request's body: strict, bounded in size and time. The query string is never read.

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web;

use crate::http::extract::{BodyError, read_body};
use crate::http::state::State;
use crate::oauth::ProtocolError;
use crate::oauth::parameters::{MediaType, Parameters};

/// Reads them.
///
/// # Errors
/// 415, 413, 400 `invalid_request`.
pub async fn read_parameters(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
) -> Result<Parameters, ProtocolError> {
    let media_type = media_type(request, state)?;
    let body = read_body(request, payload, state.settings()).await.map_err(refused)?;
    // curl -d says "form" of whatever it sends.
    let text = body.trim_ascii();
    if media_type == MediaType::Form && text.starts_with(b"{") && text.ends_with(b"}") {
        return Err(ProtocolError::invalid_request(
            "the body looks like JSON: add -H 'Content-Type: application/json'",
        ));
    }
    Parameters::parse(media_type, &body)
}

fn refused(error: BodyError) -> ProtocolError {
    match error {
        BodyError::TooSlow => ProtocolError::too_slow(),
        BodyError::TooLarge => ProtocolError::too_large(),
        BodyError::Broken(cause) => ProtocolError::invalid_request("the body cannot be read").because(cause),
    }
}

fn media_type(request: &HttpRequest, state: &State) -> Result<MediaType, ProtocolError> {
    let mut given = request.headers().get_all(CONTENT_TYPE);
    let only = given.next().filter(|_| given.next().is_none());
    let (example, path) = match request.path() {
        path @ ("/oauth/introspect" | "/oauth/revoke") => ("token=TOKEN", path),
        _ => ("grant_type=client_credentials", "/oauth/token"),
    };
    only.and_then(|value| value.to_str().ok()).and_then(MediaType::parse).ok_or_else(|| {
        ProtocolError::unsupported_media_type(format!(
            "send application/x-www-form-urlencoded (or a JSON object of strings), in UTF-8: \
             curl -u CLIENT_ID:CLIENT_SECRET -d {example} {}{path}",
            state.context().settings.issuer
        ))
    })
}
