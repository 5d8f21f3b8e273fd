//! Where a request comes from, as guessing is counted.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// A network: a single IPv4 address, or the /64 that one IPv6 subscriber has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

impl Network {
    /// The network of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 32 } else { 64 };
        Self(IpNet::new(address, prefix).map_or_else(|_| IpNet::from(address), |network| network.trunc()))
    }
}

impl Network {
    /// As it is written down for people: the address, or the network where an address is not all there is of it.
    #[must_use]
    pub fn address(self) -> String {
        if self.0.prefix_len() == 32 { self.0.addr().to_string() } else { self.to_string() }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_subscriber_is_one_network_and_a_mapped_address_is_ipv4() {
        let network = |text: &str| Network::of(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3::1"), "2001:db8:1:2::/64");
        assert_eq!(network("192.0.2.1"), "192.0.2.1/32");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1/32");
        let address = |text: &str| Network::of(text.parse().unwrap()).address();
        assert_eq!(address("192.0.2.1"), "192.0.2.1");
        assert_eq!(address("2001:db8:1:2:3::1"), "2001:db8:1:2::/64");
    }
}
