//! `GET /api/v1/organizations/{organization}`: one that the caller is a member of.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::http::extract::{RequestId, caller_of};
use crate::http::problem;
use crate::http::state::State;

/// By number or id. Another's is not there, rather than forbidden.
pub async fn show(
    request: HttpRequest,
    path: web::Path<String>,
    state: web::Data<State>,
    id: RequestId,
) -> HttpResponse {
    let principal = match caller_of(&request, &state).await {
        Ok(principal) => principal,
        Err(error) => return problem::refuse(&error, &id.0),
    };
    match principal.organization_named(state.context(), &path) {
        Some(found) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(serde_json::json!({
            "id": found.id,
            "number": found.number,
            "slug": found.slug,
            "name": found.name,
        })),
        None => problem::respond(StatusCode::NOT_FOUND, "there is no such organization", &id.0),
    }
}
