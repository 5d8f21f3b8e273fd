//! What a node does beside its requests.

use std::sync::Arc;
use std::time::Duration;

use crate::admin::maintenance;
use crate::audit;
use crate::http::Connections;
use crate::oauth::Context;

/// How often a node asks whether anything changed.
const POLL: Duration = Duration::from_millis(250);

/// How often a node sweeps and looks whether a key is due.
const MAINTENANCE: Duration = Duration::from_mins(1);

/// How often a node looks for connections that are quiet for too long.
const CUT: Duration = Duration::from_secs(1);

/// How often a node seals audit events: each within a second of its change.
const SEAL: Duration = Duration::from_millis(250);

/// How often a node stores what it has counted and refused.
const COLLECT: Duration = Duration::from_secs(2);

/// Cuts connections that say nothing for longer.
pub(super) async fn cut_quiet(connections: Connections, longest: Duration) {
    loop {
        tokio::time::sleep(CUT).await;
        connections.cut_quiet(longest);
    }
}

/// Keeps the registry fresh.
pub(super) async fn poll_changes(context: Arc<Context>) {
    let mut failing = false;
    loop {
        tokio::time::sleep(POLL).await;
        match context.refresh().await {
            Ok(()) if failing => {
                failing = false;
                tracing::info!("the database answers again");
            }
            Ok(()) => {}
            Err(error) if failing => tracing::debug!(%error, "the database still does not answer"),
            Err(error) => {
                failing = true;
                tracing::error!(%error, "the database does not answer; after two seconds nothing is issued or checked");
            }
        }
    }
}

/// Sweeps, and rotates keys that are due.
pub(super) async fn maintain(context: Arc<Context>) {
    loop {
        if let Err(error) = maintenance::round(&context).await {
            tracing::warn!(%error, "maintenance is put off");
        }
        tokio::time::sleep(MAINTENANCE).await;
    }
}

/// Seals audit events.
pub(super) async fn seal(context: Arc<Context>) {
    let mut failing = false;
    loop {
        tokio::time::sleep(SEAL).await;
        match audit::seal(&context.store, &context.data_keys.audit).await {
            Ok(_) => failing = false,
            // Said once: where the chain was touched it will not heal by itself.
            Err(error) if !failing => {
                failing = true;
                tracing::error!(%error, "audit events are not sealed");
            }
            Err(_) => {}
        }
    }
}

/// Stores what was counted and refused, until it is told to stop.
pub(super) async fn collect(context: Arc<Context>, mut stopped: tokio::sync::oneshot::Receiver<()>) {
    while tokio::time::timeout(COLLECT, &mut stopped).await.is_err() {
        if let Err(error) = context.store_collected(false).await {
            tracing::warn!(%error, "usage and refusals are stored later");
        }
    }
}

/// The last of what a node has in memory alone.
pub(super) async fn finish(context: &Context) {
    if let Err(error) = context.store_collected(true).await {
        tracing::error!(%error, "the last usage and refusals are lost");
    }
    if let Err(error) = audit::seal(&context.store, &context.data_keys.audit).await {
        tracing::warn!(%error, "the last audit events are sealed at the next start");
    }
}
