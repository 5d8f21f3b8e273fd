//! Which organizations a user is in, and their roles in each.

use crate::admin::users::{event, find, manageable, refuse_last_administrator, visible};
use crate::admin::{AdminError, Authority, organizations, roles};
use crate::model::organization::Organization;
use crate::model::role::USERS_MANAGE;
use crate::model::user::{Membership, User};
use crate::oauth::Context;
use crate::store::{StoreError, audit, memberships};

/// A user's places, as far as `by` reaches.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn list(context: &Context, by: &Authority, key: &str) -> Result<Vec<Membership>, AdminError> {
    let user = visible(context, by, key).await?;
    let own = by.user_id() == Some(user.id.as_str());
    let id = user.id.clone();
    let mut places = context.store.read(move |db| memberships::of_user(db, &id)).await?;
    places.retain(|place| own || by.sees(&place.organization_id));
    Ok(places)
}

/// A user's places in the organizations that `by` is in, or has at their disposal.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn places(
    context: &Context,
    by: &Authority,
    key: &str,
) -> Result<Vec<(Organization, Membership)>, AdminError> {
    let user = visible(context, by, key).await?;
    let known = organizations::of_caller(context, by).await?;
    let places = context.store.read(move |db| memberships::of_user(db, &user.id)).await?;
    let named = |place: Membership| {
        let organization = known.iter().find(|known| known.id == place.organization_id)?.clone();
        Some((organization, place))
    };
    Ok(places.into_iter().filter_map(named).collect())
}

