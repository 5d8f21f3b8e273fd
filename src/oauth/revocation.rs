//! Token revocation (RFC 7009).

use crate::model::audit::{Actor, ActorKind, AuditEvent};
use crate::model::family::FamilyEnd;
use crate::model::network::Network;
use crate::model::time::Timestamp;
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::tokens::refresh_token::RefreshToken;
use crate::oauth::tokens::verifier;
use crate::store::{audit, denied_tokens, families};

/// Ends a token of this client: a refresh token of any generation with its whole family, an access token by its
/// `jti`. An unknown token, or one of another client, changes nothing and is no error (§2.2).
///
/// # Errors
/// 503 if the database cannot be reached: the token may still be alive, and the client must know.
pub async fn revoke(
    context: &Context,
    client: &AuthenticatedClient,
    token: &str,
    request_id: &str,
    network: Network,
) -> Result<(), ProtocolError> {
    let actor = Actor {
        kind: ActorKind::Client,
        id: client.client_id.clone(),
        ip: Some(network.address()),
        request_id: Some(request_id.to_owned()),
    };
    match RefreshToken::parse(token) {
        Some(presented) => revoke_family(context, client, &presented, actor).await,
        None => revoke_access_token(context, client, token, actor).await,
    }
}

async fn revoke_family(
    context: &Context,
    client: &AuthenticatedClient,
    presented: &RefreshToken,
    actor: Actor,
) -> Result<(), ProtocolError> {
    let id = presented.family_id();
    let Some(family) = context.store.read(move |db| families::find(db, &id)).await? else { return Ok(()) };
    if family.client_id != client.client_id || !presented.is_of(&family, &context.data_keys.refresh) {
        return Ok(());
    }
    let now = context.clock.now();
    let event = event("token_family.revoked", "token_family", &family.id, client, "reason=revoked");
    context
        .change(move |db| {
            if families::revoke(db, &family.id, FamilyEnd::Revoked, now)? {
                audit::record(db, &actor, &event, now)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

async fn revoke_access_token(
    context: &Context,
    client: &AuthenticatedClient,
    token: &str,
    actor: Actor,
) -> Result<(), ProtocolError> {
    let Ok(verified) = verifier::verify(context, token) else { return Ok(()) };
    if verified.claims.client_id != client.client_id {
        return Ok(());
    }
    let now = context.clock.now();
    let jti = verified.claims.jti.clone();
    let expires_at = Timestamp::from_seconds(verified.claims.exp);
    let event = event("access_token.revoked", "access_token", &jti, client, "");
    context
        .change(move |db| {
            denied_tokens::deny(db, &jti, expires_at)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(())
}

fn event(
    action: &'static str,
    target_kind: &'static str,
    target_id: &str,
    client: &AuthenticatedClient,
    details: &str,
) -> AuditEvent {
    AuditEvent {
        action,
        target_kind,
        target_id: target_id.to_owned(),
        organization_id: Some(client.organization_id.clone()),
        details: details.to_owned(),
    }
}
