//! Token introspection (RFC 7662).

use serde::Serialize;

use crate::model::client::ClientKind;
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::tokens::access_token::AccessClaims;
use crate::oauth::tokens::gate::RecoveredFamily;
use crate::oauth::tokens::refresh_token::RefreshToken;
use crate::oauth::tokens::verifier;

/// What an inactive token is told: nothing more (RFC 7662 §2.2).
pub const INACTIVE: &str = r#"{"active":false}"#;

#[derive(Serialize)]
struct ActiveAccessToken<'a> {
    active: bool,
    token_type: &'static str,
    #[serde(flatten)]
    claims: &'a AccessClaims<'static>,
}

#[derive(Serialize)]
struct ActiveRefreshToken<'a> {
    active: bool,
    scope: String,
    client_id: &'a str,
    sub: &'a str,
    iss: &'a str,
    exp: i64,
    sid: &'a str,
}

/// Answers a question about a token with a JSON text.
///
/// # Errors
/// 403 for a client that may not ask, 503 if the database cannot be read.
pub async fn introspect(context: &Context, client: &AuthenticatedClient, token: &str) -> Result<String, ProtocolError> {
    if client.kind != ClientKind::Confidential || !client.may_introspect {
        return Err(ProtocolError::forbidden_client(
            "this client may not introspect tokens: make one with 'grantor client create --label NAME --may-introspect'",
        )
        .because(format!("client {} may not introspect", client.client_id)));
    }
    if let Some(presented) = RefreshToken::parse(token) {
        return introspect_refresh_token(context, client, &presented).await;
    }
    let Ok(verified) = verifier::verify(context, token) else { return Ok(INACTIVE.to_owned()) };
    // RFC 7662 §4: a protected resource must not learn about tokens for another.
    let serves = verified.claims.aud.iter().any(|audience| client.audiences.contains(audience));
    if !serves && verified.claims.client_id != client.client_id {
        return Ok(INACTIVE.to_owned());
    }
    json(&ActiveAccessToken { active: true, token_type: "Bearer", claims: &verified.claims })
}

/// A refresh token concerns the client that it was issued to and nobody else. Every generation but the current one
/// is inactive.
async fn introspect_refresh_token(
    context: &Context,
    client: &AuthenticatedClient,
    presented: &RefreshToken,
) -> Result<String, ProtocolError> {
    let found = RecoveredFamily::read(context, presented.family_id()).await?;
    let (now, snapshot) = (context.clock.now(), context.registry.snapshot());
    let current = found.filter(|found| {
        let family = &found.family;
        family.client_id == client.client_id
            && presented.is_of(family, &context.data_keys.refresh)
            && presented.generation() == family.generation
            && family.is_live(now)
            && found.owner_may_be_issued(&snapshot)
    });
    let Some(RecoveredFamily { family, .. }) = &current else { return Ok(INACTIVE.to_owned()) };
    json(&ActiveRefreshToken {
        active: true,
        scope: family.scope.to_string(),
        client_id: &family.client_id,
        sub: &family.user_id,
        iss: &context.settings.issuer,
        exp: family.idle_expires_at.min(family.absolute_expires_at).seconds(),
        sid: &family.id,
    })
}

fn json(answer: &impl Serialize) -> Result<String, ProtocolError> {
    serde_json::to_string(answer).map_err(|cause| ProtocolError::defect().because(cause))
}
