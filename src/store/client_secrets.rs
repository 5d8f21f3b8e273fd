//! The secrets of clients: their digests, and the secrets themselves where they may be shown again.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;

use crate::model::client::ClientSecret;
use crate::model::time::Timestamp;
use crate::store::clients;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::client_secrets;

/// Client id, id, expiry, end, and whether it is sealed.
type Revealable = (String, String, Option<i64>, Option<i64>, bool);

/// A secret to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewSecret<'a> {
    /// Its digest and its end.
    pub secret: &'a ClientSecret,
    /// For people.
    pub label: &'a str,
    /// The secret itself, sealed, where the policy lets it be shown again.
    pub sealed: Option<&'a str>,
}

pub(super) fn insert(db: &mut Db, client_id: &str, new: &NewSecret<'_>, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(client_secrets::table)
        .values((
            client_secrets::id.eq(&new.secret.id),
            client_secrets::client_id.eq(client_id),
            client_secrets::digest.eq(URL_SAFE_NO_PAD.encode(new.secret.digest)),
            client_secrets::label.eq(new.label),
            client_secrets::created_at.eq(now.micros()),
            client_secrets::expires_at.eq(new.secret.expires_at.map(Timestamp::micros)),
            client_secrets::sealed.eq(new.sealed),
        ))
        .execute(db)?;
    Ok(())
}

/// Adds a secret. The older ones end at `older_end`, or at once; ending them at once also ends the client's tokens.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn replace_secret(
    db: &mut Db,
    client_id: &str,
    new: &NewSecret<'_>,
    older_end: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let of_client =
        client_secrets::table.filter(client_secrets::client_id.eq(client_id).and(client_secrets::ended_at.is_null()));
    match older_end {
        None => {
            diesel::update(of_client).set(client_secrets::ended_at.eq(now.micros())).execute(db)?;
        }
        Some(end) => {
            let later = client_secrets::expires_at.is_null().or(client_secrets::expires_at.gt(end.micros()));
            diesel::update(of_client.filter(later)).set(client_secrets::expires_at.eq(end.micros())).execute(db)?;
        }
    }
    insert(db, client_id, new, now)?;
    clients::touch(db, client_id, older_end.is_none())
}

/// Adds a secret beside the others.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn add_secret(db: &mut Db, client_id: &str, new: &NewSecret<'_>, now: Timestamp) -> Result<(), StoreError> {
    insert(db, client_id, new, now)?;
    clients::touch(db, client_id, false)
}

/// Ends one secret, and with it the client's tokens. Answers whether it was there.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn end_secret(db: &mut Db, client_id: &str, secret_id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let row =
        client_secrets::table.filter(client_secrets::client_id.eq(client_id).and(client_secrets::id.eq(secret_id)));
    let of_now = client_secrets::ended_at.eq(now.micros());
    let ended = diesel::update(row.filter(client_secrets::ended_at.is_null())).set(of_now).execute(db)? == 1;
    clients::touch(db, client_id, true)?;
    Ok(ended)
}

/// A client's secret as pages show it.
#[derive(Debug, Clone, Queryable)]
pub struct SecretDetails {
    /// The id.
    pub id: String,
    /// For people.
    pub label: String,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Microseconds since 1970, where it ends.
    pub expires_at: Option<i64>,
    /// When it was last used, in microseconds since 1970.
    pub last_used_at: Option<i64>,
    /// From where it was last used.
    pub last_used_ip: Option<String>,
    /// The secret itself, sealed, where the policy lets it be shown again.
    pub sealed: Option<String>,
}

/// The secrets of a client that were not replaced, oldest first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn secrets(db: &mut Db, client_id: &str) -> Result<Vec<SecretDetails>, StoreError> {
    Ok(client_secrets::table
        .filter(client_secrets::client_id.eq(client_id).and(client_secrets::ended_at.is_null()))
        .order(client_secrets::id)
        .select((
            client_secrets::id,
            client_secrets::label,
            client_secrets::created_at,
            client_secrets::expires_at,
            client_secrets::last_used_at,
            client_secrets::last_used_ip,
            client_secrets::sealed,
        ))
        .load(db)?)
}

/// The newest secret of each client that is kept sealed and still opens something.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn revealable(db: &mut Db, ids: &[String], now: Timestamp) -> Result<HashMap<String, String>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = client_secrets::table
        .order(client_secrets::id)
        .select((
            client_secrets::client_id,
            client_secrets::id,
            client_secrets::expires_at,
            client_secrets::ended_at,
            client_secrets::sealed.is_not_null(),
        ))
        .into_boxed();
    for id in ids {
        query = query.or_filter(client_secrets::client_id.eq(id));
    }
    let rows: Vec<Revealable> = query.load(db)?;
    let alive = |end: Option<i64>| end.is_none_or(|end| end > now.micros());
    let shown = rows.into_iter().filter(|(_, _, expires, ended, sealed)| *sealed && ended.is_none() && alive(*expires));
    Ok(shown.map(|(client_id, id, ..)| (client_id, id)).collect())
}

/// The organization of the client that a secret belongs to.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn organization_of_secret(db: &mut Db, secret_id: &str) -> Result<Option<String>, StoreError> {
    let row = client_secrets::table.filter(client_secrets::id.eq(secret_id));
    match row.select(client_secrets::client_id).first::<String>(db).optional()? {
        Some(client_id) => clients::organization_of(db, &client_id),
        None => Ok(None),
    }
}
