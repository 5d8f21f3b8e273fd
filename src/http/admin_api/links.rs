//! `POST /api/v1/links/redeem`: whoever has a one-time link uses it. Nobody signs in for that.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use crate::admin::AdminError;
use crate::admin::redemption::{Presented, RedemptionError, redeem as open};
use crate::crypto::secret::SecretString;
use crate::http::extract::{RequestId, network_of, read_json};
use crate::http::problem;
use crate::http::state::State;
use crate::model::audit::{Actor, ActorKind};
use crate::oauth::ProtocolError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    token: String,
    password: Option<String>,
    phone: Option<String>,
}

/// Uses a link for what it is for.
pub async fn redeem(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    id: RequestId,
) -> HttpResponse {
    let body: Body = match read_json(&request, payload, &state, "token, password, phone").await {
        Ok(body) => body,
        Err(error) => return problem::refuse(&error, &id.0),
    };
    let presented = Presented {
        token: SecretString::from(body.token),
        password: body.password.map(SecretString::from),
        phone: body.phone,
    };
    match open(state.context(), &origin(&request, &state, &id), &presented).await {
        Ok(redeemed) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(json!({
            "purpose": redeemed.purpose,
            "status": redeemed.status,
            "password_link_sent": redeemed.password_link_sent,
        })),
        Err(RedemptionError::Refused) => {
            tracing::info!(request_id = %id.0, "a one-time link is refused");
            problem::respond(StatusCode::BAD_REQUEST, &RedemptionError::Refused.to_string(), &id.0)
        }
        Err(RedemptionError::Limited(seconds)) => problem::refuse(&ProtocolError::too_many_attempts(seconds), &id.0),
        Err(RedemptionError::Other(AdminError::Invalid(errors))) => problem::invalid(&errors, &id.0),
        Err(RedemptionError::Other(error)) => problem::refuse(&failure(&error), &id.0),
    }
}

/// Where a request comes from that nobody has signed in for.
pub(super) fn origin(request: &HttpRequest, state: &State, id: &RequestId) -> Actor {
    Actor {
        kind: ActorKind::System,
        id: "anonymous".to_owned(),
        ip: Some(network_of(request, state).to_string()),
        request_id: Some(id.0.clone()),
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
