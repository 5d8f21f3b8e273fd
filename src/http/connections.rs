//! Connections that are quiet for too long are cut.
//!
//! actix-web times the head of a connection's first request alone: whoever sends a byte of the second now and then would keep it
//! for ever. From outside such a head and an idle connection look alike, so both have the same time.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream as Accepted;

/// While a request is in flight: its own deadlines bound it.
const BUSY: u64 = u64::MAX;

/// The open connections of a listener. Cloning is cheap.
#[derive(Clone)]
pub struct Connections(Arc<Shared>);

struct Shared {
    started: Instant,
    open: Mutex<Vec<Weak<Open>>>,
}

/// What a request finds of its connection.
#[derive(Clone)]
pub struct Connection {
    open: Arc<Open>,
    all: Connections,
}

/// A request of a connection that is under way, until it is dropped.
pub struct UnderWay(Connection);

struct Open {
    socket: TcpStream,
    /// Milliseconds since the start at which it became quiet, or [`BUSY`].
    quiet_since: AtomicU64,
}

impl Default for Connections {
    fn default() -> Self {
        Self(Arc::new(Shared { started: Instant::now(), open: Mutex::default() }))
    }
}

impl Connections {
    /// Notes a connection that was accepted, and puts it where its requests find it.
    pub fn note(&self, accepted: &dyn Any, data: &mut Extensions) {
        // A handle of our own: it lives as long as the connection's data, so the end of both is the end of the socket.
        let Some(accepted) = accepted.downcast_ref::<Accepted>() else { return };
        let Ok(socket) = accepted.as_fd().try_clone_to_owned().map(TcpStream::from) else {
            // Without descriptors nobody could cut it later.
            let _ = rustix::net::shutdown(accepted, rustix::net::Shutdown::Both);
            return;
        };
        let open = Arc::new(Open { socket, quiet_since: AtomicU64::new(self.now()) });
        self.open().push(Arc::downgrade(&open));
        data.insert(Connection { open, all: self.clone() });
    }

    /// Cuts those that have been quiet for longer.
    pub fn cut_quiet(&self, longest: Duration) {
        let oldest = self.now().saturating_sub(millis(longest));
        self.open().retain(|known| {
            let Some(open) = known.upgrade() else { return false };
            if open.quiet_since.load(Ordering::Relaxed) < oldest {
                // The peer may have gone already.
                let _ = open.socket.shutdown(Shutdown::Both);
            }
            true
        });
    }

    fn now(&self) -> u64 {
        millis(self.0.started.elapsed())
    }

    fn open(&self) -> MutexGuard<'_, Vec<Weak<Open>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// A request has come; its answer is under way until what this gives is dropped.
    #[must_use]
    pub fn request_came(&self) -> UnderWay {
        self.open.quiet_since.store(BUSY, Ordering::Relaxed);
        UnderWay(self.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Self(Connection { open, all }) = self;
        open.quiet_since.store(all.now(), Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(BUSY - 1)
}
