//! The sweeper: rows that nothing needs any more go, a few in a transaction, by one node at a time.

use std::time::{Duration, Instant};

use crate::crypto::identifier::uuid_v7;
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::registry::LONGEST_ACCESS_LIFETIME;
use crate::store::sweeper::{
    ATTEMPTS, DENIED_TOKENS, EXPIRED_FAMILIES, EXPIRED_SECRETS, KNOWN_NETWORKS, LINKS, MAIL, REMEMBERED_POSTS,
    REPLACED_SECRETS, REVOKED_FAMILIES, SESSIONS, Sweep, USAGE, USAGE_DETAILS,
};
use crate::store::{StoreError, sweeper};

/// Rows dropped in one transaction: two or three milliseconds of SQLite's one writer.
const DROPPED_AT_ONCE: i64 = 200;

/// After each batch the sweeper waits this many times as long as it took, so that it has about a fifth of the writer.
const PAUSE: u32 = 4;

/// The longest pause, where the database itself made a batch slow.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a turn lasts that nobody goes on with, in seconds: a node that was killed keeps the others waiting so long.
const TURN: i64 = 60;

/// Failures of an account in a row are counted for ninety days, in seconds.
const ATTEMPTS_KEPT: i64 = 90 * 86_400;

/// Sweeps, unless another node is at it.
///
/// # Errors
/// [`StoreError`] if the database cannot be reached; the next round goes on.
pub async fn sweep(context: &Context) -> Result<(), StoreError> {
    let now = context.clock.now();
    let holder = uuid_v7(now, &context.random);
    let mut dropped = 0;
    if !hold(context, &holder).await? {
        return Ok(());
    }
    for (sweep, before) in sweeps(context, now) {
        match drop_all(context, &holder, sweep, before).await? {
            Some(rows) => dropped += rows,
            None => return Ok(()),
        }
    }
    let kept_since = now.plus_seconds(-context.settings.retention.audit);
    let prune = async || {
        let (key, at) = (&context.data_keys.audit, context.clock.now());
        crate::audit::prune(&context.store, key, kept_since, at, DROPPED_AT_ONCE).await
    };
    match in_batches(context, &holder, "audit events", prune).await? {
        Some(events) => dropped += events,
        None => return Ok(()),
    }
    let finished = context.clock.now();
    context.store.write(move |db| sweeper::finish(db, &holder, dropped, finished)).await?;
    context.metrics.sweep_finished(finished.seconds());
    Ok(())
}

/// What is swept, and up to when.
fn sweeps(context: &Context, now: Timestamp) -> [(Sweep, Timestamp); 13] {
    let retention = context.settings.retention;
    let ago = |seconds: i64| now.plus_seconds(-seconds);
    [
        // Not at their expiry: a clock that was ahead when they were dropped would bring them back to life.
        (DENIED_TOKENS, ago(LONGEST_ACCESS_LIFETIME)),
        (ATTEMPTS, ago(ATTEMPTS_KEPT)),
        (KNOWN_NETWORKS, ago(crate::login::NETWORK_KNOWN_FOR)),
        (MAIL, ago(retention.mail)),
        (LINKS, ago(retention.mail)),
        (REMEMBERED_POSTS, ago(crate::admin::idempotency::KEPT_FOR)),
        (SESSIONS, ago(crate::login::SESSION_IDLE_LIFETIME)),
        // No access token of a family may outlive its row: that it was ended is told from there.
        (EXPIRED_FAMILIES, ago(LONGEST_ACCESS_LIFETIME)),
        (REVOKED_FAMILIES, ago(LONGEST_ACCESS_LIFETIME)),
        (REPLACED_SECRETS, ago(retention.replaced_secrets)),
        (EXPIRED_SECRETS, ago(retention.replaced_secrets)),
        (USAGE_DETAILS, ago(retention.usage)),
        (USAGE, ago(retention.usage)),
    ]
}

/// Takes the turn, or goes on with it. `false`: another node has it.
async fn hold(context: &Context, holder: &str) -> Result<bool, StoreError> {
    let (holder, now) = (holder.to_owned(), context.clock.now());
    context.store.write(move |db| sweeper::hold(db, &holder, now, TURN)).await
}

/// Drops all that is due of one kind; none if another node has the turn.
async fn drop_all(context: &Context, holder: &str, sweep: Sweep, before: Timestamp) -> Result<Option<i64>, StoreError> {
    if !context.store.read(move |db| sweeper::any_due(db, sweep, before)).await? {
        return Ok(Some(0));
    }
    let batch = async || context.store.write(move |db| sweeper::drop_some(db, sweep, before, DROPPED_AT_ONCE)).await;
    in_batches(context, holder, sweep.name, batch).await
}

/// Batch after batch until nothing is left; none if another node has the turn.
async fn in_batches(
    context: &Context,
    holder: &str,
    name: &'static str,
    batch: impl AsyncFn() -> Result<i64, StoreError>,
) -> Result<Option<i64>, StoreError> {
    let mut dropped = 0;
    loop {
        let started = Instant::now();
        let rows = batch().await?;
        context.metrics.swept(name, rows);
        dropped += rows;
        if rows < DROPPED_AT_ONCE {
            return Ok(Some(dropped));
        }
        tokio::time::sleep((started.elapsed() * PAUSE).min(LONGEST_PAUSE)).await;
        if !hold(context, holder).await? {
            return Ok(None);
        }
    }
}
