//! `/api/v1/clients`: applications and API connections.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::AdminError;
use crate::admin::client_changes::{self, ClientChange};
use crate::admin::clients::{self, MadeClient, NewClient};
use crate::crypto::secret::SecretString;
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::members::{self, some};
use crate::http::paging::{Page, Paging};
use crate::model::client::{self, ClientStatus, StaticClaims};
use crate::store::clients::ClientFilter;

const LIST: &str = "clients";

type Claims = serde_json::Map<String, serde_json::Value>;

/// An application or API connection.
#[expect(clippy::struct_field_names, reason = "`client_id` is the standard's name")]
#[derive(Debug, Serialize, ToSchema)]
pub struct Client {
    /// By which the paths of this API name it.
    id: String,
    /// The client identifier (RFC 6749 section 2.2); null until the application is approved.
    #[schema(required = true)]
    client_id: Option<String>,
    label: String,
    description: String,
    purpose: String,
    /// `confidential` or `public`.
    kind: String,
    /// `live` or `test`.
    mode: String,
    /// `pending`, `active` or `disabled`.
    status: String,
    organization_id: String,
    /// The user who registered it.
    #[schema(required = true)]
    owner_id: Option<String>,
    #[schema(required = true)]
    token_endpoint_auth_method: Option<String>,
    grant_types: Vec<String>,
    /// Those that it was approved for.
    scopes: Vec<String>,
    audiences: Vec<String>,
    may_introspect: bool,
    #[schema(required = true)]
    access_lifetime: Option<i64>,
    #[schema(required = true)]
    idle_lifetime: Option<i64>,
    #[schema(required = true)]
    absolute_lifetime: Option<i64>,
    #[schema(required = true)]
    reuse_window: Option<i64>,
    #[schema(required = true)]
    signing_algorithm: Option<String>,
    #[schema(value_type = Object)]
    static_claims: Claims,
    /// The ids of its roles at this API.
    roles: Vec<String>,
}

impl From<client::Client> for Client {
    fn from(client: client::Client) -> Self {
        let pending = matches!(client.status, ClientStatus::Pending | ClientStatus::Denied);
        Self {
            client_id: Some(client.client_id.clone()).filter(|_| !pending),
            id: client.client_id,
            label: client.label,
            description: client.description,
            purpose: client.purpose,
            kind: client.kind.to_string(),
            mode: client.mode.to_string(),
            status: client.status.to_string(),
            organization_id: client.organization_id,
            owner_id: client.owner_id,
            token_endpoint_auth_method: client.authentication_method.map(|method| method.to_string()),
            grant_types: client.grant_types.iter().map(ToString::to_string).collect(),
            scopes: client.scopes.iter().map(str::to_owned).collect(),
            audiences: client.audiences,
            may_introspect: client.may_introspect,
            access_lifetime: client.access_lifetime,
            idle_lifetime: client.idle_lifetime,
            absolute_lifetime: client.absolute_lifetime,
            reuse_window: client.reuse_window,
            signing_algorithm: client.signing_algorithm.map(|algorithm| algorithm.to_string()),
            static_claims: client.static_claims.as_map().clone(),
            roles: client.role_ids,
        }
    }
}

/// A client that was made or approved, with the secret that is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientWithSecret {
    #[serde(flatten)]
    client: Client,
    /// Not there for a public client, nor before the approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

impl From<MadeClient> for ClientWithSecret {
    fn from(made: MadeClient) -> Self {
        Self { client: made.client.into(), client_secret: made.secret.map(SecretString::into_exposed) }
    }
}

impl Made for ClientWithSecret {
    const IS_SECRET: bool = true;

    fn made_id(&self) -> String {
        self.client.id.clone()
    }
}

/// A client to be made. A developer's waits for its approval; an approver's is active at once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientToMake {
    label: String,
    #[serde(default)]
    description: String,
    /// What it is for.
    #[serde(default)]
    purpose: String,
    client_id: Option<String>,
    #[serde(default)]
    public: bool,
    /// `live` (if nothing is said) or `test`.
    mode: Option<String>,
    #[serde(default)]
    grant_types: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    /// Why it needs the scopes that wait for an approval.
    #[serde(default)]
    justification: String,
    #[serde(default)]
    audiences: Vec<String>,
    token_endpoint_auth_method: Option<String>,
    #[serde(default)]
    may_introspect: bool,
    access_lifetime: Option<i64>,
    idle_lifetime: Option<i64>,
    absolute_lifetime: Option<i64>,
    reuse_window: Option<i64>,
    signing_algorithm: Option<String>,
    #[serde(default)]
    #[schema(value_type = Object)]
    static_claims: Claims,
    #[serde(default)]
    roles: Vec<String>,
}

fn claims(given: Claims) -> Result<StaticClaims, AdminError> {
    StaticClaims::new(given).map_err(|cause| AdminError::invalid("static_claims", cause.to_string()))
}

impl ClientToMake {
    fn into_new(self) -> Result<NewClient, AdminError> {
        Ok(NewClient {
            label: self.label,
            client_id: self.client_id,
            organization: None,
            grant_types: self.grant_types,
            public: self.public,
            scopes: self.scopes,
            audiences: self.audiences,
            authentication_method: self.token_endpoint_auth_method,
            may_introspect: self.may_introspect,
            access_lifetime: self.access_lifetime,
            reuse_window: self.reuse_window,
            signing_algorithm: self.signing_algorithm,
            idle_lifetime: self.idle_lifetime,
            absolute_lifetime: self.absolute_lifetime,
            description: self.description,
            purpose: self.purpose,
            mode: self.mode,
            static_claims: claims(self.static_claims)?,
            roles: self.roles,
            justification: self.justification,
        })
    }
}

