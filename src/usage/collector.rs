//! The collector: every worker counts, one task stores.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::model::network::Network;
use crate::model::time::Timestamp;
use crate::model::usage::{Credential, Tally, UsageDetail};
use crate::store::{Store, StoreError, usage_tallies};
use crate::usage::tallies::{Happening, Shard};

/// Locks among which credentials are divided, so that workers seldom wait for each other.
const SHARDS: usize = 16;

/// Tallies that a flush takes at least. Where more are in use it takes a part, and one that is always in use is written
/// less often, as a database on the server's own core feels: `bench/grown latency --only verify`.
const TALLIES_AT_LEAST: usize = 200;

/// Shards that a flush takes at least, so that four flushes have taken each.
const SHARDS_AT_LEAST: usize = SHARDS / 4;

/// Rows written in one transaction, so that no write waits long behind the counters.
const STORED_AT_ONCE: usize = 100;

/// The counters of a node. What is counted is stored with [`Usage::flush`], every few seconds and at a stop; every
/// node adds its own.
pub struct Usage {
    clock: Clock,
    shards: Vec<Mutex<Shard>>,
    /// The shard with which the next flush begins; held while one stores.
    next: tokio::sync::Mutex<usize>,
}

impl Usage {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { clock, shards, next: tokio::sync::Mutex::default() }
    }

    /// A token was issued to this credential, or to somebody through it.
    pub fn issued(&self, credential: Credential<'_>, network: Network) {
        self.count(credential, Happening::Issued, &[], network);
    }

    /// The same, with what it is to be found by: the grant.
    pub fn issued_by(&self, credential: Credential<'_>, details: &[(UsageDetail, &'static str)], network: Network) {
        self.count(credential, Happening::Issued, details, network);
    }

    /// The credential was checked, and is right.
    pub fn verified(&self, credential: Credential<'_>, network: Network) {
        self.count(credential, Happening::Verified, &[], network);
    }

    /// The same, with what it is to be found by: the method.
    pub fn verified_by(&self, credential: Credential<'_>, details: &[(UsageDetail, &'static str)], network: Network) {
        self.count(credential, Happening::Verified, details, network);
    }

    /// The credential was refused. It must be one that is known.
    pub fn refused(&self, credential: Credential<'_>, reason: &'static str, network: Network) {
        self.count(credential, Happening::Refused(reason), &[], network);
    }

    /// A client was given a token with these scopes.
    pub fn scopes_given<'a>(&self, client_id: &str, scopes: impl Iterator<Item = &'a str>) {
        let now = self.clock.now();
        self.shard(client_id).note_scopes(client_id, scopes, now);
    }

    fn count(
        &self,
        credential: Credential<'_>,
        happening: Happening,
        details: &[(UsageDetail, &'static str)],
        network: Network,
    ) {
        let now = self.clock.now();
        self.shard(credential.id).count(credential, happening, details, network, now);
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, Shard> {
        // Nothing but how evenly the locks are shared depends on it.
        let sum = id.bytes().fold(0_u8, u8::wrapping_add);
        lock(&self.shards[usize::from(sum) % SHARDS])
    }

    /// Stores what was counted: everything if `all`, or where it is little; otherwise the next shards in turn. Nothing
    /// is written where nothing was.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be reached: what is not stored is kept for a later flush. Where
    /// the answer of a commit was lost, its hundred rows are added once more.
    pub async fn flush(&self, store: &Store, all: bool) -> Result<(), StoreError> {
        let mut next = self.next.lock().await;
        let (mut tallies, mut scopes) = (Vec::new(), Vec::new());
        for taken in 0..SHARDS {
            if !all && taken >= SHARDS_AT_LEAST && tallies.len() >= TALLIES_AT_LEAST {
                break;
            }
            lock(&self.shards[*next]).drain(&mut tallies, &mut scopes);
            *next = (*next + 1) % SHARDS;
        }
        // Those of a kind come together, and what a failure has put back with what was counted since: fewer statements.
        tallies.sort_by(|a: &Tally, b: &Tally| (a.kind, &a.id, a.hour).cmp(&(b.kind, &b.id, b.hour)));
        scopes.sort_unstable();
        let mut left = &tallies[..];
        while !left.is_empty() {
            let (batch, rest) = left.split_at(left.len().min(STORED_AT_ONCE));
            let batch = batch.to_vec();
            let write = move |db: &mut crate::store::Db| usage_tallies::add(db, &batch);
            if let Err(error) = store.write(write).await {
                lock(&self.shards[0]).restore(left.to_vec());
                self.restore_scopes(&scopes);
                return Err(error);
            }
            left = rest;
        }
        self.store_scopes(store, &scopes).await
    }

    async fn store_scopes(&self, store: &Store, mut scopes: &[(String, String)]) -> Result<(), StoreError> {
        let now: Timestamp = self.clock.now();
        while !scopes.is_empty() {
            let (batch, rest) = scopes.split_at(scopes.len().min(STORED_AT_ONCE));
            let batch = batch.to_vec();
            let write = move |db: &mut crate::store::Db| usage_tallies::note_scopes(db, &batch, now);
            if let Err(error) = store.write(write).await {
                self.restore_scopes(scopes);
                return Err(error);
            }
            scopes = rest;
        }
        Ok(())
    }

    fn restore_scopes(&self, scopes: &[(String, String)]) {
        for (client_id, scope) in scopes {
            self.shard(client_id).restore_scope(client_id, scope);
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
