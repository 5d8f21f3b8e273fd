//! Access tokens that were revoked one by one, by `jti` (RFC 7009).

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::denied_tokens;

/// Denies a token until it expires; denying it again changes nothing.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn deny(db: &mut Db, jti: &str, expires_at: Timestamp) -> Result<(), StoreError> {
    // The counter's row first: two revocations of one token then come one after the other.
    let change = next_change(db)?;
    let denied: i64 = denied_tokens::table.filter(denied_tokens::jti.eq(jti)).count().get_result(db)?;
    if denied > 0 {
        return Ok(());
    }
    diesel::insert_into(denied_tokens::table)
        .values((
            denied_tokens::jti.eq(jti),
            denied_tokens::expires_at.eq(expires_at.micros()),
            denied_tokens::change.eq(change),
        ))
        .execute(db)?;
    Ok(())
}

/// Those denied after `known`, with the end of their lives.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn changed_since(db: &mut Db, known: i64) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let rows: Vec<(String, i64)> = denied_tokens::table
        .filter(denied_tokens::change.gt(known))
        .select((denied_tokens::jti, denied_tokens::expires_at))
        .load(db)?;
    Ok(rows.into_iter().map(|(jti, expires_at)| (jti, Timestamp::from_micros(expires_at))).collect())
}
