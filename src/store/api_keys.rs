//! API keys, found by digest.

use diesel::prelude::*;
use ipnet::IpNet;

use crate::model::api_key::{ApiKey, ApiKeyStatus};
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::api_keys;

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
struct Row {
    id: String,
    prefix: String,
    name: String,
    user_id: String,
    organization_id: String,
    scopes: Option<String>,
    networks: String,
    reveal: String,
    sealed: Option<String>,
    status: String,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    last_used_ip: Option<String>,
    created_at: i64,
}

impl Row {
    fn into_key(self) -> Result<ApiKey, StoreError> {
        let networks = self.networks.split_whitespace().map(str::parse::<IpNet>).collect::<Result<_, _>>();
        Ok(ApiKey {
            id: self.id,
            prefix: self.prefix,
            name: self.name,
            user_id: self.user_id,
            organization_id: self.organization_id,
            scopes: self.scopes.as_deref().map(ScopeSet::parse).transpose().map_err(StoreError::corrupt)?,
            networks: networks.map_err(StoreError::corrupt)?,
            reveal: self.reveal.parse().map_err(StoreError::corrupt)?,
            sealed: self.sealed,
            status: self.status.parse().map_err(StoreError::corrupt)?,
            expires_at: self.expires_at.map(Timestamp::from_micros),
            last_used_at: self.last_used_at.map(Timestamp::from_micros),
            last_used_ip: self.last_used_ip,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}

/// By digest, deleted ones too.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn by_digest(db: &mut Db, digest: &str) -> Result<Option<ApiKey>, StoreError> {
    let row: Option<Row> =
        api_keys::table.filter(api_keys::digest.eq(digest)).select(Row::as_select()).get_result(db).optional()?;
    row.map(Row::into_key).transpose()
}

/// By id, but not a deleted one.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db, id: &str) -> Result<Option<ApiKey>, StoreError> {
    let row: Option<Row> = api_keys::table
        .filter(api_keys::id.eq(id).and(api_keys::status.ne(ApiKeyStatus::Deleted.as_str())))
        .select(Row::as_select())
        .get_result(db)
        .optional()?;
    row.map(Row::into_key).transpose()
}

/// The keys after `after` that are not deleted, of an organization or of a user where one is named, in the order in
/// which they were made.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn page(
    db: &mut Db,
    organization_id: Option<&str>,
    user_id: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<ApiKey>, StoreError> {
    let mut query = api_keys::table
        .filter(api_keys::status.ne(ApiKeyStatus::Deleted.as_str()).and(api_keys::id.gt(after)))
        .order(api_keys::id)
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(organization_id) = organization_id {
        query = query.filter(api_keys::organization_id.eq(organization_id));
    }
    if let Some(user_id) = user_id {
        query = query.filter(api_keys::user_id.eq(user_id));
    }
    let rows: Vec<Row> = query.load(db)?;
    rows.into_iter().map(Row::into_key).collect()
}

/// The keys with a shown prefix or a name; a few at most, since more than one is refused.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn called(db: &mut Db, organization_id: Option<&str>, name: &str) -> Result<Vec<ApiKey>, StoreError> {
    let mut query = api_keys::table
        .filter(api_keys::status.ne(ApiKeyStatus::Deleted.as_str()))
        .filter(api_keys::prefix.eq(name).or(api_keys::name.eq(name)))
        .order(api_keys::id)
        .limit(50)
        .select(Row::as_select())
        .into_boxed();
    if let Some(organization_id) = organization_id {
        query = query.filter(api_keys::organization_id.eq(organization_id));
    }
    let rows: Vec<Row> = query.load(db)?;
    rows.into_iter().map(Row::into_key).collect()
}

/// Makes one.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn create(db: &mut Db, new: &ApiKey, digest: &str) -> Result<(), StoreError> {
    let change = next_change(db)?;
    let networks = new.networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(&new.id),
            api_keys::prefix.eq(&new.prefix),
            api_keys::digest.eq(digest),
            api_keys::name.eq(&new.name),
            api_keys::user_id.eq(&new.user_id),
            api_keys::organization_id.eq(&new.organization_id),
            api_keys::scopes.eq(new.scopes.as_ref().map(ToString::to_string)),
            api_keys::networks.eq(networks),
            api_keys::reveal.eq(new.reveal.as_str()),
            api_keys::sealed.eq(new.sealed.as_deref()),
            api_keys::status.eq(new.status.as_str()),
            api_keys::expires_at.eq(new.expires_at.map(Timestamp::micros)),
            api_keys::change.eq(change),
            api_keys::created_at.eq(new.created_at.micros()),
        ))
        .execute(db)?;
    Ok(())
}

/// Changes the status, where it is still `from`. A deleted key can be shown to nobody any more. `false`: somebody
/// else changed it meanwhile.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn set_status(db: &mut Db, id: &str, from: ApiKeyStatus, to: ApiKeyStatus) -> Result<bool, StoreError> {
    let change = next_change(db)?;
    let row = api_keys::table.filter(api_keys::id.eq(id).and(api_keys::status.eq(from.as_str())));
    let changed =
        diesel::update(row).set((api_keys::status.eq(to.as_str()), api_keys::change.eq(change))).execute(db)? == 1;
    if changed && to == ApiKeyStatus::Deleted {
        diesel::update(api_keys::table.filter(api_keys::id.eq(id)))
            .set(api_keys::sealed.eq(None::<String>))
            .execute(db)?;
    }
    Ok(changed)
}

/// The keys that changed after `known`, each with its change.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn changed_since(db: &mut Db, known: i64) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(api_keys::table
        .filter(api_keys::change.gt(known))
        .select((api_keys::id, api_keys::change))
        .load::<(String, i64)>(db)?)
}
