//! What a node does by itself, now and then: rotate keys that are due, drop rows that nothing can meet any more.

use crate::admin::sweeper;
use crate::model::audit::{Actor, AuditEvent};
use crate::oauth::{Context, keys};
use crate::store::{StoreError, audit};

/// One round.
///
/// # Errors
/// [`StoreError`] if the database cannot be reached; the next round tries again.
pub async fn round(context: &Context) -> Result<(), StoreError> {
    rotate_due_keys(context).await?;
    sweeper::sweep(context).await
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
