//! What nobody uses: active clients, users, secrets and API keys, and approved scopes, with their last use.

use diesel::prelude::*;

use crate::model::api_key::ApiKeyStatus;
use crate::model::client::ClientStatus;
use crate::model::time::Timestamp;
use crate::model::usage::CredentialKind;
use crate::model::user::{UserKind, UserStatus};
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, client_scopes, client_secrets, clients, usage_hours, users};

/// A credential or a scope, and when it was last used.
#[derive(Debug, Clone)]
pub struct Unused {
    /// The organization that it belongs to.
    pub organization_id: String,
    /// The credential's id; for a scope and a secret the `client_id`.
    pub id: String,
    /// For people: the client's label, the username.
    pub name: String,
    /// The scope, the secret's id, or the beginning of the API key.
    pub part: Option<String>,
    /// The user that an API key is of.
    pub user_id: Option<String>,
    /// When it was made; for a scope the client.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

type Row = (String, String, String, Option<String>, i64);

/// Active clients that were made before an instant and not used since.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn clients(db: &mut Db, before: Timestamp) -> Result<Vec<Unused>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = clients::table
        .filter(clients::status.eq(ClientStatus::Active.as_str()).and(clients::created_at.lt(before.micros())))
        .order((clients::label, clients::client_id))
        .select((clients::organization_id, clients::client_id, clients::label, clients::created_at))
        .load(db)?;
    with_last_use(db, CredentialKind::Client, rows, before)
}

/// Active API users that were made before an instant and not used since.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn api_users(db: &mut Db, before: Timestamp) -> Result<Vec<Unused>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = users::table
        .filter(users::status.eq(UserStatus::Active.as_str()).and(users::kind.eq(UserKind::ApiUser.as_str())))
        .filter(users::created_at.lt(before.micros()))
        .order(users::username)
        .select((users::organization_id, users::id, users::username, users::created_at))
        .load(db)?;
    with_last_use(db, CredentialKind::User, rows, before)
}

/// Those of the rows that were not used since; the newest hour of each tells.
fn with_last_use(
    db: &mut Db,
    kind: CredentialKind,
    rows: Vec<(String, String, String, i64)>,
    before: Timestamp,
) -> Result<Vec<Unused>, StoreError> {
    let mut unused = Vec::new();
    for (organization_id, id, name, created_at) in rows {
        let last: Option<Option<i64>> = usage_hours::table
            .filter(usage_hours::credential_kind.eq(kind.as_str()).and(usage_hours::credential_id.eq(&id)))
            .filter(usage_hours::last_used_at.is_not_null())
            .order(usage_hours::hour.desc())
            .select(usage_hours::last_used_at)
            .first(db)
            .optional()?;
        let last_used_at = last.flatten().map(Timestamp::from_micros);
        if last_used_at.is_none_or(|at| at < before) {
            let created_at = Timestamp::from_micros(created_at);
            let (part, user_id) = (None, None);
            unused.push(Unused { organization_id, id, name, part, user_id, created_at, last_used_at });
        }
    }
    Ok(unused)
}

/// Secrets of active clients that open something, were made before an instant and not used since.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn secrets(db: &mut Db, before: Timestamp, now: Timestamp) -> Result<Vec<Unused>, StoreError> {
    let expired = client_secrets::expires_at.is_null().or(client_secrets::expires_at.gt(now.micros()));
    let used = client_secrets::last_used_at.is_null().or(client_secrets::last_used_at.lt(before.micros()));
    let rows: Vec<(Row, Option<i64>)> = client_secrets::table
        .inner_join(clients::table.on(clients::client_id.eq(client_secrets::client_id)))
        .filter(clients::status.eq(ClientStatus::Active.as_str()))
        .filter(client_secrets::ended_at.is_null().and(client_secrets::created_at.lt(before.micros())))
        .filter(expired)
        .filter(used)
        .order((clients::label, client_secrets::id))
        .select((
            (
                clients::organization_id,
                clients::client_id,
                clients::label,
                client_secrets::id.nullable(),
                client_secrets::created_at,
            ),
            client_secrets::last_used_at,
        ))
        .load(db)?;
    Ok(rows.into_iter().map(unused).collect())
}

/// Active API keys that open something, were made before an instant and not used since.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn api_keys(db: &mut Db, before: Timestamp, now: Timestamp) -> Result<Vec<Unused>, StoreError> {
    let lives = api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now.micros()));
    let idle = api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(before.micros()));
    let rows: Vec<(Row, String, Option<i64>)> = api_keys::table
        .inner_join(users::table.on(users::id.eq(api_keys::user_id)))
        // What its user's state has closed opens nothing.
        .filter(users::status.eq(UserStatus::Active.as_str()))
        .filter(api_keys::status.eq(ApiKeyStatus::Active.as_str()).and(api_keys::created_at.lt(before.micros())))
        .filter(lives)
        .filter(idle)
        .order((api_keys::name, api_keys::id))
        .select((
            (
                api_keys::organization_id,
                api_keys::id,
                api_keys::name,
                api_keys::prefix.nullable(),
                api_keys::created_at,
            ),
            api_keys::user_id,
            api_keys::last_used_at,
        ))
        .load(db)?;
    let of =
        |(row, user_id, last): (Row, String, Option<i64>)| Unused { user_id: Some(user_id), ..unused((row, last)) };
    Ok(rows.into_iter().map(of).collect())
}

/// Scopes that active clients were approved for before an instant and were not given since.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn scopes(db: &mut Db, before: Timestamp) -> Result<Vec<Unused>, StoreError> {
    let used = client_scopes::last_used_at.is_null().or(client_scopes::last_used_at.lt(before.micros()));
    let rows: Vec<(Row, Option<i64>)> = client_scopes::table
        .inner_join(clients::table.on(clients::client_id.eq(client_scopes::client_id)))
        .filter(clients::status.eq(ClientStatus::Active.as_str()).and(clients::created_at.lt(before.micros())))
        .filter(client_scopes::status.eq("approved"))
        .filter(used)
        .order((clients::label, clients::client_id, client_scopes::scope))
        .select((
            (
                clients::organization_id,
                clients::client_id,
                clients::label,
                client_scopes::scope.nullable(),
                clients::created_at,
            ),
            client_scopes::last_used_at,
        ))
        .load(db)?;
    Ok(rows.into_iter().map(unused).collect())
}

fn unused((row, last_used_at): (Row, Option<i64>)) -> Unused {
    let (organization_id, id, name, part, created_at) = row;
    Unused {
        organization_id,
        id,
        name,
        part,
        user_id: None,
        created_at: Timestamp::from_micros(created_at),
        last_used_at: last_used_at.map(Timestamp::from_micros),
    }
}
