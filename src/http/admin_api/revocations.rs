//! `/api/v1/revocations`: what ended access tokens before their time.

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::admin::AdminError;
use crate::admin::revocations::{self, Revocations};
use crate::http::admin_api::call::Call;
use crate::http::admin_api::members;
use crate::http::oauth::matches_etag;

/// The query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationsQuery {
    since: Option<i64>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// What ended access tokens after `since`, for resource servers that check them offline. A token is dead if its `jti` or `sid` is
/// listed, or if a number of its `epoch` claim (client, user, organization) is below the one here. For clients of the default organization that may introspect.
#[utoipa::path(get, path = "/api/v1/revocations", tag = "Revocations",
    params(("since" = Option<i64>, Query, description = "`change` of the answer before")),
    responses((status = 200, body = Revocations), (status = 304, description = "nothing since the answer with that ETag")))]
pub async fn list(request: HttpRequest, call: Call, query: members::Query<RevocationsQuery>) -> HttpResponse {
    match answer(&request, &call, query).await {
        Ok(response) => response,
        Err(error) => call.refuse(&error),
    }
}

async fn answer(
    request: &HttpRequest,
    call: &Call,
    query: members::Query<RevocationsQuery>,
) -> Result<HttpResponse, AdminError> {
    let since = query.read()?.since;
    let change = revocations::change(call.context(), &call.by)?;
    let etag = format!("\"{}-{change}\"", since.map_or_else(String::new, |since| since.to_string()));
    // A second is what a change takes to reach every node, too.
    let cache = (CACHE_CONTROL, "private, max-age=1");
    if request.headers().get_all(IF_NONE_MATCH).any(|known| matches_etag(known, &etag)) {
        return Ok(HttpResponse::NotModified().insert_header(cache).insert_header((ETAG, etag)).finish());
    }
    let revocations = revocations::since(call.context(), change, since).await?;
    Ok(HttpResponse::Ok().insert_header(cache).insert_header((ETAG, etag)).json(revocations))
}
