//! What one user has, as the first page shows it: a few queries, each with an end.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::model::client::ClientStatus;
use crate::model::time::Timestamp;
use crate::model::usage::{CredentialKind, UsageDetail};
use crate::model::user::UserStatus;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::{api_keys, client_secrets, clients, usage_details, usage_hours, users};

/// User, username and name, what was refused, how often, and the hour.
type Refused = (String, (String, String), String, i64, i64);

/// Rows that a list on a first page has at most.
const FEW: i64 = 10;

/// Rows that are added up into the refusals of a first page.
const COUNTED: i64 = 500;

/// Something with an id and a name, and an instant that matters.
#[derive(Debug, Clone)]
pub struct Named {
    /// The id.
    pub id: String,
    /// For people.
    pub name: String,
    /// When it was made, or when it ends.
    pub at: Timestamp,
}

impl Named {
    fn of((id, name, at): (String, String, i64)) -> Self {
        Self { id, name, at: Timestamp::from_micros(at) }
    }
}

/// Uses of one credential that were refused within an hour, for one reason.
#[derive(Debug, Clone)]
pub struct RefusedHour {
    /// The credential's id.
    pub id: String,
    /// For people.
    pub name: String,
    /// Why.
    pub reason: String,
    /// How often.
    pub count: i64,
    /// The beginning of the hour.
    pub hour: Timestamp,
}

impl RefusedHour {
    fn of((id, name, reason, count, hour): (String, String, String, i64, i64)) -> Self {
        Self { id, name, reason, count, hour: Timestamp::from_micros(hour) }
    }
}

/// How many clients of an organization a user has registered that are not deleted, and the newest active one.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn own_clients(db: &mut Db, organization_id: &str, owner_id: &str) -> Result<(i64, Option<Named>), StoreError> {
    let own = clients::owner_id.eq(owner_id).and(clients::organization_id.eq(organization_id));
    let count: i64 =
        clients::table.filter(own).filter(clients::status.ne(ClientStatus::Deleted.as_str())).count().get_result(db)?;
    let newest: Option<(String, String, i64)> = clients::table
        .filter(own)
        .filter(clients::status.eq(ClientStatus::Active.as_str()))
        .order(clients::created_at.desc())
        .select((clients::client_id, clients::label, clients::created_at))
        .first(db)
        .optional()?;
    Ok((count, newest.map(Named::of)))
}

/// How many sets of credentials an organization has that are not deleted, and the newest that is active; its name is the
/// username.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn sets(db: &mut Db, organization_id: &str) -> Result<(i64, Option<Named>), StoreError> {
    let here = users::programmatic.eq(1).and(users::organization_id.eq(organization_id));
    let there = users::status.ne(UserStatus::Deleted.as_str());
    let count: i64 = users::table.filter(here).filter(there).count().get_result(db)?;
    let newest: Option<(String, String, i64)> = users::table
        .filter(here)
        .filter(users::status.eq(UserStatus::Active.as_str()))
        .order(users::id.desc())
        .select((users::id, users::username, users::created_at))
        .first(db)
        .optional()?;
    Ok((count, newest.map(Named::of)))
}

/// Secrets of a user's active clients that end by themselves before an instant; with the `client_id` and the label.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn ending_secrets(
    db: &mut Db,
    organization_id: &str,
    owner_id: &str,
    now: Timestamp,
    before: Timestamp,
) -> Result<Vec<Named>, StoreError> {
    let rows: Vec<(String, String, Option<i64>)> = client_secrets::table
        .inner_join(clients::table.on(clients::client_id.eq(client_secrets::client_id)))
        .filter(clients::owner_id.eq(owner_id).and(clients::organization_id.eq(organization_id)))
        .filter(clients::status.eq(ClientStatus::Active.as_str()).and(client_secrets::ended_at.is_null()))
        .filter(client_secrets::expires_at.gt(now.micros()).and(client_secrets::expires_at.lt(before.micros())))
        .order(client_secrets::expires_at)
        .limit(FEW)
        .select((clients::client_id, clients::label, client_secrets::expires_at))
        .load(db)?;
    Ok(rows.into_iter().filter_map(|(id, name, at)| Some(Named::of((id, name, at?)))).collect())
}

/// A user's active clients that were made before an instant and not used since.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn idle_clients(
    db: &mut Db,
    organization_id: &str,
    owner_id: &str,
    before: Timestamp,
) -> Result<Vec<Named>, StoreError> {
    let used = usage_hours::table.filter(
        usage_hours::credential_kind
            .eq(CredentialKind::Client.as_str())
            .and(usage_hours::credential_id.eq(clients::client_id))
            .and(usage_hours::last_used_at.ge(before.micros())),
    );
    let rows: Vec<(String, String, i64)> = clients::table
        .filter(clients::owner_id.eq(owner_id).and(clients::organization_id.eq(organization_id)))
        .filter(clients::status.eq(ClientStatus::Active.as_str()).and(clients::created_at.lt(before.micros())))
        .filter(not(exists(used)))
        .order(clients::created_at)
        .limit(FEW)
        .select((clients::client_id, clients::label, clients::created_at))
        .load(db)?;
    Ok(rows.into_iter().map(Named::of).collect())
}

