//! Roles.

use std::collections::BTreeSet;

use crate::admin::{AdminError, organizations};
use crate::model::audit::{Actor, AuditEvent};
use crate::model::role::{BUILT_IN_PERMISSIONS, Role};
use crate::oauth::Context;
use crate::store::{audit, roles, scopes};

/// Makes a role. Every permission is a built-in one or a scope of the catalogue.
///
/// # Errors
/// [`AdminError::Refused`] if the name is taken or a permission is not known.
pub async fn create(
    context: &Context,
    actor: &Actor,
    organization: Option<&str>,
    name: &str,
    permissions: &[String],
) -> Result<Role, AdminError> {
    let organization = organizations::find(context, organization).await?;
    let catalogue: BTreeSet<String> =
        context.store.read(scopes::list).await?.into_iter().map(|scope| scope.name).collect();
    if let Some(unknown) = permissions
        .iter()
        .find(|permission| !BUILT_IN_PERMISSIONS.contains(&permission.as_str()) && !catalogue.contains(*permission))
    {
        return Err(AdminError::Refused(format!(
            "`{unknown}` is neither a built-in permission ({}) nor a scope of the catalogue (grantor scope create --name '{unknown}' adds it)",
            BUILT_IN_PERMISSIONS.join(", ")
        )));
    }
    let name = name.trim();
    if name.is_empty() || name.len() > 255 {
        return Err(AdminError::Refused("a role's name has 1 to 255 bytes".to_owned()));
    }
    if find(context, &organization.id, name).await.is_ok() {
        return Err(AdminError::Refused(format!("there is a role `{name}` already")));
    }
    let now = context.clock.now();
    let role = Role {
        id: crate::crypto::identifier::uuid_v7(now, &context.random),
        organization_id: Some(organization.id.clone()),
        name: name.to_owned(),
        description: String::new(),
        permissions: permissions.iter().cloned().collect(),
    };
    let (actor, made) = (actor.clone(), role.clone());
    context
        .change(move |db| {
            roles::create(db, &role, now)?;
            let event = AuditEvent {
                action: "role.created",
                target_kind: "role",
                target_id: role.id.clone(),
                organization_id: role.organization_id.clone(),
                details: format!("name={}", role.name),
            };
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(made)
}

/// The built-in roles and those of an organization.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn list(context: &Context, organization: Option<&str>) -> Result<Vec<Role>, AdminError> {
    let organization = organizations::find(context, organization).await?;
    Ok(context.store.read(move |db| roles::list(db, &organization.id)).await?)
}

/// One by id or name.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn find(context: &Context, organization_id: &str, key: &str) -> Result<Role, AdminError> {
    let (organization_id, wanted) = (organization_id.to_owned(), key.to_owned());
    let found = context.store.read(move |db| roles::find(db, &organization_id, &wanted)).await?;
    found.ok_or_else(|| AdminError::not_found("role", key))
}
