//! Storing what a node has counted: at most four statements for some hundred tallies, and one for scopes. Over a
//! network the way of a statement costs more than its work, and a thousand keys in use, of as many users, are two
//! thousand tallies.

use std::collections::BTreeMap;

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Text};

use crate::model::time::Timestamp;
use crate::model::usage::{Counters, CredentialKind, LastUsed, Tally};
use crate::store::connection::Db;
use crate::store::error::StoreError;

/// Adds what a node has counted to what is there, and notes last uses in the rows of the credentials that have a place
/// for it. An older use than the one that is noted changes nothing.
///
/// The rows of counters are taken in one order, whatever that of the tallies is, so that two nodes wait for each other
/// and not in a circle. Only at the turn of an hour PostgreSQL may find them in one, and one of them tries again.
///
/// SQLite takes at most 4,095 tallies at once.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn add(db: &mut Db, tallies: &[Tally]) -> Result<(), StoreError> {
    // PostgreSQL adds to a row once in a statement: what a failure has put back may be there a second time.
    let mut hours: BTreeMap<_, (Counters, Option<&LastUsed>)> = BTreeMap::new();
    let mut details: BTreeMap<_, i64> = BTreeMap::new();
    let mut last_uses: BTreeMap<_, BTreeMap<&str, &LastUsed>> = BTreeMap::new();
    for tally in tallies {
        let key = (tally.kind.as_str(), tally.id.as_str(), tally.hour.micros());
        let (counters, last) = hours.entry(key).or_default();
        *counters = counters.plus(tally.counters);
        for (detail, name, count) in &tally.details {
            *details.entry((key, detail.as_str(), *name)).or_default() += count;
        }
        if let Some(used) = &tally.last_used {
            *last = Some(later(*last, used));
            let of_kind = last_uses.entry(tally.kind).or_default();
            let latest = later(of_kind.get(tally.id.as_str()).copied(), used);
            of_kind.insert(&tally.id, latest);
        }
    }
    let hours = hours.into_iter().map(|((kind, id, hour), (counters, last))| {
        let (at, ip) =
            last.map_or((Value::Null, Value::Null), |used| (used.at.micros().into(), used.ip.as_str().into()));
        let Counters { issued, verified, refused } = counters;
        vec![kind.into(), id.into(), hour.into(), issued.into(), verified.into(), refused.into(), at, ip]
    });
    WithRows { before: HOURS, rows: hours.collect(), after: ADD_HOURS }.execute_on(db)?;
    let details = details.into_iter().map(|(((kind, id, hour), detail, name), count)| {
        vec![kind.into(), id.into(), hour.into(), detail.into(), name.into(), count.into()]
    });
    WithRows { before: DETAILS, rows: details.collect(), after: ADD_DETAILS }.execute_on(db)?;
    for (kind, uses) in last_uses {
        let before = match kind {
            CredentialKind::ApiKey => API_KEYS,
            CredentialKind::ClientSecret => CLIENT_SECRETS,
            // Their last use is that of their newest hour: [`crate::store::usage::last_used`].
            CredentialKind::Client | CredentialKind::User => continue,
        };
        let uses = uses.into_iter().map(|(id, used)| vec![id.into(), used.at.micros().into(), used.ip.as_str().into()]);
        WithRows { before, rows: uses.collect(), after: WHERE_OLDER }.execute_on(db)?;
    }
    Ok(())
}

/// Notes that clients, by their ids, were given scopes.
///
/// SQLite takes at most 10,922 at once.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn note_scopes(db: &mut Db, given: &[(String, String)], now: Timestamp) -> Result<(), StoreError> {
    let rows = given.iter().map(|(id, scope)| vec![id.as_str().into(), scope.as_str().into(), now.micros().into()]);
    WithRows { before: CLIENT_SCOPES, rows: rows.collect(), after: WHERE_GIVEN_EARLIER }.execute_on(db)?;
    Ok(())
}

fn later<'a>(known: Option<&'a LastUsed>, other: &'a LastUsed) -> &'a LastUsed {
    known.filter(|known| known.at > other.at).unwrap_or(other)
}

const HOURS: &str = "INSERT INTO usage_hours (credential_kind, credential_id, hour, issued, verified, refused, \
     last_used_at, last_used_ip) VALUES ";
const ADD_HOURS: &str = " ON CONFLICT (credential_kind, credential_id, hour) DO UPDATE SET \
     issued = usage_hours.issued + excluded.issued, verified = usage_hours.verified + excluded.verified, \
     refused = usage_hours.refused + excluded.refused, \
     last_used_at = CASE WHEN usage_hours.last_used_at IS NULL OR usage_hours.last_used_at < excluded.last_used_at \
     THEN excluded.last_used_at ELSE usage_hours.last_used_at END, \
     last_used_ip = CASE WHEN usage_hours.last_used_at IS NULL OR usage_hours.last_used_at < excluded.last_used_at \
     THEN excluded.last_used_ip ELSE usage_hours.last_used_ip END";

const DETAILS: &str = "INSERT INTO usage_details (credential_kind, credential_id, hour, detail, name, count) VALUES ";
const ADD_DETAILS: &str = " ON CONFLICT (credential_kind, credential_id, hour, detail, name) DO UPDATE SET \
     count = usage_details.count + excluded.count";

// Both databases call the columns of VALUES `column1` and so on.
const API_KEYS: &str =
    "UPDATE api_keys AS own SET last_used_at = used.column2, last_used_ip = used.column3 FROM (VALUES ";
const CLIENT_SECRETS: &str =
    "UPDATE client_secrets AS own SET last_used_at = used.column2, last_used_ip = used.column3 FROM (VALUES ";
const WHERE_OLDER: &str = ") AS used WHERE own.id = used.column1 \
     AND (own.last_used_at IS NULL OR own.last_used_at < used.column2)";

const CLIENT_SCOPES: &str = "UPDATE client_scopes AS own SET last_used_at = given.column3 FROM (VALUES ";
const WHERE_GIVEN_EARLIER: &str = ") AS given WHERE own.client_id = given.column1 AND own.scope = given.column2 \
     AND (own.last_used_at IS NULL OR own.last_used_at < given.column3)";

/// A value of a row.
enum Value<'a> {
    Number(i64),
    Text(&'a str),
    Null,
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

/// A statement around rows of values.
struct WithRows<'a> {
    before: &'static str,
    rows: Vec<Vec<Value<'a>>>,
    after: &'static str,
}

impl WithRows<'_> {
    /// Runs it where there is a row at all.
    fn execute_on(self, db: &mut Db) -> QueryResult<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        match db {
            Db::Sqlite(connection) => self.execute(connection),
            Db::Postgres(connection) => self.execute(connection),
        }
        .map(drop)
    }
}

impl QueryId for WithRows<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<B> QueryFragment<B> for WithRows<'_>
where
    B: Backend + HasSqlType<BigInt> + HasSqlType<Text>,
    i64: ToSql<BigInt, B>,
    str: ToSql<Text, B>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, B>) -> QueryResult<()> {
        // Its text hangs on the number of rows.
        out.unsafe_to_cache_prepared();
        out.push_sql(self.before);
        for (index, row) in self.rows.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", (" });
            for (index, value) in row.iter().enumerate() {
                out.push_sql(if index == 0 { "" } else { ", " });
                match value {
                    Value::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
                    Value::Text(text) => out.push_bind_param::<Text, str>(text)?,
                    Value::Null => out.push_sql("NULL"),
                }
            }
            out.push_sql(")");
        }
        out.push_sql(self.after);
        Ok(())
    }
}

impl<C> RunQueryDsl<C> for WithRows<'_> {}
