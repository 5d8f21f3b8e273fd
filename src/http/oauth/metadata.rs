//! Server metadata (RFC 8414, OpenID Connect Discovery).

use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::oauth::cached;
use crate::http::state::State;
use crate::oauth::metadata::metadata as document;

/// One document at both addresses. It outlives the database: everything in it is in memory.
pub async fn metadata(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    cached(&request, state.may_be_cached(), &document(state.context(), state.metadata()))
}
