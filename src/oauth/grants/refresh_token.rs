//! RFC 6749 §6: a refresh token for a new access token, and its successor.

use crate::model::audit::{Actor, ActorKind, AuditEvent};
use crate::model::family::{Family, FamilyEnd};
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::grants::TokenRequest;
use crate::oauth::oxide::{self, Answers, GrantRequest};
use crate::oauth::tokens::family::idle_end;
use crate::oauth::tokens::gate::{Asked, AuthorizedGrant, RecoveredFamily};
use crate::oauth::tokens::issue::{Tokens, issue};
use crate::oauth::tokens::refresh_token::RefreshToken;
use crate::store::{Db, StoreError, audit, families};

pub(super) async fn redeem(
    context: &Context,
    request: &TokenRequest,
    grant_request: &GrantRequest<'_>,
) -> Result<Tokens, ProtocolError> {
    let answers = Answers::new(context, grant_request);
    let stepped = oxide::refresh(
        grant_request,
        &answers,
        &|| answers.refusal(),
        async |token| recover(context, token).await,
        |(_, recovered)| &recovered.family,
    )
    .await;
    let (negotiated, (presented, recovered)) = match stepped {
        Ok(found) => found,
        // Whether it is a replay, the database cannot be asked either: nobody waits for that a second time.
        Err(refusal) if refusal.status == 503 => return Err(refusal),
        Err(refusal) => return Err(replayed(context, request, &answers, grant_request).await?.unwrap_or(refusal)),
    };
    let client = answers.client()?;

    // All that can refuse or fail comes before the compare-and-swap: a refusal must not spend the token.
    let asked = Asked { scope: &negotiated.scope, resources: &grant_request.resources };
    let tokens =
        AuthorizedGrant::for_family(context, &client, &recovered, &asked).and_then(|grant| issue(context, &grant));

    let family = &recovered.family;
    match use_of(&presented, family, context, &client) {
        Use::Current => {
            let tokens = tokens?;
            if rotate(context, &client, &presented, family).await? {
                successor(context, tokens, &presented, family)
            } else {
                // Somebody else was quicker: look at what they left.
                lost(context, request, tokens, &client, &presented).await
            }
        }
        Use::Repeated => successor(context, tokens?, &presented, family),
        Use::Replayed(end) => Err(end_family(context, request, &client, family, end).await?),
    }
}

/// A replay ends its family whatever else is wrong with the request: a wider scope must not hide it.
async fn replayed(
    context: &Context,
    request: &TokenRequest,
    answers: &Answers<'_>,
    grant_request: &GrantRequest<'_>,
) -> Result<Option<ProtocolError>, ProtocolError> {
    let (Ok(client), Some(token)) = (answers.client(), grant_request.parameters.get("refresh_token")) else {
        return Ok(None);
    };
    let Some((presented, recovered)) = recover(context, token).await? else { return Ok(None) };
    let family = &recovered.family;
    match use_of(&presented, family, context, &client) {
        Use::Replayed(end) if family.client_id == client.client_id => {
            Ok(Some(end_family(context, request, &client, family, end).await?))
        }
        _ => Ok(None),
    }
}

/// The family of a token that it really made and that is live; anything else is not found.
async fn recover(context: &Context, token: &str) -> Result<Option<(RefreshToken, RecoveredFamily)>, ProtocolError> {
    let Some(presented) = RefreshToken::parse(token) else { return Ok(None) };
    let recovered = RecoveredFamily::read(context, presented.family_id()).await?;
    let now = context.clock.now();
    Ok(recovered
        .filter(|found| presented.is_of(&found.family, &context.data_keys.refresh) && found.family.is_live(now))
        .map(|found| (presented, found)))
}

/// What it means that a token is presented now.
enum Use {
    /// It is the one that may be used.
    Current,
    /// Its successor has not been used, and its answer may have been lost: the same successor again.
    Repeated,
    /// It was used before, or is from a future that the database does not know.
    Replayed(FamilyEnd),
}

