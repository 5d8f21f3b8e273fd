//! API keys: what a program sends with each request, in the name of a user.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::reveal::RevealPolicy;
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;

crate::words! {
    /// The life of an API key: `active ⇄ disabled`, and `deleted` at the end of it.
    ApiKeyStatus {
        /// Works.
        Active = "active",
        /// Refused; can be enabled again.
        Disabled = "disabled",
        /// Refused for ever.
        Deleted = "deleted",
    }
}

impl ApiKeyStatus {
    /// Whether the life of an API key has this step.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use ApiKeyStatus::{Active, Deleted, Disabled};
        matches!((self, next), (Active, Disabled) | (Disabled, Active)) || (self != Deleted && next == Deleted)
    }
}

/// How much of a key its owner sees in lists: enough to tell keys apart, and nothing to guess from.
pub const SHOWN_PREFIX: usize = 12;

/// An API key with all that a decision about it needs; the key itself is not in it.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// `UUIDv7`, as text.
    pub id: String,
    /// The first characters of the key.
    pub prefix: String,
    /// For people.
    pub name: String,
    /// In whose name it acts.
    pub user_id: String,
    /// In which organization.
    pub organization_id: String,
    /// What it may at most; none stated is all that the user may.
    pub scopes: Option<ScopeSet>,
    /// Where it may be used; everywhere if none is named.
    pub networks: Vec<IpNet>,
    /// Whether it can be shown again.
    pub reveal: RevealPolicy,
    /// The key under the installation's sealing key, where it can be shown again.
    pub sealed: Option<String>,
    /// Where it is in its life.
    pub status: ApiKeyStatus,
    /// From when it no longer works.
    pub expires_at: Option<Timestamp>,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// From where it was used last.
    pub last_used_ip: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApiKey {
    /// Whether it works at this instant.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.status == ApiKeyStatus::Active && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Whether it may be used from an address. An IPv4 address in IPv6 clothes is the IPv4 address.
    #[must_use]
    pub fn may_be_used_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_key_never_comes_back() {
        for next in ApiKeyStatus::ALL {
            assert!(!ApiKeyStatus::Deleted.may_become(*next), "{next}");
        }
    }
}
