//! Carrying a plan out, in the transaction that it was made in.

use std::collections::BTreeMap;

use crate::admin::declaration::check;
use crate::admin::declaration::document::Document;
use crate::admin::declaration::entry::{ClientEntry, Entry, RoleEntry};
use crate::admin::declaration::plan::{Action, Plan};
use crate::admin::declaration::state::State;
use crate::model::audit::{Actor, AuditEvent};
use crate::model::client::{ClientKind, ClientSecret, ClientStatus};
use crate::model::organization::OrganizationStatus;
use crate::model::role::Role;
use crate::model::scope::CatalogueScope;
use crate::model::signing_key::SigningAlgorithm;
use crate::model::time::Timestamp;
use crate::oauth::keys;
use crate::store::clients::NewSecret;
use crate::store::signing_keys::StoredKey;
use crate::store::{Db, StoreError, audit, clients, families, organizations, roles, scopes};

/// What was made before the transaction, which may run more than once.
#[derive(Clone)]
pub(in crate::admin::declaration) struct Prepared {
    /// Ids of organizations and roles, by noun and key.
    pub(in crate::admin::declaration) ids: BTreeMap<(&'static str, String), String>,
    /// Of new confidential clients.
    pub(in crate::admin::declaration) secrets: BTreeMap<String, (ClientSecret, Option<String>)>,
    /// Of algorithms that have none yet.
    pub(in crate::admin::declaration) keys: BTreeMap<SigningAlgorithm, StoredKey>,
    pub(in crate::admin::declaration) actor: Actor,
    pub(in crate::admin::declaration) now: Timestamp,
}

fn meanwhile() -> StoreError {
    StoreError::Conflict("somebody else changed the installation meanwhile: apply it again".to_owned())
}

impl Prepared {
    fn id<E: Entry>(&self, entry: &E) -> Result<String, StoreError> {
        self.ids.get(&(E::NOUN, entry.key())).cloned().ok_or_else(meanwhile)
    }

    /// Carries a plan out; the order of kinds is that in which they refer to each other.
    pub(in crate::admin::declaration) fn execute(
        &self,
        db: &mut Db,
        state: &State,
        wanted: &Document,
        plan: &Plan,
    ) -> Result<(), StoreError> {
        let mut organization_ids: BTreeMap<String, String> =
            state.organizations.iter().map(|(slug, one)| (slug.clone(), one.id.clone())).collect();
        for entry in &wanted.organizations {
            let Some(action) = plan.action(entry) else { continue };
            let id = match state.organizations.get(&entry.slug) {
                Some(there) => there.id.clone(),
                None => organizations::create(db, &self.id(entry)?, &entry.slug, &entry.name, self.now)?.id,
            };
            if action.changes("name") {
                organizations::rename(db, &id, &entry.name)?;
            }
            let status: OrganizationStatus =
                entry.status.as_deref().unwrap_or("active").parse().map_err(StoreError::corrupt)?;
            let present = state.organizations.get(&entry.slug).map_or(OrganizationStatus::Active, |there| there.status);
            if status != present {
                organizations::set_status(db, &id, status)?;
            }
            self.record(db, entry, action, &id, Some(&id))?;
            organization_ids.insert(entry.slug.clone(), id);
        }
        for entry in &wanted.scopes {
            let Some(action) = plan.action(entry) else { continue };
            let scope = CatalogueScope {
                name: entry.name.clone(),
                description: entry.description.clone(),
                requires_approval: entry.requires_approval,
                audience: entry.audience.clone(),
            };
            match action {
                Action::Create => scopes::create(db, &scope, false, self.now)?,
                Action::Change(_) => scopes::update(db, &scope)?,
            }
            self.record(db, entry, action, &entry.name, None)?;
        }
        let organization = |slug: &str| organization_ids.get(slug).ok_or_else(meanwhile);
        for entry in &wanted.roles {
            if let Some(action) = plan.action(entry) {
                self.role(db, state, entry, action, organization(&entry.organization)?)?;
            }
        }
        for entry in &wanted.clients {
            if let Some(action) = plan.action(entry) {
                self.client(db, state, entry, action, organization(&entry.organization)?)?;
            }
        }
        Ok(())
    }

    fn role(
        &self,
        db: &mut Db,
        state: &State,
        entry: &RoleEntry,
        action: &Action,
        organization_id: &str,
    ) -> Result<(), StoreError> {
        let there = state.roles.get(&entry.key());
        let role = Role {
            id: there.map_or_else(|| self.id(entry), |role| Ok(role.id.clone()))?,
            organization_id: Some(organization_id.to_owned()),
            name: entry.name.clone(),
            description: entry.description.clone(),
            permissions: entry.permissions.iter().cloned().collect(),
        };
        if there.is_some() {
            roles::update(db, &role)?;
        } else {
            roles::create(db, &role, self.now)?;
        }
        self.record(db, entry, action, &role.id, Some(organization_id))
    }

    fn client(
        &self,
        db: &mut Db,
        state: &State,
        entry: &ClientEntry,
        action: &Action,
        organization_id: &str,
    ) -> Result<(), StoreError> {
        let mut client = check::client(entry, organization_id).map_err(StoreError::Conflict)?;
        if let Some(algorithm) = client.signing_algorithm.filter(|algorithm| !state.algorithms.contains(algorithm)) {
            let key = self.keys.get(&algorithm).ok_or_else(meanwhile)?;
            if !crate::store::signing_keys::list(db)?.iter().any(|known| known.kid == key.kid) {
                keys::rotate(db, key.clone(), 0, self.now)?;
            }
        }
        match state.clients.get(&entry.client_id) {
            None => {
                clients::create(db, &client, self.now)?;
                if client.kind == ClientKind::Confidential {
                    let (secret, sealed) = self.secrets.get(&entry.client_id).ok_or_else(meanwhile)?;
                    let new = NewSecret { secret, label: "", sealed: sealed.as_deref() };
                    clients::add_secret(db, &client.client_id, &new, self.now)?;
                }
            }
            Some(there) => {
                // What a declaration has no word for stays as it is.
                client.owner_id.clone_from(&there.owner_id);
                client.purpose.clone_from(&there.purpose);
                client.static_claims.clone_from(&there.static_claims);
                client.role_ids.clone_from(&there.role_ids);
                clients::update(db, &client)?;
                if client.status != there.status {
                    if !clients::set_status(db, &client.client_id, there.status, client.status)? {
                        return Err(meanwhile());
                    }
                    if client.status != ClientStatus::Active {
                        families::revoke_all_of_client(db, &client.client_id, self.now)?;
                    }
                }
            }
        }
        self.record(db, entry, action, &entry.client_id, Some(organization_id))
    }

    fn record<E: Entry>(
        &self,
        db: &mut Db,
        _: &E,
        action: &Action,
        target_id: &str,
        organization_id: Option<&str>,
    ) -> Result<(), StoreError> {
        let event = AuditEvent {
            action: match (E::NOUN, action) {
                ("organization", Action::Create) => "organization.created",
                ("organization", Action::Change(_)) => "organization.updated",
                ("scope", Action::Create) => "scope.created",
                ("scope", Action::Change(_)) => "scope.updated",
                ("role", Action::Create) => "role.created",
                ("role", Action::Change(_)) => "role.updated",
                (_, Action::Create) => "client.created",
                (_, Action::Change(_)) => "client.updated",
            },
            target_kind: E::NOUN,
            target_id: target_id.to_owned(),
            organization_id: organization_id.map(str::to_owned),
            details: action.details(),
        };
        audit::record(db, &self.actor, &event, self.now)
    }
}
