//! Audit events, written in the transaction of the change that they tell of.

use diesel::prelude::*;

use crate::model::audit::{Actor, AuditEvent};
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::audit_events;

/// An event as it is stored.
#[derive(Debug, Clone, Queryable, serde::Serialize)]
pub struct RecordedEvent {
    /// Running number.
    pub seq: i64,
    /// Microseconds since 1970.
    pub occurred_at: i64,
    /// `user`, `client` or `system`.
    pub actor_kind: String,
    /// Who.
    pub actor_id: String,
    /// Noun and verb.
    pub action: String,
    /// The noun that was changed.
    pub target_kind: String,
    /// Its id.
    pub target_id: String,
    /// What changed, never a secret.
    pub details: String,
}

/// Appends an event.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn record(db: &mut Db, actor: &Actor, event: &AuditEvent, now: Timestamp) -> Result<(), StoreError> {
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::occurred_at.eq(now.micros()),
            audit_events::actor_kind.eq(actor.kind.as_str()),
            audit_events::actor_id.eq(&actor.id),
            audit_events::action.eq(event.action),
            audit_events::target_kind.eq(event.target_kind),
            audit_events::target_id.eq(&event.target_id),
            audit_events::organization_id.eq(event.organization_id.as_deref()),
            audit_events::ip.eq(actor.ip.as_deref()),
            audit_events::request_id.eq(actor.request_id.as_deref()),
            audit_events::result.eq("ok"),
            audit_events::details.eq(&event.details),
        ))
        .execute(db)?;
    Ok(())
}

/// The events about one target, oldest first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn about(db: &mut Db, target_kind: &str, target_id: &str) -> Result<Vec<RecordedEvent>, StoreError> {
    Ok(audit_events::table
        .filter(audit_events::target_kind.eq(target_kind).and(audit_events::target_id.eq(target_id)))
        .order(audit_events::seq)
        .select((
            audit_events::seq,
            audit_events::occurred_at,
            audit_events::actor_kind,
            audit_events::actor_id,
            audit_events::action,
            audit_events::target_kind,
            audit_events::target_id,
            audit_events::details,
        ))
        .load(db)?)
}
