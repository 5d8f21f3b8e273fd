//! Limits on guessing: a place is reserved before a password is looked at.

use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::crypto::digest::DigestKey;
use crate::model::network::Network;
use crate::store::attempts::{self, Bucket, Reservation, Settlement};
use crate::store::{Store, StoreError};

/// How long a caller waits for a place among the attempts that are being looked at.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How often a caller who waits looks again.
const ASK_AGAIN: Duration = Duration::from_millis(40);

/// The failures that are allowed (`limits.*`).
#[derive(Debug, Clone)]
pub struct LimitSettings {
    /// Whether failures are counted at all.
    pub enabled: bool,
    /// Failures of one account from one network before the wait doubles at each.
    pub account_network: i64,
    /// Failures of one network in a window.
    pub network: i64,
    /// Consecutive failures that lock an account.
    pub account: i64,
    /// Failures through one client in a window.
    pub client: i64,
    /// The window in seconds.
    pub window: i64,
}

/// What an attempt counts against.
#[derive(Clone)]
pub(super) struct Attempt {
    account_network: Bucket,
    network: Bucket,
    account: Bucket,
    client: Option<Bucket>,
}

/// What a reservation met.
pub(super) enum Place {
    Taken,
    Wait(u64),
    Blocked(u64),
}

impl Attempt {
    pub(super) fn new(
        settings: &LimitSettings,
        key: &DigestKey,
        username: &str,
        network: Network,
        client_id: Option<&str>,
    ) -> Self {
        let bucket = |kind: &str, parts: &[&str], allowed: i64, backs_off: bool| Bucket {
            key: key.digest(&format!("attempts {kind}"), parts.join("\0").as_bytes()).to_text(),
            allowed,
            window: settings.window,
            backs_off,
        };
        let network = network.to_string();
        let of_network = bucket("account network", &[username, &network], settings.account_network, true);
        Self {
            // Below the account's own key, so that whoever forgets the account's failures forgets them everywhere.
            account_network: Bucket {
                key: attempts::key_below(&Self::account_key(key, username), &of_network.key),
                ..of_network
            },
            network: bucket("network", &[&network], settings.network, false),
            // Consecutive failures count however long ago they were, and lock instead of making anyone wait.
            account: Bucket { window: i64::MAX / 2_000_000, ..bucket("account", &[username], i64::MAX, false) },
            client: client_id.map(|id| bucket("client", &[id], settings.client, false)),
        }
    }

    /// The key under which an account's consecutive failures are counted.
    pub(super) fn account_key(key: &DigestKey, username: &str) -> String {
        key.digest("attempts account", username.as_bytes()).to_text()
    }

    fn buckets(&self) -> Vec<Bucket> {
        let shared = [&self.account_network, &self.network, &self.account];
        shared.into_iter().chain(&self.client).cloned().collect()
    }

    /// Reserves a place; waits while all places are taken by attempts that are being looked at.
    pub(super) async fn reserve(&self, store: &Store, clock: &Clock) -> Result<Place, StoreError> {
        let started = Instant::now();
        let mut waited = false;
        loop {
            let (buckets, now) = (self.buckets(), clock.now());
            // Whoever waits asks by a read until a place may be free: a write is what the others need to get done.
            if waited && started.elapsed() < LONGEST_WAIT {
                let asked = buckets.clone();
                if store.read(move |db| attempts::is_busy(db, &asked, now)).await? {
                    tokio::time::sleep(ASK_AGAIN).await;
                    continue;
                }
            }
            match store.write(move |db| attempts::reserve(db, &buckets, now)).await? {
                Reservation::Reserved => return Ok(Place::Taken),
                Reservation::Blocked(until) => {
                    let micros = u64::try_from(until.micros_since(now)).unwrap_or(0);
                    let seconds = micros.div_ceil(1_000_000).max(1);
                    // Who came in time, and waited for others that turned out wrong, was not looked at: that is no refusal.
                    return Ok(if waited { Place::Wait(seconds) } else { Place::Blocked(seconds) });
                }
                Reservation::Busy if started.elapsed() >= LONGEST_WAIT => return Ok(Place::Wait(1)),
                Reservation::Busy => {
                    waited = true;
                    tokio::time::sleep(ASK_AGAIN).await;
                }
            }
        }
    }

    /// Gives the places back where the password was not looked at.
    pub(super) async fn release(&self, store: &Store, clock: &Clock) -> Result<(), StoreError> {
        let (buckets, now) = (self.buckets(), clock.now());
        let write = move |db: &mut crate::store::Db| {
            buckets.iter().try_for_each(|bucket| attempts::settle(db, bucket, Settlement::Refunded, now).map(|_| ()))
        };
        store.write(write).await
    }

    /// Settles inside the caller's transaction and answers the account's consecutive failures.
    pub(super) fn settle(
        &self,
        db: &mut crate::store::Db,
        right: bool,
        now: crate::model::time::Timestamp,
    ) -> Result<i64, StoreError> {
        let (own, shared) =
            if right { (Settlement::Cleared, Settlement::Refunded) } else { (Settlement::Failed, Settlement::Failed) };
        attempts::settle(db, &self.account_network, own, now)?;
        attempts::settle(db, &self.network, shared, now)?;
        let consecutive = attempts::settle(db, &self.account, own, now)?;
        if let Some(client) = &self.client {
            attempts::settle(db, client, shared, now)?;
        }
        Ok(consecutive)
    }
}
