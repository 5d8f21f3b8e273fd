//! What the sweeper drops, a few rows at a time, and whose turn it is.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::sweeper;

/// Rows that nothing needs once an instant is long enough ago.
#[derive(Debug, Clone, Copy)]
pub struct Sweep {
    /// What they are, in the metrics.
    pub name: &'static str,
    table: &'static str,
    key: &'static str,
    /// The column with the instant; an index begins with it.
    instant: &'static str,
    /// What else must hold.
    condition: &'static str,
}

const fn of(name: &'static str, table: &'static str, key: &'static str, instant: &'static str) -> Sweep {
    Sweep { name, table, key, instant, condition: "" }
}

/// Revoked access tokens, by their expiry.
pub const DENIED_TOKENS: Sweep = of("denied tokens", "denied_tokens", "jti", "expires_at");
/// Counters of failed sign-ins, by their last change.
pub const ATTEMPTS: Sweep = of("attempts", "attempts", "bucket", "updated_at");
/// Networks of users, by the last sign-in from there.
pub const KNOWN_NETWORKS: Sweep = of("known networks", "known_networks", "user_id, network", "last_success_at");
/// Messages that were sent or have failed, by when they were written.
pub const MAIL: Sweep =
    Sweep { condition: " AND status <> 'queued'", ..of("messages", "mail_outbox", "id", "created_at") };
/// One-time links, by their expiry.
pub const LINKS: Sweep = of("one-time links", "one_time_links", "id", "expires_at");
/// Answers to a POST with an `Idempotency-Key`, by when it came.
pub const REMEMBERED_POSTS: Sweep = of("remembered posts", "remembered_posts", "key_digest", "created_at");
/// Sessions, by their last use.
pub const SESSIONS: Sweep = of("sessions", "sessions", "id", "last_seen_at");
/// Token families, by the end of their absolute lifetime.
pub const EXPIRED_FAMILIES: Sweep = of("families", "families", "id", "absolute_expires_at");
/// Token families, by when they were ended.
pub const REVOKED_FAMILIES: Sweep = of("families", "families", "id", "revoked_at");
/// Client secrets, by when they were replaced.
pub const REPLACED_SECRETS: Sweep = of("client secrets", "client_secrets", "id", "ended_at");
/// Client secrets, by their expiry.
pub const EXPIRED_SECRETS: Sweep = of("client secrets", "client_secrets", "id", "expires_at");
/// Counters of use, by their hour.
pub const USAGE: Sweep = of("usage", "usage_hours", "credential_kind, credential_id, hour", "hour");
/// What they are made of.
pub const USAGE_DETAILS: Sweep =
    of("usage", "usage_details", "credential_kind, credential_id, hour, detail, name", "hour");

impl Sweep {
    /// The rows that are due. Its parts are words of this file and a number, so nothing is left to bind.
    fn due(&self, what: &str, before: Timestamp, most: i64) -> String {
        let Self { table, instant, condition, .. } = self;
        format!("SELECT {what} FROM {table} WHERE {instant} < {}{condition} LIMIT {most}", before.micros())
    }
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Whether there is a row whose instant lies before.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn any_due(db: &mut Db, sweep: Sweep, before: Timestamp) -> Result<bool, StoreError> {
    let query = sql_query(format!("SELECT count(*) AS rows FROM ({}) AS due", sweep.due("1", before, 1)));
    let due: Due = match db {
        Db::Sqlite(connection) => query.get_result(connection)?,
        Db::Postgres(connection) => query.get_result(connection)?,
    };
    Ok(due.rows > 0)
}

/// Drops up to `most` rows whose instant lies before, and answers how many.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn drop_some(db: &mut Db, sweep: Sweep, before: Timestamp, most: i64) -> Result<i64, StoreError> {
    let Sweep { table, key, .. } = sweep;
    let statement = sql_query(format!("DELETE FROM {table} WHERE ({key}) IN ({})", sweep.due(key, before, most)));
    let dropped = match db {
        Db::Sqlite(connection) => statement.execute(connection)?,
        Db::Postgres(connection) => statement.execute(connection)?,
    };
    Ok(i64::try_from(dropped).unwrap_or(i64::MAX))
}

/// How the last whole round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRound {
    /// When.
    pub finished_at: Timestamp,
    /// Rows that it dropped.
    pub dropped: i64,
}

/// Takes the turn for `seconds`, or goes on with it. `false`: another node has it.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn hold(db: &mut Db, holder: &str, now: Timestamp, seconds: i64) -> Result<bool, StoreError> {
    let until = now.plus_seconds(seconds);
    // A turn that ends much later than any can was taken by a clock that was wrong.
    let never = now.plus_seconds(2 * seconds);
    let is_free = sweeper::leased_until.le(now.micros()).or(sweeper::leased_until.gt(never.micros()));
    let taken = diesel::update(sweeper::table.filter(sweeper::holder.eq(holder).or(is_free)))
        .set((sweeper::holder.eq(holder), sweeper::leased_until.eq(until.micros())))
        .execute(db)?;
    Ok(taken == 1)
}

/// Gives the turn back after a whole round.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn finish(db: &mut Db, holder: &str, dropped: i64, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(sweeper::table.filter(sweeper::holder.eq(holder)))
        .set((sweeper::leased_until.eq(0), sweeper::finished_at.eq(now.micros()), sweeper::dropped.eq(dropped)))
        .execute(db)?;
    Ok(())
}

/// The last whole round; none before the first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn last_round(db: &mut Db) -> Result<Option<LastRound>, StoreError> {
    let row: Option<(i64, i64)> =
        sweeper::table.select((sweeper::finished_at, sweeper::dropped)).get_result(db).optional()?;
    let finished = row.filter(|(finished_at, _)| *finished_at > 0);
    Ok(finished.map(|(at, dropped)| LastRound { finished_at: Timestamp::from_micros(at), dropped }))
}
