//! `GET /api/v1/me`: who the caller is.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use crate::http::extract::{Bearer, RequestId};
use crate::http::oauth::must_be_fresh;
use crate::http::problem;
use crate::http::state::State;
use crate::oauth::ProtocolError;
use crate::oauth::userinfo::{Me, me as who};

/// Answers who the bearer of the token is.
pub async fn me(bearer: Bearer, state: web::Data<State>, id: RequestId) -> HttpResponse {
    match caller(&bearer, &state).await {
        Ok(me) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(me),
        Err(error) => problem::refuse(&error, &id.0),
    }
}

async fn caller(bearer: &Bearer, state: &State) -> Result<Me, ProtocolError> {
    must_be_fresh(state)?;
    let token = bearer.0.as_ref().ok_or_else(ProtocolError::no_token)?;
    who(state.context(), token.expose()).await
}
