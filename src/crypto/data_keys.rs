//! The keys that live in the database, sealed under the master key. A new master key seals the same
//! keys anew; no digest, pepper or sealed row changes.

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::digest::DigestKey;
use crate::crypto::master_key::MasterKey;
use crate::crypto::random::Random;
use crate::crypto::sealing::{SealError, SealingKey};

const KEY_LENGTH: usize = 32;
const KEY_COUNT: usize = 5;
// The version belongs to the order and number of the keys below.
const CONTEXT: &str = "grantor data keys v1";

/// The data keys, ready for use.
#[derive(Clone, Debug)]
pub struct DataKeys {
    /// Digests of random secrets: client secrets, API keys, one-time tokens, generated passwords.
    pub digest: DigestKey,
    /// The codes inside refresh tokens.
    pub refresh: DigestKey,
    /// What is mixed into passwords before they are hashed.
    pub pepper: DigestKey,
    /// The chain over the audit log.
    pub audit: DigestKey,
    /// Values that must be read back, such as private signing keys.
    pub sealing: SealingKey,
}

/// The bytes behind [`DataKeys`], for sealing and opening.
#[derive(Clone)]
pub struct DataKeyMaterial {
    digest: RawKey,
    refresh: RawKey,
    pepper: RawKey,
    audit: RawKey,
    sealing: RawKey,
}

type RawKey = Zeroizing<[u8; KEY_LENGTH]>;

impl DataKeys {
    /// New random keys, each independent of the others.
    #[must_use]
    pub fn generate(random: &Random) -> DataKeyMaterial {
        let key = || {
            let mut key = RawKey::default();
            random.fill(key.as_mut_slice());
            key
        };
        DataKeyMaterial { digest: key(), refresh: key(), pepper: key(), audit: key(), sealing: key() }
    }
}

impl DataKeyMaterial {
    /// One sealed text for all keys, to be stored.
    ///
    /// # Errors
    ///
    /// [`SealError::Failed`] when the cryptographic library fails.
    pub fn seal(&self, master: &MasterKey, random: &Random) -> Result<String, SealError> {
        let keys = [&self.digest, &self.refresh, &self.pepper, &self.audit, &self.sealing];
        let mut plaintext = Zeroizing::new([0; KEY_LENGTH * KEY_COUNT]);
        for (slot, key) in plaintext.chunks_exact_mut(KEY_LENGTH).zip(keys) {
            slot.copy_from_slice(key.as_slice());
        }
        master.sealing_key().seal(CONTEXT, plaintext.as_slice(), random)
    }

    /// Opens what [`DataKeyMaterial::seal`] wrote.
    ///
    /// # Errors
    ///
    /// [`SealError::Rejected`] under another master key, [`SealError::Malformed`] for another shape.
    pub fn open(master: &MasterKey, sealed: &str) -> Result<Self, SealError> {
        let plaintext = master.sealing_key().open(CONTEXT, sealed)?;
        let (keys, rest) = plaintext.expose().as_chunks::<KEY_LENGTH>();
        let ([digest, refresh, pepper, audit, sealing], []) = (keys, rest) else {
            return Err(SealError::Malformed);
        };
        Ok(Self {
            digest: Zeroizing::new(*digest),
            refresh: Zeroizing::new(*refresh),
            pepper: Zeroizing::new(*pepper),
            audit: Zeroizing::new(*audit),
            sealing: Zeroizing::new(*sealing),
        })
    }

    /// The keys, ready for use.
    #[must_use]
    pub fn keys(&self) -> DataKeys {
        DataKeys {
            digest: DigestKey::new(*self.digest),
            refresh: DigestKey::new(*self.refresh),
            pepper: DigestKey::new(*self.pepper),
            audit: DigestKey::new(*self.audit),
            sealing: SealingKey::new(*self.sealing),
        }
    }
}

impl fmt::Debug for DataKeyMaterial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataKeyMaterial(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_master_key_keeps_every_digest() {
        let random = Random::seeded(1);
        let (old, new) = (MasterKey::generate(&random), MasterKey::generate(&random));
        let material = DataKeys::generate(&random);
        let opened = DataKeyMaterial::open(&old, &material.seal(&old, &random).unwrap()).unwrap();
        let resealed = opened.seal(&new, &random).unwrap();
        assert_eq!(DataKeyMaterial::open(&old, &resealed).unwrap_err(), SealError::Rejected);
        let (before, after) = (material.keys(), DataKeyMaterial::open(&new, &resealed).unwrap().keys());
        assert_eq!(before.digest.mac(&[b"x"]), after.digest.mac(&[b"x"]));
        assert_eq!(before.refresh.mac(&[b"x"]), after.refresh.mac(&[b"x"]));
        assert_eq!(before.pepper.mac(&[b"x"]), after.pepper.mac(&[b"x"]));
        assert_eq!(before.audit.mac(&[b"x"]), after.audit.mac(&[b"x"]));
        let sealed = before.sealing.seal("c", b"x", &random).unwrap();
        assert_eq!(after.sealing.open("c", &sealed).unwrap().expose(), b"x");
    }

    #[test]
    fn the_five_keys_are_different_keys() {
        let keys = DataKeys::generate(&Random::seeded(1)).keys();
        let macs = [&keys.digest, &keys.refresh, &keys.pepper, &keys.audit].map(|key| key.mac(&[b"x"]));
        let distinct: std::collections::HashSet<_> = macs.into_iter().collect();
        assert_eq!(distinct.len(), 4);
    }
}
