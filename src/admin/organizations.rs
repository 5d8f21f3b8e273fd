//! Organizations.

use crate::admin::{AdminError, Authority};
use crate::model::audit::AuditEvent;
use crate::model::organization::{Organization, OrganizationStatus};
use crate::model::role::{ROLES_MANAGE, SCOPES_MANAGE, USERS_MANAGE};
use crate::oauth::Context;
use crate::store::{Db, StoreError, audit, memberships, organizations};

/// The slug of the organization that the first start makes. Its principals govern what all organizations share:
/// the catalogue of scopes, signing keys, and the organizations themselves.
pub const DEFAULT_SLUG: &str = "default";

/// Makes an organization.
///
/// # Errors
/// [`AdminError::Refused`] if the slug is taken; [`AdminError::Invalid`] if it is none.
pub async fn create(context: &Context, by: &Authority, name: &str, slug: &str) -> Result<Organization, AdminError> {
    disposes(context, by).await?;
    let is_slug = !slug.is_empty()
        && slug.len() <= 60
        && !slug.starts_with('-')
        && slug.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && slug.bytes().any(|byte| byte.is_ascii_lowercase());
    if !is_slug {
        return Err(AdminError::invalid("slug", "a slug has 1 to 60 of a-z, 0-9 and '-', a letter among them"));
    }
    if uuid::Uuid::parse_str(slug).is_ok() {
        return Err(AdminError::invalid("slug", "a slug is not a UUID: those are ids"));
    }
    let name = checked_name(name)?;
    let now = context.clock.now();
    let id = crate::crypto::identifier::uuid_v7(now, &context.random);
    let (actor, slug) = (by.actor.clone(), slug.to_owned());
    let made = context
        .change(move |db| {
            if organizations::find(db, &slug)?.is_some() {
                return Err(StoreError::Conflict(format!("there is an organization `{slug}` already")));
            }
            let made = organizations::create(db, &id, &slug, &name, now)?;
            audit::record(db, &actor, &event("organization.created", &made.id, format!("slug={slug}")), now)?;
            Ok(made)
        })
        .await?;
    Ok(made)
}

fn checked_name(name: &str) -> Result<String, AdminError> {
    let name = name.trim();
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Err(AdminError::invalid("name", "a name has 1 to 255 bytes on one line"));
    }
    Ok(name.to_owned())
}

/// That `by` governs what all organizations share: the operator does, and principals of the default organization.
///
/// # Errors
/// [`AdminError::Forbidden`].
pub async fn govern(context: &Context, by: &Authority) -> Result<(), AdminError> {
    let Some(own) = by.organization() else { return Ok(()) };
    let own = own.to_owned();
    let found = context.store.read(move |db| organizations::find(db, &own)).await?;
    if found.is_some_and(|organization| organization.slug == DEFAULT_SLUG) {
        return Ok(());
    }
    Err(AdminError::Forbidden("all organizations share this: only the default organization changes it".to_owned()))
}

/// That `by` has organizations at their disposal, with all who are in them: the operator does, and administrators of
/// the default organization.
pub(super) async fn disposes(context: &Context, by: &Authority) -> Result<(), AdminError> {
    for permission in [USERS_MANAGE, ROLES_MANAGE, SCOPES_MANAGE] {
        by.require(permission)?;
    }
    govern(context, by).await
}

/// All organizations, for whoever has them at their disposal.
///
/// # Errors
/// [`AdminError::Forbidden`].
pub async fn all(context: &Context, by: &Authority) -> Result<Vec<Organization>, AdminError> {
    disposes(context, by).await?;
    Ok(context.store.read(organizations::list).await?)
}

/// What somebody at the console may do in one of the organizations that they are in: as much as their roles there permit;
/// as much as here where all organizations are at their disposal. A credential reaches its own organization alone.
///
/// # Errors
/// [`AdminError::NotFound`] if it is none of theirs.
pub async fn elsewhere(context: &Context, by: &Authority, key: &str) -> Result<(Organization, Authority), AdminError> {
    let Some(here) = by.organization().filter(|_| by.moves()) else {
        return Ok((reached(context, by, Some(key)).await?, by.clone()));
    };
    let found = of_caller_by(context, by, key).await?;
    if found.id == here {
        return Ok((found, by.clone()));
    }
    if disposes(context, by).await.is_ok() {
        let there = by.moved_to(&found.id, None);
        return Ok((found, there));
    }
    let (id, user) = (found.id.clone(), by.user_id().unwrap_or_default().to_owned());
    let place = move |db: &mut Db| {
        let places = memberships::of_user(db, &user)?;
        Ok(places.into_iter().find(|place| place.organization_id == id).map(|place| place.role_ids))
    };
    let role_ids = context.store.read(place).await?.unwrap_or_default();
    let held = crate::admin::roles::permissions(&context.registry.snapshot(), &role_ids);
    let there = by.moved_to(&found.id, Some(held));
    Ok((found, there))
}

