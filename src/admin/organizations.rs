//! Organizations.

use crate::admin::AdminError;
use crate::model::audit::{Actor, AuditEvent};
use crate::model::organization::{Organization, OrganizationStatus};
use crate::oauth::Context;
use crate::store::{audit, organizations};

/// The slug of the organization that the first start makes.
pub const DEFAULT_SLUG: &str = "default";

/// Makes an organization.
///
/// # Errors
/// [`AdminError::Refused`] if the slug is taken or not a slug.
pub async fn create(context: &Context, actor: &Actor, name: &str, slug: &str) -> Result<Organization, AdminError> {
    let is_slug = !slug.is_empty()
        && slug.len() <= 60
        && !slug.starts_with('-')
        && slug.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && slug.bytes().any(|byte| byte.is_ascii_lowercase());
    if !is_slug {
        return Err(AdminError::Refused("a slug has 1 to 60 of a-z, 0-9 and '-', a letter among them".to_owned()));
    }
    let now = context.clock.now();
    let id = crate::crypto::identifier::uuid_v7(now, &context.random);
    let (actor, name, slug) = (actor.clone(), name.to_owned(), slug.to_owned());
    let made = context
        .change(move |db| {
            let made = organizations::create(db, &id, &slug, &name, now)?;
            let event = AuditEvent {
                action: "organization.created",
                target_kind: "organization",
                target_id: made.id.clone(),
                organization_id: Some(made.id.clone()),
                details: format!("slug={slug}"),
            };
            audit::record(db, &actor, &event, now)?;
            Ok(made)
        })
        .await?;
    Ok(made)
}

/// All organizations.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn list(context: &Context) -> Result<Vec<Organization>, AdminError> {
    Ok(context.store.read(organizations::list).await?)
}

/// One by id, slug or number; the default one where none is named.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn find(context: &Context, key: Option<&str>) -> Result<Organization, AdminError> {
    let key = key.unwrap_or(DEFAULT_SLUG).to_owned();
    let wanted = key.clone();
    let found = context.store.read(move |db| organizations::find(db, &wanted)).await?;
    found.ok_or_else(|| AdminError::not_found("organization", &key))
}

/// Enables or disables an organization; both end its tokens.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn set_status(
    context: &Context,
    actor: &Actor,
    key: &str,
    status: OrganizationStatus,
) -> Result<(), AdminError> {
    let organization = find(context, Some(key)).await?;
    let now = context.clock.now();
    let actor = actor.clone();
    let event = AuditEvent {
        action: "organization.status_changed",
        target_kind: "organization",
        target_id: organization.id.clone(),
        organization_id: Some(organization.id.clone()),
        details: format!("status={status}"),
    };
    context
        .change(move |db| {
            organizations::set_status(db, &organization.id, status)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(())
}
