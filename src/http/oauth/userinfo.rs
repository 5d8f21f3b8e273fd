//! `GET, POST /oauth/userinfo` (OpenID Connect Core §5.3).

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use crate::config::ErrorShape;
use crate::http::extract::{Bearer, RequestId};
use crate::http::oauth::must_be_fresh;
use crate::http::oauth_error;
use crate::http::state::State;
use crate::oauth::ProtocolError;
use crate::oauth::userinfo::{UserInfo, userinfo as claims_of};

/// The claims about the user behind the token.
pub async fn userinfo(bearer: Bearer, state: web::Data<State>, id: RequestId) -> HttpResponse {
    match claims(&bearer, &state).await {
        Ok(claims) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(claims),
        Err(error) => oauth_error::respond(&error, ErrorShape::Rfc6749, &id.0),
    }
}

async fn claims(bearer: &Bearer, state: &State) -> Result<UserInfo, ProtocolError> {
    must_be_fresh(state)?;
    let token = bearer.0.as_ref().ok_or_else(ProtocolError::no_token)?;
    claims_of(state.context(), token.expose()).await
}
