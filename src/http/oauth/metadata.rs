//! Server metadata (RFC 8414, OpenID Connect Discovery).

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use crate::http::state::State;
use crate::oauth::metadata::metadata as document;

/// One document at both addresses. It outlives the database: everything in it is in memory.
pub async fn metadata(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, format!("public, max-age={}", state.context().settings.publish_ahead)))
        .json(document(state.context()))
}
