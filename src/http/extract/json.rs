//! A JSON body: strict, bounded in size and time.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use serde::de::DeserializeOwned;

use crate::http::extract::parameters::read_body;
use crate::http::state::State;
use crate::oauth::ProtocolError;
use crate::oauth::parameters::MediaType;

/// Reads one JSON object. Its type says `deny_unknown_fields`; a member that comes twice is refused as well.
///
/// # Errors
/// 415, 413, 408, 400 `invalid_request`; none repeats what was sent.
pub async fn read_json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
    members: &str,
) -> Result<T, ProtocolError> {
    let mut given = request.headers().get_all(CONTENT_TYPE);
    let only = given.next().filter(|_| given.next().is_none());
    let media_type = only.and_then(|value| value.to_str().ok()).and_then(MediaType::parse);
    if media_type != Some(MediaType::Json) {
        return Err(ProtocolError::unsupported_media_type("send application/json, in UTF-8".to_owned()));
    }
    let body = read_body(payload, state).await?;
    serde_json::from_slice(&body).map_err(|cause| {
        // What serde says can repeat a value, which can be a password.
        ProtocolError::invalid_request(format!("the body is not one JSON object of these members: {members}"))
            .because(format!("line {} column {}", cause.line(), cause.column()))
    })
}
