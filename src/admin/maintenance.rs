//! What a node does by itself, now and then: rotate keys that are due, drop rows that nothing can meet any more.

use crate::model::audit::{Actor, AuditEvent};
use crate::oauth::{Context, keys};
use crate::registry::LONGEST_ACCESS_LIFETIME;
use crate::store::{
    StoreError, attempts, audit, clients, denied_tokens, families, mail_outbox, one_time_links, sessions, usage,
};

/// Families dropped in one transaction, so that no write waits long behind the sweeper.
const SWEPT_AT_ONCE: i64 = 500;

/// How long a secret that was replaced or has expired is recognised, in seconds.
const DEAD_SECRETS_KEPT: i64 = 90 * 86_400;

/// How long the counters of an hour are kept, in seconds.
const USAGE_KEPT: i64 = 400 * 86_400;
/// How long messages that are sent or have failed, and links that are over, can be looked up, in seconds.
const MAIL_KEPT_FOR: i64 = 30 * 86_400;

/// One round.
///
/// # Errors
/// [`StoreError`] if the database cannot be reached; the next round tries again.
pub async fn round(context: &Context) -> Result<(), StoreError> {
    rotate_due_keys(context).await?;
    let now = context.clock.now();
    let ended_before = now.plus_seconds(-LONGEST_ACCESS_LIFETIME);
    // Failures are counted for a window; consecutive ones for ninety days.
    let forgotten_before = now.plus_seconds(-90 * 86_400);
    context.store.write(move |db| denied_tokens::sweep(db, now)).await?;
    context.store.write(move |db| attempts::sweep(db, forgotten_before)).await?;
    let done_before = now.plus_seconds(-MAIL_KEPT_FOR);
    context.store.write(move |db| mail_outbox::sweep(db, done_before)).await?;
    context.store.write(move |db| one_time_links::sweep(db, done_before)).await?;
    let unused_since = now.plus_seconds(-crate::login::SESSION_IDLE_LIFETIME);
    context.store.write(move |db| sessions::sweep(db, unused_since)).await?;
    while context.store.write(move |db| families::sweep(db, ended_before, SWEPT_AT_ONCE)).await? > 0 {}
    context.store.write(move |db| clients::sweep_secrets(db, now.plus_seconds(-DEAD_SECRETS_KEPT))).await?;
    while context.store.write(move |db| usage::sweep(db, now.plus_seconds(-USAGE_KEPT))).await? {}
    let kept_since = now.plus_seconds(-context.settings.audit_retention);
    crate::audit::prune(&context.store, &context.data_keys.audit, kept_since, now).await?;
    Ok(())
}

async fn rotate_due_keys(context: &Context) -> Result<(), StoreError> {
    let now = context.clock.now();
    let (interval, ahead) = (context.settings.rotation_interval, context.settings.publish_ahead);
    let due: Vec<_> = {
        let ring = context.ring.load();
        let algorithms = ring.algorithms(now);
        let due_at = now.plus_seconds(ahead - interval);
        algorithms
            .into_iter()
            .filter(|algorithm| ring.signing(*algorithm, now).is_some_and(|key| key.times.signs_at <= due_at))
            .collect()
    };
    for algorithm in due {
        let new = keys::make_key(algorithm, &context.data_keys.sealing, &context.random, now)?;
        let made = context
            .change(move |db| {
                let made = keys::rotate_if_due(db, new.clone(), interval, ahead, now)?;
                if let Some(key) = &made {
                    let event = AuditEvent {
                        action: "signing_key.rotated",
                        target_kind: "signing_key",
                        target_id: key.kid.clone(),
                        organization_id: None,
                        details: format!("algorithm={algorithm} scheduled"),
                    };
                    audit::record(db, &Actor::server(), &event, now)?;
                }
                Ok(made)
            })
            .await?;
        if let Some(key) = made {
            tracing::info!(kid = %key.kid, %algorithm, "a new signing key is published");
        }
    }
    Ok(())
}