/// An organization's active sets of credentials that were made before an instant and not used since.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn idle_sets(db: &mut Db, organization_id: &str, before: Timestamp) -> Result<Vec<Named>, StoreError> {
    let used = usage_hours::table.filter(
        usage_hours::credential_kind
            .eq(CredentialKind::User.as_str())
            .and(usage_hours::credential_id.eq(users::id))
            .and(usage_hours::last_used_at.ge(before.micros())),
    );
    let rows: Vec<(String, String, i64)> = users::table
        .filter(users::programmatic.eq(1).and(users::organization_id.eq(organization_id)))
        .filter(users::status.eq(UserStatus::Active.as_str()).and(users::created_at.lt(before.micros())))
        .filter(not(exists(used)))
        .order(users::created_at)
        .limit(FEW)
        .select((users::id, users::name, users::created_at))
        .load(db)?;
    Ok(rows.into_iter().map(Named::of).collect())
}

/// What of a user's clients was refused since an instant, the newest hours first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn refused_clients(
    db: &mut Db,
    organization_id: &str,
    owner_id: &str,
    since: Timestamp,
) -> Result<Vec<RefusedHour>, StoreError> {
    let rows: Vec<(String, String, String, i64, i64)> = usage_details::table
        .inner_join(clients::table.on(clients::client_id.eq(usage_details::credential_id)))
        .filter(usage_details::credential_kind.eq(CredentialKind::Client.as_str()))
        .filter(usage_details::detail.eq(UsageDetail::Refused.as_str()).and(usage_details::hour.ge(since.micros())))
        .filter(clients::owner_id.eq(owner_id).and(clients::organization_id.eq(organization_id)))
        .order(usage_details::hour.desc())
        .limit(COUNTED)
        .select((clients::client_id, clients::label, usage_details::name, usage_details::count, usage_details::hour))
        .load(db)?;
    Ok(rows.into_iter().map(RefusedHour::of).collect())
}

/// What of a user's API keys was refused since an instant, the newest hours first; deleted keys too.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn refused_keys(
    db: &mut Db,
    organization_id: &str,
    user_id: &str,
    since: Timestamp,
) -> Result<Vec<RefusedHour>, StoreError> {
    let rows: Vec<(String, String, String, i64, i64)> = usage_details::table
        .inner_join(api_keys::table.on(api_keys::id.eq(usage_details::credential_id)))
        .filter(usage_details::credential_kind.eq(CredentialKind::ApiKey.as_str()))
        .filter(usage_details::detail.eq(UsageDetail::Refused.as_str()).and(usage_details::hour.ge(since.micros())))
        .filter(api_keys::user_id.eq(user_id).and(api_keys::organization_id.eq(organization_id)))
        .order(usage_details::hour.desc())
        .limit(COUNTED)
        .select((api_keys::id, api_keys::name, usage_details::name, usage_details::count, usage_details::hour))
        .load(db)?;
    Ok(rows.into_iter().map(RefusedHour::of).collect())
}

/// What of a user, and of an organization's sets of credentials where one is named, was refused since an instant; the
/// newest hours first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn refused_users(
    db: &mut Db,
    user_id: &str,
    sets_of: Option<&str>,
    since: Timestamp,
) -> Result<Vec<RefusedHour>, StoreError> {
    // No organization has the empty id.
    let of_set = users::programmatic.eq(1).and(users::organization_id.eq(sets_of.unwrap_or_default()));
    let rows: Vec<Refused> = usage_details::table
        .inner_join(users::table.on(users::id.eq(usage_details::credential_id)))
        .filter(usage_details::credential_kind.eq(CredentialKind::User.as_str()))
        .filter(usage_details::detail.eq(UsageDetail::Refused.as_str()).and(usage_details::hour.ge(since.micros())))
        .filter(users::id.eq(user_id).or(of_set))
        .order(usage_details::hour.desc())
        .limit(COUNTED)
        .select((
            users::id,
            (users::name, users::username),
            usage_details::name,
            usage_details::count,
            usage_details::hour,
        ))
        .load(db)?;
    let named = |(id, (name, username), reason, count, hour): (String, (String, String), String, i64, i64)| {
        RefusedHour::of((id, if name.is_empty() { username } else { name }, reason, count, hour))
    };
    Ok(rows.into_iter().map(named).collect())
}
