//! Token families: one sign-in's chain of refresh tokens, and one row.

use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;

crate::words! {
    /// Why a family was ended.
    FamilyEnd {
        /// A refresh token was used again (RFC 9700 §4.14).
        Reuse = "reuse",
        /// The client asked for it (RFC 7009).
        Revoked = "revoked",
        /// A newer sign-in took its place.
        Superseded = "superseded",
        /// The user's password, status or access changed.
        UserChanged = "user_changed",
        /// The client's secret or status changed.
        ClientChanged = "client_changed",
        /// The database had gone back in time.
        Restored = "restored",
    }
}

/// A chain of refresh tokens.
#[derive(Debug, Clone)]
pub struct Family {
    /// `UUIDv7`, as text; the `sid` of its access tokens.
    pub id: String,
    /// The client that it was issued to.
    pub client_id: String,
    /// The resource owner.
    pub user_id: String,
    /// The scope originally granted (RFC 6749 §6).
    pub scope: ScopeSet,
    /// The audience originally granted.
    pub audience: Vec<String>,
    /// Random text in each token's MAC.
    pub salt: String,
    /// The generation of the one refresh token that is current.
    pub generation: i64,
    /// When the resource owner signed in.
    pub auth_time: Timestamp,
    /// When the current generation was made.
    pub rotated_at: Timestamp,
    /// When it ends unless it is used.
    pub idle_expires_at: Timestamp,
    /// When it ends in any case.
    pub absolute_expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

impl Family {
    /// Whether it is neither ended nor expired.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.idle_expires_at && now < self.absolute_expires_at
    }
}
