//! Roles and their permissions.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use crate::model::role::Role;
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::{client_roles, role_permissions, roles, user_roles};
use crate::store::scopes;

type Row = (String, Option<String>, String, String);

const ACTIVE: &str = "active";
// The row stays, without permissions, so that every node hears of it; the name may be given again.
const DELETED: &str = "deleted";

fn with_permissions(db: &mut Db, rows: Vec<Row>) -> Result<Vec<Role>, StoreError> {
    let mut permissions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // Roles are few: one read of all their permissions is cheaper than one for each.
    if !rows.is_empty() {
        for (role, permission) in role_permissions::table.load::<(String, String)>(db)? {
            permissions.entry(role).or_default().insert(permission);
        }
    }
    Ok(rows
        .into_iter()
        .map(|(id, organization_id, name, description)| Role {
            permissions: permissions.remove(&id).unwrap_or_default(),
            id,
            organization_id,
            name,
            description,
        })
        .collect())
}

/// Those that changed after `known`.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn changed_since(db: &mut Db, known: i64) -> Result<Vec<Role>, StoreError> {
    let rows: Vec<Row> = roles::table
        .filter(roles::change.gt(known))
        .select((roles::id, roles::organization_id, roles::name, roles::description))
        .load(db)?;
    with_permissions(db, rows)
}

/// The built-in roles and those of an organization, by name.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn list(db: &mut Db, organization_id: &str) -> Result<Vec<Role>, StoreError> {
    let rows: Vec<Row> = roles::table
        .filter(roles::organization_id.is_null().or(roles::organization_id.eq(organization_id)))
        .filter(roles::status.eq(ACTIVE))
        .order(roles::name)
        .select((roles::id, roles::organization_id, roles::name, roles::description))
        .load(db)?;
    with_permissions(db, rows)
}

/// One by id or by name, among the built-in roles and those of an organization.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db, organization_id: &str, key: &str) -> Result<Option<Role>, StoreError> {
    let found = list(db, organization_id)?.into_iter().filter(|role| role.id == key || role.name == key);
    // An organization's own role comes before a built-in one of the same name.
    Ok(found.max_by_key(|role| role.organization_id.is_some()))
}

/// Makes one.
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken in the organization.
pub fn create(db: &mut Db, role: &Role, now: Timestamp) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::insert_into(roles::table)
        .values((
            roles::id.eq(&role.id),
            roles::organization_id.eq(role.organization_id.as_deref()),
            roles::name.eq(&role.name),
            roles::description.eq(&role.description),
            roles::change.eq(change),
            roles::created_at.eq(now.micros()),
            roles::status.eq(ACTIVE),
        ))
        .execute(db)?;
    insert_permissions(db, role)
}

fn insert_permissions(db: &mut Db, role: &Role) -> Result<(), StoreError> {
    scopes::refuse_deleted(db, role.permissions.iter().map(String::as_str))?;
    for permission in &role.permissions {
        diesel::insert_into(role_permissions::table)
            .values((role_permissions::role_id.eq(&role.id), role_permissions::permission.eq(permission)))
            .execute(db)?;
    }
    Ok(())
}

/// Changes name, description and permissions.
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken in the organization.
pub fn update(db: &mut Db, role: &Role) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(roles::table.filter(roles::id.eq(&role.id)))
        .set((roles::name.eq(&role.name), roles::description.eq(&role.description), roles::change.eq(change)))
        .execute(db)?;
    diesel::delete(role_permissions::table.filter(role_permissions::role_id.eq(&role.id))).execute(db)?;
    insert_permissions(db, role)
}

/// Takes a role from its holders and its permissions from it.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn delete(db: &mut Db, id: &str) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(roles::table.filter(roles::id.eq(id)))
        .set((roles::status.eq(DELETED), roles::change.eq(change)))
        .execute(db)?;
    diesel::delete(role_permissions::table.filter(role_permissions::role_id.eq(id))).execute(db)?;
    diesel::delete(user_roles::table.filter(user_roles::role_id.eq(id))).execute(db)?;
    diesel::delete(client_roles::table.filter(client_roles::role_id.eq(id))).execute(db)?;
    Ok(())
}
