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
    /// The life of a client: `pending → active ⇄ disabled`, or `pending → denied`, and `deleted` at the end of it.
    ClientStatus {
        /// Registered, not yet approved; it has no credentials.
        Pending = "pending",
        /// Works.
        Active = "active",
        /// Refused everywhere; can be enabled again.
        Disabled = "disabled",
        /// Not approved: it never had credentials, and its developer sees why.
        Denied = "denied",
        /// Refused everywhere, for ever; the id is not given out again.
        Deleted = "deleted",
    }
}

impl ClientStatus {
    /// Whether the life of a client has this step.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use ClientStatus::{Active, Deleted, Denied, Disabled, Pending};
        matches!((self, next), (Pending | Disabled, Active) | (Active, Disabled) | (Pending, Denied))
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

/// What names a user's password where a client would be named, with the user's id behind it. No client id begins so.
pub const PASSWORD_AS_CLIENT: &str = "password:";

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

/// The claims that the server itself sets, or that a resource server would take for the server's word: no client
/// chooses them (RFC 7519 §4.1, RFC 8693 §4, RFC 9068 §2.2, OpenID Connect Core §2).
const RESERVED_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "typ",
    "client_id",
    "scope",
    "sid",
    "epoch",
    "org",
    "roles",
    "groups",
    "entitlements",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "nonce",
    "at_hash",
    "act",
    "may_act",
    "cnf",
    "username",
    "preferred_username",
    "email",
    "email_verified",
    "active",
    "token_type",
    "permissions",
];

/// Why a claim cannot be a client's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StaticClaimError {
    /// The server sets it.
    #[error("the claim `{0}` is the server's own")]
    Reserved(String),
    /// Every request of the client carries them.
    #[error("static claims have at most 2048 bytes in all")]
    TooLong,
    /// Not a JSON object.
    #[error("static claims are a JSON object")]
    NotAnObject,
}

/// Claims that a client's access tokens bear besides the standard's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StaticClaims(std::sync::Arc<serde_json::Map<String, serde_json::Value>>);

impl StaticClaims {
    /// Checks claims.
    ///
    /// # Errors
    /// [`StaticClaimError`] names the claim that cannot be.
    pub fn new(claims: serde_json::Map<String, serde_json::Value>) -> Result<Self, StaticClaimError> {
        if let Some(reserved) = claims.keys().find(|name| RESERVED_CLAIMS.contains(&name.as_str())) {
            return Err(StaticClaimError::Reserved(reserved.clone()));
        }
        let claims = Self(std::sync::Arc::new(claims));
        if claims.to_string().len() > 2048 { Err(StaticClaimError::TooLong) } else { Ok(claims) }
    }

    /// The claims by name.
    #[must_use]
    pub fn as_map(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0
    }
}

impl std::fmt::Display for StaticClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(&*self.0).unwrap_or_default())
    }
}

impl std::str::FromStr for StaticClaims {
    type Err = StaticClaimError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(serde_json::from_str(text).map_err(|_| StaticClaimError::NotAnObject)?)
    }
}

/// A client with all that a decision about it needs.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client identifier (RFC 6749 §2.2), never a UUID.
    pub client_id: String,
    /// The organization that it belongs to.
    pub organization_id: String,
    /// The user who registered it.
    pub owner_id: Option<String>,
    /// For people.
    pub label: String,
    /// For people.
    pub description: String,
    /// What it is for, as its developer says.
    pub purpose: String,
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
    /// Claims that its access tokens bear besides the standard's.
    pub static_claims: StaticClaims,
    /// The roles that say what it may do at Grantor's own API.
    pub role_ids: Vec<String>,
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

    #[test]
    fn a_denied_client_is_never_approved() {
        assert!(ClientStatus::Pending.may_become(ClientStatus::Denied));
        assert!(!ClientStatus::Denied.may_become(ClientStatus::Active));
    }
}