/// Gives a user exactly these roles in an organization, and makes them a member of it where they are none.
///
/// Only the operator and principals of the organization that the user was made in find a user who is no member yet:
/// for everybody else the user does not exist.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Forbidden`] if a role holds more than `by` does, given or taken away.
pub async fn set(
    context: &Context,
    by: &Authority,
    key: &str,
    organization: Option<&str>,
    role_keys: &[String],
) -> Result<User, AdminError> {
    by.require(USERS_MANAGE)?;
    let user = find(context, by, key).await?;
    let wanted = organization.or(by.organization()).unwrap_or(&user.organization_id).to_owned();
    let (organization, there) = organizations::elsewhere(context, by, &wanted).await?;
    there.require(USERS_MANAGE)?;
    let organization = organization.id;
    let given = roles::grantable(context, &there, &organization, role_keys).await?;
    let role_ids: Vec<String> = given.iter().map(|role| role.id.clone()).collect();
    let before = role_ids_in(context, &user, &organization).await?;
    if before.is_none() && !by.sees(&user.organization_id) {
        return Err(AdminError::Forbidden(
            "the account belongs to another organization, which alone adds it to others".to_owned(),
        ));
    }
    // Nobody takes away what they do not hold either: the holder may be above them.
    there.may_grant(&roles::permissions(&context.registry.snapshot(), &before.unwrap_or_default()))?;
    let now = context.clock.now();
    let names: Vec<&str> = given.iter().map(|role| role.name.as_str()).collect();
    let event = event("user.roles_set", &user.id, &organization, format!("roles={}", names.join(",")));
    let (actor, changed) = (by.actor.clone(), user.clone());
    context
        .change(move |db| {
            refuse_last_administrator(db, &changed, &organization, Some(&role_ids))?;
            memberships::create(db, &changed.id, &organization, now)?;
            memberships::set_roles(db, &changed.id, &organization, &role_ids)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(user)
}

/// One whose way in (password, address, access) `by` may change: as [`manageable`], and wherever else the user has roles,
/// `by` holds as much there. Whoever can sign in as somebody is them everywhere.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`].
pub(super) async fn controllable(context: &Context, by: &Authority, key: &str) -> Result<User, AdminError> {
    let user = manageable(context, by, key).await?;
    if by.organization().is_none() || organizations::disposes(context, by).await.is_ok() {
        return Ok(user);
    }
    let id = user.id.clone();
    let places = context.store.read(move |db| memberships::of_user(db, &id)).await?;
    for place in places {
        if place.organization_id == user.organization_id || place.role_ids.is_empty() {
            continue;
        }
        let held = roles::permissions(&context.registry.snapshot(), &place.role_ids);
        match organizations::elsewhere(context, by, &place.organization_id).await {
            Ok((_, there)) => there.may_grant(&held)?,
            Err(AdminError::NotFound { .. } | AdminError::Forbidden(_)) => {
                return Err(AdminError::Forbidden(
                    "the account has roles in another organization, which are not yours: its user sets a new password \
                     through a link that is sent to them"
                        .to_owned(),
                ));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(user)
}

/// A user's roles in an organization; none where they are no member.
async fn role_ids_in(context: &Context, user: &User, organization_id: &str) -> Result<Option<Vec<String>>, AdminError> {
    let id = user.id.clone();
    let places = context.store.read(move |db| memberships::of_user(db, &id)).await?;
    Ok(places.into_iter().find(|place| place.organization_id == organization_id).map(|place| place.role_ids))
}

/// Gives one role to some members of the organization and takes it from others, all or nothing.
///
/// # Errors
/// As [`set`].
pub async fn assign(
    context: &Context,
    by: &Authority,
    role_key: &str,
    wanted: &[(String, bool)],
) -> Result<(), AdminError> {
    by.require(USERS_MANAGE)?;
    let organization = organizations::reached(context, by, None).await?.id;
    let role = roles::find(context, by, &organization, role_key).await?;
    by.may_grant(&role.permissions)?;
    let now = context.clock.now();
    let mut changes = Vec::new();
    for (key, holds) in wanted {
        let user = find(context, by, key).await?;
        let mut role_ids = role_ids_in(context, &user, &organization).await?.unwrap_or_default();
        if role_ids.contains(&role.id) == *holds {
            continue;
        }
        by.may_grant(&roles::permissions(&context.registry.snapshot(), &role_ids))?;
        if *holds {
            role_ids.push(role.id.clone());
        } else {
            role_ids.retain(|id| *id != role.id);
        }
        let change = if *holds { "added" } else { "removed" };
        let event = event("user.roles_set", &user.id, &organization, format!("{change}={}", role.name));
        changes.push((user, role_ids, event));
    }
    if changes.is_empty() {
        return Ok(());
    }
    let actor = by.actor.clone();
    context
        .change(move |db| {
            for (user, role_ids, event) in &changes {
                refuse_last_administrator(db, user, &organization, Some(role_ids))?;
                memberships::set_roles(db, &user.id, &organization, role_ids)?;
                audit::record(db, &actor, event, now)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

/// Gives a user one more role, in the organization that they were made in or that is named.
///
/// # Errors
/// As [`set`].
pub async fn grant_role(
    context: &Context,
    by: &Authority,
    key: &str,
    organization: Option<&str>,
    role: &str,
) -> Result<User, AdminError> {
    let (user, organization, mut roles) = roles_in(context, by, key, organization).await?;
    let wanted = roles::find(context, by, &organization, role).await?.id;
    if !roles.contains(&wanted) {
        roles.push(wanted);
    }
    set(context, by, &user.id, Some(&organization), &roles).await
}

/// Takes one role away.
///
/// # Errors
/// As [`set`]; [`AdminError::NotFound`] if the user does not have it.
pub async fn revoke_role(
    context: &Context,
    by: &Authority,
    key: &str,
    organization: Option<&str>,
    role: &str,
) -> Result<User, AdminError> {
    let (user, organization, mut roles) = roles_in(context, by, key, organization).await?;
    let wanted = roles::find(context, by, &organization, role).await?.id;
    let had = roles.len();
    roles.retain(|held| *held != wanted);
    if roles.len() == had {
        return Err(AdminError::Refused(format!("{} does not have the role {role}", user.username)));
    }
    set(context, by, &user.id, Some(&organization), &roles).await
}

async fn roles_in(
    context: &Context,
    by: &Authority,
    key: &str,
    organization: Option<&str>,
) -> Result<(User, String, Vec<String>), AdminError> {
    let user = find(context, by, key).await?;
    let organization = match organization {
        Some(_) => organizations::reached(context, by, organization).await?.id,
        None => by.organization().unwrap_or(&user.organization_id).to_owned(),
    };
    let places = list(context, by, key).await?;
    let roles = places.into_iter().find(|place| place.organization_id == organization);
    Ok((user, organization, roles.map(|place| place.role_ids).unwrap_or_default()))
}

/// Ends a membership. The organization that a user was made in cannot be left: the account would belong to nobody.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Refused`].
pub async fn end(context: &Context, by: &Authority, key: &str, organization: &str) -> Result<User, AdminError> {
    by.require(USERS_MANAGE)?;
    let user = find(context, by, key).await?;
    let (organization, there) = organizations::elsewhere(context, by, organization).await?;
    there.require(USERS_MANAGE)?;
    let organization = organization.id;
    if organization == user.organization_id {
        return Err(AdminError::Refused(
            "a user stays in the organization that they were made in: disable or delete them instead".to_owned(),
        ));
    }
    let before = role_ids_in(context, &user, &organization).await?.unwrap_or_default();
    there.may_grant(&roles::permissions(&context.registry.snapshot(), &before))?;
    let now = context.clock.now();
    let event = event("user.membership_ended", &user.id, &organization, String::new());
    let (actor, changed) = (by.actor.clone(), user.clone());
    context
        .change(move |db| {
            refuse_last_administrator(db, &changed, &organization, None)?;
            if !memberships::delete(db, &changed.id, &organization)? {
                return Err(StoreError::Conflict("the user is not a member of it".to_owned()));
            }
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(user)
}
