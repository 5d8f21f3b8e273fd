//! One coherent picture of the database.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::client::Client;
use crate::model::organization::Organization;
use crate::model::role::Role;
use crate::model::scope::CatalogueScope;
use crate::model::time::{LONGEST_ACCESS_LIFETIME, Timestamp};
use crate::store::signing_keys::StoredKey;
use crate::store::{
    Db, StoreError, clients, denied_tokens, families, instance, organizations, roles, scopes, signing_keys, users,
};

/// The registry at one value of the change counter. Cheap to clone: every table is shared until it changes.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The change counter that this picture shows.
    pub change: i64,
    organizations: Arc<HashMap<String, Arc<Organization>>>,
    clients: Arc<HashMap<String, Arc<Client>>>,
    roles: Arc<HashMap<String, Arc<Role>>>,
    scopes: Arc<HashMap<String, CatalogueScope>>,
    keys: Arc<Vec<StoredKey>>,
    denied: Arc<HashMap<String, Timestamp>>,
    ended_families: Arc<HashMap<String, Timestamp>>,
    user_epochs: Arc<HashMap<String, (i64, Timestamp)>>,
}

impl Snapshot {
    /// The picture after this one: reads what changed since.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read; this picture stays as it is.
    pub fn next(&self, db: &mut Db, now: Timestamp) -> Result<Self, StoreError> {
        // The counter first: what is committed between this read and the next ones is read twice, never missed.
        let change = instance::changes(db)?;
        let mut next = self.clone();
        if change == self.change && change != 0 {
            return Ok(next);
        }
        let known = if self.change == 0 { -1 } else { self.change };
        let oldest = now.plus_seconds(-LONGEST_ACCESS_LIFETIME);
        extend(&mut next.organizations, organizations::changed_since(db, known)?, |organization| {
            (organization.id.clone(), Arc::new(organization))
        });
        extend(&mut next.clients, clients::changed_since(db, known)?, |client| {
            (client.client_id.clone(), Arc::new(client))
        });
        extend(&mut next.roles, roles::changed_since(db, known)?, |role| (role.id.clone(), Arc::new(role)));
        extend(&mut next.scopes, scopes::changed_since(db, known)?, |scope| (scope.name.clone(), scope));
        extend(&mut next.denied, denied_tokens::changed_since(db, known)?, |denied| denied);
        extend(&mut next.ended_families, families::ended_since(db, known, oldest)?, |family| family);
        extend(&mut next.user_epochs, users::epochs_raised(db, known, oldest)?, |(id, epoch, at)| (id, (epoch, at)));
        if signing_keys::any_changed_since(db, known)? {
            next.keys = Arc::new(signing_keys::list(db)?);
        }
        next.change = change;
        next.forget_expired(now);
        Ok(next)
    }

    /// Drops what no living token can meet any more.
    fn forget_expired(&mut self, now: Timestamp) {
        let oldest = now.plus_seconds(-LONGEST_ACCESS_LIFETIME);
        if self.denied.values().any(|expires_at| *expires_at <= now) {
            Arc::make_mut(&mut self.denied).retain(|_, expires_at| *expires_at > now);
        }
        if self.ended_families.values().any(|ended_at| *ended_at < oldest) {
            Arc::make_mut(&mut self.ended_families).retain(|_, ended_at| *ended_at >= oldest);
        }
        if self.user_epochs.values().any(|(_, raised_at)| *raised_at < oldest) {
            Arc::make_mut(&mut self.user_epochs).retain(|_, (_, raised_at)| *raised_at >= oldest);
        }
    }

    /// A client by its id, in whatever state.
    #[must_use]
    pub fn client(&self, client_id: &str) -> Option<&Arc<Client>> {
        self.clients.get(client_id)
    }

    /// An organization by its id.
    #[must_use]
    pub fn organization(&self, id: &str) -> Option<&Arc<Organization>> {
        self.organizations.get(id)
    }

    /// A role by its id.
    #[must_use]
    pub fn role(&self, id: &str) -> Option<&Arc<Role>> {
        self.roles.get(id)
    }

    /// A scope of the catalogue.
    #[must_use]
    pub fn scope(&self, name: &str) -> Option<&CatalogueScope> {
        self.scopes.get(name)
    }

    /// The names of all scopes of the catalogue, sorted.
    #[must_use]
    pub fn scope_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.scopes.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// The signing keys as stored; the same allocation until one changes.
    #[must_use]
    pub fn keys(&self) -> &Arc<Vec<StoredKey>> {
        &self.keys
    }

    /// Whether the access token with this `jti` was revoked.
    #[must_use]
    pub fn is_denied(&self, jti: &str) -> bool {
        self.denied.contains_key(jti)
    }

    /// Whether the family behind a token was ended.
    #[must_use]
    pub fn is_ended(&self, family_id: &str) -> bool {
        self.ended_families.contains_key(family_id)
    }

    /// The user's epoch, if it was raised while a token issued before could still be alive.
    #[must_use]
    pub fn user_epoch(&self, user_id: &str) -> Option<i64> {
        self.user_epochs.get(user_id).map(|(epoch, _)| *epoch)
    }
}

fn extend<R, V: Clone>(table: &mut Arc<HashMap<String, V>>, changed: Vec<R>, entry: impl FnMut(R) -> (String, V)) {
    if !changed.is_empty() {
        Arc::make_mut(table).extend(changed.into_iter().map(entry));
    }
}
