//! `/api/v1/audit-events`.

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::AdminError;
use crate::admin::audit::{self, Event, Filter, From as Start};
use crate::http::admin_api::call::Call;
use crate::http::admin_api::members;
use crate::http::paging::{Page, Paging};

const LIST: &str = "audit events";

/// Something that was changed, or refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    /// Running number, with gaps.
    seq: i64,
    #[schema(format = DateTime)]
    time: String,
    /// `user`, `client` or `system`.
    actor_kind: String,
    actor: String,
    /// Noun and verb.
    action: String,
    target_kind: String,
    target: String,
    #[schema(required = true)]
    organization: Option<String>,
    #[schema(required = true)]
    ip: Option<String>,
    #[schema(required = true)]
    request_id: Option<String>,
    /// `ok` or `refused`.
    result: String,
    /// What changed, never a secret.
    details: String,
}

impl From<Event> for AuditEvent {
    fn from(event: Event) -> Self {
        Self {
            seq: event.seq,
            time: event.time.rfc3339(),
            actor_kind: event.actor_kind,
            actor: event.actor,
            action: event.action,
            target_kind: event.target_kind,
            target: event.target,
            organization: event.organization,
            ip: event.ip,
            request_id: event.request_id,
            result: event.result,
            details: event.details,
        }
    }
}

/// A list's query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    since: Option<String>,
    until: Option<String>,
    actor: Option<String>,
    action: Option<String>,
    target: Option<String>,
    result: Option<String>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// The organization's audit events, newest first.
#[utoipa::path(get, path = "/api/v1/audit-events", tag = "Audit",
    params(("limit" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
        ("since" = Option<String>, Query, description = "RFC 3339"),
        ("until" = Option<String>, Query, description = "RFC 3339"),
        ("actor" = Option<String>, Query), ("action" = Option<String>, Query, description = "client.created, or client.*"),
        ("target" = Option<String>, Query), ("result" = Option<String>, Query, description = "ok or refused")),
    responses((status = 200, body = Page<AuditEvent>)))]
pub async fn list(call: Call, query: members::Query<AuditQuery>) -> HttpResponse {
    call.answer(page(&call, query).await)
}

async fn page(call: &Call, query: members::Query<AuditQuery>) -> Result<Page<AuditEvent>, AdminError> {
    let query = query.read()?;
    let window = Paging { limit: query.limit, cursor: query.cursor }.window(call.context(), LIST)?;
    let filter = Filter {
        since: members::instant("since", query.since.as_deref())?,
        until: members::instant("until", query.until.as_deref())?,
        actor: query.actor,
        action: query.action,
        target: query.target,
        organization: None,
        result: members::word("result", query.result.as_deref())?,
    };
    // A cursor of ours is a number.
    let start = window.after.parse().map_or(Start::Newest, Start::Before);
    let limit = usize::try_from(window.limit).unwrap_or_default();
    let found = audit::list(call.context(), &call.by, &filter, start, limit).await?;
    Ok(window.page(call.context(), LIST, found.events, |event| event.seq.to_string(), AuditEvent::from))
}
