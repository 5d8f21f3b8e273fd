//! `/api/v1/clients/{client}/secrets`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::AdminError;
use crate::admin::client_secrets::{self, NewClientSecret};
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::members;
use crate::model::time::Timestamp;
use crate::store::clients::SecretDetails;

/// A secret, without the secret itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientSecret {
    id: String,
    label: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required = true, format = DateTime)]
    expires_at: Option<String>,
    #[schema(required = true, format = DateTime)]
    last_used_at: Option<String>,
    #[schema(required = true)]
    last_used_ip: Option<String>,
    /// Whether it can be shown again.
    revealable: bool,
}

impl From<SecretDetails> for ClientSecret {
    fn from(secret: SecretDetails) -> Self {
        Self {
            id: secret.id,
            label: secret.label,
            created_at: Timestamp::from_micros(secret.created_at).rfc3339(),
            expires_at: secret.expires_at.map(|at| Timestamp::from_micros(at).rfc3339()),
            last_used_at: secret.last_used_at.map(|at| Timestamp::from_micros(at).rfc3339()),
            last_used_ip: secret.last_used_ip,
            revealable: secret.sealed.is_some(),
        }
    }
}

/// A new secret, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewSecret {
    client_id: String,
    client_secret: String,
    secret_id: String,
    /// When the old ones end, where an overlap was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    previous_expires_at: Option<String>,
}

impl From<NewClientSecret> for NewSecret {
    fn from(made: NewClientSecret) -> Self {
        Self {
            client_id: made.client.client_id,
            client_secret: made.secret.into_exposed(),
            secret_id: made.secret_id,
            previous_expires_at: made.previous_expires_at.map(Timestamp::rfc3339),
        }
    }
}

impl Made for NewSecret {
    const IS_SECRET: bool = true;

    fn made_id(&self) -> String {
        self.secret_id.clone()
    }
}

/// A secret to be added beside the others.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretToAdd {
    #[serde(default)]
    label: String,
    /// RFC 3339.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// How secrets are replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Seconds for which the old secrets go on working; without it they end at once, with the client's tokens.
    overlap: Option<i64>,
}

/// Who shows a secret again signs in once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reauthentication {
    /// The caller's own password; not needed where the request itself brings it (Basic).
    pub(super) password: Option<String>,
}

/// The secrets of a client, without the secrets themselves.
#[utoipa::path(get, path = "/api/v1/clients/{client}/secrets", tag = "Client secrets",
    params(("client" = String, Path)), responses((status = 200, body = Vec<ClientSecret>)))]
pub async fn list(call: Call, key: web::Path<String>, query: members::Query<members::Unpaged>) -> HttpResponse {
    if let Err(error) = query.read() {
        return call.refuse(&error);
    }
    let found = client_secrets::list(call.context(), &call.by, &key).await;
    call.answer(found.map(|all| all.into_iter().map(ClientSecret::from).collect::<Vec<_>>()))
}

/// Adds a secret beside the others, so that one can be replaced without an interruption.
#[utoipa::path(post, path = "/api/v1/clients/{client}/secrets", tag = "Client secrets",
    params(("client" = String, Path)), request_body = SecretToAdd, responses((status = 201, body = NewSecret)))]
pub async fn add(call: Call, key: web::Path<String>, body: Body<SecretToAdd>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let verb = async {
        let new = given.value;
        let expires_at = members::instant("expires_at", new.expires_at.as_deref())?;
        client_secrets::add(call.context(), &call.by, &key, &new.label, expires_at).await.map(NewSecret::from)
    };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// Replaces a client's secrets by a new one. Without an overlap the old ones and all tokens are dead at once.
#[utoipa::path(post, path = "/api/v1/clients/{client}/secrets/rotate", tag = "Client secrets",
    params(("client" = String, Path)), request_body = Rotation, responses((status = 200, body = NewSecret)))]
pub async fn rotate(call: Call, key: web::Path<String>, body: Body<Rotation>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let verb = async {
        client_secrets::rotate(call.context(), &call.by, &key, given.value.overlap).await.map(NewSecret::from)
    };
    call.once(&given.bytes, StatusCode::OK, verb).await
}

/// Ends one secret, and with it the client's tokens. An active client keeps one.
#[utoipa::path(delete, path = "/api/v1/clients/{client}/secrets/{secret}", tag = "Client secrets",
    params(("client" = String, Path), ("secret" = String, Path)), responses((status = 204)))]
pub async fn end(call: Call, keys: web::Path<(String, String)>) -> HttpResponse {
    let (client, secret) = keys.into_inner();
    call.done(client_secrets::end(call.context(), &call.by, &client, &secret).await)
}

/// Shows a secret again, where the policy is `always`. It asks for the caller's password once more, and is audited.
#[utoipa::path(post, path = "/api/v1/clients/{client}/secrets/{secret}/reveal", tag = "Client secrets",
    params(("client" = String, Path), ("secret" = String, Path)), request_body = Reauthentication,
    responses((status = 200, body = NewSecret)))]
pub async fn reveal(call: Call, keys: web::Path<(String, String)>, body: Body<Reauthentication>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given.value,
        Err(answer) => return answer,
    };
    let (client, secret_id) = keys.into_inner();
    let shown = async {
        // Before the password is asked for: whoever may not see the client is not made to type one.
        client_secrets::list(call.context(), &call.by, &client).await?;
        call.reauthenticate(given.password).await?;
        let secret = client_secrets::reveal(call.context(), &call.by, &client, &secret_id).await?;
        let client = crate::admin::clients::find(call.context(), &call.by, &client).await?;
        Ok::<_, AdminError>(NewSecret {
            client_id: client.client_id,
            client_secret: secret.into_exposed(),
            secret_id,
            previous_expires_at: None,
        })
    };
    call.answer(shown.await)
}
