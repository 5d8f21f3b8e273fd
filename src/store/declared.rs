//! What a declaration reads and changes beyond what single verbs do.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::model::client::{AuthenticationMethod, Client};
use crate::model::role::Role;
use crate::model::scope::CatalogueScope;
use crate::model::signing_key::SigningAlgorithm;
use crate::store::clients::APPROVED;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::{
    client_audiences, client_grant_types, client_scopes, clients, organizations, role_permissions, roles, scopes,
};

/// The catalogue without the built-in scopes, by name.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn own_scopes(db: &mut Db) -> Result<Vec<CatalogueScope>, StoreError> {
    let rows: Vec<(String, String, i64, Option<String>)> = scopes::table
        .filter(scopes::built_in.eq(0))
        .order(scopes::name)
        .select((scopes::name, scopes::description, scopes::requires_approval, scopes::audience))
        .load(db)?;
    let read = |(name, description, requires_approval, audience)| CatalogueScope {
        name,
        description,
        requires_approval: requires_approval != 0,
        audience,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// The descriptions of all clients by their ids.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn client_descriptions(db: &mut Db) -> Result<HashMap<String, String>, StoreError> {
    let rows: Vec<(String, String)> = clients::table.select((clients::client_id, clients::description)).load(db)?;
    Ok(rows.into_iter().collect())
}

/// Gives an organization another name.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn rename_organization(db: &mut Db, id: &str, name: &str) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(organizations::table.filter(organizations::id.eq(id)))
        .set((organizations::name.eq(name), organizations::change.eq(change)))
        .execute(db)?;
    Ok(())
}

/// Changes all of a scope but its name.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn update_scope(db: &mut Db, scope: &CatalogueScope) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(scopes::table.filter(scopes::name.eq(&scope.name)))
        .set((
            scopes::description.eq(&scope.description),
            scopes::requires_approval.eq(i64::from(scope.requires_approval)),
            scopes::audience.eq(scope.audience.as_deref()),
            scopes::change.eq(change),
        ))
        .execute(db)?;
    Ok(())
}

/// Changes a role's description and permissions.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn update_role(db: &mut Db, role: &Role) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(roles::table.filter(roles::id.eq(&role.id)))
        .set((roles::description.eq(&role.description), roles::change.eq(change)))
        .execute(db)?;
    diesel::delete(role_permissions::table.filter(role_permissions::role_id.eq(&role.id))).execute(db)?;
    for permission in &role.permissions {
        diesel::insert_into(role_permissions::table)
            .values((role_permissions::role_id.eq(&role.id), role_permissions::permission.eq(permission)))
            .execute(db)?;
    }
    Ok(())
}

/// Changes all of a client but its id, organization, kind, status and secrets. Its tokens live on: what it may no
/// longer have is gone with the next one.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn update_client(db: &mut Db, client: &Client, description: &str) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(clients::table.filter(clients::client_id.eq(&client.client_id)))
        .set((
            clients::label.eq(&client.label),
            clients::description.eq(description),
            clients::token_endpoint_auth_method.eq(client.authentication_method.map(AuthenticationMethod::as_str)),
            clients::may_introspect.eq(i64::from(client.may_introspect)),
            clients::access_lifetime.eq(client.access_lifetime),
            clients::idle_lifetime.eq(client.idle_lifetime),
            clients::absolute_lifetime.eq(client.absolute_lifetime),
            clients::reuse_window.eq(client.reuse_window),
            clients::signing_algorithm.eq(client.signing_algorithm.map(SigningAlgorithm::as_str)),
            clients::change.eq(change),
        ))
        .execute(db)?;
    let id = &client.client_id;
    diesel::delete(client_grant_types::table.filter(client_grant_types::client_id.eq(id))).execute(db)?;
    for grant_type in &client.grant_types {
        diesel::insert_into(client_grant_types::table)
            .values((client_grant_types::client_id.eq(id), client_grant_types::grant_type.eq(grant_type.as_str())))
            .execute(db)?;
    }
    diesel::delete(client_audiences::table.filter(client_audiences::client_id.eq(id))).execute(db)?;
    for audience in &client.audiences {
        diesel::insert_into(client_audiences::table)
            .values((client_audiences::client_id.eq(id), client_audiences::audience.eq(audience)))
            .execute(db)?;
    }
    // A scope that waits for approval, or was refused, stays so unless it is declared.
    let of_client = client_scopes::table.filter(client_scopes::client_id.eq(id));
    diesel::delete(of_client.filter(client_scopes::status.eq(APPROVED))).execute(db)?;
    for scope in client.scopes.iter() {
        diesel::delete(of_client.filter(client_scopes::scope.eq(scope))).execute(db)?;
        diesel::insert_into(client_scopes::table)
            .values((
                client_scopes::client_id.eq(id),
                client_scopes::scope.eq(scope),
                client_scopes::status.eq(APPROVED),
            ))
            .execute(db)?;
    }
    Ok(())
}
