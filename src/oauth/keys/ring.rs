//! The key ring: every signing key that is published, opened and parsed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::{Algorithm, DecodingKey};

use crate::crypto::sealing::SealingKey;
use crate::crypto::signing::{SigningAlgorithm, SigningKeyPair};
use crate::model::signing_key::{KeyState, KeyTimes};
use crate::model::time::Timestamp;
use crate::oauth::keys::jws::Signer;
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
    pub(in crate::oauth) signer: Signer,
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
            let jwt_algorithm = jwt_algorithm(key.algorithm);
            let open = Arc::new(OpenKey {
                kid: key.kid.clone(),
                algorithm: key.algorithm,
                times: key.times.clone(),
                public_jwk: key.public_jwk.clone(),
                jwt_algorithm,
                signer: Signer::new(encoding, jwt_algorithm, &key.kid).map_err(|cause| broken(&cause))?,
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
            // Before the time of every key, revoked ones too, the clock is wrong: it was set back, or is behind that of the
            // node that made the first. Where one has begun, its successor waits until validators know it.
            let mut all = self.source.iter().filter(|key| key.algorithm == algorithm);
            if all.any(|key| key.times.signs_at <= now) {
                return None;
            }
            of_algorithm().min_by_key(|key| key.times.signs_at)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::data_keys::DataKeys;
    use crate::crypto::random::Random;
    use crate::oauth::keys::make_key;

    const ALGORITHM: SigningAlgorithm = SigningAlgorithm::Es256;

    /// The first key signs from 1000 on, its successor from 2000 on; who signs at an instant.
    fn signer(change_first: impl FnOnce(&mut KeyTimes), at: i64) -> Option<usize> {
        let random = Random::system();
        let sealing = DataKeys::generate(&random).keys().sealing;
        let made = |signs_at| {
            let mut key = make_key(ALGORITHM, &sealing, &random, Timestamp::from_seconds(1000)).unwrap();
            key.times.signs_at = Timestamp::from_seconds(signs_at);
            key
        };
        let (mut first, successor) = (made(1000), made(2000));
        first.times.retired_at = Some(Timestamp::from_seconds(2000));
        change_first(&mut first.times);
        let kids = [first.kid.clone(), successor.kid.clone()];
        let ring = KeyRing::open(&Arc::new(vec![first, successor]), &sealing).unwrap();
        let signing = ring.signing(ALGORITHM, Timestamp::from_seconds(at))?;
        kids.iter().position(|kid| *kid == signing.kid)
    }

    #[test]
    fn before_the_time_of_every_key_the_first_signs() {
        assert_eq!(signer(|_| {}, 999), Some(0));
        assert_eq!(signer(|_| {}, 1000), Some(0));
        assert_eq!(signer(|_| {}, 2000), Some(1));
    }

    #[test]
    fn a_published_key_does_not_sign_before_its_time_because_the_one_before_was_revoked() {
        let revoke = |times: &mut KeyTimes| {
            (times.revoked, times.removed_at) = (true, Some(Timestamp::from_seconds(1500)));
        };
        assert_eq!(signer(revoke, 1500), None);
        assert_eq!(signer(revoke, 1999), None);
        assert_eq!(signer(revoke, 2000), Some(1));
        // With a clock from before them all it is the only one that may.
        assert_eq!(signer(revoke, 999), Some(1));
    }
}
