//! `GET /.well-known/jwks.json` (RFC 7517).

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::state::State;

/// The published keys. A cache may keep them for `keys.publish_ahead`: a new key is in the document for as long
/// before its first signature.
pub async fn jwks(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let context = state.context();
    let document = state.jwks().document(&context.ring.load(), context.clock.now());
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == document.etag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((CACHE_CONTROL, format!("public, max-age={}", context.settings.publish_ahead)))
        .insert_header((ETAG, &*document.etag))
        .content_type("application/json");
    if known { response.finish() } else { response.body(document.body.to_string()) }
}
