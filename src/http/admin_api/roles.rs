//! `/api/v1/roles`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::AdminError;
use crate::admin::roles::{self, RoleRequest};
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::members;
use crate::http::paging::{Page, Paging};
use crate::model::role;

const HOLDERS: &str = "role users";

/// A role.
#[derive(Debug, Serialize, ToSchema)]
pub struct Role {
    id: String,
    name: String,
    description: String,
    /// A built-in role is the same in every organization, and stays as it is.
    built_in: bool,
    /// Built-in permissions and scopes of the catalogue.
    permissions: Vec<String>,
}

impl From<role::Role> for Role {
    fn from(role: role::Role) -> Self {
        Self {
            built_in: role.organization_id.is_none(),
            id: role.id,
            name: role.name,
            description: role.description,
            permissions: role.permissions.into_iter().collect(),
        }
    }
}

impl Made for Role {
    const IS_SECRET: bool = false;

    fn made_id(&self) -> String {
        self.id.clone()
    }
}

/// A role as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleToMake {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    permissions: Vec<String>,
}

impl From<RoleToMake> for RoleRequest {
    fn from(new: RoleToMake) -> Self {
        Self { name: new.name, description: new.description, permissions: new.permissions }
    }
}

/// The built-in roles and those of the organization.
#[utoipa::path(get, path = "/api/v1/roles", tag = "Roles", responses((status = 200, body = Vec<Role>)))]
pub async fn list(call: Call, query: members::Query<members::Unpaged>) -> HttpResponse {
    if let Err(error) = query.read() {
        return call.refuse(&error);
    }
    let found = async {
        call.by.require(role::ROLES_MANAGE)?;
        roles::list(call.context(), &call.by, None).await
    };
    call.answer(found.await.map(|all| all.into_iter().map(Role::from).collect::<Vec<_>>()))
}

/// Makes a role of the organization. Nobody puts into it more than they hold.
#[utoipa::path(post, path = "/api/v1/roles", tag = "Roles", request_body = RoleToMake,
    responses((status = 201, body = Role)))]
pub async fn create(call: Call, body: Body<RoleToMake>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let request = RoleRequest::from(given.value);
    let verb = async { roles::create(call.context(), &call.by, None, &request).await.map(Role::from) };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// One role, by id or name.
#[utoipa::path(get, path = "/api/v1/roles/{role}", tag = "Roles", params(("role" = String, Path)),
    responses((status = 200, body = Role)))]
pub async fn show(call: Call, key: web::Path<String>) -> HttpResponse {
    let found = async {
        call.by.require(role::ROLES_MANAGE)?;
        roles::find(call.context(), &call.by, &call.principal.organization.id, &key).await.map(Role::from)
    };
    call.answer(found.await)
}

/// Changes a role of the organization's own. Its holders have the new permissions at their next request.
#[utoipa::path(put, path = "/api/v1/roles/{role}", tag = "Roles", params(("role" = String, Path)),
    request_body = RoleToMake, responses((status = 200, body = Role)))]
pub async fn update(call: Call, key: web::Path<String>, body: Body<RoleToMake>) -> HttpResponse {
    let request = match body.read() {
        Ok(given) => RoleRequest::from(given.value),
        Err(answer) => return answer,
    };
    call.answer(roles::update(call.context(), &call.by, None, &key, &request).await.map(Role::from))
}

/// Deletes a role of the organization's own, and takes it from all who have it.
#[utoipa::path(delete, path = "/api/v1/roles/{role}", tag = "Roles", params(("role" = String, Path)),
    responses((status = 204)))]
pub async fn delete(call: Call, key: web::Path<String>) -> HttpResponse {
    call.done(roles::delete(call.context(), &call.by, None, &key).await)
}

/// A list's query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// The ids of the members of the organization who have the role.
#[utoipa::path(get, path = "/api/v1/roles/{role}/users", tag = "Roles",
    params(("role" = String, Path), ("limit" = Option<i64>, Query, minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<String>)))]
pub async fn holders(call: Call, key: web::Path<String>, query: members::Query<HolderQuery>) -> HttpResponse {
    let page = async {
        let query = query.read()?;
        let window = Paging { limit: query.limit, cursor: query.cursor }.window(call.context(), HOLDERS)?;
        let rows = roles::holders(call.context(), &call.by, None, &key, &window.after, window.limit).await?;
        Ok::<_, AdminError>(window.page(call.context(), HOLDERS, rows, String::clone, |id| id))
    };
    call.answer(page.await)
}
