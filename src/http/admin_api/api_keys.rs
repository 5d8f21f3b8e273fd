//! `/api/v1/api-keys`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::AdminError;
use crate::admin::api_keys::{self, MadeApiKey, NewApiKey};
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::client_secrets::Reauthentication;
use crate::http::admin_api::members;
use crate::http::paging::{Page, Paging};
use crate::model::api_key::{self, ApiKeyStatus};

const LIST: &str = "api keys";

/// An API key, without the key itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKey {
    id: String,
    /// Its first characters.
    prefix: String,
    name: String,
    user_id: String,
    /// The organization that it acts in.
    business_id: String,
    /// What it may at most; null is all that its user may.
    #[schema(required = true)]
    scopes: Option<Vec<String>>,
    /// Where it may be used; everywhere if none is named.
    networks: Vec<String>,
    /// `once` or `always`.
    reveal: String,
    /// `active` or `disabled`.
    status: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required = true, format = DateTime)]
    expires_at: Option<String>,
    #[schema(required = true, format = DateTime)]
    last_used_at: Option<String>,
    #[schema(required = true)]
    last_used_ip: Option<String>,
}

impl From<api_key::ApiKey> for ApiKey {
    fn from(key: api_key::ApiKey) -> Self {
        Self {
            id: key.id,
            prefix: key.prefix,
            name: key.name,
            user_id: key.user_id,
            business_id: key.organization_id,
            scopes: key.scopes.map(|scopes| scopes.iter().map(str::to_owned).collect()),
            networks: key.networks.iter().map(ToString::to_string).collect(),
            reveal: key.reveal.to_string(),
            status: key.status.to_string(),
            created_at: key.created_at.rfc3339(),
            expires_at: key.expires_at.map(crate::model::time::Timestamp::rfc3339),
            last_used_at: key.last_used_at.map(crate::model::time::Timestamp::rfc3339),
            last_used_ip: key.last_used_ip,
        }
    }
}

/// An API key and the two ids that go with it. The key is in the answer that made it, and where it is revealed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownApiKey {
    id: String,
    api_key: String,
    user_id: String,
    business_id: String,
    prefix: String,
}

impl From<MadeApiKey> for ShownApiKey {
    fn from(made: MadeApiKey) -> Self {
        Self {
            id: made.key.id,
            api_key: made.secret.into_exposed(),
            user_id: made.key.user_id,
            business_id: made.key.organization_id,
            prefix: made.key.prefix,
        }
    }
}

impl Made for ShownApiKey {
    const IS_SECRET: bool = true;

    fn made_id(&self) -> String {
        self.id.clone()
    }
}

/// An API key to be made; with nothing said it is one of the caller's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyToMake {
    name: Option<String>,
    /// For an administrator: the API user whom it is for.
    user: Option<String>,
    scopes: Option<Vec<String>>,
    /// RFC 3339.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Addresses, or networks as `192.0.2.0/24` or `2001:db8::/32`.
    #[serde(default)]
    networks: Vec<String>,
    /// `once` or `always`; what `credentials.reveal.api_key` says, if nothing is said.
    reveal: Option<String>,
}

/// A list's query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    user: Option<String>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// The caller's API keys; for an administrator, the organization's.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "API keys",
    params(("limit" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
        ("user" = Option<String>, Query, description = "id or username")),
    responses((status = 200, body = Page<ApiKey>)))]
pub async fn list(call: Call, query: members::Query<ApiKeyQuery>) -> HttpResponse {
    let page = async {
        let query = query.read()?;
        let window = Paging { limit: query.limit, cursor: query.cursor }.window(call.context(), LIST)?;
        let user = query.user.as_deref();
        let rows = api_keys::page(call.context(), &call.by, user, &window.after, window.limit).await?;
        Ok::<_, AdminError>(window.page(call.context(), LIST, rows, |row| row.id.clone(), ApiKey::from))
    };
    call.answer(page.await)
}

/// Makes an API key, for oneself or, by an administrator, for an API user.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "API keys", request_body = ApiKeyToMake,
    responses((status = 201, body = ShownApiKey)))]
pub async fn create(call: Call, body: Body<ApiKeyToMake>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let new = given.value;
    let verb = async {
        let usual = call.context().credentials.reveal.api_key;
        let new = NewApiKey {
            user: new.user,
            name: new.name,
            organization: None,
            scopes: new.scopes,
            expires_at: members::instant("expires_at", new.expires_at.as_deref())?,
            networks: new.networks,
            reveal: members::word("reveal", new.reveal.as_deref())?.unwrap_or(usual),
        };
        api_keys::create(call.context(), &call.by, &new).await.map(ShownApiKey::from)
    };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// One API key, by id, prefix or name.
#[utoipa::path(get, path = "/api/v1/api-keys/{key}", tag = "API keys", params(("key" = String, Path)),
    responses((status = 200, body = ApiKey)))]
pub async fn show(call: Call, key: web::Path<String>) -> HttpResponse {
    call.answer(api_keys::find(call.context(), &call.by, &key).await.map(ApiKey::from))
}

/// Deletes an API key: it is refused at the next request.
#[utoipa::path(delete, path = "/api/v1/api-keys/{key}", tag = "API keys", params(("key" = String, Path)),
    responses((status = 204)))]
pub async fn delete(call: Call, key: web::Path<String>) -> HttpResponse {
    call.done(api_keys::set_status(call.context(), &call.by, &key, ApiKeyStatus::Deleted).await)
}

/// Stops an API key.
#[utoipa::path(post, path = "/api/v1/api-keys/{key}/disable", tag = "API keys", params(("key" = String, Path)),
    responses((status = 200, body = ApiKey)))]
pub async fn disable(call: Call, key: web::Path<String>) -> HttpResponse {
    let changed =
        async { api_keys::set_status(call.context(), &call.by, &key, ApiKeyStatus::Disabled).await.map(ApiKey::from) };
    call.once_changed(b"", changed).await
}

/// Lets an API key work again.
#[utoipa::path(post, path = "/api/v1/api-keys/{key}/enable", tag = "API keys", params(("key" = String, Path)),
    responses((status = 200, body = ApiKey)))]
pub async fn enable(call: Call, key: web::Path<String>) -> HttpResponse {
    let changed =
        async { api_keys::set_status(call.context(), &call.by, &key, ApiKeyStatus::Active).await.map(ApiKey::from) };
    call.once_changed(b"", changed).await
}

/// Shows an API key again that was made to be. It asks for the caller's password once more, and is audited.
#[utoipa::path(post, path = "/api/v1/api-keys/{key}/reveal", tag = "API keys", params(("key" = String, Path)),
    request_body = Reauthentication, responses((status = 200, body = ShownApiKey)))]
pub async fn reveal(call: Call, key: web::Path<String>, body: Body<Reauthentication>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given.value,
        Err(answer) => return answer,
    };
    let shown = async {
        // Before the password is asked for: whoever may not see the key is not made to type one.
        api_keys::find(call.context(), &call.by, &key).await?;
        call.reauthenticate(given.password).await?;
        api_keys::reveal(call.context(), &call.by, &key).await.map(ShownApiKey::from)
    };
    call.answer(shown.await)
}
