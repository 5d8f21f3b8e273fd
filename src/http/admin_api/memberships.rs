//! `/api/v1/users/{user}/memberships`: the organizations that a user is in, and their roles in each.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::memberships;
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::Call;
use crate::http::admin_api::members;
use crate::model::user::Membership;

/// A user's place in an organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct Place {
    organization_id: String,
    /// The ids of the roles there.
    roles: Vec<String>,
}

impl From<Membership> for Place {
    fn from(place: Membership) -> Self {
        Self { organization_id: place.organization_id, roles: place.role_ids }
    }
}

/// The roles that a user is to have in the organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolesToHave {
    /// By name or id; all of them.
    roles: Vec<String>,
}

/// A user's memberships, as far as the caller reaches.
#[utoipa::path(get, path = "/api/v1/users/{user}/memberships", tag = "Memberships", params(("user" = String, Path)),
    responses((status = 200, body = Vec<Place>)))]
pub async fn list(call: Call, key: web::Path<String>, query: members::Query<members::Unpaged>) -> HttpResponse {
    if let Err(error) = query.read() {
        return call.refuse(&error);
    }
    let places = memberships::list(call.context(), &call.by, &key).await;
    call.answer(places.map(|places| places.into_iter().map(Place::from).collect::<Vec<_>>()))
}

/// Gives a user exactly these roles in the organization; a user of another one becomes a member.
#[utoipa::path(put, path = "/api/v1/users/{user}/memberships/{organization}", tag = "Memberships",
    params(("user" = String, Path), ("organization" = String, Path, description = "id, number or slug")),
    request_body = RolesToHave, responses((status = 200, body = Vec<Place>)))]
pub async fn set(call: Call, keys: web::Path<(String, String)>, body: Body<RolesToHave>) -> HttpResponse {
    let new = match body.read() {
        Ok(given) => given.value,
        Err(answer) => return answer,
    };
    let (user, organization) = keys.into_inner();
    let places = async {
        memberships::set(call.context(), &call.by, &user, Some(&organization), &new.roles).await?;
        memberships::list(call.context(), &call.by, &user).await
    };
    call.answer(places.await.map(|places| places.into_iter().map(Place::from).collect::<Vec<_>>()))
}

/// Ends a user's membership of an organization.
#[utoipa::path(delete, path = "/api/v1/users/{user}/memberships/{organization}", tag = "Memberships",
    params(("user" = String, Path), ("organization" = String, Path)), responses((status = 204)))]
pub async fn end(call: Call, keys: web::Path<(String, String)>) -> HttpResponse {
    let (user, organization) = keys.into_inner();
    call.done(memberships::end(call.context(), &call.by, &user, &organization).await)
}
