//! Sign-ins to the console.

use diesel::prelude::*;

use crate::model::session::Session;
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::sessions;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct Row {
    id: String,
    user_id: String,
    organization_id: String,
    epoch: i64,
    despite_lock: i64,
    authenticated_at: i64,
    created_at: i64,
    last_seen_at: i64,
    ip: String,
    user_agent: String,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            organization_id: row.organization_id,
            epoch: row.epoch,
            despite_lock: row.despite_lock != 0,
            authenticated_at: Timestamp::from_micros(row.authenticated_at),
            created_at: Timestamp::from_micros(row.created_at),
            last_seen_at: Timestamp::from_micros(row.last_seen_at),
            ip: row.ip,
            user_agent: row.user_agent,
        }
    }
}

/// Begins one; `digest` is of the secret that its cookie bears.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn create(db: &mut Db, new: &Session, digest: &str) -> Result<(), StoreError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(&new.id),
            sessions::digest.eq(digest),
            sessions::user_id.eq(&new.user_id),
            sessions::organization_id.eq(&new.organization_id),
            sessions::epoch.eq(new.epoch),
            sessions::despite_lock.eq(i64::from(new.despite_lock)),
            sessions::authenticated_at.eq(new.authenticated_at.micros()),
            sessions::created_at.eq(new.created_at.micros()),
            sessions::last_seen_at.eq(new.last_seen_at.micros()),
            sessions::ip.eq(&new.ip),
            sessions::user_agent.eq(&new.user_agent),
        ))
        .execute(db)?;
    Ok(())
}

/// By the digest of its secret.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn by_digest(db: &mut Db, digest: &str) -> Result<Option<Session>, StoreError> {
    let row = sessions::table.filter(sessions::digest.eq(digest)).select(Row::as_select()).get_result(db).optional()?;
    Ok(row.map(Session::from))
}

/// Those of a user, the latest first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn of_user(db: &mut Db, user_id: &str) -> Result<Vec<Session>, StoreError> {
    let rows: Vec<Row> = sessions::table
        .filter(sessions::user_id.eq(user_id))
        .order(sessions::id.desc())
        .select(Row::as_select())
        .load(db)?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// Notes that a page was asked for.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn touch(db: &mut Db, id: &str, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(sessions::table.filter(sessions::id.eq(id)))
        .set(sessions::last_seen_at.eq(now.micros()))
        .execute(db)?;
    Ok(())
}

/// Notes that the password was given again.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn authenticate(db: &mut Db, id: &str, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(sessions::table.filter(sessions::id.eq(id)))
        .set(sessions::authenticated_at.eq(now.micros()))
        .execute(db)?;
    Ok(())
}

/// Shows the pages of another organization from now on.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn set_organization(db: &mut Db, id: &str, organization_id: &str) -> Result<(), StoreError> {
    diesel::update(sessions::table.filter(sessions::id.eq(id)))
        .set(sessions::organization_id.eq(organization_id))
        .execute(db)?;
    Ok(())
}

/// Ends one of a user's. `false`: they have no such session.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn end(db: &mut Db, user_id: &str, id: &str) -> Result<bool, StoreError> {
    let of_user = sessions::table.filter(sessions::id.eq(id).and(sessions::user_id.eq(user_id)));
    Ok(diesel::delete(of_user).execute(db)? == 1)
}
