//! The chain over the audit events: who stands where in it, and its two ends.

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::store::audit::RecordedEvent;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::{audit_chain, audit_events};

/// The ends of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_chain)]
pub struct Ends {
    /// The newest sealed event.
    pub number: i64,
    /// Its link.
    pub link: String,
    /// The newest event that was pruned; 0 before the first pruning.
    pub anchor_number: i64,
    /// Its link.
    pub anchor_link: String,
    /// Over the four.
    pub mac: String,
}

/// Reads the ends; none before the first event was sealed.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn ends(db: &mut Db) -> Result<Option<Ends>, StoreError> {
    Ok(audit_chain::table.select(Ends::as_select()).first(db).optional()?)
}

/// Reads the ends and keeps every other sealer out until the transaction ends.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn hold(db: &mut Db) -> Result<Option<Ends>, StoreError> {
    diesel::update(audit_chain::table).set(audit_chain::number.eq(audit_chain::number)).execute(db)?;
    ends(db)
}

/// Makes the ends of a chain that is empty yet.
///
/// # Errors
/// [`StoreError::Serialization`] if another node was quicker.
pub fn create(db: &mut Db, ends: &Ends) -> Result<(), StoreError> {
    diesel::insert_into(audit_chain::table)
        .values((
            audit_chain::id.eq(1),
            audit_chain::number.eq(ends.number),
            audit_chain::link.eq(&ends.link),
            audit_chain::anchor_number.eq(ends.anchor_number),
            audit_chain::anchor_link.eq(&ends.anchor_link),
            audit_chain::mac.eq(&ends.mac),
        ))
        .execute(db)
        .map_err(|error| match StoreError::from(error) {
            StoreError::Conflict(_) => StoreError::Serialization,
            other => other,
        })?;
    Ok(())
}

/// Writes the ends that [`hold`] has read.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn set_ends(db: &mut Db, ends: &Ends) -> Result<(), StoreError> {
    diesel::update(audit_chain::table)
        .set((
            audit_chain::number.eq(ends.number),
            audit_chain::link.eq(&ends.link),
            audit_chain::anchor_number.eq(ends.anchor_number),
            audit_chain::anchor_link.eq(&ends.anchor_link),
            audit_chain::mac.eq(&ends.mac),
        ))
        .execute(db)?;
    Ok(())
}

/// Whether an event waits to be sealed.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn any_unsealed(db: &mut Db) -> Result<bool, StoreError> {
    let waiting = audit_events::table.filter(audit_events::number.is_null()).select(audit_events::seq);
    Ok(waiting.first::<i64>(db).optional()?.is_some())
}

/// How many events wait to be sealed.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn count_unsealed(db: &mut Db) -> Result<i64, StoreError> {
    Ok(audit_events::table.filter(audit_events::number.is_null()).count().get_result(db)?)
}

/// The events that wait to be sealed, in the order in which they will be.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn unsealed(db: &mut Db, limit: i64) -> Result<Vec<RecordedEvent>, StoreError> {
    Ok(audit_events::table
        .filter(audit_events::number.is_null())
        .order(audit_events::seq)
        .limit(limit)
        .select(RecordedEvent::as_select())
        .load(db)?)
}

/// Gives an event its place.
///
/// # Errors
/// [`StoreError::Serialization`] if it has one already.
pub fn set_seal(db: &mut Db, seq: i64, number: i64, seal: &str, link: &str) -> Result<(), StoreError> {
    let row = audit_events::table.filter(audit_events::seq.eq(seq).and(audit_events::number.is_null()));
    let changed = diesel::update(row)
        .set((audit_events::number.eq(number), audit_events::seal.eq(seal), audit_events::link.eq(link)))
        .execute(db)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Serialization) }
}

/// Sealed events after a place, by number and `seq`; a number that is there twice was forged.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn sealed(db: &mut Db, after: (i64, i64), through: i64, limit: i64) -> Result<Vec<RecordedEvent>, StoreError> {
    let (number, seq) = after;
    let later = audit_events::number.gt(number).or(audit_events::number.eq(number).and(audit_events::seq.gt(seq)));
    Ok(audit_events::table
        .filter(audit_events::number.le(through))
        .filter(later)
        .order((audit_events::number, audit_events::seq))
        .limit(limit)
        .select(RecordedEvent::as_select())
        .load(db)?)
}

/// Events whose number lies outside of the chain: `(seq, number)`.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn outside(db: &mut Db, anchor_number: i64, number: i64, limit: i64) -> Result<Vec<(i64, i64)>, StoreError> {
    Ok(audit_events::table
        .filter(audit_events::number.le(anchor_number).or(audit_events::number.gt(number)))
        .order(audit_events::seq)
        .limit(limit)
        .select((audit_events::seq, audit_events::number.assume_not_null()))
        .load(db)?)
}

/// The number of the oldest sealed event that occurred at or after an instant.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn first_since(db: &mut Db, at: Timestamp) -> Result<Option<i64>, StoreError> {
    Ok(audit_events::table
        .filter(audit_events::number.is_not_null().and(audit_events::occurred_at.ge(at.micros())))
        .order(audit_events::number)
        .select(audit_events::number.assume_not_null())
        .first(db)
        .optional()?)
}

/// Deletes sealed events up to a number.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn delete_through(db: &mut Db, number: i64) -> Result<usize, StoreError> {
    Ok(diesel::delete(audit_events::table.filter(audit_events::number.le(number))).execute(db)?)
}
