//! Where a request comes from: its peer, or what a trusted proxy says.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;

use crate::http::state::State;
use crate::login::Network;

/// The network of a request.
#[must_use]
pub fn network_of(request: &HttpRequest, state: &State) -> Network {
    Network::of(address_of(request, state))
}

/// The address of a request. `X-Forwarded-For` is read from its end, and only as far as trusted proxies wrote it.
#[must_use]
pub fn address_of(request: &HttpRequest, state: &State) -> IpAddr {
    let mut address = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let settings = state.settings();
    if settings.trusts(address) {
        let forwarded: Vec<&str> = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        for hop in forwarded.iter().rev() {
            let Ok(named) = hop.trim().parse() else { break };
            address = named;
            if !settings.trusts(named) {
                break;
            }
        }
    }
    address.to_canonical()
}
