//! Links that work once.

use diesel::prelude::*;

use crate::model::mail::{LinkPurpose, OneTimeLink};
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::one_time_links;

type Row = (String, String, String, String, Option<String>, i64, Option<i64>);
const COLUMNS: (
    one_time_links::id,
    one_time_links::purpose,
    one_time_links::user_id,
    one_time_links::digest,
    one_time_links::email,
    one_time_links::expires_at,
    one_time_links::used_at,
) = (
    one_time_links::id,
    one_time_links::purpose,
    one_time_links::user_id,
    one_time_links::digest,
    one_time_links::email,
    one_time_links::expires_at,
    one_time_links::used_at,
);

fn read(row: Row) -> Result<OneTimeLink, StoreError> {
    let (id, purpose, user_id, digest, email, expires_at, used_at) = row;
    Ok(OneTimeLink {
        id,
        purpose: purpose.parse().map_err(StoreError::corrupt)?,
        user_id,
        digest,
        email,
        expires_at: Timestamp::from_micros(expires_at),
        used_at: used_at.map(Timestamp::from_micros),
    })
}

/// Makes one.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn create(db: &mut Db, new: &OneTimeLink, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(one_time_links::table)
        .values((
            one_time_links::id.eq(&new.id),
            one_time_links::purpose.eq(new.purpose.as_str()),
            one_time_links::user_id.eq(&new.user_id),
            one_time_links::digest.eq(&new.digest),
            one_time_links::email.eq(new.email.as_deref()),
            one_time_links::expires_at.eq(new.expires_at.micros()),
            one_time_links::created_at.eq(now.micros()),
        ))
        .execute(db)?;
    Ok(())
}

/// By id.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db, id: &str) -> Result<Option<OneTimeLink>, StoreError> {
    let row: Option<Row> =
        one_time_links::table.filter(one_time_links::id.eq(id)).select(COLUMNS).get_result(db).optional()?;
    row.map(read).transpose()
}

/// By the digest of its secret.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn by_digest(db: &mut Db, digest: &str) -> Result<Option<OneTimeLink>, StoreError> {
    let row: Option<Row> =
        one_time_links::table.filter(one_time_links::digest.eq(digest)).select(COLUMNS).get_result(db).optional()?;
    row.map(read).transpose()
}

/// Uses it up. `false`: it was used, taken back or has expired.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn use_up(db: &mut Db, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let live = one_time_links::table.filter(
        one_time_links::id
            .eq(id)
            .and(one_time_links::used_at.is_null())
            .and(one_time_links::expires_at.gt(now.micros())),
    );
    Ok(diesel::update(live).set(one_time_links::used_at.eq(now.micros())).execute(db)? == 1)
}

/// Takes back what a user has not used yet, of these purposes.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn void(db: &mut Db, user_id: &str, purposes: &[LinkPurpose], now: Timestamp) -> Result<(), StoreError> {
    for purpose in purposes {
        let unused = one_time_links::table.filter(
            one_time_links::user_id
                .eq(user_id)
                .and(one_time_links::purpose.eq(purpose.as_str()))
                .and(one_time_links::used_at.is_null()),
        );
        diesel::update(unused).set(one_time_links::used_at.eq(now.micros())).execute(db)?;
    }
    Ok(())
}
