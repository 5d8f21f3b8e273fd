//! Usage: counters by credential and hour, and when credentials were last used.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::model::time::Timestamp;
use crate::model::usage::{Counters, CredentialKind, LastUsed, UsageDetail};
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::{client_secrets, usage_details, usage_hours};

/// The counters of one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHour {
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// The counters.
    pub counters: Counters,
    /// The last use in the hour.
    pub last_used: Option<LastUsed>,
}

type HourRow = (i64, i64, i64, i64, Option<i64>, Option<String>);

/// The last use of any credential, of whatever kind.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn last_used(db: &mut Db, kind: CredentialKind, id: &str) -> Result<Option<LastUsed>, StoreError> {
    let row: Option<(Option<i64>, Option<String>)> = usage_hours::table
        .filter(usage_hours::credential_kind.eq(kind.as_str()).and(usage_hours::credential_id.eq(id)))
        .filter(usage_hours::last_used_at.is_not_null())
        .order(usage_hours::hour.desc())
        .select((usage_hours::last_used_at, usage_hours::last_used_ip))
        .first(db)
        .optional()?;
    Ok(row.and_then(|(at, ip)| Some(LastUsed { at: Timestamp::from_micros(at?), ip: ip? })))
}

/// The last uses of a client's secrets, by their ids.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn last_used_secrets(db: &mut Db, client_id: &str) -> Result<HashMap<String, LastUsed>, StoreError> {
    let rows: Vec<(String, Option<i64>, Option<String>)> = client_secrets::table
        .filter(client_secrets::client_id.eq(client_id).and(client_secrets::last_used_at.is_not_null()))
        .select((client_secrets::id, client_secrets::last_used_at, client_secrets::last_used_ip))
        .load(db)?;
    let used = |(id, at, ip): (String, Option<i64>, Option<String>)| {
        Some((id, LastUsed { at: Timestamp::from_micros(at?), ip: ip? }))
    };
    Ok(rows.into_iter().filter_map(used).collect())
}

/// The hours of a credential within `[since, until)`, oldest first; hours without use have no row.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn hours(
    db: &mut Db,
    kind: CredentialKind,
    id: &str,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<StoredHour>, StoreError> {
    let rows: Vec<HourRow> = usage_hours::table
        .filter(usage_hours::credential_kind.eq(kind.as_str()).and(usage_hours::credential_id.eq(id)))
        .filter(usage_hours::hour.ge(since.micros()).and(usage_hours::hour.lt(until.micros())))
        .order(usage_hours::hour)
        .select((
            usage_hours::hour,
            usage_hours::issued,
            usage_hours::verified,
            usage_hours::refused,
            usage_hours::last_used_at,
            usage_hours::last_used_ip,
        ))
        .load(db)?;
    let hour = |(hour, issued, verified, refused, at, ip): HourRow| {
        let last_used = at.zip(ip).map(|(at, ip)| LastUsed { at: Timestamp::from_micros(at), ip });
        let counters = Counters { issued, verified, refused };
        StoredHour { hour: Timestamp::from_micros(hour), counters, last_used }
    };
    Ok(rows.into_iter().map(hour).collect())
}

/// The hours of all credentials of a kind in an organization (in all, where none is named) within `[since, until)`,
/// oldest first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn hours_of_all(
    db: &mut Db,
    kind: CredentialKind,
    organization_id: Option<&str>,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<StoredHour>, StoreError> {
    let sql = totals_query(kind, organization_id.is_some(), matches!(db, Db::Postgres(_)));
    let query = diesel::sql_query(sql)
        .bind::<Text, _>(kind.as_str())
        .bind::<BigInt, _>(since.micros())
        .bind::<BigInt, _>(until.micros())
        .bind::<Text, _>(organization_id.unwrap_or_default());
    let rows: Vec<TotalRow> = match db {
        Db::Sqlite(connection) => query.load(connection)?,
        Db::Postgres(connection) => query.load(connection)?,
    };
    let hour = |row: TotalRow| StoredHour {
        hour: Timestamp::from_micros(row.hour),
        counters: Counters { issued: row.issued, verified: row.verified, refused: row.refused },
        last_used: None,
    };
    Ok(rows.into_iter().map(hour).collect())
}

