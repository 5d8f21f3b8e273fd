//! What a session's cookie bears, and how long it is good for.

use crate::crypto::digest::DigestKey;
use crate::crypto::random::Random;
use crate::crypto::secret::SecretString;
use crate::model::session::Session;
use crate::model::time::Timestamp;

/// Seconds without a page after which a session is over.
pub const SESSION_IDLE_LIFETIME: i64 = 12 * 3600;

/// Seconds after which a session is over, used or not.
const ABSOLUTE_LIFETIME: i64 = 7 * 86_400;

/// Characters of a cookie's secret: 256 random bits.
const LENGTH: usize = 43;

const DIGEST_PURPOSE: &str = "console session";

/// The secret in a browser's cookie: of a visitor, or of a session once somebody has signed in.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// A new one.
    #[must_use]
    pub fn make(random: &Random) -> Self {
        Self(SecretString::new(random.base62(LENGTH)))
    }

    /// One that a browser brings; none if it has not the shape of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_ours = text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_ours.then(|| Self(SecretString::from(text)))
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// What a session is found by.
#[must_use]
pub fn session_digest(key: &DigestKey, secret: &Secret) -> String {
    key.digest(DIGEST_PURPOSE, secret.expose().as_bytes()).to_text()
}

/// Whether a session may still be used.
#[must_use]
pub fn is_live(session: &Session, now: Timestamp) -> bool {
    now < session.last_seen_at.plus_seconds(SESSION_IDLE_LIFETIME)
        && now < session.created_at.plus_seconds(ABSOLUTE_LIFETIME)
}
