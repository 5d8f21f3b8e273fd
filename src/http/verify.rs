//! `/verify`: one check of every credential's shape, for a proxy that asks before it passes a request on.

use std::borrow::Cow;
use std::fmt::Write;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use crate::config::ErrorShape;
use crate::credentials::{Asked, Kind, Principal};
use crate::crypto::secret::SecretString;
use crate::http::extract::{RequestId, principal_of};
use crate::http::oauth_error;
use crate::http::state::State;
use crate::model::scope::ScopeSet;
use crate::model::user::UserKind;
use crate::oauth::ProtocolError;
use crate::oauth::parameters::form_decode;

/// What the proxy asks for in the query of its own request.
#[derive(Default)]
struct Options {
    scope: ScopeSet,
    asked: Asked,
    token: bool,
}

/// With the options of the query.
pub async fn verify(request: HttpRequest, state: web::Data<State>, id: RequestId) -> HttpResponse {
    match Options::parse(request.query_string()) {
        Ok(options) => answer(&request, &state, &id, &options).await,
        Err(error) => oauth_error::respond(&error, ErrorShape::Rfc6749, &id.0),
    }
}

/// For a proxy that appends the path and query of its client: they say nothing here.
pub async fn verify_rest(request: HttpRequest, state: web::Data<State>, id: RequestId) -> HttpResponse {
    answer(&request, &state, &id, &Options::default()).await
}

async fn answer(request: &HttpRequest, state: &State, id: &RequestId, options: &Options) -> HttpResponse {
    match verified(request, state, options).await {
        Ok((principal, token)) => success(&principal, token.as_ref()),
        Err(error) => oauth_error::respond(&error, ErrorShape::Rfc6749, &id.0),
    }
}

async fn verified(
    request: &HttpRequest,
    state: &State,
    options: &Options,
) -> Result<(Principal, Option<SecretString>), ProtocolError> {
    let principal = principal_of(request, state, &options.asked).await?;
    if !options.scope.is_subset(&principal.scopes) {
        return Err(ProtocolError::insufficient_scope("the credential lacks a scope that is required here"));
    }
    let audience = options.asked.audience.as_deref();
    let token = options.token.then(|| principal.token_for_upstream(state.context(), audience)).transpose()?;
    Ok((principal, token))
}

impl Options {
    /// Strict: what is not understood cannot have been checked.
    fn parse(query: &str) -> Result<Self, ProtocolError> {
        let mut options = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| form_decode(text.as_bytes()).map_err(|_| refused("an option cannot be read"));
            let (name, value) = (decode(name)?, decode(value)?);
            if seen.contains(&name) {
                return Err(refused("an option is repeated"));
            }
            match name.as_str() {
                "scope" if !value.trim().is_empty() => {
                    options.scope = ScopeSet::parse(&value).map_err(|_| refused("the scope is malformed"))?;
                }
                "organization" if !value.is_empty() => options.asked.organization = Some(value),
                "audience" if !value.is_empty() => options.asked.audience = Some(value),
                "token" if value == "jwt" => options.token = true,
                _ => return Err(refused("an option is unknown or empty: scope, organization, audience, token=jwt")),
            }
            seen.push(name);
        }
        Ok(options)
    }
}

fn refused(why: &'static str) -> ProtocolError {
    ProtocolError::refused_option(why)
}

/// Every header is there at every success, if only empty: a proxy that copies them leaves none of the client's own.
fn success(principal: &Principal, token: Option<&SecretString>) -> HttpResponse {
    let kind = match principal.kind {
        Kind::User(UserKind::Person) => "user",
        Kind::User(UserKind::ApiUser) => "api_user",
        Kind::Client => "client",
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    set(&mut response, "x-auth-subject", &principal.subject);
    set(&mut response, "x-auth-kind", kind);
    set(&mut response, "x-auth-username", principal.username.as_deref().unwrap_or_default());
    set(&mut response, "x-auth-client-id", principal.client_id.as_deref().unwrap_or_default());
    set(&mut response, "x-auth-organization", &principal.organization.id);
    set(&mut response, "x-auth-scopes", &principal.scopes.to_string());
    set(&mut response, "x-auth-credential-id", &principal.credential_id);
    if let Some(token) = token
        && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
    {
        value.set_sensitive(true);
        response.insert_header((AUTHORIZATION, value));
    }
    response.finish()
}

fn set(response: &mut HttpResponseBuilder, name: &'static str, text: &str) {
    if let Ok(value) = HeaderValue::from_str(&percent_encoded(text)) {
        response.insert_header((HeaderName::from_static(name), value));
    }
}

/// Whether a byte can stand in a header and means nothing there.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'%'
}

/// A name may hold any character and a header may not: what is not visible ASCII, and `%` itself, is percent-encoded
/// as UTF-8 (RFC 3986 §2.1). A space within stays.
fn percent_encoded(text: &str) -> Cow<'_, str> {
    // Ids and scopes always, and nearly every name.
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let encoded = text.bytes().fold(String::with_capacity(text.len() * 3), |mut encoded, byte| {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    });
    Cow::Owned(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_is_repeated_unknown_empty_or_unreadable_is_refused() {
        for query in [
            "scope=a&scope=b",
            "scop=a",
            "token=opaque",
            "token",
            "organization=",
            "audience",
            "scope=%zz",
            "scope=%22",
            "x",
        ] {
            let error = Options::parse(query).err().unwrap();
            assert_eq!(error.status, 403, "{query}");
        }
        let options = Options::parse("scope=a+b%20c&&organization=100001&audience=https%3A%2F%2Fa&token=jwt").unwrap();
        assert_eq!(options.scope.to_string(), "a b c");
        assert_eq!(options.asked.audience.as_deref(), Some("https://a"));
        assert!(options.token && Options::parse("").is_ok());
    }

    #[test]
    fn a_name_becomes_a_header_value_that_can_be_read_back() {
        assert_eq!(percent_encoded("jürgen 100%\r\n"), "j%C3%BCrgen 100%25%0D%0A");
    }
}
