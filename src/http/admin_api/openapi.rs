//! The `OpenAPI` 3.1 document of the API, and its pages under `/docs/`.

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey as HeaderKey, ApiKeyValue, ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes,
    SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, ContentBuilder, RefOr, ResponseBuilder, Server};
use utoipa::{OpenApi, ToSchema};

use crate::http::admin_api::{
    api_keys, audit_events, client_secrets, clients, credentials, links, me, memberships, organizations,
    password_resets, revocations, roles, scope_requests, scopes, sessions, signing_keys, token_families, usage, users,
    verification,
};
use crate::http::oauth::cached;
use crate::http::problem;
use crate::http::state::State;
use crate::oauth::rendered::Made;

#[derive(OpenApi)]
#[openapi(
    info(title = "Grantor", description = "Credentials, applications and users, and who they are."),
    paths(
        me::me,
        organizations::list,
        organizations::create,
        organizations::show,
        organizations::update,
        organizations::disable,
        organizations::enable,
        users::list,
        users::create,
        users::show,
        users::update,
        users::delete,
        users::disable,
        users::enable,
        users::unlock,
        users::password,
        verification::verification,
        verification::send_verification,
        memberships::list,
        memberships::set,
        memberships::end,
        sessions::list,
        sessions::end,
        roles::list,
        roles::create,
        roles::show,
        roles::update,
        roles::delete,
        roles::holders,
        scopes::list,
        scopes::create,
        scopes::show,
        scopes::update,
        scopes::delete,
        clients::list,
        clients::create,
        clients::show,
        clients::update,
        clients::delete,
        clients::approve,
        clients::disable,
        clients::enable,
        client_secrets::list,
        client_secrets::add,
        client_secrets::rotate,
        client_secrets::end,
        client_secrets::reveal,
        scope_requests::list,
        scope_requests::of_client,
        scope_requests::create,
        scope_requests::approve,
        scope_requests::deny,
        credentials::list,
        credentials::create,
        credentials::show,
        credentials::delete,
        api_keys::list,
        api_keys::create,
        api_keys::show,
        api_keys::delete,
        api_keys::disable,
        api_keys::enable,
        api_keys::reveal,
        revocations::list,
        token_families::list,
        token_families::revoke,
        audit_events::list,
        usage::show,
        usage::of_client,
        links::redeem,
        password_resets::request,
        signing_keys::list,
        signing_keys::rotate,
        signing_keys::revoke,
    ),
    components(schemas(Problem, ProblemField))
)]
struct Document;

/// RFC 9457.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what http/problem.rs writes")]
struct Problem {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    request_id: String,
    /// With 422: the members that cannot be what they are.
    errors: Option<Vec<ProblemField>>,
    /// The error code of RFC 6749 or RFC 6750, where the credential was refused.
    error: Option<String>,
}

/// A member of a request, and what is wrong with it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what http/problem.rs writes")]
struct ProblemField {
    field: String,
    message: String,
}

/// What every operation may answer instead.
const PROBLEMS: &[(&str, &str)] = &[
    ("400", "The request cannot be read"),
    ("401", "No credential, or one that is not valid"),
    ("403", "The caller may not"),
    ("404", "There is no such thing, or it is another organization's"),
    ("409", "What is there does not allow it; also a repeated Idempotency-Key that made a secret"),
    ("413", "The body is too large"),
    ("415", "The body is not JSON"),
    ("422", "A member cannot be what it is"),
    ("429", "Too many failed attempts; `Retry-After` says when"),
    ("503", "Not now; `Retry-After` says when"),
];

