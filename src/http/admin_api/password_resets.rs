//! `POST /api/v1/password-resets`: somebody has forgotten a password. The answer says nothing about the account.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::admin::password_resets::{self, ResetError};
use crate::http::admin_api::links::{failure, origin};
use crate::http::extract::{RequestId, network_of, read_json};
use crate::http::problem;
use crate::http::state::State;
use crate::oauth::ProtocolError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    username: String,
}

/// Sends a link to the user of a username or e-mail address, if there is one who may have it.
pub async fn request(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    id: RequestId,
) -> HttpResponse {
    let body: Body = match read_json(&request, payload, &state, "username").await {
        Ok(body) => body,
        Err(error) => return problem::refuse(&error, &id.0),
    };
    let (origin, network) = (origin(&request, &state, &id), network_of(&request, &state));
    match password_resets::request(state.context(), &origin, network, &body.username).await {
        Ok(()) => HttpResponse::Accepted().insert_header((CACHE_CONTROL, "no-store")).json(json!({
            "detail": "if the account may have a new password, a link is on its way to its verified e-mail address",
        })),
        Err(ResetError::Limited(seconds)) => problem::refuse(&ProtocolError::too_many_attempts(seconds), &id.0),
        Err(ResetError::Other(error)) => problem::refuse(&failure(&error), &id.0),
    }
}
