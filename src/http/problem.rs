//! The one writer of RFC 9457 problems.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

/// Writes a problem.
pub fn respond(status: StatusCode, detail: &str, request_id: &str) -> HttpResponse {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
        "request_id": request_id,
    });
    HttpResponse::build(status).content_type("application/problem+json").body(body.to_string())
}
