//! The one row about the installation itself, and the change counter in it.

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::instance;

/// What identifies an installation.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Fingerprint of the master key that sealed the data keys.
    pub master_key_fingerprint: String,
    /// The data keys, sealed under the master key.
    pub data_keys: String,
}

/// Reads the row; none before the first start.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db) -> Result<Option<Instance>, StoreError> {
    let row: Option<(String, String)> =
        instance::table.select((instance::master_key_fingerprint, instance::data_keys)).get_result(db).optional()?;
    Ok(row.map(|(master_key_fingerprint, data_keys)| Instance { master_key_fingerprint, data_keys }))
}

/// Writes the row at the first start.
///
/// # Errors
/// [`StoreError::Conflict`] if another node was first.
pub fn create(db: &mut Db, new: &Instance, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(instance::table)
        .values((
            instance::id.eq(1),
            instance::master_key_fingerprint.eq(&new.master_key_fingerprint),
            instance::data_keys.eq(&new.data_keys),
            instance::changes.eq(0),
            instance::created_at.eq(now.micros()),
        ))
        .execute(db)?;
    Ok(())
}

/// Puts newly sealed data keys in the place of the old ones.
///
/// # Errors
/// [`StoreError::Conflict`] if the master key was changed by somebody else meanwhile.
pub fn reseal(db: &mut Db, old_fingerprint: &str, new: &Instance) -> Result<(), StoreError> {
    let changed = diesel::update(instance::table.filter(instance::master_key_fingerprint.eq(old_fingerprint)))
        .set((instance::master_key_fingerprint.eq(&new.master_key_fingerprint), instance::data_keys.eq(&new.data_keys)))
        .execute(db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict("the master key was changed meanwhile".to_owned())) }
}

/// The value of the change counter.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn changes(db: &mut Db) -> Result<i64, StoreError> {
    Ok(instance::table.select(instance::changes).get_result::<i64>(db).optional()?.unwrap_or(0))
}

/// Takes the next value of the change counter, for the rows that this transaction changes. The counter's row
/// stays locked until the commit, so values become visible in their order.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn next_change(db: &mut Db) -> Result<i64, StoreError> {
    diesel::update(instance::table).set(instance::changes.eq(instance::changes + 1)).execute(db)?;
    changes(db)
}
