//! `/api/v1/scope-requests`, and those of one client.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::{AdminError, scope_requests};
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::members;
use crate::http::paging::{Page, Paging};
use crate::model::scope_request;
use crate::store::scope_requests::ScopeRequestFilter;

const LIST: &str = "scope requests";

/// A request of a client for a scope.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScopeRequest {
    id: String,
    client_id: String,
    scope: String,
    justification: String,
    /// `pending`, `approved` or `denied`.
    status: String,
    requested_by: String,
    #[schema(format = DateTime)]
    requested_at: String,
    #[schema(required = true)]
    decided_by: Option<String>,
    #[schema(required = true, format = DateTime)]
    decided_at: Option<String>,
    reason: String,
}

impl From<scope_request::ScopeRequest> for ScopeRequest {
    fn from(request: scope_request::ScopeRequest) -> Self {
        Self {
            id: request.id,
            client_id: request.client_id,
            scope: request.scope,
            justification: request.justification,
            status: request.status.to_string(),
            requested_by: request.requested_by,
            requested_at: request.requested_at.rfc3339(),
            decided_by: request.decided_by,
            decided_at: request.decided_at.map(crate::model::time::Timestamp::rfc3339),
            reason: request.reason,
        }
    }
}

impl Made for ScopeRequest {
    const IS_SECRET: bool = false;

    fn made_id(&self) -> String {
        self.id.clone()
    }
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeToRequest {
    scope: String,
    /// Why the application needs it.
    justification: String,
}

/// What is said to it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    #[serde(default)]
    reason: String,
}

/// A list's query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeRequestQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    status: Option<String>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

async fn page(
    call: &Call,
    client_id: Option<String>,
    query: members::Query<ScopeRequestQuery>,
) -> Result<Page<ScopeRequest>, AdminError> {
    let query = query.read()?;
    let window = Paging { limit: query.limit, cursor: query.cursor }.window(call.context(), LIST)?;
    let status = members::word("status", query.status.as_deref())?;
    let filter = ScopeRequestFilter { organization_id: None, client_id, status };
    let rows = scope_requests::page(call.context(), &call.by, filter, &window.after, window.limit).await?;
    Ok(window.page(call.context(), LIST, rows, |row| row.id.clone(), ScopeRequest::from))
}

/// All requests of the organization, for those who decide.
#[utoipa::path(get, path = "/api/v1/scope-requests", tag = "Scope requests",
    params(("limit" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
        ("status" = Option<String>, Query, description = "pending, approved or denied")),
    responses((status = 200, body = Page<ScopeRequest>)))]
pub async fn list(call: Call, query: members::Query<ScopeRequestQuery>) -> HttpResponse {
    call.answer(page(&call, None, query).await)
}

/// The requests of one client.
#[utoipa::path(get, path = "/api/v1/clients/{client}/scope-requests", tag = "Scope requests",
    params(("client" = String, Path), ("limit" = Option<i64>, Query, minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query), ("status" = Option<String>, Query)),
    responses((status = 200, body = Page<ScopeRequest>)))]
pub async fn of_client(
    call: Call,
    client: web::Path<String>,
    query: members::Query<ScopeRequestQuery>,
) -> HttpResponse {
    call.answer(page(&call, Some(client.into_inner()), query).await)
}

/// Asks for a scope. One that needs no approval is given at once.
#[utoipa::path(post, path = "/api/v1/clients/{client}/scope-requests", tag = "Scope requests",
    params(("client" = String, Path)), request_body = ScopeToRequest, responses((status = 201, body = ScopeRequest)))]
pub async fn create(call: Call, client: web::Path<String>, body: Body<ScopeToRequest>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let ScopeToRequest { scope, justification } = given.value;
    let verb = async {
        let made = scope_requests::create(call.context(), &call.by, &client, &scope, &justification).await?;
        Ok(ScopeRequest::from(made))
    };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// Grants a request. Nobody decides about their own.
#[utoipa::path(post, path = "/api/v1/scope-requests/{request}/approve", tag = "Scope requests",
    params(("request" = String, Path)), request_body = Decision, responses((status = 200, body = ScopeRequest)))]
pub async fn approve(call: Call, id: web::Path<String>, body: Body<Decision>) -> HttpResponse {
    decide(&call, &id, body, true).await
}

/// Refuses a request. Nobody decides about their own.
#[utoipa::path(post, path = "/api/v1/scope-requests/{request}/deny", tag = "Scope requests",
    params(("request" = String, Path)), request_body = Decision, responses((status = 200, body = ScopeRequest)))]
pub async fn deny(call: Call, id: web::Path<String>, body: Body<Decision>) -> HttpResponse {
    decide(&call, &id, body, false).await
}

async fn decide(call: &Call, id: &str, body: Body<Decision>, approved: bool) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let decided = async {
        let decided = scope_requests::decide(call.context(), &call.by, id, approved, &given.value.reason).await?;
        Ok(ScopeRequest::from(decided))
    };
    call.once_changed(&given.bytes, decided).await
}
