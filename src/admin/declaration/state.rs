//! What there is, in the form of the declaration and as the database has it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::admin::declaration::document::Document;
use crate::admin::declaration::entry::{ClientEntry, Entry, OrganizationEntry, RoleEntry, ScopeEntry};
use crate::model::client::{Client, ClientKind};
use crate::model::organization::Organization;
use crate::model::role::Role;
use crate::model::signing_key::SigningAlgorithm;
use crate::store::clients::ClientFilter;
use crate::store::{Db, StoreError, clients, organizations, roles, scopes, signing_keys};

/// What there is.
pub(in crate::admin::declaration) struct State {
    pub(in crate::admin::declaration) document: Document,
    pub(in crate::admin::declaration) organizations: BTreeMap<String, Organization>,
    /// By the key of their entries.
    pub(in crate::admin::declaration) roles: BTreeMap<String, Role>,
    pub(in crate::admin::declaration) clients: BTreeMap<String, Client>,
    /// The whole catalogue, built-in ones too.
    pub(in crate::admin::declaration) scopes: BTreeSet<String>,
    /// The algorithms that have a key.
    pub(in crate::admin::declaration) algorithms: BTreeSet<SigningAlgorithm>,
}

/// Reads all of it.
pub(in crate::admin::declaration) fn read(db: &mut Db) -> Result<State, StoreError> {
    let organizations = organizations::list(db)?;
    let slugs: HashMap<String, String> = organizations.iter().map(|one| (one.id.clone(), one.slug.clone())).collect();
    let mut document = Document::default();
    for one in &organizations {
        let status = Some(one.status.to_string());
        document.organizations.push(OrganizationEntry { slug: one.slug.clone(), name: one.name.clone(), status });
    }
    document.scopes.extend(scopes::own(db)?.into_iter().map(|scope| ScopeEntry {
        name: scope.name,
        description: scope.description,
        requires_approval: scope.requires_approval,
        audience: scope.audience,
    }));
    let mut own_roles = BTreeMap::new();
    for one in &organizations {
        for role in roles::list(db, &one.id)?.into_iter().filter(|role| role.organization_id.is_some()) {
            let entry = RoleEntry {
                organization: one.slug.clone(),
                name: role.name.clone(),
                description: role.description.clone(),
                permissions: role.permissions.iter().cloned().collect(),
            };
            own_roles.insert(entry.key(), role);
            document.roles.push(entry);
        }
    }
    let clients: BTreeMap<String, Client> = clients::page(db, &ClientFilter::default(), "", i64::MAX)?
        .into_iter()
        .map(|client| (client.client_id.clone(), client))
        .collect();
    for client in clients.values() {
        let organization = slugs.get(&client.organization_id).cloned().unwrap_or_default();
        document.clients.push(client_entry(client, organization));
    }
    Ok(State {
        document,
        organizations: organizations.into_iter().map(|one| (one.slug.clone(), one)).collect(),
        roles: own_roles,
        clients,
        scopes: scopes::list(db)?.into_iter().map(|scope| scope.name).collect(),
        algorithms: signing_keys::list(db)?
            .into_iter()
            .filter(|key| !key.times.revoked)
            .map(|key| key.algorithm)
            .collect(),
    })
}

fn client_entry(client: &Client, organization: String) -> ClientEntry {
    let mut entry = ClientEntry {
        client_id: client.client_id.clone(),
        organization,
        label: client.label.clone(),
        description: client.description.clone(),
        public: client.kind == ClientKind::Public,
        grant_types: client.grant_types.iter().map(ToString::to_string).collect(),
        scopes: client.scopes.iter().map(str::to_owned).collect(),
        audiences: client.audiences.clone(),
        token_endpoint_auth_method: client.authentication_method.map(|method| method.to_string()),
        may_introspect: client.may_introspect,
        access_lifetime: client.access_lifetime,
        idle_lifetime: client.idle_lifetime,
        absolute_lifetime: client.absolute_lifetime,
        reuse_window: client.reuse_window,
        signing_algorithm: client.signing_algorithm.map(|algorithm| algorithm.to_string()),
        status: Some(client.status.to_string()),
    };
    entry.normalize();
    entry
}
