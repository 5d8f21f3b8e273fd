//! `GET /.well-known/jwks.json` (RFC 7517).

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::state::State;
use crate::registry::STALE_AFTER;

/// The published keys. A cache may keep them for as long as a new key waits before its first signature, less the
/// time in which this node may not have heard of the key that another one published.
pub async fn jwks(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let context = state.context();
    let document = state.jwks().document(&context.ring.load(), context.clock.now());
    let known = request.headers().get_all(IF_NONE_MATCH).any(|known| names(known, &document.etag));
    let fresh_for = context.settings.publish_ahead.saturating_sub(i64::try_from(STALE_AFTER.as_secs()).unwrap_or(0));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((CACHE_CONTROL, format!("public, max-age={}", fresh_for.max(0))))
        .insert_header((ETAG, &*document.etag))
        .content_type("application/json");
    if known { response.finish() } else { response.body(document.body.to_string()) }
}

/// RFC 9110 §13.1.2: a list of entity tags or `*`, compared weakly.
fn names(condition: &HeaderValue, etag: &str) -> bool {
    let Ok(condition) = condition.to_str() else { return false };
    condition.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}
