//! `POST /api/v1/password-resets`: somebody has forgotten a password. The answer says nothing about the account.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::password_resets::{self, ResetError};
use crate::http::admin_api::body::Body;
use crate::http::admin_api::links::{failure, origin};
use crate::http::extract::{RequestId, network_of};
use crate::http::problem;
use crate::http::state::State;
use crate::oauth::ProtocolError;

/// Whose password is forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetToRequest {
    /// Username or e-mail address.
    username: String,
}

/// The same words whatever the account.
#[derive(Serialize, ToSchema)]
pub struct ResetRequested {
    detail: &'static str,
}

/// Sends a link to the user of a username or e-mail address, if there is one who may have it.
#[utoipa::path(post, path = "/api/v1/password-resets", tag = "Links", request_body = ResetToRequest, security(()),
    responses((status = 202, body = ResetRequested)))]
pub async fn request(
    request: HttpRequest,
    state: web::Data<State>,
    id: RequestId,
    body: Body<ResetToRequest>,
) -> HttpResponse {
    let body = match body.read() {
        Ok(given) => given.value,
        Err(answer) => return answer,
    };
    let (origin, network) = (origin(&request, &state, &id), network_of(&request, &state));
    match password_resets::request(state.context(), &origin, network, &body.username).await {
        Ok(()) => HttpResponse::Accepted().insert_header((CACHE_CONTROL, "no-store")).json(ResetRequested {
            detail: "if the account may have a new password, a link is on its way to its verified e-mail address",
        }),
        Err(ResetError::Limited(seconds)) => problem::refuse(&ProtocolError::too_many_attempts(seconds), &id.0),
        Err(ResetError::Other(error)) => problem::refuse(&failure(&error), &id.0),
    }
}
