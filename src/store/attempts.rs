//! Failed sign-ins, counted where every node sees them.
//!
//! A place is reserved before a password is looked at and settled afterwards, so that parallel guesses count
//! before they are answered.

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::attempts;

/// A reservation that a node did not settle (it was killed) ends by itself.
const RESERVATION_SECONDS: i64 = 30;

/// Seconds to wait once the allowed failures are used up.
const FIRST_WAIT: i64 = 4;

/// What is counted, and how much of it is too much.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// A keyed digest of what is counted: no username stands in the table.
    pub key: String,
    /// Failures that are allowed in a window.
    pub allowed: i64,
    /// How far back failures count, in seconds.
    pub window: i64,
    /// Whether each failure beyond doubles the wait, rather than waiting for the window's end.
    pub backs_off: bool,
}

/// What a reservation met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reservation {
    /// A place in every bucket: look at the password, then settle.
    Reserved,
    /// All places are taken by attempts that are being looked at now: wait.
    Busy,
    /// Too many failures: not before this instant.
    Blocked(Timestamp),
}

#[derive(Queryable, Clone, Copy)]
struct Row {
    failures: i64,
    reserved: i64,
    reserved_until: i64,
    blocked_until: i64,
    updated_at: i64,
}

fn row_of(db: &mut Db, bucket: &Bucket, now: Timestamp) -> Result<Option<Row>, StoreError> {
    let row: Option<Row> = attempts::table
        .filter(attempts::bucket.eq(&bucket.key))
        .select((
            attempts::failures,
            attempts::reserved,
            attempts::reserved_until,
            attempts::blocked_until,
            attempts::updated_at,
        ))
        .get_result(db)
        .optional()?;
    Ok(row.map(|mut row| {
        if now.micros() - row.updated_at > bucket.window * 1_000_000 && row.blocked_until <= now.micros() {
            row.failures = 0;
        }
        if row.reserved_until <= now.micros() {
            row.reserved = 0;
        }
        row
    }))
}

impl Row {
    /// Whether all places are taken. Once the allowed failures are used up, one attempt at a time gets through after
    /// each wait.
    fn is_full(&self, bucket: &Bucket) -> bool {
        self.reserved >= (bucket.allowed - self.failures).max(1)
    }
}

/// Whether a reservation would meet [`Reservation::Busy`], as far as a read can tell.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn is_busy(db: &mut Db, buckets: &[Bucket], now: Timestamp) -> Result<bool, StoreError> {
    for bucket in buckets {
        if let Some(row) = row_of(db, bucket, now)? {
            if row.blocked_until > now.micros() {
                return Ok(false);
            }
            if row.is_full(bucket) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Reads a row with its lock: on PostgreSQL two writers must not go on from the same figures.
fn locked_row(db: &mut Db, bucket: &Bucket, now: Timestamp) -> Result<Option<Row>, StoreError> {
    let locked = diesel::update(attempts::table.filter(attempts::bucket.eq(&bucket.key)))
        .set(attempts::failures.eq(attempts::failures))
        .execute(db)?;
    if locked == 1 { row_of(db, bucket, now) } else { Ok(None) }
}

/// Reserves a place in every bucket, or in none. Every caller names its buckets in the same order of kinds, so that
/// no two wait for each other.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn reserve(db: &mut Db, buckets: &[Bucket], now: Timestamp) -> Result<Reservation, StoreError> {
    let mut rows = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        let row = locked_row(db, bucket, now)?;
        if let Some(row) = row {
            if row.blocked_until > now.micros() {
                return Ok(Reservation::Blocked(Timestamp::from_micros(row.blocked_until)));
            }
            if row.is_full(bucket) {
                return Ok(Reservation::Busy);
            }
        }
        rows.push(row);
    }
    for (bucket, row) in buckets.iter().zip(rows) {
        let until = now.plus_seconds(RESERVATION_SECONDS).micros();
        match row {
            None => {
                diesel::insert_into(attempts::table)
                    .values((
                        attempts::bucket.eq(&bucket.key),
                        attempts::failures.eq(0),
                        attempts::reserved.eq(1),
                        attempts::reserved_until.eq(until),
                        attempts::blocked_until.eq(0),
                        attempts::updated_at.eq(now.micros()),
                    ))
                    .execute(db)
                    .map_err(|error| match StoreError::from(error) {
                        // Another node made the row meanwhile: look again.
                        StoreError::Conflict(_) => StoreError::Serialization,
                        other => other,
                    })?;
            }
            Some(row) => {
                diesel::update(attempts::table.filter(attempts::bucket.eq(&bucket.key)))
                    .set((
                        attempts::failures.eq(row.failures),
                        attempts::reserved.eq(row.reserved + 1),
                        attempts::reserved_until.eq(until),
                    ))
                    .execute(db)?;
            }
        }
    }
    Ok(Reservation::Reserved)
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It was right, or not looked at: the reservation is given back.
    Refunded,
    /// It was right, and what was counted before is forgotten.
    Cleared,
    /// It was wrong: it counts.
    Failed,
}

/// Settles a reservation in one bucket and answers the failures counted in it now.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn settle(db: &mut Db, bucket: &Bucket, settlement: Settlement, now: Timestamp) -> Result<i64, StoreError> {
    let Some(row) = locked_row(db, bucket, now)? else { return Ok(0) };
    let failures = match settlement {
        Settlement::Refunded => row.failures,
        Settlement::Cleared => 0,
        Settlement::Failed => row.failures + 1,
    };
    let blocked_until = match settlement {
        Settlement::Failed if failures >= bucket.allowed => now.plus_seconds(wait_after(bucket, failures)).micros(),
        Settlement::Cleared => 0,
        _ => row.blocked_until,
    };
    let updated_at = if settlement == Settlement::Failed { now.micros() } else { row.updated_at };
    diesel::update(attempts::table.filter(attempts::bucket.eq(&bucket.key)))
        .set((
            attempts::failures.eq(failures),
            attempts::reserved.eq((row.reserved - 1).max(0)),
            attempts::blocked_until.eq(blocked_until),
            attempts::updated_at.eq(updated_at),
        ))
        .execute(db)?;
    Ok(failures)
}

/// Seconds to wait after so many failures: doubling from [`FIRST_WAIT`], or the window.
fn wait_after(bucket: &Bucket, failures: i64) -> i64 {
    if bucket.backs_off {
        let doublings = u32::try_from((failures - bucket.allowed).clamp(0, 20)).unwrap_or(20);
        (FIRST_WAIT << doublings).min(bucket.window)
    } else {
        bucket.window
    }
}

/// The key of a bucket that is forgotten together with the one called `above`.
#[must_use]
pub fn key_below(above: &str, own: &str) -> String {
    format!("{above}.{own}")
}

/// Forgets what was counted in a bucket, and in those below it.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn forget(db: &mut Db, key: &str) -> Result<(), StoreError> {
    // The slash follows the dot in ASCII; neither is in a digest's text.
    let below = attempts::bucket.ge(format!("{key}.")).and(attempts::bucket.lt(format!("{key}/")));
    diesel::delete(attempts::table.filter(attempts::bucket.eq(key).or(below))).execute(db)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_beyond_the_allowed_doubles_the_wait_up_to_the_window() {
        let bucket = Bucket { key: String::new(), allowed: 10, window: 900, backs_off: true };
        let waits: Vec<i64> = [10, 11, 12, 19, 20, 40].map(|failures| wait_after(&bucket, failures)).to_vec();
        assert_eq!(waits, [4, 8, 16, 900, 900, 900]);
    }
}
