//! `/api/v1/signing-keys`: what signs tokens. Only principals of the default organization see and change them.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::AdminError;
use crate::admin::signing_keys::{self, KeyAndState};
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::members;
use crate::model::signing_key::SigningAlgorithm;

/// A signing key, without its private half.
#[derive(Debug, Serialize, ToSchema)]
pub struct SigningKey {
    /// RFC 7638 thumbprint.
    kid: String,
    algorithm: String,
    /// `published`, `signing`, `retired` or `removed`.
    state: String,
}

impl From<KeyAndState> for SigningKey {
    fn from((key, state): KeyAndState) -> Self {
        Self { kid: key.kid, algorithm: key.algorithm.to_string(), state: state.to_string() }
    }
}

impl Made for SigningKey {
    const IS_SECRET: bool = false;

    fn made_id(&self) -> String {
        self.kid.clone()
    }
}

/// What is to be rotated.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// `ES256`, `RS256`, `PS256` or `EdDSA`; the server's own if nothing is said.
    algorithm: Option<String>,
}

/// All signing keys, oldest first.
#[utoipa::path(get, path = "/api/v1/signing-keys", tag = "Signing keys",
    responses((status = 200, body = Vec<SigningKey>)))]
pub async fn list(call: Call, query: members::Query<members::Unpaged>) -> HttpResponse {
    if let Err(error) = query.read() {
        return call.refuse(&error);
    }
    let found = signing_keys::list(call.context(), &call.by).await;
    call.answer(found.map(|all| all.into_iter().map(SigningKey::from).collect::<Vec<_>>()))
}

/// Adds a successor, which signs once every validator has had time to hear of it.
#[utoipa::path(post, path = "/api/v1/signing-keys/rotate", tag = "Signing keys", request_body = KeyRotation,
    responses((status = 201, body = SigningKey)))]
pub async fn rotate(call: Call, body: Body<KeyRotation>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let verb = async {
        let named: Option<SigningAlgorithm> = members::word("algorithm", given.value.algorithm.as_deref())?;
        let algorithm = named.unwrap_or(call.context().settings.signing_algorithm);
        signing_keys::rotate(call.context(), &call.by, algorithm).await.map(SigningKey::from)
    };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// Revokes a key: everything that it signed is dead at once. Its successor signs at once.
#[utoipa::path(post, path = "/api/v1/signing-keys/{kid}/revoke", tag = "Signing keys",
    params(("kid" = String, Path)), responses((status = 200, body = Vec<SigningKey>)))]
pub async fn revoke(call: Call, kid: web::Path<String>) -> HttpResponse {
    let revoked = async {
        signing_keys::revoke(call.context(), &call.by, &kid).await?;
        let all = signing_keys::list(call.context(), &call.by).await?;
        Ok::<_, AdminError>(all.into_iter().map(SigningKey::from).collect::<Vec<_>>())
    };
    call.once_changed(b"", revoked).await
}
