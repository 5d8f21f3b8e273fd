//! Refusals, collected in memory and written in batches.
//!
//! Of one kind, credential, network and minute there are two events at most: the first within a second or two, the
//! rest counted when the minute is over. What comes from more credentials or networks than a minute may name is
//! counted together, so neither memory nor the table grows with an attack.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::audit::{Actor, ActorKind, AuditEvent, Refusal};
use crate::model::network::Network;
use crate::model::time::Timestamp;
use crate::store::{Store, StoreError, audit};

/// Credentials and networks that are named in one minute, for each kind of refusal.
const NAMED_IN_A_MINUTE: usize = 256;

/// Events that wait for a database that does not answer; later ones are lost, and the log says so.
const MOST_UNSENT: usize = 8192;

const MINUTE: i64 = 60_000_000;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    minute: i64,
    refusal: Refusal,
    /// The client through which it came, as it calls itself.
    client_id: String,
    /// None where several are counted together.
    network: Option<Network>,
}

struct Count {
    first_at: Timestamp,
    request_id: Option<String>,
    seen: u64,
    told: u64,
}

/// One event, ready to be written.
#[derive(Clone)]
struct Told {
    actor: Actor,
    event: AuditEvent,
    at: Timestamp,
}

#[derive(Default)]
struct State {
    counts: HashMap<Key, Count>,
    /// How many are named, by minute and action.
    named: HashMap<(i64, &'static str), usize>,
    unsent: Vec<Told>,
}

/// The collector of a node.
#[derive(Default)]
pub struct Refusals {
    state: Mutex<State>,
    writing: tokio::sync::Mutex<()>,
}

impl Refusals {
    /// Notes a refusal. Takes no longer than a look into a map.
    pub fn note(&self, refusal: &Refusal, client_id: &str, network: Network, request_id: Option<&str>, now: Timestamp) {
        let minute = now.micros().div_euclid(MINUTE);
        let mut state = self.state();
        let mut key = Key { minute, refusal: refusal.clone(), client_id: client_id.to_owned(), network: Some(network) };
        if !state.counts.contains_key(&key) {
            let named = state.named.entry((minute, refusal.action)).or_default();
            if *named < NAMED_IN_A_MINUTE {
                *named += 1;
            } else {
                let several = "several";
                key.refusal =
                    Refusal { target_id: String::new(), organization_id: None, reason: several, ..key.refusal };
                key.client_id = String::new();
                key.network = None;
            }
        }
        let request_id = key.network.and(request_id);
        let count = state.counts.entry(key).or_insert_with(|| Count {
            first_at: now,
            request_id: request_id.map(str::to_owned),
            seen: 0,
            told: 0,
        });
        count.seen += 1;
    }

    /// Writes what is due: what has not been told of at all, and what is left of minutes that are over. At the end of
    /// a node everything is.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be reached; it is tried again with the next batch.
    pub async fn flush(&self, store: &Store, now: Timestamp, at_the_end: bool) -> Result<(), StoreError> {
        let _one_at_a_time = self.writing.lock().await;
        let batch = {
            let mut state = self.state();
            state.collect(now, at_the_end);
            state.unsent.clone()
        };
        if batch.is_empty() {
            return Ok(());
        }
        let written = batch.len();
        let write = move |db: &mut crate::store::Db| {
            batch.iter().try_for_each(|told| audit::record_refusal(db, &told.actor, &told.event, told.at))
        };
        store.write(write).await?;
        self.state().unsent.drain(..written);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn collect(&mut self, now: Timestamp, at_the_end: bool) {
        let minute = now.micros().div_euclid(MINUTE);
        let Self { counts, named, unsent } = self;
        let room = MOST_UNSENT.saturating_sub(unsent.len());
        let mut due = Vec::new();
        counts.retain(|key, count| {
            let over = at_the_end || key.minute < minute;
            if count.seen > count.told && (over || count.told == 0) {
                due.push(told(key, count));
                count.told = count.seen;
            }
            !over
        });
        named.retain(|(of, _), _| *of >= minute);
        due.sort_by_key(|told: &Told| told.at);
        if due.len() > room {
            tracing::error!(
                lost = due.len() - room,
                "refusals are not audited: the database has not answered for long"
            );
            due.truncate(room);
        }
        unsent.append(&mut due);
    }
}

fn told(key: &Key, count: &Count) -> Told {
    let further = if count.told > 0 { " further" } else { "" };
    Told {
        actor: Actor {
            kind: ActorKind::Client,
            id: key.client_id.clone(),
            ip: key.network.map(Network::address),
            request_id: count.request_id.clone(),
        },
        event: AuditEvent {
            action: key.refusal.action,
            target_kind: key.refusal.target_kind,
            target_id: key.refusal.target_id.clone(),
            organization_id: key.refusal.organization_id.clone(),
            details: format!("count={}{further} reason={}", count.seen - count.told, key.refusal.reason),
        },
        at: count.first_at,
    }
}
