//! The one writer of RFC 9457 problems.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use crate::admin::AdminError;
use crate::http::oauth_error::{challenge, log};
use crate::oauth::ProtocolError;

/// Writes a problem.
pub fn respond(status: StatusCode, detail: &str, request_id: &str) -> HttpResponse {
    write(status, &body(status, detail, request_id), |_| {})
}

/// Writes a refusal of the protocol as a problem, for Grantor's own API; the protocol's `error` is a member of it.
pub fn refuse(error: &ProtocolError, request_id: &str) -> HttpResponse {
    log(error, request_id);
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut problem = body(status, &error.description, request_id);
    problem["error"] = error.code.as_str().into();
    write(status, &problem, |response| {
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(challenge) = challenge(error) {
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        if let Some(seconds) = error.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
    })
}

/// Writes a verb's refusal.
pub fn refuse_verb(error: &AdminError, request_id: &str) -> HttpResponse {
    let (status, detail) = match error {
        AdminError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "a field cannot be what it is".to_owned()),
        AdminError::Unreadable(detail) => (StatusCode::BAD_REQUEST, detail.clone()),
        AdminError::Refused(detail) => (StatusCode::CONFLICT, detail.clone()),
        AdminError::Forbidden(detail) => (StatusCode::FORBIDDEN, detail.clone()),
        AdminError::NotFound { .. } => (StatusCode::NOT_FOUND, error.to_string()),
        AdminError::Limited(_) => (StatusCode::TOO_MANY_REQUESTS, error.to_string()),
        AdminError::Unavailable(cause) => return refuse(&ProtocolError::unavailable(1).because(cause), request_id),
        AdminError::Bug(cause) => return refuse(&ProtocolError::defect().because(cause), request_id),
    };
    tracing::info!(request_id, status = status.as_u16(), cause = %error, "refused");
    let mut problem = body(status, &detail, request_id);
    if let AdminError::Invalid(fields) = error {
        problem["errors"] = json!(fields);
    }
    write(status, &problem, |response| {
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let AdminError::Limited(seconds) = error {
            response.insert_header((RETRY_AFTER, *seconds));
        }
    })
}

/// 422 for one member of a request that cannot be read.
pub fn invalid_field(field: &str, message: &str, request_id: &str) -> HttpResponse {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let mut problem = body(status, "a field cannot be what it is", request_id);
    problem["errors"] = json!([{ "field": field, "message": message }]);
    write(status, &problem, |_| {})
}

fn body(status: StatusCode, detail: &str, request_id: &str) -> Value {
    json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
        "request_id": request_id,
    })
}

fn write(
    status: StatusCode,
    problem: &Value,
    headers: impl FnOnce(&mut actix_web::HttpResponseBuilder),
) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    headers(&mut response);
    response.content_type("application/problem+json").body(problem.to_string())
}