/// The organizations in reach.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn list(context: &Context, by: &Authority) -> Result<Vec<Organization>, AdminError> {
    let mut all = context.store.read(organizations::list).await?;
    all.retain(|organization| by.sees(&organization.id));
    Ok(all)
}

/// The organizations that a caller is in; for whoever governs, all.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn of_caller(context: &Context, by: &Authority) -> Result<Vec<Organization>, AdminError> {
    if by.holds(SCOPES_MANAGE) && govern(context, by).await.is_ok() {
        return Ok(context.store.read(organizations::list).await?);
    }
    let (own, user) = (by.organization().map(str::to_owned), by.user_id().map(str::to_owned));
    let read = move |db: &mut Db| {
        let places = match &user {
            Some(user) => memberships::of_user(db, user)?,
            None => Vec::new(),
        };
        let mut all = organizations::list(db)?;
        all.retain(|one| own.as_deref() == Some(&one.id) || places.iter().any(|place| place.organization_id == one.id));
        Ok(all)
    };
    Ok(context.store.read(read).await?)
}

/// One of those by id, slug or number.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn of_caller_by(context: &Context, by: &Authority, key: &str) -> Result<Organization, AdminError> {
    let found = of_caller(context, by).await?.into_iter();
    let mut found = found.filter(|one| one.id == key || one.slug == key || one.number.to_string() == key);
    found.next().ok_or_else(|| AdminError::not_found("organization", key))
}

/// One by id, slug or number, if it is in reach. Where none is named: the only one in reach, or the default one.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn reached(context: &Context, by: &Authority, key: Option<&str>) -> Result<Organization, AdminError> {
    let key = key.or(by.organization()).unwrap_or(DEFAULT_SLUG).to_owned();
    let wanted = key.clone();
    let found = context.store.read(move |db| organizations::find(db, &wanted)).await?;
    found.filter(|organization| by.sees(&organization.id)).ok_or_else(|| AdminError::not_found("organization", &key))
}

/// Gives an organization another name. Its number and slug stay.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Invalid`].
pub async fn rename(context: &Context, by: &Authority, key: &str, name: &str) -> Result<Organization, AdminError> {
    disposes(context, by).await?;
    // Whoever governs sees them all.
    let mut organization = reached(context, &Authority::operator(), Some(key)).await?;
    let name = checked_name(name)?;
    let now = context.clock.now();
    let (actor, id, new) = (by.actor.clone(), organization.id.clone(), name.clone());
    context
        .change(move |db| {
            organizations::rename(db, &id, &new)?;
            audit::record(db, &actor, &event("organization.renamed", &id, format!("name={new}")), now)
        })
        .await?;
    organization.name = name;
    Ok(organization)
}

/// Enables or disables an organization. Disabling ends the tokens of its users and of its clients.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for the default one, which administers the others.
pub async fn set_status(
    context: &Context,
    by: &Authority,
    key: &str,
    status: OrganizationStatus,
) -> Result<Organization, AdminError> {
    disposes(context, by).await?;
    let mut organization = reached(context, &Authority::operator(), Some(key)).await?;
    if organization.slug == DEFAULT_SLUG && status == OrganizationStatus::Disabled && by.organization().is_some() {
        return Err(AdminError::Refused("the default organization administers the others".to_owned()));
    }
    let now = context.clock.now();
    let (actor, id) = (by.actor.clone(), organization.id.clone());
    context
        .change(move |db| {
            organizations::set_status(db, &id, status)?;
            audit::record(db, &actor, &event("organization.status_changed", &id, format!("status={status}")), now)
        })
        .await?;
    organization.status = status;
    Ok(organization)
}

fn event(action: &'static str, id: &str, details: String) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "organization",
        target_id: id.to_owned(),
        organization_id: Some(id.to_owned()),
        details,
    }
}