/// What of a client is to be changed; members that are not there stay as they are, null is the server's own value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientToChange {
    label: Option<String>,
    description: Option<String>,
    purpose: Option<String>,
    grant_types: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    audiences: Option<Vec<String>>,
    may_introspect: Option<bool>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<i64>)]
    access_lifetime: Option<Option<i64>>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<i64>)]
    idle_lifetime: Option<Option<i64>>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<i64>)]
    absolute_lifetime: Option<Option<i64>>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<i64>)]
    reuse_window: Option<Option<i64>>,
    #[schema(value_type = Option<Object>)]
    static_claims: Option<Claims>,
    roles: Option<Vec<String>>,
}

impl ClientToChange {
    fn into_change(self) -> Result<ClientChange, AdminError> {
        Ok(ClientChange {
            label: self.label,
            description: self.description,
            purpose: self.purpose,
            grant_types: self.grant_types,
            scopes: self.scopes,
            audiences: self.audiences,
            may_introspect: self.may_introspect,
            access_lifetime: self.access_lifetime,
            idle_lifetime: self.idle_lifetime,
            absolute_lifetime: self.absolute_lifetime,
            reuse_window: self.reuse_window,
            static_claims: self.static_claims.map(claims).transpose()?,
            roles: self.roles,
        })
    }
}

/// A list's query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    status: Option<String>,
    label: Option<String>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// The clients of the organization; for a developer, their own.
#[utoipa::path(get, path = "/api/v1/clients", tag = "Clients",
    params(("limit" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
        ("status" = Option<String>, Query, description = "pending, active, disabled or denied"),
        ("label" = Option<String>, Query, description = "to the letter")),
    responses((status = 200, body = Page<Client>)))]
pub async fn list(call: Call, query: members::Query<ClientQuery>) -> HttpResponse {
    let page = async {
        let query = query.read()?;
        let window = Paging { limit: query.limit, cursor: query.cursor }.window(call.context(), LIST)?;
        let filter = ClientFilter {
            organization_id: None,
            owner_id: None,
            status: members::word("status", query.status.as_deref())?,
            label: query.label,
            ..ClientFilter::default()
        };
        let rows = clients::page(call.context(), &call.by, filter, &window.after, window.limit).await?;
        Ok::<_, AdminError>(window.page(call.context(), LIST, rows, |row| row.client_id.clone(), Client::from))
    };
    call.answer(page.await)
}

/// Registers an application. Its secret is in the answer if it is active at once, and never again.
#[utoipa::path(post, path = "/api/v1/clients", tag = "Clients", request_body = ClientToMake,
    responses((status = 201, body = ClientWithSecret)))]
pub async fn create(call: Call, body: Body<ClientToMake>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let verb = async {
        let new = given.value.into_new()?;
        clients::create(call.context(), &call.by, &new).await.map(ClientWithSecret::from)
    };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// One client, by id or label; 404 for another developer's.
#[utoipa::path(get, path = "/api/v1/clients/{client}", tag = "Clients", params(("client" = String, Path)),
    responses((status = 200, body = Client)))]
pub async fn show(call: Call, key: web::Path<String>) -> HttpResponse {
    let found = async {
        call.by.require(crate::model::role::APPLICATIONS_MANAGE)?;
        clients::find(call.context(), &call.by, &key).await.map(Client::from)
    };
    call.answer(found.await)
}

/// Changes a registration. Its developer changes label, description and purpose, an approver everything.
#[utoipa::path(patch, path = "/api/v1/clients/{client}", tag = "Clients", params(("client" = String, Path)),
    request_body = ClientToChange, responses((status = 200, body = Client)))]
pub async fn update(call: Call, key: web::Path<String>, body: Body<ClientToChange>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given.value,
        Err(answer) => return answer,
    };
    let changed = async {
        let change = given.into_change()?;
        client_changes::update(call.context(), &call.by, &key, &change).await.map(Client::from)
    };
    call.answer(changed.await)
}

/// Deletes a client: its tokens are dead at once, its id is not given out again.
#[utoipa::path(delete, path = "/api/v1/clients/{client}", tag = "Clients", params(("client" = String, Path)),
    responses((status = 204)))]
pub async fn delete(call: Call, key: web::Path<String>) -> HttpResponse {
    call.done(clients::set_status(call.context(), &call.by, &key, ClientStatus::Deleted).await)
}

/// Approves a pending application, which makes its client id and secret. Nobody approves their own.
#[utoipa::path(post, path = "/api/v1/clients/{client}/approve", tag = "Clients", params(("client" = String, Path)),
    responses((status = 200, body = ClientWithSecret)))]
pub async fn approve(call: Call, key: web::Path<String>) -> HttpResponse {
    let verb = async { clients::approve(call.context(), &call.by, &key).await.map(ClientWithSecret::from) };
    call.once(b"", StatusCode::OK, verb).await
}

/// Stops a client: it is refused everywhere, its tokens are dead at once.
#[utoipa::path(post, path = "/api/v1/clients/{client}/disable", tag = "Clients", params(("client" = String, Path)),
    responses((status = 200, body = Client)))]
pub async fn disable(call: Call, key: web::Path<String>) -> HttpResponse {
    let changed =
        async { clients::set_status(call.context(), &call.by, &key, ClientStatus::Disabled).await.map(Client::from) };
    call.once_changed(b"", changed).await
}

/// Lets a disabled client work again.
#[utoipa::path(post, path = "/api/v1/clients/{client}/enable", tag = "Clients", params(("client" = String, Path)),
    responses((status = 200, body = Client)))]
pub async fn enable(call: Call, key: web::Path<String>) -> HttpResponse {
    let changed = async { clients::enable(call.context(), &call.by, &key).await.map(Client::from) };
    call.once_changed(b"", changed).await
}
