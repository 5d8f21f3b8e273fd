//! Effective scope: requested ∩ approved for the client ∩ held by the user.

use crate::model::client::Client;
use crate::model::scope::{OFFLINE_ACCESS, OPENID, ScopeSet};
use crate::oauth::error::ProtocolError;
use crate::registry::Snapshot;

/// What a client may have of what it asks for. An empty request means everything it is approved for but
/// `openid` and `offline_access`, which are only ever given when asked for.
///
/// # Errors
/// `invalid_scope` if the request goes beyond the approved scopes (RFC 6749 §3.3).
pub fn negotiate(client: &Client, requested: Option<&ScopeSet>) -> Result<ScopeSet, ProtocolError> {
    match requested {
        None => Ok(client.scopes.iter().filter(|s| *s != OPENID && *s != OFFLINE_ACCESS).collect()),
        Some(requested) if requested.is_subset(&client.scopes) => Ok(requested.clone()),
        Some(requested) => {
            let beyond: ScopeSet = requested.iter().filter(|scope| !client.scopes.contains(scope)).collect();
            Err(ProtocolError::invalid_scope("the scope goes beyond what the client is approved for")
                .because(format!("not approved: {beyond}")))
        }
    }
}

/// What is left of a scope once the client's approval and the user's roles of this instant are asked again. A
/// scope beyond the user's roles is left out, not refused; `openid` and `offline_access` need the client's
/// approval only.
#[must_use]
pub fn effective(granted: &ScopeSet, client: &Client, snapshot: &Snapshot, role_ids: Option<&[String]>) -> ScopeSet {
    let held = |scope: &str| match role_ids {
        None => true,
        Some(role_ids) => {
            scope == OPENID
                || scope == OFFLINE_ACCESS
                || role_ids.iter().filter_map(|id| snapshot.role(id)).any(|role| role.permissions.contains(scope))
        }
    };
    granted.iter().filter(|scope| client.scopes.contains(scope) && held(scope)).collect()
}
