//! One coherent picture of the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rpds::HashTrieMapSync;

use crate::model::client::Client;
use crate::model::organization::Organization;
use crate::model::role::Role;
use crate::model::scope::CatalogueScope;
use crate::model::time::{LONGEST_ACCESS_LIFETIME, Timestamp};
use crate::registry::shards::Shards;
use crate::store::signing_keys::StoredKey;
use crate::store::{
    Db, StoreError, api_keys, clients, denied_tokens, families, instance, organizations, roles, scopes, signing_keys,
    users,
};

/// How long the registry tells that a user or an API key changed. Whoever remembers one of them must forget it in far
/// less, so that no change is forgotten before what it made untrue.
pub const CHANGES_TOLD_FOR: Duration = Duration::from_mins(5);

/// How often what nothing can meet any more is dropped, in seconds.
const FORGOTTEN_EVERY: i64 = 60;

/// What grows with every revocation or change: a new picture shares all but the branch that changed.
type Shared<V> = HashTrieMapSync<String, V>;

/// The registry at one value of the change counter. Cheap to clone: every table is shared until it changes.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The change counter that this picture shows.
    pub change: i64,
    /// The change at which the catalogue of scopes became what it is here.
    pub scopes_change: i64,
    organizations: Arc<HashMap<String, Arc<Organization>>>,
    clients: Shards<Arc<Client>>,
    roles: Arc<HashMap<String, Arc<Role>>>,
    scopes: Arc<HashMap<String, CatalogueScope>>,
    keys: Arc<Vec<StoredKey>>,
    denied: Shared<Timestamp>,
    ended_families: Shared<Timestamp>,
    user_epochs: Shared<(i64, Timestamp)>,
    user_changes: Shared<Told>,
    key_changes: Shared<Told>,
    forgotten_at: Option<(Timestamp, Instant)>,
}

/// A change, and when it was read: on the machine's monotonic clock, as everything that remembers counts.
#[derive(Debug, Clone, Copy)]
struct Told {
    change: i64,
    read: Instant,
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
        let changed = clients::changed_since(db, known)?.into_iter();
        next.clients.insert(changed.map(|client| (client.client_id.clone(), Arc::new(client))));
        extend(&mut next.roles, roles::changed_since(db, known)?, |role| (role.id.clone(), Arc::new(role)));
        let changed = scopes::changed_since(db, known)?;
        if !changed.is_empty() {
            next.scopes_change = change;
        }
        replace(&mut next.scopes, changed);
        insert(&mut next.denied, denied_tokens::changed_since(db, known)?);
        insert(&mut next.ended_families, families::ended_since(db, known, oldest)?);
        let raised = users::epochs_raised(db, known, oldest)?;
        insert(&mut next.user_epochs, raised.into_iter().map(|(id, epoch, at)| (id, (epoch, at))));
        // At the first reading nobody remembers anything yet.
        if known >= 0 {
            let read = Instant::now();
            let told = |(id, change)| (id, Told { change, read });
            insert(&mut next.user_changes, users::changed_since(db, known)?.into_iter().map(told));
            insert(&mut next.key_changes, api_keys::changed_since(db, known)?.into_iter().map(told));
        }
        if signing_keys::any_changed_since(db, known)? {
            next.keys = Arc::new(signing_keys::list(db)?);
        }
        next.change = change;
        next.forget_expired(now);
        Ok(next)
    }

    /// Drops what no living token and no memory can meet any more.
    fn forget_expired(&mut self, now: Timestamp) {
        let every = Duration::from_secs(FORGOTTEN_EVERY.unsigned_abs());
        let lately = |(at, on): (Timestamp, Instant)| now < at.plus_seconds(FORGOTTEN_EVERY) && on.elapsed() < every;
        if self.forgotten_at.is_some_and(lately) {
            return;
        }
        self.forgotten_at = Some((now, Instant::now()));
        let oldest = now.plus_seconds(-LONGEST_ACCESS_LIFETIME);
        // A clock that is ahead now may be right again later: what is denied stays so for as long as what was ended.
        retain(&mut self.denied, |expires_at| *expires_at >= oldest);
        retain(&mut self.ended_families, |ended_at| *ended_at >= oldest);
        retain(&mut self.user_epochs, |(_, raised_at)| *raised_at >= oldest);
        retain(&mut self.user_changes, |told| told.read.elapsed() < CHANGES_TOLD_FOR);
        retain(&mut self.key_changes, |told| told.read.elapsed() < CHANGES_TOLD_FOR);
    }

    /// Whether this picture shows a change of the user after `change`, as far as [`CHANGES_TOLD_FOR`] reaches.
    #[must_use]
    pub fn user_changed_after(&self, user_id: &str, change: i64) -> bool {
        self.user_changes.get(user_id).is_some_and(|told| told.change > change)
    }

    /// Whether this picture shows a change of the API key after `change`, as far as [`CHANGES_TOLD_FOR`] reaches.
    #[must_use]
    pub fn key_changed_after(&self, key_id: &str, change: i64) -> bool {
        self.key_changes.get(key_id).is_some_and(|told| told.change > change)
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

/// As [`extend`]; a row without a value is gone.
fn replace<V: Clone>(table: &mut Arc<HashMap<String, V>>, changed: Vec<(String, Option<V>)>) {
    if changed.is_empty() {
        return;
    }
    let table = Arc::make_mut(table);
    for (key, value) in changed {
        match value {
            Some(value) => table.insert(key, value),
            None => table.remove(&key),
        };
    }
}

fn insert<V>(table: &mut Shared<V>, changed: impl IntoIterator<Item = (String, V)>) {
    for (key, value) in changed {
        table.insert_mut(key, value);
    }
}

fn retain<V>(table: &mut Shared<V>, stays: impl Fn(&V) -> bool) {
    let gone: Vec<String> = table.iter().filter(|(_, value)| !stays(value)).map(|(key, _)| key.clone()).collect();
    for key in gone {
        table.remove_mut(&key);
    }
}
