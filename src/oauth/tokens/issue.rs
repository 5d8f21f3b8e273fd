//! Signing what the gate has authorized.

use std::borrow::Cow;

use serde::Serialize;
use uuid::Uuid;

use crate::crypto::secret::SecretString;
use crate::model::scope::{OPENID, ScopeSet};
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::keys::TokenType;
use crate::oauth::tokens::access_token::AccessClaims;
use crate::oauth::tokens::gate::AuthorizedGrant;
use crate::oauth::tokens::id_token::IdClaims;
use crate::oauth::tokens::presented::AuthorizedCredential;

/// A successful answer of the token endpoint (RFC 6749 §5.1).
pub struct Tokens {
    /// The access token.
    pub access_token: SecretString,
    /// Its lifetime in seconds.
    pub expires_in: i64,
    /// What was granted.
    pub scope: ScopeSet,
    /// The refresh token, where the client has that grant.
    pub refresh_token: Option<SecretString>,
    /// The ID token, where `openid` was granted.
    pub id_token: Option<SecretString>,
    /// The client that they are for.
    pub client: AuthenticatedClient,
    /// The user behind them.
    pub user_id: Option<String>,
}

impl Tokens {
    /// Adds the refresh token.
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: SecretString) -> Self {
        self.refresh_token = Some(refresh_token);
        self
    }
}

/// Signs the tokens of a grant. Nothing is written, so nothing has happened if it fails.
///
/// # Errors
/// 500 if there is no key that signs with the client's algorithm.
pub fn issue(context: &Context, grant: &AuthorizedGrant) -> Result<Tokens, ProtocolError> {
    let now = context.clock.now();
    let ring = context.ring.load();
    let algorithm = grant.client.signing_algorithm.unwrap_or(context.settings.signing_algorithm);
    let key = ring
        .signing(algorithm, now)
        .ok_or_else(|| ProtocolError::defect().because(format!("no key signs with {algorithm}")))?;
    let expires_in = grant.client.access_lifetime.unwrap_or(context.settings.access_lifetime);
    let owner = grant.owner.as_ref();
    let claims = AccessClaims {
        iss: context.settings.issuer.as_str().into(),
        sub: owner.map_or(&grant.client.client_id, |owner| &owner.id).into(),
        aud: grant.audience.as_slice().into(),
        exp: now.seconds() + expires_in,
        iat: now.seconds(),
        jti: token_id(context),
        client_id: grant.client.client_id.as_str().into(),
        scope: grant.scope.to_string(),
        sid: grant.family_id.as_deref().map(Cow::from),
        epoch: grant.epochs.to_claim(),
        org: owner.map(|owner| owner.organization_id.as_str().into()),
        roles: owner.map(|owner| owner.role_names.as_slice().into()),
        auth_time: owner.map(|owner| owner.auth_time.seconds()),
    };
    let id_token = match owner {
        Some(owner) if grant.scope.contains(OPENID) => Some(key.signer.sign(
            TokenType::IdToken,
            &IdClaims {
                iss: &context.settings.issuer,
                sub: &owner.id,
                aud: &grant.client.client_id,
                exp: claims.exp,
                iat: claims.iat,
                auth_time: owner.auth_time.seconds(),
                amr: ["pwd"],
                sid: grant.family_id.as_deref(),
            },
        )?),
        _ => None,
    };
    let further = grant.client.static_claims.as_map();
    let access_token = if further.is_empty() {
        key.signer.sign(TokenType::AccessToken, &claims)?
    } else {
        key.signer.sign(TokenType::AccessToken, &WithStatic { claims: &claims, further })?
    };
    Ok(Tokens {
        access_token,
        expires_in,
        scope: grant.scope.clone(),
        refresh_token: None,
        id_token,
        client: grant.authenticated.clone(),
        user_id: owner.map(|owner| owner.id.clone()),
    })
}

/// An access token's claims and those that its client always has; they share no name.
#[derive(Serialize)]
struct WithStatic<'a> {
    #[serde(flatten)]
    claims: &'a AccessClaims<'a>,
    #[serde(flatten)]
    further: &'a serde_json::Map<String, serde_json::Value>,
}

/// Signs the short token that an upstream gets in the place of the credential that a request brought.
///
/// # Errors
/// 500 if there is no key that signs with the server's algorithm.
pub fn issue_for_upstream(context: &Context, credential: &AuthorizedCredential) -> Result<SecretString, ProtocolError> {
    let now = context.clock.now();
    let ring = context.ring.load();
    let algorithm = context.settings.signing_algorithm;
    let key = ring
        .signing(algorithm, now)
        .ok_or_else(|| ProtocolError::defect().because(format!("no key signs with {algorithm}")))?;
    let claims = AccessClaims {
        iss: context.settings.issuer.as_str().into(),
        sub: credential.subject.as_str().into(),
        aud: std::slice::from_ref(&credential.audience).into(),
        exp: now.seconds() + credential.lifetime,
        iat: now.seconds(),
        jti: token_id(context),
        client_id: credential.credential_id.as_str().into(),
        scope: credential.scope.to_string(),
        sid: None,
        epoch: credential.epochs.to_claim(),
        org: credential.organization_id.as_deref().map(Cow::from),
        roles: credential.role_names.as_deref().map(Cow::from),
        auth_time: credential.auth_time.map(crate::model::time::Timestamp::seconds),
    };
    key.signer.sign(TokenType::AccessToken, &claims)
}

fn token_id(context: &Context) -> String {
    Uuid::from_bytes(context.random.bytes::<16>()).simple().to_string()
}
