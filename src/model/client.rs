//! Clients: applications and API connections (RFC 6749 §2).

use crate::model::grant_type::GrantType;
use crate::model::scope::ScopeSet;
use crate::model::signing_key::SigningAlgorithm;
use crate::model::time::Timestamp;

crate::words! {
    /// RFC 6749 §2.1.
    ClientKind {
        /// Can keep a secret.
        Confidential = "confidential",
        /// Cannot.
        Public = "public",
    }
}

crate::words! {
    /// Whether a client works on real data.
    ClientMode {
        /// Yes.
        Live = "live",
        /// No: its secrets bear another prefix.
        Test = "test",
    }
}

crate::words! {
    /// The life of a client: `pending → active ⇄ disabled`, and `deleted` at the end of it.
    ClientStatus {
        /// Registered, not yet approved; it has no credentials.
        Pending = "pending",
        /// Works.
        Active = "active",
        /// Refused everywhere; can be enabled again.
        Disabled = "disabled",
        /// Refused everywhere, for ever; the id is not given out again.
        Deleted = "deleted",
    }
}

impl ClientStatus {
    /// Whether the life of a client has this step.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use ClientStatus::{Active, Deleted, Disabled, Pending};
        matches!((self, next), (Pending | Disabled, Active) | (Active, Disabled))
            || (self != Deleted && next == Deleted)
    }
}

crate::words! {
    /// How a client proves who it is (RFC 8414 §2, `token_endpoint_auth_methods_supported`).
    AuthenticationMethod {
        /// HTTP Basic (RFC 6749 §2.3.1).
        ClientSecretBasic = "client_secret_basic",
        /// `client_id` and `client_secret` in the body (RFC 6749 §2.3.1).
        ClientSecretPost = "client_secret_post",
        /// A public client only names itself.
        None = "none",
    }
}

/// One of a client's secrets; only its keyed digest is known.
#[derive(Debug, Clone)]
pub struct ClientSecret {
    /// `UUIDv7`, as text.
    pub id: String,
    /// The keyed digest; compare it in constant time.
    pub digest: [u8; 32],
    /// From when it no longer works.
    pub expires_at: Option<Timestamp>,
}

/// A client with all that a decision about it needs.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client identifier (RFC 6749 §2.2), never a UUID.
    pub client_id: String,
    /// The organization that it belongs to.
    pub organization_id: String,
    /// For people.
    pub label: String,
    /// Confidential or public.
    pub kind: ClientKind,
    /// Live or test.
    pub mode: ClientMode,
    /// The one method that its registration pins, if it does.
    pub authentication_method: Option<AuthenticationMethod>,
    /// Whether it may ask about tokens (RFC 7662).
    pub may_introspect: bool,
    /// Lifetime of its access tokens in seconds, if not the server's.
    pub access_lifetime: Option<i64>,
    /// Idle lifetime of its token families in seconds, if not the server's.
    pub idle_lifetime: Option<i64>,
    /// Absolute lifetime of its token families in seconds, if not the server's.
    pub absolute_lifetime: Option<i64>,
    /// Reuse window of its token families in seconds, if not the server's.
    pub reuse_window: Option<i64>,
    /// The algorithm that signs its tokens, if not the server's.
    pub signing_algorithm: Option<SigningAlgorithm>,
    /// Where it is in its life.
    pub status: ClientStatus,
    /// Raised by every change that must end its tokens.
    pub epoch: i64,
    /// The grants that it may use.
    pub grant_types: Vec<GrantType>,
    /// The scopes that it was approved for.
    pub scopes: ScopeSet,
    /// The resource servers that it may have tokens for.
    pub audiences: Vec<String>,
    /// Its secrets.
    pub secrets: Vec<ClientSecret>,
    /// Secrets that were replaced, newest last: they open nothing, but their use is recognised.
    pub ended_secrets: Vec<ClientSecret>,
}

impl Client {
    /// Whether it may use this grant.
    #[must_use]
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_client_never_comes_back() {
        for next in ClientStatus::ALL {
            assert!(!ClientStatus::Deleted.may_become(*next), "{next}");
        }
    }

    #[test]
    fn a_pending_client_is_approved_before_it_is_disabled() {
        assert!(ClientStatus::Pending.may_become(ClientStatus::Active));
        assert!(!ClientStatus::Pending.may_become(ClientStatus::Disabled));
    }
}
