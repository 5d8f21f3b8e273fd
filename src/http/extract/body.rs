//! A request's body, within the limits on its size and time.

use actix_web::HttpRequest;
use actix_web::body::{BodyStream, SizedStream, to_bytes_limited};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, Payload};

use crate::http::state::HttpSettings;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It took too long.
    #[error("the request body did not arrive in time")]
    TooSlow,
    /// It is larger than the limit.
    #[error("the request body is too large")]
    TooLarge,
    /// The connection or the framing of the body broke.
    #[error("the request body cannot be read")]
    Broken(#[source] PayloadError),
}

impl BodyError {
    /// 408, 413 or 400.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a body.
///
/// # Errors
/// [`BodyError`].
pub async fn read_body(request: &HttpRequest, payload: Payload, settings: &HttpSettings) -> Result<Bytes, BodyError> {
    let limit = settings.body_bytes;
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let reading = async {
        match length {
            // A body of unknown length is collected in 32 KiB, whatever comes. actix-web refuses a length beside chunks.
            Some(length) => to_bytes_limited(SizedStream::new(length, payload), limit).await,
            None => to_bytes_limited(BodyStream::new(payload), limit).await,
        }
    };
    let read = tokio::time::timeout(settings.body_timeout, reading).await.map_err(|_| BodyError::TooSlow)?;
    read.map_err(|_| BodyError::TooLarge)?.map_err(BodyError::Broken)
}
