//! What ended access tokens before their time, for resource servers that check them offline.
//!
//! An access token is dead if its `jti`, or its `sid`, is listed; or if one of the three numbers of its `epoch` claim is
//! below the epoch of its client (`client_id`), its user (`sub`) or its organization (`org`, or the client's) here. Whoever
//! asks every second, and for what changed since, refuses a revoked token within the second and asks about no token at all.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::registry::LONGEST_ACCESS_LIFETIME;
use crate::store::{Db, StoreError, clients, denied_tokens, families, organizations, users};

/// What ended access tokens after a change.
#[derive(Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Revocations {
    /// What to ask with the next time.
    pub change: i64,
    /// Whether this is all there is: what was known before is to be forgotten.
    pub complete: bool,
    /// `jti` of access tokens that were revoked.
    pub tokens: Vec<String>,
    /// `sid` of access tokens whose family was ended.
    pub families: Vec<String>,
    /// The epochs of what was changed.
    pub epochs: RaisedEpochs,
}

/// Epochs by id: a token whose `epoch` claim has a lower number in that place is dead.
#[derive(Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RaisedEpochs {
    /// The first number of the claim, by `client_id`.
    pub clients: BTreeMap<String, i64>,
    /// The second, by `sub`.
    pub users: BTreeMap<String, i64>,
    /// The third, by `org`, and by `client_id` for tokens without one: those of clients that act for themselves.
    pub organizations: BTreeMap<String, i64>,
}

/// What changed after `since`; everything that a living token can meet without one, and where `since` is of a future that a
/// restore took back.
///
/// # Errors
/// 503 if the database cannot be read.
pub async fn since(context: &Context, since: Option<i64>) -> Result<Revocations, ProtocolError> {
    let snapshot = context.registry.snapshot();
    let change = snapshot.change;
    if since == Some(change) {
        return Ok(Revocations { change, ..Revocations::default() });
    }
    let known = since.filter(|since| (0..change).contains(since));
    let oldest = context.clock.now().plus_seconds(-LONGEST_ACCESS_LIFETIME);
    let read = context.store.read(move |db: &mut Db| -> Result<Revocations, StoreError> {
        // What is committed after the picture that named `change` is told twice, never missed.
        let after = known.unwrap_or(-1);
        let epochs = RaisedEpochs {
            clients: clients::epochs_since(db, after)?.into_iter().collect(),
            users: users::epochs_raised(db, after, oldest)?.into_iter().map(|(id, epoch, _)| (id, epoch)).collect(),
            organizations: organizations::changed_since(db, after)?
                .into_iter()
                .filter(|organization| organization.epoch > 0)
                .map(|organization| (organization.id, organization.epoch))
                .collect(),
        };
        Ok(Revocations {
            change,
            complete: known.is_none(),
            tokens: denied_tokens::changed_since(db, after)?.into_iter().map(|(jti, _)| jti).collect(),
            families: families::ended_since(db, after, oldest)?.into_iter().map(|(id, _)| id).collect(),
            epochs,
        })
    });
    let mut revocations = read.await?;
    let raised = &revocations.epochs.organizations;
    let of_clients: Vec<(String, i64)> = snapshot
        .clients()
        .filter_map(|client| Some((client.client_id.clone(), *raised.get(&client.organization_id)?)))
        .collect();
    revocations.epochs.organizations.extend(of_clients);
    Ok(revocations)
}
