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
                ". Another program has the port, perhaps a grantor ('grantor doctor' tells): stop it, or choose others: \
                 export GRANTOR__SERVER__ADDRESS=127.0.0.1:8081 GRANTOR__SERVER__PRIVATE_ADDRESS=127.0.0.1:9081"
            }
            std::io::ErrorKind::PermissionDenied => ". Ports below 1024 need a privilege: choose a higher one",
            std::io::ErrorKind::AddrNotAvailable => ". This machine has no such address",
            _ => "",
        };
        StartError::Listen { address, cause, hint }
    })
}

/// From now on the system ignores who would connect, while those who have connected are still accepted. A port that is closed
/// resets whoever it has not accepted yet, and a proxy may have sent its request already; who is ignored asks again after a second,
/// finds the port closed, and a proxy goes to the next node with a request of which nothing was sent.
///
/// # Errors
/// What the system says; only Linux can do it.
#[cfg(target_os = "linux")]
pub(super) fn ignore_further(listener: &TcpListener) -> std::io::Result<()> {
    use socket2::{SockFilter, SockRef};
    // Of each segment the flags, byte 13: with SYN (0x02) it is dropped, without it passes.
    let (load_byte, jump_if_set, end) = (0x30, 0x45, 0x06);
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(load_byte, 0, 0, 13),
        SockFilter::new(jump_if_set, 0, 1, 0x02),
        SockFilter::new(end, 0, 0, 0),
        SockFilter::new(end, 0, 0, u32::MAX),
    ])
}

/// Only Linux can do it.
#[cfg(not(target_os = "linux"))]
pub(super) fn ignore_further(_: &TcpListener) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
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
