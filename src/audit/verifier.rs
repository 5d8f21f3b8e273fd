//! Verification: whether a sealed event was edited, removed or inserted, and which.

use crate::audit::chain;
use crate::crypto::digest::DigestKey;
use crate::store::audit::RecordedEvent;
use crate::store::audit_chain::{self, Ends};
use crate::store::{Store, StoreError};

/// Events read at once.
const PAGE: i64 = 1000;

/// Findings that are listed; whoever has more has no use for a list.
const MOST_FINDINGS: usize = 1000;

crate::words! {
    /// What was done to the log.
    FindingKind {
        /// An event's content or seal is not what it was.
        Edited = "edited",
        /// An event is gone.
        Removed = "removed",
        /// An event was not written by this installation.
        Inserted = "inserted",
        /// The record of the chain's ends is not what it was.
        Ends = "ends",
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What was done.
    pub kind: FindingKind,
    /// The number in the chain.
    pub number: Option<i64>,
    /// The row, where there is one.
    pub seq: Option<i64>,
    /// In words.
    pub message: String,
}

/// What a verification came to.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Verdict {
    /// Sealed events that were checked.
    pub checked: i64,
    /// The number after the anchor that pruning has left.
    pub first: i64,
    /// The newest number.
    pub last: i64,
    /// Events that wait to be sealed; a running node seals within a second.
    pub unsealed: i64,
    /// The newest link: noted elsewhere, it tells of a log that was put back whole.
    pub link: String,
    /// What is wrong; empty where nothing is.
    pub findings: Vec<Finding>,
}

/// Checks every sealed event.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub async fn verify(store: &Store, key: &DigestKey) -> Result<Verdict, StoreError> {
    loop {
        let ends = store.read(audit_chain::ends).await?;
        let verdict = match &ends {
            Some(ends) => Walk::through(store, key, ends).await?,
            None => without_ends(store).await?,
        };
        // Pruning meanwhile has taken events away that were to be read.
        let after = store.read(audit_chain::ends).await?;
        if anchor_of(after.as_ref()) == anchor_of(ends.as_ref()) {
            return Ok(verdict);
        }
    }
}

fn anchor_of(ends: Option<&Ends>) -> i64 {
    ends.map_or(0, |ends| ends.anchor_number)
}

async fn without_ends(store: &Store) -> Result<Verdict, StoreError> {
    let (sealed, unsealed) =
        store.read(|db| Ok((audit_chain::outside(db, 0, 0, 1)?, audit_chain::count_unsealed(db)?))).await?;
    let finding = Finding {
        kind: FindingKind::Ends,
        number: None,
        seq: None,
        message: "the record of the chain's ends was removed".to_owned(),
    };
    let findings = if sealed.is_empty() { Vec::new() } else { vec![finding] };
    Ok(Verdict { checked: 0, first: 1, last: 0, unsealed, link: String::new(), findings })
}

