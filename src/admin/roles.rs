//! Roles.

use std::collections::BTreeSet;

use crate::admin::{AdminError, Authority, organizations, users};
use crate::model::audit::AuditEvent;
use crate::model::role::{BUILT_IN_PERMISSIONS, ROLES_MANAGE, Role};
use crate::oauth::Context;
use crate::registry::Snapshot;
use crate::store::user_profiles::{UserFilter, UserProfile};
use crate::store::{audit, memberships, roles, scopes};

/// What a role is to be.
#[derive(Debug, Clone, Default)]
pub struct RoleRequest {
    /// Its name, unique in the organization.
    pub name: String,
    /// For people.
    pub description: String,
    /// Built-in permissions and scopes of the catalogue.
    pub permissions: Vec<String>,
}

/// Makes a role. Every permission is a built-in one or a scope of the catalogue.
///
/// # Errors
/// [`AdminError::Refused`] if the name is taken, [`AdminError::Invalid`] if a permission is not known.
pub async fn create(
    context: &Context,
    by: &Authority,
    organization: Option<&str>,
    request: &RoleRequest,
) -> Result<Role, AdminError> {
    by.require(ROLES_MANAGE)?;
    let organization = organizations::reached(context, by, organization).await?;
    let role = checked(context, by, &organization.id, request, None).await?;
    let now = context.clock.now();
    let (actor, made) = (by.actor.clone(), role.clone());
    context
        .change(move |db| {
            roles::create(db, &role, now)?;
            audit::record(db, &actor, &event("role.created", &role, details(&role)), now)
        })
        .await?;
    Ok(made)
}

async fn checked(
    context: &Context,
    by: &Authority,
    organization_id: &str,
    request: &RoleRequest,
    known: Option<&Role>,
) -> Result<Role, AdminError> {
    by.may_grant(&request.permissions)?;
    let catalogue: BTreeSet<String> =
        context.store.read(scopes::list).await?.into_iter().map(|scope| scope.name).collect();
    if let Some(unknown) = request
        .permissions
        .iter()
        .find(|permission| !BUILT_IN_PERMISSIONS.contains(&permission.as_str()) && !catalogue.contains(*permission))
    {
        return Err(AdminError::invalid(
            "permissions",
            format!(
                "`{unknown}` is neither a built-in permission ({}) nor a scope of the catalogue (grantor scope create --name '{unknown}' adds it)",
                BUILT_IN_PERMISSIONS.join(", ")
            ),
        ));
    }
    let name = request.name.trim();
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Err(AdminError::invalid("name", "has 1 to 255 bytes on one line"));
    }
    if uuid::Uuid::parse_str(name).is_ok() {
        return Err(AdminError::invalid("name", "is not a UUID: those are roles' ids"));
    }
    if request.description.len() > 4096 {
        return Err(AdminError::invalid("description", "has at most 4096 bytes"));
    }
    let same = find(context, by, organization_id, name).await.ok();
    if same.is_some_and(|same| known.is_none_or(|known| known.id != same.id)) {
        return Err(AdminError::Refused(taken(name)));
    }
    let now = context.clock.now();
    Ok(Role {
        id: known.map_or_else(|| crate::crypto::identifier::uuid_v7(now, &context.random), |known| known.id.clone()),
        organization_id: Some(organization_id.to_owned()),
        name: name.to_owned(),
        description: request.description.clone(),
        permissions: request.permissions.iter().cloned().collect(),
    })
}

/// What is said where a role has a name already.
#[must_use]
pub fn taken(name: &str) -> String {
    format!("there is a role `{}` already", name.trim())
}

/// Changes a role of an organization's own. Its holders have the new permissions at their next request.
///
/// # Errors
/// [`AdminError`]; a built-in role stays as it is.
pub async fn update(
    context: &Context,
    by: &Authority,
    organization: Option<&str>,
    key: &str,
    request: &RoleRequest,
) -> Result<Role, AdminError> {
    by.require(ROLES_MANAGE)?;
    let organization = organizations::reached(context, by, organization).await?;
    let known = own(context, by, &organization.id, key).await?;
    let role = checked(context, by, &organization.id, request, Some(&known)).await?;
    let now = context.clock.now();
    let (actor, made) = (by.actor.clone(), role.clone());
    context
        .change(move |db| {
            roles::update(db, &role)?;
            audit::record(db, &actor, &event("role.changed", &role, details(&role)), now)
        })
        .await?;
    Ok(made)
}

