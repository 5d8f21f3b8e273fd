//! The whole route table on one page.

use actix_cors::Cors;
use actix_web::http::StatusCode;
use actix_web::http::header::ALLOW;
use actix_web::middleware::Condition;
use actix_web::{HttpRequest, HttpResponse, Resource, Route, guard, web};

use crate::config::ErrorShape;
use crate::http::extract::RequestId;
use crate::http::oauth::{introspect, jwks, metadata, revoke, token, userinfo};
use crate::http::state::State;
use crate::http::{admin_api, console, health, oauth_error, problem, verify};
use crate::oauth::ProtocolError;

/// A route that answers every method there is.
pub const ANY: &str = "ANY";

/// Path, methods, name in the metrics: what the tests hold the server to.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("/oauth/token", "POST", "token"),
    ("/oauth/introspect", "POST", "introspect"),
    ("/oauth/revoke", "POST", "revoke"),
    ("/oauth/userinfo", "GET, HEAD, POST", "userinfo"),
    ("/.well-known/openid-configuration", "GET, HEAD", "metadata"),
    ("/.well-known/oauth-authorization-server", "GET, HEAD", "metadata"),
    ("/.well-known/jwks.json", "GET, HEAD", "jwks"),
    ("/health/live", "GET, HEAD", "health"),
    ("/health/ready", "GET, HEAD", "health"),
    ("/docs", "GET, HEAD", "docs"),
    ("/docs/{rest}", "GET, HEAD", "docs"),
    ("/verify", ANY, "verify"),
    ("/verify/{rest}", ANY, "verify"),
];

/// The name of a path in the metrics; never a text that a client chose.
pub(super) fn route_name(path: &str) -> &'static str {
    row(path).map_or("other", |(_, _, name)| name)
}

fn row(path: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    // The paths of the protocol are found to the letter, before any pattern is taken apart.
    let exact = table().find(|(pattern, _, _)| *pattern == path);
    exact.or_else(|| table().find(|(pattern, _, _)| fits(pattern, path)))
}

/// Every path of the public listener but the configured ones.
pub fn table() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    TABLE.iter().chain(admin_api::TABLE).chain(console::TABLE)
}

/// A `{name}` in a pattern stands for one segment, `{rest}` for all that follow.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) | (Some("{rest}"), Some(_)) => return true,
            (Some(part), Some(segment)) if part == segment || part.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}

