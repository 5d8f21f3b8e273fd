//! Signing keys and their life.

use crate::model::time::Timestamp;

crate::words! {
    /// What signs tokens (RFC 7518 §3.1, RFC 8037 §3.1); never `none`, never a shared secret.
    SigningAlgorithm {
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rs256 = "RS256",
        /// RSASSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

crate::words! {
    /// Where a signing key stands: `published → signing → retired → removed`.
    KeyState {
        /// In the JWKS, so that validators know it before it signs.
        Published = "published",
        /// Signs new tokens.
        Signing = "signing",
        /// Signs no more; its tokens are still valid.
        Retired = "retired",
        /// Its last token has expired, or it was revoked: no longer in the JWKS.
        Removed = "removed",
    }
}

/// The times of a key's life. Each node derives the state from them, so no node has to promote a key.
#[derive(Debug, Clone)]
pub struct KeyTimes {
    /// When it entered the JWKS.
    pub published_at: Timestamp,
    /// From when it signs.
    pub signs_at: Timestamp,
    /// From when a successor signs instead.
    pub retired_at: Option<Timestamp>,
    /// When it left, or will leave, the JWKS.
    pub removed_at: Option<Timestamp>,
    /// Whether it was revoked: its tokens are dead at once.
    pub revoked: bool,
}

impl KeyTimes {
    /// The state at an instant.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> KeyState {
        let reached = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if self.revoked || reached(self.removed_at) {
            KeyState::Removed
        } else if reached(self.retired_at) {
            KeyState::Retired
        } else if self.signs_at <= now {
            KeyState::Signing
        } else {
            KeyState::Published
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_published_then_signs_then_retires_then_is_removed() {
        use KeyState::{Published, Removed, Retired, Signing};
        let at = Timestamp::from_seconds;
        let key = KeyTimes {
            published_at: at(0),
            signs_at: at(60),
            retired_at: Some(at(100)),
            removed_at: Some(at(200)),
            revoked: false,
        };
        let states = [0, 59, 60, 99, 100, 199, 200].map(|second| key.state_at(at(second)));
        assert_eq!(states, [Published, Published, Signing, Signing, Retired, Retired, Removed]);
    }

    #[test]
    fn a_revoked_key_is_removed_whatever_its_times() {
        let at = Timestamp::from_seconds;
        let key = KeyTimes { published_at: at(0), signs_at: at(0), retired_at: None, removed_at: None, revoked: true };
        assert_eq!(key.state_at(at(1)), KeyState::Removed);
    }
}
