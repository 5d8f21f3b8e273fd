//! `/api/v1/tokens/families`: sign-ins that go on.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::{AdminError, token_families};
use crate::http::admin_api::call::Call;
use crate::http::admin_api::members;
use crate::http::paging::{Page, Paging};
use crate::model::family::Family;

const LIST: &str = "token families";

/// One sign-in's chain of refresh tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenFamily {
    /// The `sid` of its access tokens.
    id: String,
    client_id: String,
    user_id: String,
    scopes: Vec<String>,
    #[schema(format = DateTime)]
    auth_time: String,
    #[schema(format = DateTime)]
    last_refreshed_at: String,
    #[schema(format = DateTime)]
    idle_expires_at: String,
    #[schema(format = DateTime)]
    absolute_expires_at: String,
}

impl From<Family> for TokenFamily {
    fn from(family: Family) -> Self {
        Self {
            id: family.id,
            client_id: family.client_id,
            user_id: family.user_id,
            scopes: family.scope.iter().map(str::to_owned).collect(),
            auth_time: family.auth_time.rfc3339(),
            last_refreshed_at: family.rotated_at.rfc3339(),
            idle_expires_at: family.idle_expires_at.rfc3339(),
            absolute_expires_at: family.absolute_expires_at.rfc3339(),
        }
    }
}

/// A list's query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFamilyQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    user: Option<String>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// The live token families of the caller or, for an administrator, of a user.
#[utoipa::path(get, path = "/api/v1/tokens/families", tag = "Tokens",
    params(("limit" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
        ("user" = Option<String>, Query, description = "id or username")),
    responses((status = 200, body = Page<TokenFamily>)))]
pub async fn list(call: Call, query: members::Query<TokenFamilyQuery>) -> HttpResponse {
    let page = async {
        let query = query.read()?;
        let window = Paging { limit: query.limit, cursor: query.cursor }.window(call.context(), LIST)?;
        let user = query.user.as_deref();
        let rows = token_families::page(call.context(), &call.by, user, &window.after, window.limit).await?;
        Ok::<_, AdminError>(window.page(call.context(), LIST, rows, |row| row.id.clone(), TokenFamily::from))
    };
    call.answer(page.await)
}

/// Ends a token family: its refresh token and its access tokens are dead at once.
#[utoipa::path(delete, path = "/api/v1/tokens/families/{family}", tag = "Tokens", params(("family" = String, Path)),
    responses((status = 204)))]
pub async fn revoke(call: Call, id: web::Path<String>) -> HttpResponse {
    call.done(token_families::revoke(call.context(), &call.by, &id).await)
}
