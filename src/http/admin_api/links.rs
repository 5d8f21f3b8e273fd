//! `POST /api/v1/links/redeem`: whoever has a one-time link uses it. Nobody signs in for that.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::AdminError;
use crate::admin::redemption::{Presented, RedemptionError, redeem as open};
use crate::crypto::secret::SecretString;
use crate::http::admin_api::body::Body;
use crate::http::extract::{RequestId, network_of};
use crate::http::problem;
use crate::http::state::State;
use crate::model::audit::{Actor, ActorKind};
use crate::oauth::ProtocolError;

/// A one-time link, and what it is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkToRedeem {
    /// `gr_ot_…`
    token: String,
    /// The new password, where the link sets one.
    password: Option<String>,
    /// As it stands in the account, where the link verifies an address and there is one.
    phone: Option<String>,
}

/// What a link has done.
#[derive(Serialize, ToSchema)]
pub struct Redeemed {
    /// `verify_email`, `set_password` or `set_up`.
    purpose: String,
    /// The account's.
    status: String,
    /// Whether a second message with a link for a password is on its way.
    password_link_sent: bool,
}

/// Uses a one-time link. Nobody signs in for that.
#[utoipa::path(post, path = "/api/v1/links/redeem", tag = "Links", request_body = LinkToRedeem, security(()),
    responses((status = 200, body = Redeemed)))]
pub async fn redeem(
    request: HttpRequest,
    state: web::Data<State>,
    id: RequestId,
    body: Body<LinkToRedeem>,
) -> HttpResponse {
    let body = match body.read() {
        Ok(given) => given.value,
        Err(answer) => return answer,
    };
    let presented = Presented {
        token: SecretString::from(body.token),
        password: body.password.map(SecretString::from),
        phone: body.phone,
    };
    match open(state.context(), &origin(&request, &state, &id), &presented).await {
        Ok(redeemed) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Redeemed {
            purpose: redeemed.purpose.to_string(),
            status: redeemed.status.to_string(),
            password_link_sent: redeemed.password_link_sent,
        }),
        Err(RedemptionError::Refused) => {
            tracing::info!(request_id = %id.0, "a one-time link is refused");
            problem::respond(StatusCode::BAD_REQUEST, &RedemptionError::Refused.to_string(), &id.0)
        }
        Err(RedemptionError::Limited(seconds)) => problem::refuse(&ProtocolError::too_many_attempts(seconds), &id.0),
        Err(RedemptionError::Other(error @ AdminError::Invalid(_))) => problem::refuse_verb(&error, &id.0),
        Err(RedemptionError::Other(error)) => problem::refuse(&failure(&error), &id.0),
    }
}

/// Where a request comes from that nobody has signed in for.
pub(super) fn origin(request: &HttpRequest, state: &State, id: &RequestId) -> Actor {
    Actor {
        kind: ActorKind::System,
        id: "anonymous".to_owned(),
        ip: Some(network_of(request, state).to_string()),
        request_id: Some(id.0.to_string()),
    }
}

/// What is nobody's mistake: 503, or a defect.
pub(super) fn failure(error: &AdminError) -> ProtocolError {
    match error {
        AdminError::Bug(_) => ProtocolError::defect(),
        _ => ProtocolError::unavailable(1),
    }
    .because(error)
}
