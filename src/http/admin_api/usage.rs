//! `/api/v1/usage`, and the usage of one client.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::usage::{self, CredentialUsage, Step, Window};
use crate::admin::{AdminError, clients};
use crate::http::admin_api::call::Call;
use crate::http::admin_api::members;
use crate::model::role::{APPLICATIONS_MANAGE, AUDIT_READ};
use crate::model::time::Timestamp;
use crate::model::usage::{Counters, CredentialKind};

/// What is shown where no time is named, in seconds.
const USUAL: i64 = 30 * 86_400;

/// How often a credential was used in a step.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageStep {
    #[schema(format = DateTime)]
    from: String,
    /// Tokens issued.
    issued: i64,
    /// Requests verified.
    verified: i64,
    /// Uses refused.
    refused: i64,
}

/// What a counter is made of.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageDetail {
    /// `refused`, `grant` or `method`.
    detail: String,
    name: String,
    count: i64,
}

/// The use of one credential.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    /// Steps without use are left out.
    steps: Vec<UsageStep>,
    issued: i64,
    verified: i64,
    refused: i64,
    details: Vec<UsageDetail>,
    #[schema(required = true, format = DateTime)]
    last_used_at: Option<String>,
    #[schema(required = true)]
    last_used_ip: Option<String>,
}

impl From<CredentialUsage> for Usage {
    fn from(usage: CredentialUsage) -> Self {
        let step = |from: Timestamp, counters: Counters| UsageStep {
            from: from.rfc3339(),
            issued: counters.issued,
            verified: counters.verified,
            refused: counters.refused,
        };
        let details = usage.details.into_iter();
        Self {
            steps: usage.steps.into_iter().map(|one| step(one.from, one.counters)).collect(),
            issued: usage.total.issued,
            verified: usage.total.verified,
            refused: usage.total.refused,
            details: details.map(|one| UsageDetail { detail: one.detail, name: one.name, count: one.count }).collect(),
            last_used_at: usage.last_used.as_ref().map(|last| last.at.rfc3339()),
            last_used_ip: usage.last_used.map(|last| last.ip),
        }
    }
}

/// Which use is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    kind: Option<String>,
    id: Option<String>,
    since: Option<String>,
    until: Option<String>,
    step: Option<String>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

impl UsageQuery {
    fn window(&self, call: &Call) -> Result<(Window, Step), AdminError> {
        let now = call.context().clock.now();
        let until = members::instant("until", self.until.as_deref())?.unwrap_or(now);
        let since = members::instant("since", self.since.as_deref())?.unwrap_or(until.plus_seconds(-USUAL));
        if until < since {
            return Err(AdminError::invalid("until", "lies before since"));
        }
        let step = members::word("step", self.step.as_deref())?.unwrap_or(Step::Day);
        Ok((Window { since, until }, step))
    }
}

/// How often a credential of the organization was used: tokens issued, requests verified, uses refused.
#[utoipa::path(get, path = "/api/v1/usage", tag = "Usage",
    params(("kind" = String, Query, description = "client, client_secret, api_key or user"), ("id" = String, Query),
        ("since" = Option<String>, Query, description = "RFC 3339; 30 days ago if nothing is said"),
        ("until" = Option<String>, Query, description = "RFC 3339; now if nothing is said"),
        ("step" = Option<String>, Query, description = "hour, or day if nothing is said")),
    responses((status = 200, body = Usage)))]
pub async fn show(call: Call, query: members::Query<UsageQuery>) -> HttpResponse {
    let found = async {
        call.by.require(AUDIT_READ)?;
        let query = query.read()?;
        let (window, step) = query.window(&call)?;
        let kind: Option<CredentialKind> = members::word("kind", query.kind.as_deref())?;
        let kind = kind.ok_or_else(|| AdminError::invalid("kind", "is required"))?;
        let id = query.id.ok_or_else(|| AdminError::invalid("id", "is required"))?;
        usage::of_credential(call.context(), &call.by, kind, &id, window, step).await.map(Usage::from)
    };
    call.answer(found.await)
}

/// How often an application was used; its developer sees it too.
#[utoipa::path(get, path = "/api/v1/clients/{client}/usage", tag = "Usage",
    params(("client" = String, Path), ("since" = Option<String>, Query, description = "RFC 3339"),
        ("until" = Option<String>, Query, description = "RFC 3339"),
        ("step" = Option<String>, Query, description = "hour, or day if nothing is said")),
    responses((status = 200, body = Usage)))]
pub async fn of_client(call: Call, key: web::Path<String>, query: members::Query<UsageQuery>) -> HttpResponse {
    let found = async {
        call.by.require(APPLICATIONS_MANAGE)?;
        let client = clients::find(call.context(), &call.by, &key).await?;
        let (window, step) = query.read()?.window(&call)?;
        // Whoever sees the client sees its use, without the permission to read the whole audit log.
        let kind = CredentialKind::Client;
        usage::read(call.context(), kind, &client.client_id, window, step).await.map(Usage::from)
    };
    call.answer(found.await)
}
