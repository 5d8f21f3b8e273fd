//! The collector: every worker counts, one task stores.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::model::network::Network;
use crate::model::time::Timestamp;
use crate::model::usage::{Credential, Tally, UsageDetail};
use crate::store::{Store, StoreError, usage, usage_tallies};
use crate::usage::tallies::{Happening, Shard};

/// Locks among which credentials are divided, so that workers seldom wait for each other.
const SHARDS: usize = 16;

/// Rows written in one transaction, so that no write waits long behind the counters.
const STORED_AT_ONCE: usize = 100;

/// The counters of a node. What is counted is stored with [`Usage::flush`], every few seconds and at a stop; every
/// node adds its own.
pub struct Usage {
    clock: Clock,
    shards: Vec<Mutex<Shard>>,
    storing: tokio::sync::Mutex<()>,
}

impl Usage {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { clock, shards, storing: tokio::sync::Mutex::default() }
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

    /// Stores what was counted. Nothing is written where nothing was.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be reached: what is not stored is kept for the next time. Where the
    /// answer of a commit was lost, its hundred rows are added once more.
    pub async fn flush(&self, store: &Store) -> Result<(), StoreError> {
        let _one_at_a_time = self.storing.lock().await;
        let (mut tallies, mut scopes) = (Vec::new(), Vec::new());
        for shard in &self.shards {
            lock(shard).drain(&mut tallies, &mut scopes);
        }
        // Those of a kind come together, and what a failure has put back with what was counted since: fewer statements.
        tallies.sort_by(|a: &Tally, b: &Tally| (a.kind, &a.id, a.hour).cmp(&(b.kind, &b.id, b.hour)));
        scopes.sort_unstable();
        while !tallies.is_empty() {
            let rest = tallies.split_off(tallies.len().min(STORED_AT_ONCE));
            let batch = std::mem::replace(&mut tallies, rest);
            let stored = batch.clone();
            let write = move |db: &mut crate::store::Db| usage_tallies::add(db, &stored);
            if let Err(error) = store.write(write).await {
                let mut first = lock(&self.shards[0]);
                first.restore(batch);
                first.restore(tallies);
                drop(first);
                self.forget_scopes();
                return Err(error);
            }
        }
        self.store_scopes(store, scopes).await
    }

    async fn store_scopes(&self, store: &Store, scopes: Vec<(String, String)>) -> Result<(), StoreError> {
        let now: Timestamp = self.clock.now();
        for batch in scopes.chunks(STORED_AT_ONCE) {
            let batch = batch.to_vec();
            let write = move |db: &mut crate::store::Db| {
                batch.iter().try_for_each(|(client_id, scope)| usage::note_scope(db, client_id, scope, now))
            };
            if let Err(error) = store.write(write).await {
                self.forget_scopes();
                return Err(error);
            }
        }
        Ok(())
    }

    fn forget_scopes(&self) {
        self.shards.iter().for_each(|shard| lock(shard).forget_scopes());
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
