//! The one writer of RFC 6749 §5.2 errors, in the standard's shape and in Akeneo's.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::config::ErrorShape;
use crate::oauth::{ErrorCode, ProtocolError};

/// Writes the answer, and the exact reason into the log.
pub fn respond(error: &ProtocolError, shape: ErrorShape, request_id: &str) -> HttpResponse {
    log(error, request_id);
    let akeneo = shape == ErrorShape::Akeneo && matches!(error.status, 400 | 401);
    let status = if akeneo { 422 } else { error.status };
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    response.content_type("application/json");
    if let Some(challenge) = challenge(error) {
        response.insert_header((WWW_AUTHENTICATE, challenge));
    }
    if let Some(seconds) = error.retry_after {
        response.insert_header((RETRY_AFTER, seconds));
    }
    let body = if akeneo {
        serde_json::json!({ "code": 422, "message": error.description })
    } else {
        serde_json::json!({
            "error": error.code,
            "error_description": error.description,
            "request_id": request_id,
        })
    };
    response.body(body.to_string())
}

/// RFC 6749 §5.2 for clients, RFC 6750 §3 for bearers.
pub(super) fn challenge(error: &ProtocolError) -> Option<String> {
    // RFC 9110 §11.6.1: several challenges on one line, since proxies may pass on one line alone.
    let basic = r#"Basic realm="grantor", charset="UTF-8""#;
    match error.code {
        ErrorCode::InvalidToken if error.any_shape => {
            let token = ProtocolError { any_shape: false, ..error.clone() };
            challenge(&token).map(|bearer| format!("{bearer}, {basic}"))
        }
        ErrorCode::InvalidCredentials => Some(format!(r#"Bearer realm="grantor", {basic}"#)),
        ErrorCode::InvalidClient => Some(basic.to_owned()),
        ErrorCode::InvalidToken if error.bare_challenge => Some(r#"Bearer realm="grantor""#.to_owned()),
        ErrorCode::InvalidToken | ErrorCode::InsufficientScope => Some(format!(
            r#"Bearer realm="grantor", error="{}", error_description="{}""#,
            error.code, error.description
        )),
        _ => None,
    }
}

pub(super) fn log(error: &ProtocolError, request_id: &str) {
    let cause = error.cause.as_deref().unwrap_or(&error.description);
    match error.status {
        500 => tracing::error!(request_id, error = %error.code, cause, "defect"),
        503 => tracing::warn!(request_id, error = %error.code, cause, "not available"),
        _ => tracing::info!(request_id, error = %error.code, cause, "refused"),
    }
}
