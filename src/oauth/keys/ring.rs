//! The key ring: every signing key that is published, opened and parsed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

use crate::crypto::sealing::SealingKey;
use crate::crypto::signing::{SigningAlgorithm, SigningKeyPair};
use crate::model::signing_key::{KeyState, KeyTimes};
use crate::model::time::Timestamp;
use crate::oauth::keys::provider::{jwt_algorithm, register};
use crate::store::StoreError;
use crate::store::signing_keys::StoredKey;

/// A key that can sign and verify.
pub struct OpenKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Its life.
    pub times: KeyTimes,
    /// The public JWK's members in JSON, with `kid`, `use` and `alg`.
    pub public_jwk: String,
    pub(crate) jwt_algorithm: Algorithm,
    pub(crate) encoding: EncodingKey,
    pub(crate) decoding: DecodingKey,
}

/// All keys that are not removed, as of one reading of the database.
#[derive(Default)]
pub struct KeyRing {
    keys: HashMap<String, Arc<OpenKey>>,
    // Newest first.
    ordered: Vec<Arc<OpenKey>>,
    source: Arc<Vec<StoredKey>>,
    number: u64,
}

/// Rings opened by this process, so that no two have the same number.
static OPENED: AtomicU64 = AtomicU64::new(1);

/// The context under which private keys are sealed.
pub(super) fn seal_context(kid: &str) -> String {
    format!("signing key {kid}")
}

impl KeyRing {
    /// Unseals and parses every key that may still verify a token.
    ///
    /// # Errors
    /// [`StoreError::Bug`] if a key cannot be opened with this installation's data keys.
    pub fn open(stored: &Arc<Vec<StoredKey>>, sealing: &SealingKey) -> Result<Self, StoreError> {
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let mut ring = Self { source: Arc::clone(stored), number, ..Self::default() };
        for key in stored.iter().rev().filter(|key| !key.times.revoked) {
            let broken =
                |cause: &dyn std::fmt::Display| StoreError::corrupt(format!("signing key {}: {cause}", key.kid));
            let pkcs8 =
                sealing.open(&seal_context(&key.kid), &key.sealed_private_key).map_err(|cause| broken(&cause))?;
            let pair = SigningKeyPair::from_pkcs8(key.algorithm, pkcs8.expose()).map_err(|cause| broken(&cause))?;
            let pair = Arc::new(pair);
            let (encoding, decoding) = register(&key.kid, &pair);
            let open = Arc::new(OpenKey {
                kid: key.kid.clone(),
                algorithm: key.algorithm,
                times: key.times.clone(),
                public_jwk: key.public_jwk.clone(),
                jwt_algorithm: jwt_algorithm(key.algorithm),
                encoding,
                decoding,
            });
            ring.ordered.push(Arc::clone(&open));
            ring.keys.insert(open.kid.clone(), open);
        }
        Ok(ring)
    }

    /// Tells this ring from every other of this process.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether this ring was opened from just these rows.
    #[must_use]
    pub fn is_of(&self, stored: &Arc<Vec<StoredKey>>) -> bool {
        Arc::ptr_eq(&self.source, stored)
    }

    /// The key that signs with an algorithm at this instant.
    #[must_use]
    pub fn signing(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&Arc<OpenKey>> {
        let of_algorithm = || self.ordered.iter().filter(|key| key.algorithm == algorithm);
        of_algorithm().find(|key| key.times.state_at(now) == KeyState::Signing).or_else(|| {
            // Before the time of every key the clock is wrong: it was set back, or is behind that of the node that made the first.
            let first = of_algorithm().min_by_key(|key| key.times.signs_at)?;
            (first.times.signs_at > now && first.times.state_at(now) == KeyState::Published).then_some(first)
        })
    }

    /// A key that may verify at this instant, by its `kid`.
    #[must_use]
    pub fn verifying(&self, kid: &str, now: Timestamp) -> Option<&Arc<OpenKey>> {
        self.keys.get(kid).filter(|key| key.times.state_at(now) != KeyState::Removed)
    }

    /// The keys that belong into the JWKS at this instant, newest first.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &Arc<OpenKey>> {
        self.ordered.iter().filter(move |key| key.times.state_at(now) != KeyState::Removed)
    }

    /// Whether any key signs at this instant.
    #[must_use]
    pub fn can_sign(&self, now: Timestamp) -> bool {
        self.ordered.iter().any(|key| self.signing(key.algorithm, now).is_some())
    }

    /// The algorithms that sign at this instant, in a fixed order.
    #[must_use]
    pub fn algorithms(&self, now: Timestamp) -> Vec<SigningAlgorithm> {
        SigningAlgorithm::ALL.iter().copied().filter(|algorithm| self.signing(*algorithm, now).is_some()).collect()
    }
}
