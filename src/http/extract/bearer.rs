//! A bearer token in the `Authorization` header (RFC 6750 §2.1), and nowhere else.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest};

use crate::crypto::secret::SecretString;

/// The token, if the request has exactly one.
pub struct Bearer(pub Option<SecretString>);

impl FromRequest for Bearer {
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut headers = request.headers().get_all(AUTHORIZATION);
        let only = headers.next().filter(|_| headers.next().is_none());
        let token = only
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| SecretString::from(token.trim()));
        ready(Ok(Self(token)))
    }
}
