//! The difference between what there is and what there should be.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::admin::declaration::document::Document;
use crate::admin::declaration::entry::Entry;

/// A field that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Its key.
    pub field: &'static str,
    /// What it is.
    pub from: String,
    /// What it becomes.
    pub to: String,
}

/// What happens to one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Create,
    /// Fields of it change.
    Change(Vec<FieldChange>),
}

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `organization`, `scope`, `role` or `client`.
    pub noun: &'static str,
    /// What tells it from others of its kind.
    pub key: String,
    /// What happens to it.
    pub action: Action,
}

/// All that changes, in the order in which it must.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// What changes.
    pub steps: Vec<Step>,
    /// Things that are as declared.
    pub unchanged: usize,
}

impl Plan {
    /// Compares, and gives each entry without a status the one that it has.
    pub(in crate::admin::declaration) fn between(present: &Document, wanted: &mut Document) -> Self {
        let mut plan = Self::default();
        plan.compare(&present.organizations, &mut wanted.organizations);
        plan.compare(&present.scopes, &mut wanted.scopes);
        plan.compare(&present.roles, &mut wanted.roles);
        plan.compare(&present.clients, &mut wanted.clients);
        plan
    }

    fn compare<E: Entry + Clone>(&mut self, present: &[E], wanted: &mut [E]) {
        let mut known: BTreeMap<String, E> = present.iter().map(|entry| (entry.key(), entry.clone())).collect();
        for entry in wanted {
            let mut there = known.get_mut(&entry.key());
            let kept = there.as_mut().and_then(|there| there.status().cloned().flatten());
            if let Some(status) = entry.status() {
                let status = status.get_or_insert_with(|| kept.unwrap_or_else(|| "active".to_owned()));
                status.make_ascii_lowercase();
            }
            let action = match there {
                None => Action::Create,
                Some(there) => {
                    let pairs = there.fields().into_iter().zip(entry.fields());
                    let changes: Vec<FieldChange> = pairs
                        .filter(|(from, to)| from != to)
                        .map(|((field, from), (_, to))| FieldChange { field, from, to })
                        .collect();
                    if changes.is_empty() {
                        self.unchanged += 1;
                        continue;
                    }
                    Action::Change(changes)
                }
            };
            self.steps.push(Step { noun: E::NOUN, key: entry.key(), action });
        }
    }

    /// What happens to one thing, if anything does.
    pub(in crate::admin::declaration) fn action<E: Entry>(&self, entry: &E) -> Option<&Action> {
        let key = entry.key();
        self.steps.iter().find(|step| step.noun == E::NOUN && step.key == key).map(|step| &step.action)
    }
}

impl Action {
    /// For the audit: names of fields, and what they become.
    pub(in crate::admin::declaration) fn details(&self) -> String {
        match self {
            Self::Create => "declared".to_owned(),
            Self::Change(changes) => {
                changes.iter().map(|change| format!("{}={}", change.field, change.to)).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// Whether it changes this field.
    pub(in crate::admin::declaration) fn changes(&self, field: &str) -> bool {
        matches!(self, Self::Change(changes) if changes.iter().any(|change| change.field == field))
    }
}