/// A walk along the chain.
struct Walk<'a> {
    key: &'a DigestKey,
    /// The number that comes next.
    expected: i64,
    /// The link before it; none after a gap, where nobody knows it.
    before: Option<String>,
    /// The row before it.
    last_seq: Option<i64>,
    checked: i64,
    findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    async fn through(store: &Store, key: &'a DigestKey, ends: &Ends) -> Result<Verdict, StoreError> {
        let mut walk = Self {
            key,
            expected: ends.anchor_number + 1,
            before: Some(ends.anchor_link.clone()),
            last_seq: None,
            checked: 0,
            findings: Vec::new(),
        };
        if !chain::same(&ends.mac, &chain::mac(key, ends)) {
            walk.finds(FindingKind::Ends, None, None, "the record of the chain's ends was edited".to_owned());
        }
        let through = ends.number;
        let mut after = (ends.anchor_number, i64::MAX);
        let mut waiting: Vec<RecordedEvent> = Vec::new();
        loop {
            let page = store.read(move |db| audit_chain::sealed(db, after, through, PAGE)).await?;
            let Some(last) = page.last() else { break };
            after = (last.number.unwrap_or(through), last.seq);
            for event in page {
                if waiting.first().is_some_and(|first| first.number != event.number) {
                    walk.place(&std::mem::take(&mut waiting));
                }
                waiting.push(event);
            }
        }
        walk.place(&waiting);
        walk.gap(through + 1, None);
        if walk.before.as_ref().is_some_and(|link| *link != ends.link) {
            let message = "the newest event is not the one that was sealed last".to_owned();
            walk.finds(FindingKind::Ends, Some(through), walk.last_seq, message);
        }
        let unsealed = walk.outside(store, ends).await?;
        Ok(Verdict {
            checked: walk.checked,
            first: ends.anchor_number + 1,
            last: through,
            unsealed,
            link: ends.link.clone(),
            findings: walk.findings,
        })
    }

    /// The rows that claim one place in the chain: one of them has it.
    fn place(&mut self, claimants: &[RecordedEvent]) {
        let Some(number) = claimants.first().and_then(|event| event.number) else { return };
        self.gap(number, claimants.first().map(|event| event.seq));
        let is_genuine = |event: &RecordedEvent| {
            event.seal.as_deref().is_some_and(|seal| chain::same(seal, &chain::seal(self.key, number, event)))
        };
        let genuine = claimants.iter().find(|event| is_genuine(event));
        let holder = genuine.or(claimants.first());
        for event in claimants {
            self.checked += 1;
            if holder.is_some_and(|holder| holder.seq == event.seq) {
                continue;
            }
            let message = format!("the event {} was inserted: it claims the number {number} of another", event.seq);
            self.finds(FindingKind::Inserted, Some(number), Some(event.seq), message);
        }
        let Some(holder) = holder else { return };
        let (seal, link) = (holder.seal.as_deref().unwrap_or_default(), holder.link.as_deref().unwrap_or_default());
        let chained = self.before.as_ref().is_none_or(|before| chain::same(link, &chain::link(self.key, before, seal)));
        if genuine.is_none() || !chained {
            let message = format!("the event {} (number {number}) was edited", holder.seq);
            self.finds(FindingKind::Edited, Some(number), Some(holder.seq), message);
        }
        // What comes next is judged by what stands here, so that one event is named and not all that follow.
        self.before = Some(link.to_owned());
        self.last_seq = Some(holder.seq);
        self.expected = number + 1;
    }

    /// What is missing before a number.
    fn gap(&mut self, number: i64, next_seq: Option<i64>) {
        if self.expected >= number {
            return;
        }
        let last = number - 1;
        let which = if self.expected == last {
            format!("the event number {last} was")
        } else {
            format!("the events number {} to {last} were", self.expected)
        };
        let place = match (self.last_seq, next_seq) {
            (Some(before), Some(after)) => format!("between the events {before} and {after}"),
            (Some(before), None) => format!("after the event {before}"),
            (None, Some(after)) => format!("before the event {after}"),
            (None, None) => "and nothing is left".to_owned(),
        };
        self.finds(FindingKind::Removed, Some(self.expected), None, format!("{which} removed, {place}"));
        self.expected = number;
        self.before = None;
    }

    /// Rows with numbers that no sealer has given. What was sealed since the walk began is none of them.
    async fn outside(&mut self, store: &Store, ends: &Ends) -> Result<i64, StoreError> {
        let (anchor, number) = (ends.anchor_number, ends.number);
        let strange = store.read(move |db| audit_chain::outside(db, anchor, number, PAGE)).await?;
        let (now, unsealed) = store.read(|db| Ok((audit_chain::ends(db)?, audit_chain::count_unsealed(db)?))).await?;
        let newest = now.map_or(number, |ends| ends.number);
        for (seq, claimed) in strange.into_iter().filter(|(_, claimed)| *claimed <= anchor || *claimed > newest) {
            let message = format!("the event {seq} was inserted: nothing was sealed under its number {claimed}");
            self.finds(FindingKind::Inserted, Some(claimed), Some(seq), message);
        }
        Ok(unsealed)
    }

    fn finds(&mut self, kind: FindingKind, number: Option<i64>, seq: Option<i64>, message: String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding { kind, number, seq, message });
        }
    }
}
