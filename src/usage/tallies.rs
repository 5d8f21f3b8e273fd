//! The counters in memory.

use std::collections::{HashMap, HashSet};

use crate::model::network::Network;
use crate::model::time::Timestamp;
use crate::model::usage::{Counters, Credential, CredentialKind, LastUsed, Tally, UsageDetail};

/// What happened to a credential.
#[derive(Debug, Clone, Copy)]
pub(super) enum Happening {
    Issued,
    Verified,
    Refused(&'static str),
}

/// The counters of one credential in one hour. A reason, grant or method is one of a handful: a list is quicker than
/// a map.
struct Cell {
    hour: Timestamp,
    counters: Counters,
    details: Vec<(UsageDetail, &'static str, i64)>,
    last: Option<(Timestamp, Network)>,
}

impl Cell {
    fn new(hour: Timestamp) -> Self {
        Self { hour, counters: Counters::default(), details: Vec::new(), last: None }
    }

    fn add(&mut self, happening: Happening, network: Network, now: Timestamp) {
        match happening {
            Happening::Issued => self.counters.issued += 1,
            Happening::Verified => self.counters.verified += 1,
            Happening::Refused(reason) => {
                self.counters.refused += 1;
                self.detail(UsageDetail::Refused, reason);
                return;
            }
        }
        self.last = Some((now, network));
    }

    fn detail(&mut self, detail: UsageDetail, name: &'static str) {
        match self.details.iter_mut().find(|(known, of, _)| *known == detail && *of == name) {
            Some((_, _, count)) => *count += 1,
            None => self.details.push((detail, name, 1)),
        }
    }

    fn into_tally(self, kind: CredentialKind, id: String) -> Tally {
        let last_used = self.last.map(|(at, network)| LastUsed { at, ip: network.address() });
        Tally { kind, id, hour: self.hour, counters: self.counters, details: self.details, last_used }
    }
}

/// The scopes of a client that were given out on one day.
struct Scopes {
    day: Timestamp,
    noted: HashSet<Box<str>>,
    fresh: Vec<Box<str>>,
}

impl Scopes {
    fn new(day: Timestamp) -> Self {
        Self { day, noted: HashSet::new(), fresh: Vec::new() }
    }
}

/// A part of the counters, under a lock of its own.
#[derive(Default)]
pub(super) struct Shard {
    cells: [HashMap<Box<str>, Cell>; CredentialKind::ALL.len()],
    scopes: HashMap<Box<str>, Scopes>,
    /// What belongs to hours that are over, or could not be stored.
    closed: Vec<Tally>,
}

impl Shard {
    /// Counts. Allocates only for the first use of a credential since the last batch.
    pub(super) fn count(
        &mut self,
        credential: Credential<'_>,
        happening: Happening,
        details: &[(UsageDetail, &'static str)],
        network: Network,
        now: Timestamp,
    ) {
        let hour = now.hour();
        let cells = &mut self.cells[credential.kind as usize];
        let cell = match cells.get_mut(credential.id) {
            Some(known) => known,
            None => cells.entry(credential.id.into()).or_insert_with(|| Cell::new(hour)),
        };
        if cell.hour != hour {
            let over = std::mem::replace(cell, Cell::new(hour));
            self.closed.push(over.into_tally(credential.kind, credential.id.to_owned()));
        }
        cell.add(happening, network, now);
        for (detail, name) in details {
            cell.detail(*detail, name);
        }
    }

    /// Notes which scopes a client was given, once a day.
    pub(super) fn note_scopes<'a>(&mut self, client_id: &str, scopes: impl Iterator<Item = &'a str>, now: Timestamp) {
        let day = now.day();
        let known = match self.scopes.get_mut(client_id) {
            Some(known) => known,
            None => self.scopes.entry(client_id.into()).or_insert_with(|| Scopes::new(day)),
        };
        if known.day != day {
            known.day = day;
            known.noted.clear();
        }
        for scope in scopes {
            if !known.noted.contains(scope) {
                known.noted.insert(scope.into());
                known.fresh.push(scope.into());
            }
        }
    }

    /// Takes everything that is to be stored.
    pub(super) fn drain(&mut self, tallies: &mut Vec<Tally>, scopes: &mut Vec<(String, String)>) {
        tallies.append(&mut self.closed);
        for (kind, cells) in CredentialKind::ALL.iter().zip(&mut self.cells) {
            tallies.extend(cells.drain().map(|(id, cell)| cell.into_tally(*kind, id.into())));
        }
        for (client_id, known) in &mut self.scopes {
            scopes.extend(known.fresh.drain(..).map(|scope| (client_id.to_string(), scope.into())));
        }
    }

    /// Puts back what could not be stored.
    pub(super) fn restore(&mut self, tallies: Vec<Tally>) {
        self.closed.extend(tallies);
    }

    /// Puts back a scope that could not be stored.
    pub(super) fn restore_scope(&mut self, client_id: &str, scope: &str) {
        if let Some(known) = self.scopes.get_mut(client_id) {
            known.fresh.push(scope.into());
        }
    }
}
