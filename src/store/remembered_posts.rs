//! Answers to POSTs, kept for a repeat with the same `Idempotency-Key`.

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::remembered_posts;

/// A request, by digests, and its answer.
#[derive(Debug, Clone, Queryable)]
pub struct RememberedPost {
    /// Digest of caller and key.
    pub key_digest: String,
    /// Digest of method, path and body.
    pub request_digest: String,
    /// HTTP status; 0 while the request is under way.
    pub status: i64,
    /// The answer's body.
    pub body: String,
}

/// Stores a request, unless its key is known: then what is known of it.
///
/// # Errors
/// [`StoreError::Serialization`] if another writer was quicker with the same key; the store tries again.
pub fn insert_or_find(db: &mut Db, new: &RememberedPost, now: Timestamp) -> Result<Option<RememberedPost>, StoreError> {
    let known: Option<RememberedPost> = remembered_posts::table
        .filter(remembered_posts::key_digest.eq(&new.key_digest))
        .select((
            remembered_posts::key_digest,
            remembered_posts::request_digest,
            remembered_posts::status,
            remembered_posts::body,
        ))
        .get_result(db)
        .optional()?;
    if known.is_some() {
        return Ok(known);
    }
    let inserted = diesel::insert_into(remembered_posts::table)
        .values((
            remembered_posts::key_digest.eq(&new.key_digest),
            remembered_posts::request_digest.eq(&new.request_digest),
            remembered_posts::status.eq(new.status),
            remembered_posts::body.eq(&new.body),
            remembered_posts::created_at.eq(now.micros()),
        ))
        .execute(db)
        .map_err(StoreError::from);
    match inserted {
        Ok(_) => Ok(None),
        Err(StoreError::Conflict(_)) => Err(StoreError::Serialization),
        Err(error) => Err(error),
    }
}

/// Writes the answer down.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn answer(db: &mut Db, key_digest: &str, status: i64, body: &str) -> Result<(), StoreError> {
    diesel::update(remembered_posts::table.filter(remembered_posts::key_digest.eq(key_digest)))
        .set((remembered_posts::status.eq(status), remembered_posts::body.eq(body)))
        .execute(db)?;
    Ok(())
}

/// Forgets one request.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn forget(db: &mut Db, key_digest: &str) -> Result<(), StoreError> {
    diesel::delete(remembered_posts::table.filter(remembered_posts::key_digest.eq(key_digest))).execute(db)?;
    Ok(())
}

/// Forgets one request if it is older; the sweeper forgets all such.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn forget_older(db: &mut Db, key_digest: &str, oldest: Timestamp) -> Result<(), StoreError> {
    let row = remembered_posts::table.filter(remembered_posts::key_digest.eq(key_digest));
    diesel::delete(row.filter(remembered_posts::created_at.lt(oldest.micros()))).execute(db)?;
    Ok(())
}