/// Removes a role of an organization's own, and takes it from its holders.
///
/// # Errors
/// [`AdminError`]; a built-in role stays.
pub async fn delete(
    context: &Context,
    by: &Authority,
    organization: Option<&str>,
    key: &str,
) -> Result<Role, AdminError> {
    by.require(ROLES_MANAGE)?;
    let organization = organizations::reached(context, by, organization).await?;
    let role = own(context, by, &organization.id, key).await?;
    let now = context.clock.now();
    let (actor, removed) = (by.actor.clone(), role.clone());
    context
        .change(move |db| {
            roles::delete(db, &removed.id)?;
            audit::record(db, &actor, &event("role.deleted", &removed, format!("name={}", removed.name)), now)
        })
        .await?;
    Ok(role)
}

/// A role that the organization may change, and that holds nothing that `by` does not.
async fn own(context: &Context, by: &Authority, organization_id: &str, key: &str) -> Result<Role, AdminError> {
    let role = find(context, by, organization_id, key).await?;
    if role.organization_id.is_none() {
        return Err(AdminError::Refused(format!("the role {} is built in: make one of your own", role.name)));
    }
    by.may_grant(&role.permissions)?;
    Ok(role)
}

/// The built-in roles and those of an organization.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn list(context: &Context, by: &Authority, organization: Option<&str>) -> Result<Vec<Role>, AdminError> {
    let organization = organizations::reached(context, by, organization).await?;
    Ok(context.store.read(move |db| roles::list(db, &organization.id)).await?)
}

/// One by id or name, among the built-in ones and those of an organization.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn find(context: &Context, by: &Authority, organization_id: &str, key: &str) -> Result<Role, AdminError> {
    if !by.sees(organization_id) {
        return Err(AdminError::not_found("role", key));
    }
    let (organization_id, wanted) = (organization_id.to_owned(), key.to_owned());
    let found = context.store.read(move |db| roles::find(db, &organization_id, &wanted)).await?;
    found.ok_or_else(|| AdminError::not_found("role", key))
}

/// Roles by id or name, which `by` may give to others.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Forbidden`] if one holds more than `by` does.
pub async fn grantable(
    context: &Context,
    by: &Authority,
    organization_id: &str,
    keys: &[String],
) -> Result<Vec<Role>, AdminError> {
    let mut found: Vec<Role> = Vec::with_capacity(keys.len());
    for key in keys {
        let role = find(context, by, organization_id, key).await?;
        by.may_grant(&role.permissions)?;
        if !found.iter().any(|known| known.id == role.id) {
            found.push(role);
        }
    }
    Ok(found)
}

/// The ids of the users who have a role, after one id.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn holders(
    context: &Context,
    by: &Authority,
    organization: Option<&str>,
    key: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, AdminError> {
    by.require(ROLES_MANAGE)?;
    let organization = organizations::reached(context, by, organization).await?;
    let role = find(context, by, &organization.id, key).await?;
    let after = after.to_owned();
    let read = move |db: &mut crate::store::Db| memberships::holders_of(db, &organization.id, &role.id, &after, limit);
    Ok(context.store.read(read).await?)
}

/// The members of the organization after one id, and whether each has a role.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`].
pub async fn members(
    context: &Context,
    by: &Authority,
    role: &Role,
    search: Option<String>,
    after: &str,
    limit: i64,
) -> Result<Vec<(UserProfile, bool)>, AdminError> {
    let filter = UserFilter { programmatic: Some(false), search, ..UserFilter::default() };
    let found = users::page(context, by, filter, after, limit).await?;
    let organization = organizations::reached(context, by, None).await?.id;
    let (role_id, ids) = (role.id.clone(), found.iter().map(|user| user.id.clone()).collect::<Vec<_>>());
    let read = move |db: &mut crate::store::Db| memberships::holders_among(db, &organization, &role_id, &ids);
    let holders = context.store.read(read).await?;
    Ok(found.into_iter().map(|user| (holders.contains(&user.id), user)).map(|(holds, user)| (user, holds)).collect())
}

/// Everything that these roles permit together.
#[must_use]
pub fn permissions(snapshot: &Snapshot, role_ids: &[String]) -> BTreeSet<String> {
    role_ids.iter().filter_map(|id| snapshot.role(id)).flat_map(|role| role.permissions.iter().cloned()).collect()
}

fn details(role: &Role) -> String {
    let permissions: Vec<&str> = role.permissions.iter().map(String::as_str).collect();
    format!("name={} permissions={}", role.name, permissions.join(","))
}

fn event(action: &'static str, role: &Role, details: String) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "role",
        target_id: role.id.clone(),
        organization_id: role.organization_id.clone(),
        details,
    }
}
