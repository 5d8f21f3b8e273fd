//! How a node goes: readiness first, then the listener, then what is in flight; and at once where it is told twice.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::app::listening;
use crate::http::State;
use crate::sabotage::{self, Defect};

/// SIGTERM, which supervisors send, and SIGINT, which a terminal sends.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// How long those who have connected may wait for a worker before the listener closes. Shorter than the second after which who
/// is ignored asks again.
const ACCEPTED_WITHIN: Duration = Duration::from_millis(200);

/// Waits for the first signal and has the server stopped: for `drain` the node says that it is not ready, answers on and closes each
/// connection after its answer, so that whoever balances sends nothing new and no request meets a closed port. Who balances without
/// asking goes on until the port is closed, and whoever has connected by then is served. A second signal notifies `at_once`.
pub(super) async fn when_told(
    state: State,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    drain: Duration,
    at_once: Arc<Notify>,
) {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(cause) => return tracing::error!(%cause, "signals are not heard: only SIGKILL ends this server"),
    };
    signals.next().await;
    if sabotage::is(Defect::NoDrain) {
        return at_once.notify_one();
    }
    tracing::info!(drain = drain.as_secs(), "stopping: what is in flight ends; a second signal ends it at once");
    state.leave();
    let orderly = async {
        tokio::time::sleep(drain).await;
        match listening::ignore_further(&listener) {
            Ok(()) => tokio::time::sleep(ACCEPTED_WITHIN).await,
            Err(cause) => tracing::debug!(%cause, "whoever has connected and is not accepted yet is cut off"),
        }
        // It would keep the port open.
        drop(listener);
        stop.await;
        // What follows the listener's end is the caller's: only a second signal is still waited for.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = orderly => {}
        () = signals.next() => {
            tracing::warn!("stopping at once");
            at_once.notify_one();
        }
    }
}
