//! What the operating system is to know of this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sets the limits of a server; what is refused is said and borne.
pub(super) fn set_limits() {
    // A crash must not leave the keys in a core file.
    if let Err(cause) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        tracing::warn!(%cause, "core dumps cannot be turned off");
    }
    // Every connection is two file descriptors (`http::Connections`). The soft limit of most systems, 1024, is for programs that use `select`; up to
    // the hard one a program may help itself.
    let files = getrlimit(Resource::Nofile);
    if let Err(cause) = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, maximum: files.maximum }) {
        tracing::warn!(%cause, "the limit on open files stays as it is");
    }
}
