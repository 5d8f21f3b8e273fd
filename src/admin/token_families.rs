//! Token families: who is signed in through which client, and an end to it.

use crate::admin::{AdminError, Authority, users};
use crate::model::audit::AuditEvent;
use crate::model::family::{Family, FamilyEnd};
use crate::oauth::Context;
use crate::store::{audit, families};

/// The live families of a user, after one id, oldest first.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`].
pub async fn page(
    context: &Context,
    by: &Authority,
    user: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<Family>, AdminError> {
    let Some(key) = user.or(by.user_id()) else {
        return Err(AdminError::invalid("user", "name the user whose sign-ins are meant"));
    };
    let user = users::account(context, by, key).await?;
    let (after, now) = (after.to_owned(), context.clock.now());
    Ok(context.store.read(move |db| families::live_of_user(db, &user.id, &after, limit, now)).await?)
}

/// Ends a family: its refresh token and its access tokens are dead at once.
///
/// # Errors
/// [`AdminError::NotFound`] for one that [`page`] does not show to `by`: whether it is there, nobody else learns.
pub async fn revoke(context: &Context, by: &Authority, id: &str) -> Result<(), AdminError> {
    let wanted = id.to_owned();
    let not_found = || AdminError::not_found("token family", id);
    let family = context.store.read(move |db| families::find(db, &wanted)).await?.ok_or_else(not_found)?;
    let user = match users::account(context, by, &family.user_id).await {
        Err(AdminError::NotFound { .. } | AdminError::Forbidden(_)) => return Err(not_found()),
        user => user?,
    };
    let now = context.clock.now();
    let event = AuditEvent {
        action: "token_family.revoked",
        target_kind: "token_family",
        target_id: family.id.clone(),
        organization_id: Some(user.organization_id.clone()),
        details: format!("user={} client={}", user.id, family.client_id),
    };
    let actor = by.actor.clone();
    context
        .change(move |db| {
            if families::revoke(db, &family.id, FamilyEnd::Revoked, now)? {
                audit::record(db, &actor, &event, now)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}
