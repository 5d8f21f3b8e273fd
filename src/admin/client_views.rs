//! Clients as pages show them: with what they are known by, and what happened to them.

use std::collections::HashMap;

use crate::admin::clients::{self, DENIED, REASON, approves, find};
use crate::admin::{AdminError, Authority};
use crate::model::client::{Client, ClientStatus};
use crate::model::reveal::RevealPolicy;
use crate::model::role::APPLICATIONS_MANAGE;
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::store::audit::RecordedEvent;
use crate::store::clients::ClientFilter;
use crate::store::{Db, audit, clients as stored, user_names};

/// A client and what stands beside it in a list.
#[derive(Debug, Clone)]
pub struct ClientView {
    /// The client.
    pub client: Client,
    /// When it was made.
    pub created_at: Timestamp,
    /// The username of who registered it; none where it was the operator, or somebody of another organization.
    pub owner: Option<String>,
    /// The newest secret that can be shown again.
    pub revealable: Option<String>,
}

/// As [`clients::page`].
///
/// # Errors
/// [`AdminError::Forbidden`].
pub async fn page(
    context: &Context,
    by: &Authority,
    filter: ClientFilter,
    after: &str,
    limit: i64,
) -> Result<Vec<ClientView>, AdminError> {
    let found = clients::page(context, by, filter, after, limit).await?;
    views(context, by, found).await
}

/// One by client id or label, if `by` sees it.
///
/// # Errors
/// [`AdminError::Forbidden`]; [`AdminError::NotFound`].
pub async fn one(context: &Context, by: &Authority, key: &str) -> Result<ClientView, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    let found = find(context, by, key).await?;
    views(context, by, vec![found]).await?.pop().ok_or_else(|| AdminError::not_found("client", key))
}

async fn views(context: &Context, by: &Authority, found: Vec<Client>) -> Result<Vec<ClientView>, AdminError> {
    let ids: Vec<String> = found.iter().map(|client| client.client_id.clone()).collect();
    let owners: Vec<String> = found.iter().filter_map(|client| client.owner_id.clone()).collect();
    let shows_again = context.credentials.reveal.client_secret == RevealPolicy::Always;
    let now = context.clock.now();
    let read = move |db: &mut Db| {
        let revealable = if shows_again { stored::revealable(db, &ids, now)? } else { HashMap::new() };
        Ok((stored::made_at(db, &ids)?, user_names::of(db, &owners)?, revealable))
    };
    let (made_at, owners, mut revealable) = context.store.read(read).await?;
    let view = |client: Client| ClientView {
        created_at: made_at.get(&client.client_id).copied().unwrap_or_default(),
        owner: client.owner_id.as_ref().and_then(|id| owners.get(id)).and_then(|found| seen(by, found)),
        revealable: revealable.remove(&client.client_id),
        client,
    };
    Ok(found.into_iter().map(view).collect())
}

fn seen(by: &Authority, (organization_id, username): &(String, String)) -> Option<String> {
    by.sees(organization_id).then(|| username.clone())
}

/// The usernames of users of the organization, by their ids; others are not in it.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn usernames(
    context: &Context,
    by: &Authority,
    mut ids: Vec<String>,
) -> Result<HashMap<String, String>, AdminError> {
    ids.sort_unstable();
    ids.dedup();
    let found = context.store.read(move |db| user_names::of(db, &ids)).await?;
    Ok(found.into_iter().filter_map(|(id, one)| Some((id, seen(by, &one)?))).collect())
}

/// What concerns a client's security, newest first: whoever sees the client sees it, without the permission to read the
/// whole audit log. The second part is where the next page goes on.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn security_events(
    context: &Context,
    client: &Client,
    before: Option<i64>,
    limit: usize,
) -> Result<(Vec<RecordedEvent>, Option<i64>), AdminError> {
    let id = client.client_id.clone();
    let secrets: Vec<String> =
        client.secrets.iter().chain(&client.ended_secrets).map(|secret| secret.id.clone()).collect();
    let one_more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut found = context.store.read(move |db| audit::of_client(db, &id, &secrets, before, one_more)).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|event| event.seq);
    Ok((found, next))
}

/// Why a client was denied, if it was.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn reason_of_denial(context: &Context, client: &Client) -> Result<Option<String>, AdminError> {
    if client.status != ClientStatus::Denied {
        return Ok(None);
    }
    let (events, _) = security_events(context, client, None, 20).await?;
    let denied = events.into_iter().find(|event| event.action == DENIED);
    Ok(denied.and_then(|event| event.details.strip_prefix(REASON).map(str::to_owned)))
}

/// Whether `by` decides about this client: nobody about their own.
#[must_use]
pub fn decides(by: &Authority, owner_id: Option<&str>) -> bool {
    approves(by) && (owner_id.is_none() || owner_id != by.user_id())
}
