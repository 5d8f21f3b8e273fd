//! Reading the audit log: pages of events by filters, and whether the log is whole.

use serde::Serialize;

use crate::admin::{AdminError, Authority, organizations};
use crate::audit::{self, Verdict};
use crate::model::role::AUDIT_READ;
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::store::audit as stored;
use crate::store::audit::RecordedEvent;

pub use crate::store::audit::{Filter, From};

/// Events on one page at most.
pub const LARGEST_PAGE: usize = 1000;

/// An event as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Running number, with gaps; pages go on from it.
    pub seq: i64,
    /// When.
    pub time: Timestamp,
    /// `user`, `client` or `system`.
    pub actor_kind: String,
    /// Who.
    pub actor: String,
    /// Noun and verb.
    pub action: String,
    /// The noun.
    pub target_kind: String,
    /// Its id.
    pub target: String,
    /// The organization that it belongs to.
    pub organization: Option<String>,
    /// Where the request came from.
    pub ip: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// `ok` or `refused`.
    pub result: String,
    /// What changed, never a secret.
    pub details: String,
    /// Its place in the sealed chain; none within the first second.
    pub number: Option<i64>,
}

impl Event {
    fn of(recorded: RecordedEvent) -> Self {
        Self {
            seq: recorded.seq,
            time: Timestamp::from_micros(recorded.occurred_at),
            actor_kind: recorded.actor_kind,
            actor: recorded.actor_id,
            action: recorded.action,
            target_kind: recorded.target_kind,
            target: recorded.target_id,
            organization: recorded.organization_id,
            ip: recorded.ip,
            request_id: recorded.request_id,
            result: recorded.result,
            details: recorded.details,
            number: recorded.number,
        }
    }
}

/// A page of events.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// The events, in the order that was asked for.
    pub events: Vec<Event>,
    /// The `seq` to go on from; none where nothing more is there.
    pub next: Option<i64>,
}

/// A page of the events that this authority sees: all, or those of its own organization.
///
/// # Errors
/// [`AdminError::Forbidden`] without the permission to read the log.
pub async fn list(
    context: &Context,
    by: &Authority,
    filter: &Filter,
    from: From,
    limit: usize,
) -> Result<Page, AdminError> {
    by.require(AUDIT_READ)?;
    let mut filter = filter.clone();
    if let Some(own) = by.organization() {
        if filter.organization.as_deref().is_some_and(|asked| asked != own) {
            return Ok(Page { events: Vec::new(), next: None });
        }
        filter.organization = Some(own.to_owned());
    }
    let limit = limit.clamp(1, LARGEST_PAGE);
    let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut found = context.store.read(move |db| stored::page(db, &filter, from, one_more)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|event| event.seq);
    Ok(Page { events: found.into_iter().map(Event::of).collect(), next })
}

/// Checks the whole chain; for the operator and those who govern what all organizations share, since it is one for all.
///
/// # Errors
/// [`AdminError::Forbidden`] for anybody else.
pub async fn verify(context: &Context, by: &Authority) -> Result<Verdict, AdminError> {
    by.require(AUDIT_READ)?;
    organizations::govern(context, by).await?;
    Ok(audit::verify(&context.store, &context.data_keys.audit).await?)
}
