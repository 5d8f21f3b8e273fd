//! What a node does all the time: it looks whether a message is due, and sends it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::admin::delivery::deliver_one;
use crate::oauth::Context;

/// How often it looks.
const POLL: Duration = Duration::from_secs(1);

/// Sends until it is told to stop, and the message that it is at to its end.
pub(super) async fn until_stopped(context: Arc<Context>, mut stopped: watch::Receiver<bool>) {
    if !context.mailer.can_send() {
        return;
    }
    while !*stopped.borrow() {
        match deliver_one(&context).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "messages wait for the database"),
        }
        // Whichever comes first: the next look, or the end.
        let _ = tokio::time::timeout(POLL, stopped.changed()).await;
    }
}