fn use_of(presented: &RefreshToken, family: &Family, context: &Context, client: &AuthenticatedClient) -> Use {
    let window = client.reuse_window.unwrap_or(context.settings.reuse_window);
    let behind = family.generation - presented.generation();
    let since_rotation = context.clock.now().micros_since(family.rotated_at);
    match behind {
        0 => Use::Current,
        1 if window > 0 && since_rotation < window.saturating_mul(1_000_000) => Use::Repeated,
        behind if behind < 0 => Use::Replayed(FamilyEnd::Restored),
        _ => Use::Replayed(FamilyEnd::Reuse),
    }
}

async fn rotate(
    context: &Context,
    client: &AuthenticatedClient,
    presented: &RefreshToken,
    family: &Family,
) -> Result<bool, ProtocolError> {
    let now = context.clock.now();
    let (id, generation, idle) = (family.id.clone(), presented.generation(), idle_end(context, client, now));
    let write = move |db: &mut Db| families::rotate(db, &id, generation, now, idle);
    Ok(context.store.write_statement(write).await?)
}

fn successor(
    context: &Context,
    tokens: Tokens,
    presented: &RefreshToken,
    family: &Family,
) -> Result<Tokens, ProtocolError> {
    RefreshToken::derive(family, presented.generation() + 1, &context.data_keys.refresh)
        .map(|next| tokens.with_refresh_token(next))
        .ok_or_else(|| ProtocolError::defect().because("a refresh token could not be derived"))
}

/// The compare-and-swap changed nothing: the token was used, or the family ended, between reading and writing.
async fn lost(
    context: &Context,
    request: &TokenRequest,
    tokens: Tokens,
    client: &AuthenticatedClient,
    presented: &RefreshToken,
) -> Result<Tokens, ProtocolError> {
    let id = presented.family_id();
    let family = context.store.read(move |db| families::find(db, &id)).await?;
    let family = family
        .filter(|family| family.is_live(context.clock.now()))
        .ok_or_else(|| ProtocolError::refused_refresh().because("the family ended meanwhile"))?;
    match use_of(presented, &family, context, client) {
        Use::Repeated => successor(context, tokens, presented, &family),
        Use::Replayed(end) => Err(end_family(context, request, client, &family, end).await?),
        Use::Current => Err(ProtocolError::unavailable(1).because("the rotation was lost without a winner")),
    }
}

/// RFC 9700 §4.14.2: a replayed refresh token ends its family. The refusal is remembered, so this is an outcome of
/// the write and no error of it; the answer is the refusal.
async fn end_family(
    context: &Context,
    request: &TokenRequest,
    client: &AuthenticatedClient,
    family: &Family,
    end: FamilyEnd,
) -> Result<ProtocolError, ProtocolError> {
    if end == FamilyEnd::Restored {
        tracing::error!(
            family = %family.id,
            "a refresh token is newer than the database: the database has gone back in time; \
             restore gives every family a new salt"
        );
    }
    let now = context.clock.now();
    let actor = Actor {
        kind: ActorKind::Client,
        id: client.client_id.clone(),
        ip: Some(request.network.address()),
        request_id: Some(request.request_id.to_string()),
    };
    let event = AuditEvent {
        action: "token_family.revoked",
        target_kind: "token_family",
        target_id: family.id.clone(),
        organization_id: Some(client.organization_id.clone()),
        details: format!("reason={end} user={}", family.user_id),
    };
    let id = family.id.clone();
    context
        .change(move |db| -> Result<(), StoreError> {
            if families::revoke(db, &id, end, now)? {
                audit::record(db, &actor, &event, now)?;
            }
            Ok(())
        })
        .await?;
    Ok(ProtocolError::refused_refresh().because(format!("a replay ended the family {}: {end}", family.id)))
}
