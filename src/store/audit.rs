//! Audit events, written in the transaction of the change that they tell of, and read by filters.

use diesel::prelude::*;

use crate::model::audit::{Actor, AuditEvent, AuditResult};
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::audit_events;

/// An event as it is stored.
#[derive(Debug, Clone, Queryable, Selectable, serde::Serialize)]
#[diesel(table_name = audit_events)]
pub struct RecordedEvent {
    /// Running number, with gaps.
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
    /// The organization that it belongs to.
    pub organization_id: Option<String>,
    /// Where the request came from.
    pub ip: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// `ok` or `refused`.
    pub result: String,
    /// What changed, never a secret.
    pub details: String,
    /// Its place in the chain, without gaps; none until it is sealed.
    pub number: Option<i64>,
    /// Over its place and its content.
    pub seal: Option<String>,
    /// Over its seal and the link before.
    pub link: Option<String>,
}

/// Appends an event.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn record(db: &mut Db, actor: &Actor, event: &AuditEvent, now: Timestamp) -> Result<(), StoreError> {
    append(db, actor, event, AuditResult::Ok, now)
}

/// Appends what was refused.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn record_refusal(db: &mut Db, actor: &Actor, event: &AuditEvent, at: Timestamp) -> Result<(), StoreError> {
    append(db, actor, event, AuditResult::Refused, at)
}

fn append(
    db: &mut Db,
    actor: &Actor,
    event: &AuditEvent,
    result: AuditResult,
    at: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::occurred_at.eq(at.micros()),
            audit_events::actor_kind.eq(actor.kind.as_str()),
            audit_events::actor_id.eq(&actor.id),
            audit_events::action.eq(event.action),
            audit_events::target_kind.eq(event.target_kind),
            audit_events::target_id.eq(&event.target_id),
            audit_events::organization_id.eq(event.organization_id.as_deref()),
            audit_events::ip.eq(actor.ip.as_deref()),
            audit_events::request_id.eq(actor.request_id.as_deref()),
            audit_events::result.eq(result.as_str()),
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
        .select(RecordedEvent::as_select())
        .load(db)?)
}

/// Which events; what is not given does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// The actor's id.
    pub actor: Option<String>,
    /// Noun and verb, or all of a noun: `client.*`.
    pub action: Option<String>,
    /// The target's id.
    pub target: Option<String>,
    /// The organization's id.
    pub organization: Option<String>,
    /// How it ended.
    pub result: Option<AuditResult>,
}

/// From where on, and in which order.
#[derive(Debug, Clone, Copy)]
pub enum From {
    /// Newest first, from the newest.
    Newest,
    /// Newest first, older than the event with this `seq`.
    Before(i64),
    /// Oldest first, newer than the event with this `seq`; 0 is from the oldest.
    After(i64),
}

/// At most `limit` events of a filter.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn page(db: &mut Db, filter: &Filter, from: From, limit: i64) -> Result<Vec<RecordedEvent>, StoreError> {
    let mut query = audit_events::table.select(RecordedEvent::as_select()).limit(limit).into_boxed();
    if let Some(since) = filter.since {
        query = query.filter(audit_events::occurred_at.ge(since.micros()));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_events::occurred_at.lt(until.micros()));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(audit_events::actor_id.eq(actor));
    }
    if let Some(action) = &filter.action {
        query = match action.strip_suffix('*') {
            None => query.filter(audit_events::action.eq(action)),
            // Names of actions are ASCII; no pattern, so that no character of the caller's means anything.
            // No index either: of a noun there may be half a million events to sort, where the newest are asked for.
            Some(noun) => {
                let name = audit_events::action.concat("");
                query.filter(name.ge(noun).and(name.lt(format!("{noun}~"))))
            }
        };
    }
    if let Some(target) = &filter.target {
        query = query.filter(audit_events::target_id.eq(target));
    }
    if let Some(organization) = &filter.organization {
        query = query.filter(audit_events::organization_id.eq(organization));
    }
    if let Some(result) = filter.result {
        query = query.filter(audit_events::result.eq(result.as_str()));
    }
    query = match from {
        From::Newest => query.order(audit_events::seq.desc()),
        From::Before(seq) => query.filter(audit_events::seq.lt(seq)).order(audit_events::seq.desc()),
        From::After(seq) => query.filter(audit_events::seq.gt(seq)).order(audit_events::seq.asc()),
    };
    Ok(query.load(db)?)
}
