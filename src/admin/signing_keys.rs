//! Signing keys.

use crate::admin::{AdminError, Authority, organizations};
use crate::model::audit::AuditEvent;
use crate::model::role::KEYS_MANAGE;
use crate::model::signing_key::{KeyState, SigningAlgorithm};
use crate::oauth::{Context, keys};
use crate::store::audit;
use crate::store::signing_keys::{self, StoredKey};

/// A key and its state at this instant.
pub type KeyAndState = (StoredKey, KeyState);

/// All keys, oldest first.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn list(context: &Context, by: &Authority) -> Result<Vec<KeyAndState>, AdminError> {
    by.require(KEYS_MANAGE)?;
    organizations::govern(context, by).await?;
    let now = context.clock.now();
    let stored = context.store.read(signing_keys::list).await?;
    Ok(stored.into_iter().map(|key| (key.clone(), key.times.state_at(now))).collect())
}

/// Adds a successor to an algorithm's key.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn rotate(context: &Context, by: &Authority, algorithm: SigningAlgorithm) -> Result<KeyAndState, AdminError> {
    by.require(KEYS_MANAGE)?;
    organizations::govern(context, by).await?;
    let now = context.clock.now();
    let new = keys::make_key(algorithm, &context.data_keys.sealing, &context.random, now)?;
    let (actor, ahead) = (by.actor.clone(), context.settings.publish_ahead);
    let made = context
        .change(move |db| {
            let made = keys::rotate(db, new.clone(), ahead, now)?;
            audit::record(db, &actor, &event("signing_key.rotated", &made.kid, algorithm), now)?;
            Ok(made)
        })
        .await?;
    let state = made.times.state_at(now);
    Ok((made, state))
}

/// That there is such a key, and that it is not revoked yet.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`].
pub async fn must_be_revocable(context: &Context, kid: &str) -> Result<SigningAlgorithm, AdminError> {
    let known = context.store.read(signing_keys::list).await?;
    let key = known.iter().find(|key| key.kid == kid).ok_or_else(|| AdminError::not_found("key", kid))?;
    if key.times.revoked {
        return Err(AdminError::Refused(format!("the key {kid} is revoked already")));
    }
    Ok(key.algorithm)
}

/// Revokes a key: everything that it signed is dead at once. Answers the successor that signs in its place, if one
/// had to be made.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn revoke(context: &Context, by: &Authority, kid: &str) -> Result<Option<KeyAndState>, AdminError> {
    by.require(KEYS_MANAGE)?;
    organizations::govern(context, by).await?;
    let now = context.clock.now();
    let algorithm = must_be_revocable(context, kid).await?;
    let successor = keys::make_key(algorithm, &context.data_keys.sealing, &context.random, now)?;
    let (actor, kid) = (by.actor.clone(), kid.to_owned());
    let made = context
        .change(move |db| {
            let made = keys::revoke(db, &kid, successor.clone(), now)?;
            audit::record(db, &actor, &event("signing_key.revoked", &kid, algorithm), now)?;
            Ok(made)
        })
        .await?;
    Ok(made.map(|key| (key.clone(), key.times.state_at(now))))
}

fn event(action: &'static str, kid: &str, algorithm: SigningAlgorithm) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "signing_key",
        target_id: kid.to_owned(),
        organization_id: None,
        details: format!("algorithm={algorithm}"),
    }
}
