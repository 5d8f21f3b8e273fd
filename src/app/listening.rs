//! The ports.

use std::net::{SocketAddr, TcpListener};

use crate::app::StartError;

/// Binds a listener.
///
/// # Errors
/// [`StartError::Listen`], with what to do about it.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|cause| {
        let hint = match cause.kind() {
            std::io::ErrorKind::AddrInUse => {
                ". Another program has the port: stop it, or set server.address (server.private_address) to another one"
            }
            std::io::ErrorKind::PermissionDenied => ". Ports below 1024 need a privilege: choose a higher one",
            std::io::ErrorKind::AddrNotAvailable => ". This machine has no such address",
            _ => "",
        };
        StartError::Listen { address, cause, hint }
    })
}
