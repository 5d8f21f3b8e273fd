//! The text: TOML, every key of it known.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::admin::AdminError;
use crate::admin::declaration::entry::{ClientEntry, Entry, OrganizationEntry, RoleEntry, ScopeEntry};

/// Everything that is declared, each kind under its own name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::admin::declaration) struct Document {
    #[serde(default, rename = "organization", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::admin::declaration) organizations: Vec<OrganizationEntry>,
    #[serde(default, rename = "scope", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::admin::declaration) scopes: Vec<ScopeEntry>,
    #[serde(default, rename = "role", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::admin::declaration) roles: Vec<RoleEntry>,
    #[serde(default, rename = "client", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::admin::declaration) clients: Vec<ClientEntry>,
}

impl Document {
    /// Reads a text; names the line of what is not known, and the entry that is there twice.
    pub(in crate::admin::declaration) fn parse(text: &str) -> Result<Self, AdminError> {
        let mut document: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.matches('\n').count();
            AdminError::Refused(format!("line {line}: {}", error.message().replace('\n', " ")))
        })?;
        normalize(&mut document.organizations)?;
        normalize(&mut document.scopes)?;
        normalize(&mut document.roles)?;
        normalize(&mut document.clients)?;
        Ok(document)
    }

    /// The text.
    pub(in crate::admin::declaration) fn to_text(&self) -> Result<String, AdminError> {
        toml::to_string(self).map_err(|error| AdminError::Bug(error.to_string()))
    }
}

fn normalize<E: Entry>(entries: &mut [E]) -> Result<(), AdminError> {
    let mut keys = BTreeSet::new();
    for entry in entries {
        entry.normalize();
        if !keys.insert(entry.key()) {
            return Err(AdminError::Refused(format!("the {} `{}` is declared twice", E::NOUN, entry.key())));
        }
    }
    Ok(())
}
