//! `POST /oauth/token` (RFC 6749 §3.2), and the same endpoint at other servers' paths.

use actix_web::http::header::{HeaderValue, PRAGMA};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::config::ErrorShape;
use crate::crypto::secret::SecretString;
use crate::http::extract::{RequestId, network_of, present_client, read_parameters};
use crate::http::oauth::{fresh, must_be_fresh};
use crate::http::oauth_error;
use crate::http::state::State;
use crate::model::grant_type::GrantType;
use crate::oauth::ProtocolError;
use crate::oauth::grants::{TokenRequest, exchange};
use crate::oauth::tokens::issue::Tokens;

/// RFC 6749 §5.1, behind the access token.
#[derive(Serialize)]
struct Rest<'a> {
    token_type: &'static str,
    expires_in: i64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
}

/// With errors as RFC 6749 has them.
pub async fn standard(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    id: RequestId,
) -> HttpResponse {
    answer(&request, payload, &state, id, ErrorShape::Rfc6749).await
}

/// With errors as clients of Akeneo expect them.
pub async fn akeneo(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    id: RequestId,
) -> HttpResponse {
    answer(&request, payload, &state, id, ErrorShape::Akeneo).await
}

async fn answer(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
    id: RequestId,
    shape: ErrorShape,
) -> HttpResponse {
    let mut grant = "other";
    let outcome = exchanged(request, payload, state, &id, &mut grant).await;
    let metrics = &state.context().metrics;
    match outcome.and_then(success) {
        Ok(response) => {
            metrics.token(grant, "issued");
            response
        }
        Err(error) => {
            metrics.token(grant, error.code.as_str());
            oauth_error::respond(&error, shape, &id.0)
        }
    }
}

async fn exchanged(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
    id: &RequestId,
    grant: &mut &'static str,
) -> Result<Tokens, ProtocolError> {
    let parameters = read_parameters(request, payload, state).await?;
    must_be_fresh(state)?;
    if let Some(known) = parameters.get("grant_type").and_then(|name| name.parse::<GrantType>().ok()) {
        *grant = known.as_str();
    }
    let presented = present_client(request, &parameters)?;
    let network = network_of(request, state);
    let request = TokenRequest { parameters, presented, network, request_id: id.0.clone() };
    exchange(state.context(), &request).await
}

fn success(tokens: Tokens) -> Result<HttpResponse, ProtocolError> {
    let rest = Rest {
        token_type: "Bearer",
        expires_in: tokens.expires_in,
        scope: tokens.scope.to_string(),
        refresh_token: tokens.refresh_token.as_ref().map(SecretString::expose),
        id_token: tokens.id_token.as_ref().map(SecretString::expose),
    };
    // It leaves in the answer: this copy is not worth wiping.
    let access_token = tokens.access_token.into_exposed();
    let others = [rest.refresh_token, rest.id_token].into_iter().flatten().map(str::len).sum::<usize>();
    // Room for all of it: grown from nothing, the text would be copied three times.
    let mut text = Vec::with_capacity(access_token.len() + others + rest.scope.len() + 150);
    // A JWT has no character to escape (RFC 7515 §7.1), and looking for one took a hundredth of the request.
    debug_assert!(access_token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    text.extend_from_slice(br#"{"access_token":""#);
    text.extend_from_slice(access_token.as_bytes());
    text.push(b'"');
    let brace = text.len();
    serde_json::to_writer(&mut text, &rest).map_err(|cause| ProtocolError::defect().because(cause))?;
    text[brace] = b',';
    let mut response = fresh(text);
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}
