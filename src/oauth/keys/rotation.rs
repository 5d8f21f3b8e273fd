//! Making, rotating and revoking signing keys.
//!
//! A key's whole life is decided when it is made or followed by another: a successor is published `publish_ahead`
//! before it signs, and its predecessor leaves the JWKS when the last token that it signed has expired.

use crate::crypto::random::Random;
use crate::crypto::sealing::SealingKey;
use crate::crypto::secret::SecretBytes;
use crate::crypto::signing::{SigningAlgorithm, SigningKeyPair};
use crate::model::signing_key::{KeyState, KeyTimes};
use crate::model::time::Timestamp;
use crate::oauth::keys::ring::seal_context;
use crate::registry::LONGEST_ACCESS_LIFETIME;
use crate::sabotage::{self, Defect};
use crate::store::instance::next_change;
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Db, StoreError};

/// Makes a key that is not stored yet.
///
/// # Errors
/// [`StoreError::Bug`] if the cryptographic library refuses.
pub fn make_key(
    algorithm: SigningAlgorithm,
    sealing: &SealingKey,
    random: &Random,
    now: Timestamp,
) -> Result<StoredKey, StoreError> {
    loop {
        let (pair, pkcs8) = SigningKeyPair::generate(algorithm).map_err(|cause| broken(&cause))?;
        // Command lines would take such a `kid` for an option. One of 64 begins so.
        if !pair.thumbprint().starts_with('-') {
            return seal_key(&pair, &pkcs8, sealing, random, now);
        }
    }
}

fn broken(cause: &dyn std::fmt::Display) -> StoreError {
    StoreError::Bug(format!("a signing key could not be made: {cause}"))
}

/// Seals a key pair and its PKCS#8 document as a key that signs from `now` on.
///
/// # Errors
/// [`StoreError::Bug`] if the cryptographic library refuses.
pub fn seal_key(
    pair: &SigningKeyPair,
    pkcs8: &SecretBytes,
    sealing: &SealingKey,
    random: &Random,
    now: Timestamp,
) -> Result<StoredKey, StoreError> {
    let algorithm = pair.algorithm();
    let kid = pair.thumbprint();
    let mut members: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
    for (name, value) in pair.public_jwk().to_json_members() {
        members.insert(name.to_owned(), value.into());
    }
    members.insert("kid".to_owned(), kid.clone().into());
    members.insert("use".to_owned(), "sig".into());
    members.insert("alg".to_owned(), algorithm.as_str().into());
    Ok(StoredKey {
        sealed_private_key: sealing
            .seal(&seal_context(&kid), pkcs8.expose(), random)
            .map_err(|cause| broken(&cause))?,
        kid,
        algorithm,
        public_jwk: serde_json::Value::Object(members).to_string(),
        times: KeyTimes { published_at: now, signs_at: now, retired_at: None, removed_at: None, revoked: false },
    })
}

/// Stores a new key and plans the end of the one that signs now. The first key of an algorithm signs at once, every
/// other waits `publish_ahead` seconds, so that validators that cache the JWKS know it before its first token.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn rotate(db: &mut Db, mut new: StoredKey, publish_ahead: i64, now: Timestamp) -> Result<StoredKey, StoreError> {
    one_at_a_time(db)?;
    let live: Vec<StoredKey> = signing_keys::list(db)?
        .into_iter()
        .filter(|key| key.algorithm == new.algorithm)
        .filter(|key| !matches!(key.times.state_at(now), KeyState::Removed | KeyState::Retired))
        .collect();
    let abrupt = sabotage::is(Defect::AbruptRotation);
    new.times.signs_at = if live.is_empty() || abrupt { now } else { now.plus_seconds(publish_ahead) };
    for key in live {
        // A successor that has not signed yet is followed as well: it never signs, or for a shorter time.
        let retired_at = new.times.signs_at;
        let times = KeyTimes {
            retired_at: Some(retired_at),
            removed_at: Some(if abrupt { now } else { retired_at.plus_seconds(LONGEST_ACCESS_LIFETIME) }),
            ..key.times
        };
        signing_keys::set_times(db, &key.kid, &times)?;
    }
    signing_keys::create(db, &new)?;
    Ok(new)
}

/// Rotates an algorithm's key if it has signed for `interval` seconds. Whichever node comes first does it.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn rotate_if_due(
    db: &mut Db,
    new: StoredKey,
    interval: i64,
    publish_ahead: i64,
    now: Timestamp,
) -> Result<Option<StoredKey>, StoreError> {
    one_at_a_time(db)?;
    let newest = signing_keys::list(db)?
        .into_iter()
        .filter(|key| key.algorithm == new.algorithm && !key.times.revoked)
        .map(|key| key.times.signs_at)
        .max();
    if sabotage::is(Defect::NoLock) {
        // Time enough for the others to see what this one sees.
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    match newest {
        Some(signs_at) if signs_at.plus_seconds(interval - publish_ahead) <= now => {
            rotate(db, new, publish_ahead, now).map(Some)
        }
        _ => Ok(None),
    }
}

/// Revokes a key: out of the JWKS and its tokens dead at once. Where no other key of its algorithm signs, the
/// successor signs at once.
///
/// # Errors
/// [`StoreError::Conflict`] if there is no such key.
pub fn revoke(db: &mut Db, kid: &str, successor: StoredKey, now: Timestamp) -> Result<Option<StoredKey>, StoreError> {
    one_at_a_time(db)?;
    let keys = signing_keys::list(db)?;
    let key = keys
        .iter()
        .find(|key| key.kid == kid)
        .ok_or_else(|| StoreError::Conflict(format!("there is no signing key {kid}")))?;
    let times = KeyTimes { revoked: true, removed_at: Some(now), ..key.times.clone() };
    signing_keys::set_times(db, kid, &times)?;
    let others = || keys.iter().filter(|other| other.kid != kid && other.algorithm == key.algorithm);
    if let Some(signs) = others().rfind(|other| other.times.state_at(now) == KeyState::Signing) {
        let followed = others().any(|other| other.times.state_at(now) == KeyState::Published);
        if signs.times.retired_at.is_some() && !followed {
            // The revoked key was to follow this one, which goes on; otherwise nobody would sign after it.
            let times = KeyTimes { retired_at: None, removed_at: None, ..signs.times.clone() };
            signing_keys::set_times(db, &signs.kid, &times)?;
        }
        return Ok(None);
    }
    if successor.algorithm != key.algorithm {
        return Ok(None);
    }
    // A successor that was already published stands in the way of nothing: the new key is newer and signs now.
    let mut successor = successor;
    successor.times.signs_at = now;
    signing_keys::create(db, &successor)?;
    Ok(Some(successor))
}

/// Nodes whose keys are due at the same minute come one after another, and each sees what the one before has done:
/// the counter's row stays locked until the commit.
fn one_at_a_time(db: &mut Db) -> Result<(), StoreError> {
    if sabotage::is(Defect::NoLock) {
        return Ok(());
    }
    next_change(db).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::data_keys::DataKeys;

    #[test]
    fn no_kid_begins_with_a_dash() {
        let random = Random::system();
        let sealing = DataKeys::generate(&random).keys().sealing;
        for _ in 0..1000 {
            let key = make_key(SigningAlgorithm::Es256, &sealing, &random, Timestamp::from_seconds(1000)).unwrap();
            assert!(!key.kid.starts_with('-'), "{}", key.kid);
        }
    }
}