/// The path of this server's own that a further token path would cover. `{any}` there stands for one segment; a path of
/// ours that stands for all that follow is covered only by one that names its beginning.
#[must_use]
pub fn own_path(further: &str) -> Option<&'static str> {
    let meets = |own: &str| {
        let (mut own, mut further) = (own.split('/'), further.split('/'));
        let mut is_named = true;
        loop {
            match (own.next(), further.next()) {
                (None, None) => return true,
                (Some("{rest}"), Some(_)) => return is_named,
                (Some(_), Some("{any}")) => is_named = false,
                (Some(one), Some(other)) if one == other || one.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    table().map(|(own, ..)| *own).find(|own| meets(own))
}

/// The endpoints whose clients know the errors of RFC 6749, and no others.
const PROTOCOL: &[&str] = &["/oauth/token", "/oauth/introspect", "/oauth/revoke"];

/// What the private listener answers.
const PRIVATE: &[&str] = &["/metrics", "/health/live", "/health/ready", "/health/full"];

/// The public listener. The router asks one after the other, so what is asked for most stands first.
pub fn public(routes: &mut web::ServiceConfig, state: &State) {
    routes.app_data(web::Data::new(state.clone()));
    routes
        .service(resource("/oauth/token").route(web::post().to(token::standard)))
        .service(resource("/oauth/introspect").route(web::post().to(introspect::introspect)))
        .service(resource("/verify").route(web::route().to(verify::verify)))
        .service(resource("/.well-known/jwks.json").route(read().to(jwks::jwks)))
        .service(resource("/oauth/revoke").route(web::post().to(revoke::revoke)))
        .service(
            resource("/oauth/userinfo").route(read().to(userinfo::userinfo)).route(web::post().to(userinfo::userinfo)),
        )
        .service(resource("/.well-known/openid-configuration").route(read().to(metadata::metadata)))
        .service(resource("/.well-known/oauth-authorization-server").route(read().to(metadata::metadata)))
        .service(resource("/health/live").route(read().to(health::live)))
        .service(resource("/health/ready").route(read().to(health::ready)));
    // Before the prefixes that some of them lie below. None of them is one of this server's own: `own_path`.
    for (index, further) in state.settings().token_paths.iter().enumerate() {
        let route = match further.errors {
            ErrorShape::Rfc6749 => web::post().to(token::standard),
            ErrorShape::Akeneo => web::post().to(token::akeneo),
        };
        routes.service(resource(&pattern(&further.path, index)).route(route));
    }
    routes
        .configure(admin_api::register)
        .configure(console::register)
        .service(resource("/docs").route(read().to(admin_api::openapi::to_docs)))
        .service(resource("/docs/{rest:.*}").route(read().to(admin_api::openapi::docs)))
        .service(resource("/verify/{rest:.*}").route(web::route().to(verify::verify_rest)))
        .default_service(web::to(not_found));
}

/// The private listener: metrics and full health, never on the public one.
pub fn private(routes: &mut web::ServiceConfig, state: &State) {
    routes.app_data(web::Data::new(state.clone()));
    routes
        .service(resource("/metrics").route(read().to(health::metrics)))
        .service(resource("/health/live").route(read().to(health::live)))
        .service(resource("/health/ready").route(read().to(health::ready)))
        .service(resource("/health/full").route(read().to(health::full)))
        .default_service(web::to(not_found_in_private));
}

/// What a page on another origin may send: every shape of a credential, and what Swagger UI adds to its own requests.
const CORS_HEADERS: [&str; 9] = [
    "authorization",
    "content-type",
    "x-api-key",
    "x-user-id",
    "x-business-id",
    "client-id",
    "client-secret",
    "idempotency-key",
    "x-requested-with",
];

/// Browsers of the configured origins may call; of no others. No cookie is taken from them.
#[must_use]
pub fn cors(state: &State) -> Condition<Cors> {
    let origins = &state.settings().cors_origins;
    let mut cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(CORS_HEADERS)
        .expose_headers(["location", "retry-after", "www-authenticate", "x-request-id"])
        .max_age(600);
    for origin in origins {
        cors = cors.allowed_origin(origin);
    }
    Condition::new(!origins.is_empty(), cors)
}

/// A resource that answers a wrong method with 405 and `Allow`.
pub(super) fn resource(path: &str) -> Resource {
    web::resource(path.to_owned()).default_service(web::to(method_not_allowed))
}

/// GET and HEAD.
pub(super) fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// `{any}` in a configured path stands for one segment; the router wants each named differently.
fn pattern(path: &str, index: usize) -> String {
    let mut parts = path.split("{any}");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.enumerate().fold(first, |pattern, (part, text)| format!("{pattern}{{any_{index}_{part}}}{text}"))
}

/// Whether a path is one of people's, who are answered with pages.
fn is_of_people(path: &str) -> bool {
    path.starts_with("/console/")
}

async fn method_not_allowed(request: HttpRequest, id: RequestId) -> HttpResponse {
    let path = request.path();
    let known = row(path).map(|(pattern, methods, _)| (*pattern, *methods));
    let (allowed, is_protocol) = match known {
        Some((pattern, methods)) => (methods, PROTOCOL.contains(&pattern)),
        None if PRIVATE.contains(&path) => ("GET, HEAD", false),
        // What else there is, is a further token path.
        None => ("POST", true),
    };
    // The clients of the protocol's endpoints read its errors alone.
    let mut response = if is_protocol {
        oauth_error::respond(&ProtocolError::wrong_method(allowed), ErrorShape::Rfc6749, &id.0)
    } else if is_of_people(path) {
        console::refusal::page::astray(&request, StatusCode::METHOD_NOT_ALLOWED).await
    } else {
        problem::respond(StatusCode::METHOD_NOT_ALLOWED, &format!("the method here is {allowed}"), &id.0)
    };
    if let Ok(value) = allowed.parse() {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

async fn not_found(request: HttpRequest, state: web::Data<State>, id: RequestId) -> HttpResponse {
    if is_of_people(request.path()) {
        return console::refusal::page::astray(&request, StatusCode::NOT_FOUND).await;
    }
    let issuer = &state.context().settings.issuer;
    problem::respond(
        StatusCode::NOT_FOUND,
        &format!(
            "there is nothing here. The token endpoint is POST {issuer}/oauth/token; \
             {issuer}/.well-known/openid-configuration lists the others"
        ),
        &id.0,
    )
}

async fn not_found_in_private(state: web::Data<State>, id: RequestId) -> HttpResponse {
    let issuer = &state.context().settings.issuer;
    let detail = format!("this is the private listener: the token endpoint is at {issuer}/oauth/token");
    problem::respond(StatusCode::NOT_FOUND, &detail, &id.0)
}
