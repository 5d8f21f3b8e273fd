//! `GET /api/v1/me`: who the caller is.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::credentials::{Kind, Principal, Shape};
use crate::http::extract::{RequestId, caller_of};
use crate::http::problem;
use crate::http::state::State;
use crate::model::time::Timestamp;

/// Who a caller of Grantor's own API is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me<'a> {
    sub: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    organization_id: &'a str,
    organization_number: i64,
    scopes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    credential_id: &'a str,
}

impl<'a> Me<'a> {
    fn of(principal: &'a Principal) -> Self {
        Self {
            sub: &principal.subject,
            kind: match principal.kind {
                Kind::User(kind) => kind.as_str(),
                Kind::Client => "client",
            },
            username: principal.username.as_deref(),
            client_id: principal.client_id.as_deref(),
            organization_id: &principal.organization.id,
            organization_number: principal.organization.number,
            scopes: principal.scopes.iter().collect(),
            expires_at: principal.expires_at.filter(|_| principal.shape == Shape::Jwt).map(Timestamp::seconds),
            credential_id: &principal.credential_id,
        }
    }
}

/// Who the caller is, whatever the shape of the credential.
#[utoipa::path(get, path = "/api/v1/me", tag = "Me", responses((status = 200, body = Me<'static>)))]
pub async fn me(request: HttpRequest, state: web::Data<State>, id: RequestId) -> HttpResponse {
    match caller_of(&request, &state).await {
        Ok(principal) => HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Me::of(&principal)),
        Err(error) => problem::refuse(&error, &id.0),
    }
}
