//! Whether what is declared can be, before any of it is.

use std::collections::BTreeSet;

use crate::admin::clients::{self, NewClient};
use crate::admin::declaration::document::Document;
use crate::admin::declaration::entry::{ClientEntry, Entry, OrganizationEntry, RoleEntry, ScopeEntry};
use crate::admin::declaration::plan::{Action, Plan};
use crate::admin::declaration::state::State;
use crate::model::client::{Client, ClientStatus};
use crate::model::organization::OrganizationStatus;
use crate::model::role::BUILT_IN_PERMISSIONS;
use crate::model::scope::{BUILT_IN, is_scope_token};

/// Checks everything that changes. The text names the entry.
pub(in crate::admin::declaration) fn check(state: &State, wanted: &Document, plan: &Plan) -> Result<(), String> {
    let slugs: BTreeSet<&str> =
        state.organizations.keys().map(String::as_str).chain(wanted.organizations.iter().map(|o| &*o.slug)).collect();
    let scopes: BTreeSet<&str> =
        state.scopes.iter().map(String::as_str).chain(wanted.scopes.iter().map(|scope| &*scope.name)).collect();
    each(&wanted.organizations, plan, |entry, _| organization(entry))?;
    each(&wanted.scopes, plan, |entry, _| scope(entry))?;
    each(&wanted.roles, plan, |entry, _| role(entry, &slugs, &scopes))?;
    each(&wanted.clients, plan, |entry, action| {
        if !slugs.contains(entry.organization.as_str()) {
            return Err(format!("there is no organization `{}`", entry.organization));
        }
        if let Some(unknown) = entry.scopes.iter().find(|name| !scopes.contains(name.as_str())) {
            return Err(format!("the scope `{unknown}` is neither in the catalogue nor declared"));
        }
        for field in ["organization", "public"] {
            if action.changes(field) {
                return Err(format!("`{field}` is decided when a client is made: declare another client_id"));
            }
        }
        let made = client(entry, "")?;
        match state.clients.get(&entry.client_id).map(|client| client.status) {
            Some(from) if from != made.status && !from.may_become(made.status) => {
                Err(format!("a client that is {from} cannot become {}", made.status))
            }
            None if made.status != ClientStatus::Active && made.status != ClientStatus::Disabled => {
                Err("a new client is active or disabled".to_owned())
            }
            _ if made.status == ClientStatus::Deleted => Err("nothing is deleted by a declaration".to_owned()),
            _ => Ok(()),
        }
    })
}

fn each<E: Entry>(entries: &[E], plan: &Plan, check: impl Fn(&E, &Action) -> Result<(), String>) -> Result<(), String> {
    for entry in entries {
        if let Some(action) = plan.action(entry) {
            check(entry, action).map_err(|why| format!("{} `{}`: {why}", E::NOUN, entry.key()))?;
        }
    }
    Ok(())
}

fn organization(entry: &OrganizationEntry) -> Result<(), String> {
    let is_slug = !entry.slug.is_empty()
        && entry.slug.len() <= 60
        && !entry.slug.starts_with('-')
        && entry.slug.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && entry.slug.bytes().any(|byte| byte.is_ascii_lowercase());
    if !is_slug {
        return Err("a slug has 1 to 60 of a-z, 0-9 and '-', a letter among them".to_owned());
    }
    line("a name", &entry.name)?;
    let status = entry.status.as_deref().unwrap_or_default();
    status.parse::<OrganizationStatus>().map(|_| ()).map_err(|error| error.to_string())
}

fn scope(entry: &ScopeEntry) -> Result<(), String> {
    if !is_scope_token(&entry.name) {
        return Err(crate::model::scope::MalformedScope.to_string());
    }
    if BUILT_IN_PERMISSIONS.contains(&entry.name.as_str()) || BUILT_IN.contains(&entry.name.as_str()) {
        return Err("it is built in and cannot be declared".to_owned());
    }
    if entry.audience.as_deref().is_some_and(|audience| audience.is_empty() || audience.contains(char::is_whitespace)) {
        return Err("an audience has no space and is not empty".to_owned());
    }
    Ok(())
}

fn role(entry: &RoleEntry, slugs: &BTreeSet<&str>, scopes: &BTreeSet<&str>) -> Result<(), String> {
    if !slugs.contains(entry.organization.as_str()) {
        return Err(format!("there is no organization `{}`", entry.organization));
    }
    line("a role's name", &entry.name)?;
    let known = |name: &str| BUILT_IN_PERMISSIONS.contains(&name) || scopes.contains(name);
    match entry.permissions.iter().find(|name| !known(name)) {
        None => Ok(()),
        Some(unknown) => {
            Err(format!("`{unknown}` is neither a built-in permission nor a scope that is there or declared"))
        }
    }
}

fn line(what: &str, text: &str) -> Result<(), String> {
    let good = !text.is_empty() && text.trim() == text && text.len() <= 255 && !text.chars().any(char::is_control);
    if good { Ok(()) } else { Err(format!("{what} has 1 to 255 bytes on one line, without space at its ends")) }
}

/// The client that an entry declares.
pub(in crate::admin::declaration) fn client(entry: &ClientEntry, organization_id: &str) -> Result<Client, String> {
    line("a label", &entry.label)?;
    let new = NewClient {
        label: entry.label.clone(),
        grant_types: entry.grant_types.clone(),
        public: entry.public,
        scopes: entry.scopes.clone(),
        audiences: entry.audiences.clone(),
        authentication_method: entry.token_endpoint_auth_method.clone(),
        may_introspect: entry.may_introspect,
        access_lifetime: entry.access_lifetime,
        reuse_window: entry.reuse_window,
        signing_algorithm: entry.signing_algorithm.clone(),
        idle_lifetime: entry.idle_lifetime,
        absolute_lifetime: entry.absolute_lifetime,
        description: entry.description.clone(),
        ..NewClient::default()
    };
    let mut client = clients::checked(&new, organization_id).map_err(|error| error.to_string())?;
    client.client_id = clients::checked_client_id(&entry.client_id).map_err(|error| error.to_string())?;
    let status = entry.status.as_deref().unwrap_or("active");
    client.status = status.parse().map_err(|error: crate::model::states::UnknownWord| error.to_string())?;
    Ok(client)
}
