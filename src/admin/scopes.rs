//! The catalogue of scopes, which all organizations share.

use crate::admin::{AdminError, Authority, organizations};
use crate::model::audit::AuditEvent;
use crate::model::role::{BUILT_IN_PERMISSIONS, SCOPES_MANAGE};
use crate::model::scope::{BUILT_IN, CatalogueScope, is_scope_token};
use crate::oauth::Context;
use crate::store::scopes::Holders;
use crate::store::{StoreError, audit, scopes};

/// Adds a scope.
///
/// # Errors
/// [`AdminError::Refused`] if the name is taken; [`AdminError::Invalid`] if it is a built-in permission's, or none by
/// RFC 6749 §3.3.
pub async fn create(context: &Context, by: &Authority, scope: CatalogueScope) -> Result<CatalogueScope, AdminError> {
    by.require(SCOPES_MANAGE)?;
    organizations::govern(context, by).await?;
    if !is_scope_token(&scope.name) {
        return Err(AdminError::invalid("name", crate::model::scope::MalformedScope.to_string()));
    }
    if BUILT_IN_PERMISSIONS.contains(&scope.name.as_str()) {
        return Err(AdminError::invalid("name", format!("`{}` is a built-in permission", scope.name)));
    }
    check(&scope)?;
    let now = context.clock.now();
    let (actor, made) = (by.actor.clone(), scope.clone());
    context
        .change(move |db| {
            if scopes::list(db)?.iter().any(|other| other.name == scope.name) {
                return Err(StoreError::Conflict(format!("there is a scope `{}` already", scope.name)));
            }
            scopes::create(db, &scope, false, now)?;
            audit::record(db, &actor, &event("scope.created", &scope), now)
        })
        .await?;
    Ok(made)
}

fn check(scope: &CatalogueScope) -> Result<(), AdminError> {
    let is_audience = |audience: &str| {
        !audience.is_empty() && audience.len() <= 255 && !audience.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    if scope.audience.as_deref().is_some_and(|audience| !is_audience(audience)) {
        return Err(AdminError::invalid("audience", "an audience has no space and is not empty"));
    }
    if scope.description.len() > 4096 {
        return Err(AdminError::invalid("description", "has at most 4096 bytes"));
    }
    Ok(())
}

/// Changes description, audience, and whether clients need an approval. What clients have they keep.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for a built-in scope.
pub async fn update(context: &Context, by: &Authority, scope: CatalogueScope) -> Result<CatalogueScope, AdminError> {
    by.require(SCOPES_MANAGE)?;
    organizations::govern(context, by).await?;
    find(context, &scope.name).await?;
    if BUILT_IN.contains(&scope.name.as_str()) {
        return Err(AdminError::Refused(format!("the scope {} is built in", scope.name)));
    }
    check(&scope)?;
    let now = context.clock.now();
    let (actor, changed) = (by.actor.clone(), scope.clone());
    context
        .change(move |db| {
            scopes::update(db, &scope)?;
            audit::record(db, &actor, &event("scope.changed", &scope), now)
        })
        .await?;
    Ok(changed)
}

/// Deletes a scope that nobody holds. Its name may be given again.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for a built-in scope, and while a client or role holds it or a
/// request for it is open.
pub async fn delete(context: &Context, by: &Authority, name: &str) -> Result<CatalogueScope, AdminError> {
    by.require(SCOPES_MANAGE)?;
    organizations::govern(context, by).await?;
    let scope = find(context, name).await?;
    if BUILT_IN.contains(&scope.name.as_str()) {
        return Err(AdminError::Refused(format!("the scope {} is built in", scope.name)));
    }
    let now = context.clock.now();
    let (actor, gone) = (by.actor.clone(), scope.clone());
    context
        .change(move |db| {
            let holders = scopes::delete(db, &gone.name)?;
            if !holders.is_empty() {
                return Err(StoreError::Conflict(held(&gone.name, holders)));
            }
            audit::record(db, &actor, &event("scope.deleted", &gone), now)
        })
        .await?;
    Ok(scope)
}

/// Who holds a scope, and what to do about it.
fn held(name: &str, holders: Holders) -> String {
    let counted = [
        (holders.clients, "client holds", "clients hold"),
        (holders.roles, "role holds", "roles hold"),
        (holders.requests, "open request names", "open requests name"),
    ];
    let said: Vec<String> = counted
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, several)| format!("{count} {}", if *count == 1 { one } else { several }))
        .collect();
    format!("{} the scope {name}: end that first", said.join(", "))
}

/// All scopes.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn list(context: &Context) -> Result<Vec<CatalogueScope>, AdminError> {
    Ok(context.store.read(scopes::list).await?)
}

/// One by name.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn find(context: &Context, name: &str) -> Result<CatalogueScope, AdminError> {
    let found = list(context).await?.into_iter().find(|scope| scope.name == name);
    found.ok_or_else(|| AdminError::not_found("scope", name))
}

fn event(action: &'static str, scope: &CatalogueScope) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "scope",
        target_id: scope.name.clone(),
        organization_id: None,
        details: format!("requires_approval={}", scope.requires_approval),
    }
}
