//! Requests for scopes: asked for with a reason, decided by somebody else.

use crate::admin::clients::{approves, find as find_client};
use crate::admin::{AdminError, Authority};
use crate::model::audit::AuditEvent;
use crate::model::client::Client;
use crate::model::role::{APPLICATIONS_MANAGE, SCOPES_MANAGE};
use crate::model::scope_request::{ScopeRequest, ScopeRequestStatus};
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::store::scope_requests::ScopeRequestFilter;
use crate::store::{StoreError, audit, clients, scope_requests, scopes};

/// A request that is not stored yet.
pub(super) fn pending(
    context: &Context,
    by: &Authority,
    client: &Client,
    scope: &str,
    justification: &str,
    now: Timestamp,
) -> Result<ScopeRequest, AdminError> {
    let justification = justification.trim();
    if justification.is_empty() || justification.len() > 4096 {
        let what = "says in 1 to 4096 bytes why the application needs the scope";
        return Err(AdminError::invalid("justification", what));
    }
    Ok(ScopeRequest {
        id: crate::crypto::identifier::uuid_v7(now, &context.random),
        client_id: client.client_id.clone(),
        organization_id: client.organization_id.clone(),
        scope: scope.to_owned(),
        justification: justification.to_owned(),
        status: ScopeRequestStatus::Pending,
        requested_by: by.actor.id.clone(),
        requested_at: now,
        decided_by: None,
        decided_at: None,
        reason: String::new(),
    })
}

/// Asks for a scope. One that needs no approval is given at once.
///
/// # Errors
/// [`AdminError`] says what cannot be.
pub async fn create(
    context: &Context,
    by: &Authority,
    client_key: &str,
    scope: &str,
    justification: &str,
) -> Result<ScopeRequest, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    let client = find_client(context, by, client_key).await?;
    let known = context.store.read(scopes::list).await?;
    let entry = known.into_iter().find(|entry| entry.name == scope);
    let entry = entry.ok_or_else(|| AdminError::invalid("scope", format!("`{scope}` is not in the catalogue")))?;
    if client.scopes.contains(scope) {
        return Err(AdminError::Refused(format!("the client has the scope {scope} already")));
    }
    let now = context.clock.now();
    let mut request = pending(context, by, &client, scope, justification, now)?;
    if !entry.requires_approval {
        request.status = ScopeRequestStatus::Approved;
    }
    let (actor, asked) = (by.actor.clone(), request.clone());
    context
        .change(move |db| {
            scope_requests::create(db, &asked)?;
            if asked.status == ScopeRequestStatus::Approved {
                clients::add_scope(db, &asked.client_id, &asked.scope)?;
            }
            audit::record(db, &actor, &event("scope.requested", &asked), now)
        })
        .await?;
    Ok(request)
}

/// The requests that `by` sees, after one id, oldest first.
///
/// # Errors
/// [`AdminError::Forbidden`]; [`AdminError::NotFound`] for a client that `by` does not see.
pub async fn page(
    context: &Context,
    by: &Authority,
    mut filter: ScopeRequestFilter,
    after: &str,
    limit: i64,
) -> Result<Vec<ScopeRequest>, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    match &filter.client_id {
        Some(client_id) => filter.client_id = Some(find_client(context, by, client_id).await?.client_id),
        None => by.require(SCOPES_MANAGE)?,
    }
    if let Some(own) = by.organization() {
        filter.organization_id = Some(own.to_owned());
    }
    let after = after.to_owned();
    Ok(context.store.read(move |db| scope_requests::page(db, &filter, &after, limit)).await?)
}

/// Approves or denies a request; never whoever made it.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Forbidden`] for one's own; [`AdminError::Refused`] if it is decided.
pub async fn decide(
    context: &Context,
    by: &Authority,
    id: &str,
    approved: bool,
    reason: &str,
) -> Result<ScopeRequest, AdminError> {
    by.require(SCOPES_MANAGE)?;
    let wanted = id.to_owned();
    let found = context.store.read(move |db| scope_requests::find(db, &wanted)).await?;
    let mut request = found
        .filter(|request| by.sees(&request.organization_id) && approves(by))
        .ok_or_else(|| AdminError::not_found("scope request", id))?;
    // The operator asks and decides for others.
    if by.organization().is_some() && by.actor.id == request.requested_by {
        return Err(AdminError::Forbidden("nobody decides about their own request".to_owned()));
    }
    if reason.len() > 4096 {
        return Err(AdminError::invalid("reason", "has at most 4096 bytes"));
    }
    let now = context.clock.now();
    request.status = if approved { ScopeRequestStatus::Approved } else { ScopeRequestStatus::Denied };
    request.decided_by = Some(by.actor.id.clone());
    request.decided_at = Some(now);
    reason.clone_into(&mut request.reason);
    let (actor, decided) = (by.actor.clone(), request.clone());
    context
        .change(move |db| {
            let by = decided.decided_by.as_deref().unwrap_or_default();
            if !scope_requests::decide(db, &decided.id, decided.status, by, &decided.reason, now)? {
                return Err(StoreError::Conflict("the request is decided already".to_owned()));
            }
            if decided.status == ScopeRequestStatus::Approved {
                clients::add_scope(db, &decided.client_id, &decided.scope)?;
            }
            let action = if approved { "scope.approved" } else { "scope.denied" };
            audit::record(db, &actor, &event(action, &decided), now)
        })
        .await?;
    Ok(request)
}

fn event(action: &'static str, request: &ScopeRequest) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "client",
        target_id: request.client_id.clone(),
        organization_id: Some(request.organization_id.clone()),
        details: format!("scope={} request={}", request.scope, request.id),
    }
}
