//! `/api/v1/revocations`: what ended access tokens before their time.

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::admin::AdminError;
use crate::credentials::Kind;
use crate::http::admin_api::call::Call;
use crate::http::admin_api::members;
use crate::http::oauth::names;
use crate::http::problem;
use crate::oauth::revocations::{self, Revocations};

/// The query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationsQuery {
    since: Option<i64>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// What ended access tokens after `since`, for resource servers that check them offline. A token is dead if its `jti` or `sid` is
/// listed, or if a number of its `epoch` claim (client, user, organization) is below the one here. For clients that may introspect.
#[utoipa::path(get, path = "/api/v1/revocations", tag = "Revocations",
    params(("since" = Option<i64>, Query, description = "`change` of the answer before")),
    responses((status = 200, body = Revocations), (status = 304, description = "nothing since the answer with that ETag")))]
pub async fn list(request: HttpRequest, call: Call, query: members::Query<RevocationsQuery>) -> HttpResponse {
    let answer = async {
        let since = query.read()?.since;
        let context = call.context();
        let may = call.principal.kind == Kind::Client
            && context.registry.snapshot().client(&call.principal.subject).is_some_and(|client| client.may_introspect);
        if !may {
            return Err(AdminError::Forbidden("this is for clients that may introspect tokens".to_owned()));
        }
        Ok((since, revocations::since(context, since).await))
    };
    let (since, revocations) = match answer.await {
        Ok((since, Ok(revocations))) => (since, revocations),
        Ok((_, Err(error))) => return problem::refuse(&error, call.request_id()),
        Err(error) => return call.refuse(&error),
    };
    let etag = format!("\"{}-{}\"", since.map_or_else(String::new, |since| since.to_string()), revocations.change);
    let is_known = request.headers().get_all(IF_NONE_MATCH).any(|known| names(known, &etag));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // A second is what a change takes to reach every node, too.
    response.insert_header((CACHE_CONTROL, "private, max-age=1")).insert_header((ETAG, etag));
    if is_known { response.finish() } else { response.json(revocations) }
}
