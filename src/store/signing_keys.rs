//! Signing keys, their private halves sealed.

use diesel::prelude::*;

use crate::model::signing_key::{KeyTimes, SigningAlgorithm};
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::signing_keys;

/// A key as it is stored.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// PKCS#8, sealed.
    pub sealed_private_key: String,
    /// The public half, as the members of a JWK in JSON.
    pub public_jwk: String,
    /// Its life.
    pub times: KeyTimes,
}

type Row = (String, String, String, String, i64, i64, Option<i64>, Option<i64>, i64, i64);

fn read(row: Row) -> Result<StoredKey, StoreError> {
    let (kid, algorithm, sealed_private_key, public_jwk, published, signs, retired, removed, revoked, _) = row;
    Ok(StoredKey {
        kid,
        algorithm: algorithm.parse().map_err(StoreError::corrupt)?,
        sealed_private_key,
        public_jwk,
        times: KeyTimes {
            published_at: Timestamp::from_micros(published),
            signs_at: Timestamp::from_micros(signs),
            retired_at: retired.map(Timestamp::from_micros),
            removed_at: removed.map(Timestamp::from_micros),
            revoked: revoked != 0,
        },
    })
}

/// All keys, oldest first. They are few.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn list(db: &mut Db) -> Result<Vec<StoredKey>, StoreError> {
    let rows: Vec<Row> = signing_keys::table.order((signing_keys::signs_at, signing_keys::kid)).load(db)?;
    rows.into_iter().map(read).collect()
}

/// Whether any key changed after `known`.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn any_changed_since(db: &mut Db, known: i64) -> Result<bool, StoreError> {
    let changed: i64 = signing_keys::table.filter(signing_keys::change.gt(known)).count().get_result(db)?;
    Ok(changed > 0)
}

/// Adds a key.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn create(db: &mut Db, key: &StoredKey) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::insert_into(signing_keys::table)
        .values((
            signing_keys::kid.eq(&key.kid),
            signing_keys::algorithm.eq(key.algorithm.as_str()),
            signing_keys::sealed_private_key.eq(&key.sealed_private_key),
            signing_keys::public_jwk.eq(&key.public_jwk),
            signing_keys::published_at.eq(key.times.published_at.micros()),
            signing_keys::signs_at.eq(key.times.signs_at.micros()),
            signing_keys::retired_at.eq(key.times.retired_at.map(Timestamp::micros)),
            signing_keys::removed_at.eq(key.times.removed_at.map(Timestamp::micros)),
            signing_keys::revoked.eq(i64::from(key.times.revoked)),
            signing_keys::change.eq(change),
        ))
        .execute(db)?;
    Ok(())
}

/// Changes the times of a key's life.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn set_times(db: &mut Db, kid: &str, times: &KeyTimes) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(signing_keys::table.filter(signing_keys::kid.eq(kid)))
        .set((
            signing_keys::signs_at.eq(times.signs_at.micros()),
            signing_keys::retired_at.eq(times.retired_at.map(Timestamp::micros)),
            signing_keys::removed_at.eq(times.removed_at.map(Timestamp::micros)),
            signing_keys::revoked.eq(i64::from(times.revoked)),
            signing_keys::change.eq(change),
        ))
        .execute(db)?;
    Ok(())
}
