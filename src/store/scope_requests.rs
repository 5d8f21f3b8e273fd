//! Requests of clients for scopes that need an approval.

use diesel::prelude::*;

use crate::model::scope_request::{ScopeRequest, ScopeRequestStatus};
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::scope_requests;

#[derive(Queryable, Selectable)]
#[diesel(table_name = scope_requests)]
struct Row {
    id: String,
    client_id: String,
    organization_id: String,
    scope: String,
    justification: String,
    status: String,
    requested_by: String,
    requested_at: i64,
    decided_by: Option<String>,
    decided_at: Option<i64>,
    reason: String,
}

impl Row {
    fn into_request(self) -> Result<ScopeRequest, StoreError> {
        Ok(ScopeRequest {
            id: self.id,
            client_id: self.client_id,
            organization_id: self.organization_id,
            scope: self.scope,
            justification: self.justification,
            status: self.status.parse().map_err(StoreError::corrupt)?,
            requested_by: self.requested_by,
            requested_at: Timestamp::from_micros(self.requested_at),
            decided_by: self.decided_by,
            decided_at: self.decided_at.map(Timestamp::from_micros),
            reason: self.reason,
        })
    }
}

/// Makes one.
///
/// # Errors
/// [`StoreError::Conflict`] if the client waits for the scope already.
pub fn create(db: &mut Db, new: &ScopeRequest) -> Result<(), StoreError> {
    let pending: i64 = scope_requests::table
        .filter(scope_requests::client_id.eq(&new.client_id).and(scope_requests::scope.eq(&new.scope)))
        .filter(scope_requests::status.eq(ScopeRequestStatus::Pending.as_str()))
        .count()
        .get_result(db)?;
    if pending > 0 {
        return Err(StoreError::Conflict(format!("the client waits for {} already", new.scope)));
    }
    diesel::insert_into(scope_requests::table)
        .values((
            scope_requests::id.eq(&new.id),
            scope_requests::client_id.eq(&new.client_id),
            scope_requests::organization_id.eq(&new.organization_id),
            scope_requests::scope.eq(&new.scope),
            scope_requests::justification.eq(&new.justification),
            scope_requests::status.eq(new.status.as_str()),
            scope_requests::requested_by.eq(&new.requested_by),
            scope_requests::requested_at.eq(new.requested_at.micros()),
            scope_requests::reason.eq(&new.reason),
        ))
        .execute(db)?;
    Ok(())
}

/// Which requests a list shows.
#[derive(Debug, Clone, Default)]
pub struct ScopeRequestFilter {
    /// Of this organization; of every one where none is named.
    pub organization_id: Option<String>,
    /// Of this client.
    pub client_id: Option<String>,
    /// In this state.
    pub status: Option<ScopeRequestStatus>,
}

/// The requests after `after`, oldest first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn page(
    db: &mut Db,
    filter: &ScopeRequestFilter,
    after: &str,
    limit: i64,
) -> Result<Vec<ScopeRequest>, StoreError> {
    let mut query = scope_requests::table
        .filter(scope_requests::id.gt(after))
        .order(scope_requests::id)
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(organization_id) = &filter.organization_id {
        query = query.filter(scope_requests::organization_id.eq(organization_id));
    }
    if let Some(client_id) = &filter.client_id {
        query = query.filter(scope_requests::client_id.eq(client_id));
    }
    if let Some(status) = filter.status {
        query = query.filter(scope_requests::status.eq(status.as_str()));
    }
    let rows: Vec<Row> = query.load(db)?;
    rows.into_iter().map(Row::into_request).collect()
}

/// By id.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db, id: &str) -> Result<Option<ScopeRequest>, StoreError> {
    let row: Option<Row> =
        scope_requests::table.filter(scope_requests::id.eq(id)).select(Row::as_select()).get_result(db).optional()?;
    row.map(Row::into_request).transpose()
}

/// Decides a request that is still pending. `false`: somebody else did.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn decide(
    db: &mut Db,
    id: &str,
    status: ScopeRequestStatus,
    by: &str,
    reason: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let pending = scope_requests::table
        .filter(scope_requests::id.eq(id).and(scope_requests::status.eq(ScopeRequestStatus::Pending.as_str())));
    let decided = diesel::update(pending)
        .set((
            scope_requests::status.eq(status.as_str()),
            scope_requests::decided_by.eq(by),
            scope_requests::decided_at.eq(now.micros()),
            scope_requests::reason.eq(reason),
        ))
        .execute(db)?;
    Ok(decided == 1)
}

/// Denies whatever a client still waits for.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn deny_all(db: &mut Db, client_id: &str, by: &str, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    let pending = scope_requests::table
        .filter(scope_requests::client_id.eq(client_id))
        .filter(scope_requests::status.eq(ScopeRequestStatus::Pending.as_str()));
    diesel::update(pending)
        .set((
            scope_requests::status.eq(ScopeRequestStatus::Denied.as_str()),
            scope_requests::decided_by.eq(by),
            scope_requests::decided_at.eq(now.micros()),
            scope_requests::reason.eq(reason),
        ))
        .execute(db)?;
    Ok(())
}
