//! `/api/v1/scopes`: the catalogue.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::scopes;
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::members::{self, some};
use crate::model::scope::CatalogueScope;

/// A scope of the catalogue, which all organizations share.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scope {
    name: String,
    description: String,
    /// Whether clients must be granted it one by one.
    requires_approval: bool,
    /// The resource server that it belongs to.
    #[schema(required = true)]
    audience: Option<String>,
}

impl From<CatalogueScope> for Scope {
    fn from(scope: CatalogueScope) -> Self {
        Self {
            name: scope.name,
            description: scope.description,
            requires_approval: scope.requires_approval,
            audience: scope.audience,
        }
    }
}

impl Made for Scope {
    const IS_SECRET: bool = false;

    fn made_id(&self) -> String {
        self.name.clone()
    }
}

/// A scope to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeToMake {
    /// A scope-token of RFC 6749 section 3.3.
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    requires_approval: bool,
    audience: Option<String>,
}

/// What of a scope is to be changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeToChange {
    description: Option<String>,
    requires_approval: Option<bool>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>)]
    audience: Option<Option<String>>,
}

/// The catalogue.
#[utoipa::path(get, path = "/api/v1/scopes", tag = "Scopes", responses((status = 200, body = Vec<Scope>)))]
pub async fn list(call: Call, query: members::Query<members::Unpaged>) -> HttpResponse {
    if let Err(error) = query.read() {
        return call.refuse(&error);
    }
    let found = scopes::list(call.context()).await;
    call.answer(found.map(|all| all.into_iter().map(Scope::from).collect::<Vec<_>>()))
}

/// Adds a scope. Only principals of the default organization do.
#[utoipa::path(post, path = "/api/v1/scopes", tag = "Scopes", request_body = ScopeToMake,
    responses((status = 201, body = Scope)))]
pub async fn create(call: Call, body: Body<ScopeToMake>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let ScopeToMake { name, description, requires_approval, audience } = given.value;
    let scope = CatalogueScope { name, description, requires_approval, audience };
    let verb = async { scopes::create(call.context(), &call.by, scope).await.map(Scope::from) };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// Deletes a scope that no client and no role holds. Built-in scopes stay.
#[utoipa::path(delete, path = "/api/v1/scopes/{scope}", tag = "Scopes", params(("scope" = String, Path)),
    responses((status = 204)))]
pub async fn delete(call: Call, name: web::Path<String>) -> HttpResponse {
    call.done(scopes::delete(call.context(), &call.by, &name).await)
}

/// One scope.
#[utoipa::path(get, path = "/api/v1/scopes/{scope}", tag = "Scopes", params(("scope" = String, Path)),
    responses((status = 200, body = Scope)))]
pub async fn show(call: Call, name: web::Path<String>) -> HttpResponse {
    call.answer(scopes::find(call.context(), &name).await.map(Scope::from))
}

/// Changes a scope. Clients keep what they have.
#[utoipa::path(patch, path = "/api/v1/scopes/{scope}", tag = "Scopes", params(("scope" = String, Path)),
    request_body = ScopeToChange, responses((status = 200, body = Scope)))]
pub async fn update(call: Call, name: web::Path<String>, body: Body<ScopeToChange>) -> HttpResponse {
    let new = match body.read() {
        Ok(given) => given.value,
        Err(answer) => return answer,
    };
    let changed = async {
        let mut scope = scopes::find(call.context(), &name).await?;
        scope.description = new.description.unwrap_or(scope.description);
        scope.requires_approval = new.requires_approval.unwrap_or(scope.requires_approval);
        scope.audience = new.audience.unwrap_or(scope.audience);
        scopes::update(call.context(), &call.by, scope).await.map(Scope::from)
    };
    call.answer(changed.await)
}