#[derive(QueryableByName)]
struct TotalRow {
    #[diesel(sql_type = BigInt)]
    hour: i64,
    #[diesel(sql_type = BigInt)]
    issued: i64,
    #[diesel(sql_type = BigInt)]
    verified: i64,
    #[diesel(sql_type = BigInt)]
    refused: i64,
}

/// The database adds up: a month of many credentials has more rows than a page may read. The sum of Diesel's own is a
/// decimal number on PostgreSQL.
fn totals_query(kind: CredentialKind, of_one: bool, postgres: bool) -> String {
    let (table, id) = match kind {
        CredentialKind::Client => ("clients", "client_id"),
        CredentialKind::ClientSecret => ("client_secrets", "id"),
        CredentialKind::ApiKey => ("api_keys", "id"),
        CredentialKind::User => ("users", "id"),
    };
    let place = |number: usize| if postgres { format!("${number}") } else { format!("?{number}") };
    let owner = match (of_one, kind) {
        (false, _) => format!("{} = ''", place(4)),
        (true, CredentialKind::ClientSecret) => format!(
            "credential_id IN (SELECT s.id FROM client_secrets s JOIN clients c ON c.client_id = s.client_id \
             WHERE c.organization_id = {})",
            place(4)
        ),
        (true, _) => format!("credential_id IN (SELECT {id} FROM {table} WHERE organization_id = {})", place(4)),
    };
    let sum = |column: &str| format!("CAST(SUM({column}) AS BIGINT) AS {column}");
    format!(
        "SELECT hour, {}, {}, {} FROM usage_hours WHERE credential_kind = {} AND hour >= {} AND hour < {} AND {owner} \
         GROUP BY hour ORDER BY hour",
        sum("issued"),
        sum("verified"),
        sum("refused"),
        place(1),
        place(2),
        place(3)
    )
}

/// What the counters of a credential within `[since, until)` are made of.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn details(
    db: &mut Db,
    kind: CredentialKind,
    id: &str,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<(String, String, i64)>, StoreError> {
    let rows: Vec<(String, String, i64)> = usage_details::table
        .filter(usage_details::credential_kind.eq(kind.as_str()).and(usage_details::credential_id.eq(id)))
        .filter(usage_details::hour.ge(since.micros()).and(usage_details::hour.lt(until.micros())))
        .order((usage_details::detail, usage_details::name))
        .select((usage_details::detail, usage_details::name, usage_details::count))
        .load(db)?;
    let mut totals: Vec<(String, String, i64)> = Vec::new();
    for (detail, name, count) in rows {
        match totals.last_mut() {
            Some((known, of, total)) if *known == detail && *of == name => *total += count,
            _ => totals.push((detail, name, count)),
        }
    }
    Ok(totals)
}

/// The credentials of a kind that have counted under a name since an instant: id, how often, the last hour.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn who(
    db: &mut Db,
    kind: CredentialKind,
    detail: UsageDetail,
    name: &str,
    since: Timestamp,
) -> Result<Vec<(String, i64, Timestamp)>, StoreError> {
    let rows: Vec<(String, i64, i64)> = usage_details::table
        .filter(usage_details::detail.eq(detail.as_str()).and(usage_details::name.eq(name)))
        .filter(usage_details::credential_kind.eq(kind.as_str()).and(usage_details::hour.ge(since.hour().micros())))
        .order((usage_details::credential_id, usage_details::hour))
        .select((usage_details::credential_id, usage_details::count, usage_details::hour))
        .load(db)?;
    let mut found: Vec<(String, i64, Timestamp)> = Vec::new();
    for (id, count, hour) in rows {
        let hour = Timestamp::from_micros(hour);
        match found.last_mut() {
            Some((known, total, last)) if *known == id => (*total, *last) = (*total + count, hour),
            _ => found.push((id, count, hour)),
        }
    }
    Ok(found)
}