/// The document of a server with this issuer.
#[must_use]
pub fn document_of(issuer: &str, scope_names: &[String]) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    document.info.description = Some(format!(
        "Credentials, applications and users, and who they are. Every secret that this server makes is recognisable: \
         `<prefix>_<43 characters>_<6 characters of checksum>`, for client secrets, API keys (`gr_ak_`), generated \
         passwords (`gr_pw_`) and one-time links (`gr_ot_`) `[0-9A-Za-z]{{43}}_[0-9A-Za-z]{{6}}` after the prefix. \
         Tokens come from {issuer}/oauth/token."
    ));
    document.servers = Some(vec![Server::new(issuer)]);
    for item in document.paths.paths.values_mut() {
        for operation in
            [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
        {
            complete(operation);
        }
    }
    let components = document.components.get_or_insert_with(Components::default);
    let token_url = format!("{issuer}/oauth/token");
    let scopes = || scope_names.iter().map(|name| (name.clone(), String::new())).collect::<Scopes>();
    let oauth2 = OAuth2::new([
        Flow::Password(Password::new(&token_url, scopes())),
        Flow::ClientCredentials(ClientCredentials::new(&token_url, scopes())),
    ]);
    let header = |name: &str| SecurityScheme::ApiKey(HeaderKey::Header(ApiKeyValue::new(name)));
    let http = |scheme| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
    components.add_security_scheme("oauth2", SecurityScheme::OAuth2(oauth2));
    components.add_security_scheme("bearer", http(HttpAuthScheme::Bearer));
    components.add_security_scheme("basic", http(HttpAuthScheme::Basic));
    components.add_security_scheme("apiKey", header("X-API-Key"));
    components.add_security_scheme("clientId", header("Client-ID"));
    components.add_security_scheme("clientSecret", header("Client-Secret"));
    document.security = Some(vec![
        SecurityRequirement::new("oauth2", Vec::<String>::new()),
        SecurityRequirement::new("bearer", Vec::<String>::new()),
        SecurityRequirement::new("basic", Vec::<String>::new()),
        SecurityRequirement::new("apiKey", Vec::<String>::new()),
        SecurityRequirement::new("clientId", Vec::<String>::new()).add("clientSecret", Vec::<String>::new()),
    ]);
    document
}

fn complete(operation: &mut Operation) {
    // A handler's name is its own in its file alone.
    if let (Some(name), Some([tag, ..])) = (&operation.operation_id, operation.tags.as_deref()) {
        operation.operation_id = Some(format!("{}_{name}", tag.to_lowercase().replace(' ', "_")));
    }
    for (status, description) in PROBLEMS {
        let schema = utoipa::openapi::Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().description(*description).content("application/problem+json", content);
        operation.responses.responses.entry((*status).to_owned()).or_insert_with(|| RefOr::T(response.build()));
    }
}

/// Whoever keeps the document asks each time whether it is still true, so that a new scope is seen at once.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// How long caches may keep the pages.
const FOR_A_MINUTE: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// `GET /api/openapi.json`. Made when it is first asked for, since making it takes more of the heap than all else at
/// the start, and again when a scope has changed.
pub async fn document(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let (context, snapshot) = (state.context(), state.context().registry.snapshot());
    let made = Made { scopes: snapshot.scopes_change, ..Made::default() };
    let document = state.openapi().document(made, || {
        // A struct of strings, maps and lists always has a JSON text.
        serde_json::to_string(&document_of(&context.settings.issuer, &snapshot.scope_names())).unwrap_or_default()
    });
    cached(&request, &ASK_AGAIN, &document)
}

/// What the pages of Swagger UI load: their own files, and styles that their script sets.
const PAGE_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// `/docs` leads to `/docs/`, without which the page's files are not found.
pub async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

/// `/docs/`: Swagger UI over the document.
pub async fn docs(
    state: web::Data<State>,
    file: web::Path<String>,
    id: crate::http::extract::RequestId,
) -> HttpResponse {
    match utoipa_swagger_ui::serve(&file, Arc::clone(state.swagger())) {
        Ok(Some(found)) => HttpResponse::Ok()
            .insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY))
            .insert_header((CACHE_CONTROL, FOR_A_MINUTE))
            .content_type(found.content_type)
            .body(found.bytes.to_vec()),
        Ok(None) => problem::respond(actix_web::http::StatusCode::NOT_FOUND, "there is no such page", &id.0),
        Err(cause) => {
            tracing::error!(request_id = &*id.0, %cause, "Swagger UI");
            problem::respond(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be shown", &id.0)
        }
    }
}
