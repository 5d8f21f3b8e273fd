//! The client that a request presents.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use crate::oauth::ProtocolError;
use crate::oauth::client_authentication::{PresentedClient, read};
use crate::oauth::parameters::Parameters;

/// Reads it from the header and the body.
///
/// # Errors
/// `invalid_client`, `invalid_request`.
pub fn present_client(request: &HttpRequest, parameters: &Parameters) -> Result<PresentedClient, ProtocolError> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let first = headers.next();
    if headers.next().is_some() {
        return Err(ProtocolError::invalid_request("the header Authorization is repeated"));
    }
    let header = first
        .map(|value| value.to_str().map_err(|_| ProtocolError::invalid_client().because("Authorization: not ASCII")))
        .transpose()?;
    read(header, parameters)
}
