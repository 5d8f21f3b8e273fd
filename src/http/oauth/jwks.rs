//! `GET /.well-known/jwks.json` (RFC 7517).

use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::oauth::cached;
use crate::http::state::State;
use crate::oauth::keys::jwks as document;

/// The published keys. It outlives the database: the keys are in memory.
pub async fn jwks(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let context = state.context();
    let document = document(state.jwks(), &context.ring.load(), context.clock.now());
    cached(&request, state.may_be_cached(), &document)
}
