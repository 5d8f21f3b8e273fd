//! The networks that users sign in from: there a lock does not keep its owner out.

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::known_networks;

/// When the user last signed in from a network.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn last_sign_in(db: &mut Db, user_id: &str, network: &str) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = known_networks::table
        .filter(known_networks::user_id.eq(user_id).and(known_networks::network.eq(network)))
        .select(known_networks::last_success_at)
        .get_result(db)
        .optional()?;
    Ok(at.map(Timestamp::from_micros))
}

/// Notes a sign-in from a network.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn note_sign_in(db: &mut Db, user_id: &str, network: &str, now: Timestamp) -> Result<(), StoreError> {
    let row =
        known_networks::table.filter(known_networks::user_id.eq(user_id).and(known_networks::network.eq(network)));
    let changed = diesel::update(row).set(known_networks::last_success_at.eq(now.micros())).execute(db)?;
    if changed == 0 {
        diesel::insert_into(known_networks::table)
            .values((
                known_networks::user_id.eq(user_id),
                known_networks::network.eq(network),
                known_networks::last_success_at.eq(now.micros()),
            ))
            .execute(db)
            .map_err(|error| match StoreError::from(error) {
                // Another sign-in made the row meanwhile: look again.
                StoreError::Conflict(_) => StoreError::Serialization,
                other => other,
            })?;
    }
    Ok(())
}
