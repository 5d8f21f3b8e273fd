//! What ended access tokens before their time, for resource servers that check them offline.
//!
//! An access token is dead if its `jti`, or its `sid`, is listed; or if one of the three numbers of its `epoch` claim is
//! below the epoch of its client (`client_id`), its user (`sub`) or its organization (`org`) here.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::organizations::DEFAULT_SLUG;
use crate::admin::{AdminError, Authority};
use crate::model::audit::ActorKind;
use crate::oauth::Context;
use crate::registry::LONGEST_ACCESS_LIFETIME;
use crate::store::{clients, denied_tokens, families, organizations, users};

/// What ended access tokens after a change.
#[derive(Debug, Default, Serialize, ToSchema)]
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
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct RaisedEpochs {
    /// The first number of the claim, by `client_id`.
    pub clients: BTreeMap<String, i64>,
    /// The second, by `sub`.
    pub users: BTreeMap<String, i64>,
    /// The third, by `org`.
    pub organizations: BTreeMap<String, i64>,
}

/// The change up to which [`since`] tells, for clients that may introspect and belong to the default organization: the list is that
/// of all organizations.
///
/// # Errors
/// [`AdminError::Forbidden`].
pub fn change(context: &Context, by: &Authority) -> Result<i64, AdminError> {
    let snapshot = context.registry.snapshot();
    let client = snapshot.client(&by.actor.id).filter(|client| {
        let organization = snapshot.organization(&client.organization_id);
        let governs = organization.is_some_and(|organization| organization.slug == DEFAULT_SLUG);
        by.actor.kind == ActorKind::Client && client.may_introspect && governs
    });
    match client {
        Some(_) => Ok(snapshot.change),
        None => Err(AdminError::Forbidden(
            "this is for clients of the default organization that may introspect tokens".to_owned(),
        )),
    }
}

/// What changed after `since`; everything that a living token can meet without one, and where `since` is of a future that a
/// restore took back. `change` is that of [`change`].
///
/// # Errors
/// [`AdminError::Unavailable`] if the database cannot be read.
pub async fn since(context: &Context, change: i64, since: Option<i64>) -> Result<Revocations, AdminError> {
    if since == Some(change) {
        return Ok(Revocations { change, ..Revocations::default() });
    }
    let known = since.filter(|since| (0..change).contains(since));
    let oldest = context.clock.now().plus_seconds(-LONGEST_ACCESS_LIFETIME);
    let read = context.store.read(move |db| {
        // What is committed after the picture that named `change` is told twice, never missed.
        let after = known.unwrap_or(-1);
        let raised = organizations::changed_since(db, after)?.into_iter().filter(|organization| organization.epoch > 0);
        let epochs = RaisedEpochs {
            organizations: raised.map(|organization| (organization.id, organization.epoch)).collect(),
            clients: clients::epochs_since(db, after)?.into_iter().collect(),
            users: users::epochs_raised(db, after, oldest)?.into_iter().map(|(id, epoch, _)| (id, epoch)).collect(),
        };
        Ok(Revocations {
            change,
            complete: known.is_none(),
            tokens: denied_tokens::changed_since(db, after)?.into_iter().map(|(jti, _)| jti).collect(),
            families: families::ended_since(db, after, oldest)?.into_iter().map(|(id, _)| id).collect(),
            epochs,
        })
    });
    Ok(read.await?)
}
