//! What a node remembers of the database, so that a known caller costs no question to it.
//!
//! An entry remembers the registry's change from before it was read. The registry tells of every later change of a
//! user or a key for far longer than any entry lives, so an entry is either true or known not to be. Whatever was
//! changed while an entry was being read has a later change than the entry, and is read again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use crate::model::api_key::ApiKey;
use crate::model::time::Timestamp;
use crate::model::user::{Membership, User};
use crate::oauth::Context;
use crate::registry::CHANGES_TOLD_FOR;
use crate::store::{StoreError, api_keys, memberships, users};

/// How long anything is remembered.
const REMEMBERED_FOR: Duration = Duration::from_mins(1);

// The rest is for a reading that takes long.
const _: () = assert!(REMEMBERED_FOR.as_secs() * 2 < CHANGES_TOLD_FOR.as_secs());

/// Entries of each kind. At about a kilobyte each this bounds the memory.
const REMEMBERED: usize = 8 * 1024;

/// A user with all that a decision about their requests needs; their password is not in it.
#[derive(Debug)]
pub(super) struct KnownUser {
    pub(super) user: User,
    pub(super) memberships: Vec<Membership>,
}

/// Whose password was found to be right.
#[derive(Debug, Clone)]
pub(super) struct KnownPassword {
    pub(super) user_id: String,
    /// The user's epoch at that time.
    pub(super) epoch: i64,
    /// When that was.
    pub(super) auth_time: Timestamp,
}

/// When something began to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    change: i64,
    at: Timestamp,
    started: Instant,
}

impl Since {
    pub(super) fn now(context: &Context) -> Self {
        Self { change: context.registry.snapshot().change, at: context.clock.now(), started: Instant::now() }
    }

    fn is_recent(&self, context: &Context) -> bool {
        let now = context.clock.now();
        self.started.elapsed() < REMEMBERED_FOR
            && self.at <= now
            && now < self.at.plus_seconds(i64::try_from(REMEMBERED_FOR.as_secs()).unwrap_or(0))
    }
}

#[derive(Clone)]
struct Entry<T> {
    value: T,
    since: Since,
}

/// What is remembered. Secrets are remembered as keyed digests alone.
pub(super) struct Known {
    users: Cache<String, Entry<Arc<KnownUser>>>,
    keys: Cache<[u8; 32], Entry<Arc<ApiKey>>>,
    passwords: Cache<[u8; 32], Entry<KnownPassword>>,
}

impl Default for Known {
    fn default() -> Self {
        Self { users: Cache::new(REMEMBERED), keys: Cache::new(REMEMBERED), passwords: Cache::new(REMEMBERED) }
    }
}

impl Known {
    /// A user by id, in whatever state.
    pub(super) async fn user(&self, context: &Context, id: &str) -> Result<Option<Arc<KnownUser>>, StoreError> {
        match self.users.get(id).filter(|entry| is_true(context, entry, id)) {
            Some(entry) => Ok(Some(entry.value)),
            None => self.read_user(context, id).await,
        }
    }

    /// A user by id, as the database has them now.
    pub(super) async fn read_user(&self, context: &Context, id: &str) -> Result<Option<Arc<KnownUser>>, StoreError> {
        let since = Since::now(context);
        let wanted = id.to_owned();
        let read = context.store.read(move |db| {
            let Some(user) = users::by_id(db, &wanted)? else { return Ok(None) };
            Ok(Some(KnownUser {
                user: User { password: None, ..user },
                memberships: memberships::of_user(db, &wanted)?,
            }))
        });
        let Some(value) = read.await?.map(Arc::new) else { return Ok(None) };
        self.users.insert(id.to_owned(), Entry { value: Arc::clone(&value), since });
        Ok(Some(value))
    }

    /// An API key by its digest, in whatever state.
    pub(super) async fn key(
        &self,
        context: &Context,
        digest: crate::crypto::digest::Digest,
    ) -> Result<Option<Arc<ApiKey>>, StoreError> {
        if let Some(entry) = self.keys.get(digest.as_bytes())
            && entry.since.is_recent(context)
            && !context.registry.snapshot().key_changed_after(&entry.value.id, entry.since.change)
        {
            return Ok(Some(entry.value));
        }
        let since = Since::now(context);
        let wanted = digest.to_text();
        let read = context.store.read(move |db| api_keys::by_digest(db, &wanted));
        let Some(key) = read.await? else { return Ok(None) };
        let value = Arc::new(ApiKey { sealed: None, ..key });
        self.keys.insert(*digest.as_bytes(), Entry { value: Arc::clone(&value), since });
        Ok(Some(value))
    }

    /// Whose username and password this digest is of, if they were right and nothing has changed since.
    pub(super) fn password(&self, context: &Context, digest: &[u8; 32]) -> Option<KnownPassword> {
        let entry = self.passwords.get(digest)?;
        is_true(context, &entry, &entry.value.user_id).then_some(entry.value)
    }

    /// Remembers a username and a password that began to be looked at `since`.
    pub(super) fn note_password(&self, digest: [u8; 32], value: KnownPassword, since: Since) {
        self.passwords.insert(digest, Entry { value, since });
    }
}

fn is_true<T>(context: &Context, entry: &Entry<T>, user_id: &str) -> bool {
    entry.since.is_recent(context) && !context.registry.snapshot().user_changed_after(user_id, entry.since.change)
}
