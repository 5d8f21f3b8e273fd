//! What a database that went back in time must change before anybody uses it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::model::family::FamilyEnd;
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::{clients, families, instance, organizations, sessions};

/// Ends every token of before. Answers how many sign-ins that ends.
///
/// - Each family gets a new salt, so that no refresh token of before is its own, whichever generation it has, and
///   each live one is ended.
/// - The epochs of clients and organizations become the time in microseconds: an epoch that is only one higher may
///   have been reached and left since the backup, or since an earlier restore of the same one, and tokens that it
///   ended would live again.
/// - Sessions of the console end: their users sign in again.
/// - The change counter jumps the same way: a node that was forgotten must not believe that it knows more.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn end_all_tokens(db: &mut Db, salt: &str, now: Timestamp) -> Result<usize, StoreError> {
    let at = now.micros();
    diesel::update(instance::table.filter(instance::changes.lt(at))).set(instance::changes.eq(at)).execute(db)?;
    let change = next_change(db)?;
    diesel::update(clients::table.filter(clients::epoch.ge(at)))
        .set((clients::epoch.eq(clients::epoch + 1), clients::change.eq(change)))
        .execute(db)?;
    diesel::update(clients::table.filter(clients::epoch.lt(at)))
        .set((clients::epoch.eq(at), clients::change.eq(change)))
        .execute(db)?;
    diesel::update(organizations::table.filter(organizations::epoch.ge(at)))
        .set((organizations::epoch.eq(organizations::epoch + 1), organizations::change.eq(change)))
        .execute(db)?;
    diesel::update(organizations::table.filter(organizations::epoch.lt(at)))
        .set((organizations::epoch.eq(at), organizations::change.eq(change)))
        .execute(db)?;
    diesel::delete(sessions::table).execute(db)?;
    match db {
        Db::Sqlite(connection) => {
            diesel::sql_query("UPDATE families SET salt = salt || ?").bind::<Text, _>(salt).execute(connection)?
        }
        Db::Postgres(connection) => {
            diesel::sql_query("UPDATE families SET salt = salt || $1").bind::<Text, _>(salt).execute(connection)?
        }
    };
    Ok(diesel::update(families::table.filter(families::revoked_at.is_null()))
        .set((families::revoked_at.eq(at), families::reason.eq(FamilyEnd::Restored.as_str())))
        .execute(db)?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Other connections of grantor to the same database of PostgreSQL; always 0 on SQLite, where a lock tells.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn other_connections(db: &mut Db) -> Result<i64, StoreError> {
    let Db::Postgres(connection) = db else { return Ok(0) };
    let counted: Count = diesel::sql_query(
        "SELECT count(*) AS count FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'grantor' AND pid <> pg_backend_pid()",
    )
    .get_result(connection)?;
    Ok(counted.count)
}
