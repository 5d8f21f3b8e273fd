//! Ports and paths: where the server listens, and to what.

use std::net::{SocketAddr, TcpListener};

use crate::app::StartError;
use crate::config::Config;
use crate::http;

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

/// That no further token path covers a path that this server answers by itself.
///
/// # Errors
/// [`StartError::Setting`] names both.
pub fn check_paths(config: &Config) -> Result<(), StartError> {
    let mut further = config.http.token_path.iter();
    match further.find_map(|further| Some((&further.path, http::own_path(&further.path)?))) {
        None => Ok(()),
        Some((path, own)) => Err(StartError::Setting(format!(
            "`http.token_path`: the path \"{path}\" covers the built-in {own}; write another path"
        ))),
    }
}
