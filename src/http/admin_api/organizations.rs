//! `/api/v1/organizations`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::organizations;
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::members;
use crate::model::organization::OrganizationStatus;

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organization {
    id: String,
    /// Six digits or more, stable.
    number: i64,
    slug: String,
    name: String,
    /// `active` or `disabled`.
    status: String,
}

impl From<crate::model::organization::Organization> for Organization {
    fn from(organization: crate::model::organization::Organization) -> Self {
        Self {
            id: organization.id,
            number: organization.number,
            slug: organization.slug,
            name: organization.name,
            status: organization.status.to_string(),
        }
    }
}

impl Made for Organization {
    const IS_SECRET: bool = false;

    fn made_id(&self) -> String {
        self.id.clone()
    }
}

/// An organization to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationToMake {
    name: String,
    /// 1 to 60 of a-z, 0-9 and '-'.
    slug: String,
}

/// What of an organization is to be changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationToChange {
    name: String,
}

/// The organizations that the caller is in; for those who govern the installation, all.
#[utoipa::path(get, path = "/api/v1/organizations", tag = "Organizations",
    responses((status = 200, body = Vec<Organization>)))]
pub async fn list(call: Call, query: members::Query<members::Unpaged>) -> HttpResponse {
    if let Err(error) = query.read() {
        return call.refuse(&error);
    }
    let found = organizations::of_caller(call.context(), &call.by).await;
    call.answer(found.map(|all| all.into_iter().map(Organization::from).collect::<Vec<_>>()))
}

/// Makes an organization. Only administrators of the default organization do.
#[utoipa::path(post, path = "/api/v1/organizations", tag = "Organizations", request_body = OrganizationToMake,
    responses((status = 201, body = Organization)))]
pub async fn create(call: Call, body: Body<OrganizationToMake>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let verb = async {
        let made = organizations::create(call.context(), &call.by, &given.value.name, &given.value.slug).await?;
        Ok(Organization::from(made))
    };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// One of the caller's organizations, by number, id or slug; 404 for any other, there or not.
#[utoipa::path(get, path = "/api/v1/organizations/{organization}", tag = "Organizations",
    params(("organization" = String, Path)), responses((status = 200, body = Organization)))]
pub async fn show(call: Call, key: web::Path<String>) -> HttpResponse {
    let found = organizations::of_caller_by(call.context(), &call.by, &key).await;
    call.answer(found.map(Organization::from))
}

/// Gives an organization another name.
#[utoipa::path(patch, path = "/api/v1/organizations/{organization}", tag = "Organizations",
    params(("organization" = String, Path)), request_body = OrganizationToChange,
    responses((status = 200, body = Organization)))]
pub async fn update(call: Call, key: web::Path<String>, body: Body<OrganizationToChange>) -> HttpResponse {
    let new = match body.read() {
        Ok(given) => given.value,
        Err(answer) => return answer,
    };
    call.answer(organizations::rename(call.context(), &call.by, &key, &new.name).await.map(Organization::from))
}

/// Stops an organization: nothing is issued for its users and clients.
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/disable", tag = "Organizations",
    params(("organization" = String, Path)), responses((status = 200, body = Organization)))]
pub async fn disable(call: Call, key: web::Path<String>) -> HttpResponse {
    let changed = async {
        let changed = organizations::set_status(call.context(), &call.by, &key, OrganizationStatus::Disabled).await?;
        Ok(Organization::from(changed))
    };
    call.once_changed(b"", changed).await
}

/// Lets an organization work again.
#[utoipa::path(post, path = "/api/v1/organizations/{organization}/enable", tag = "Organizations",
    params(("organization" = String, Path)), responses((status = 200, body = Organization)))]
pub async fn enable(call: Call, key: web::Path<String>) -> HttpResponse {
    let changed = async {
        let changed = organizations::set_status(call.context(), &call.by, &key, OrganizationStatus::Active).await?;
        Ok(Organization::from(changed))
    };
    call.once_changed(b"", changed).await
}
