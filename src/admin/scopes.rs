//! The catalogue of scopes.

use crate::admin::AdminError;
use crate::model::audit::{Actor, AuditEvent};
use crate::model::role::BUILT_IN_PERMISSIONS;
use crate::model::scope::{CatalogueScope, is_scope_token};
use crate::oauth::Context;
use crate::store::{audit, scopes};

/// Adds a scope.
///
/// # Errors
/// [`AdminError::Refused`] if the name is taken, is a built-in permission's, or is none by RFC 6749 §3.3.
pub async fn create(context: &Context, actor: &Actor, scope: CatalogueScope) -> Result<CatalogueScope, AdminError> {
    if !is_scope_token(&scope.name) {
        return Err(AdminError::Refused(crate::model::scope::MalformedScope.to_string()));
    }
    if BUILT_IN_PERMISSIONS.contains(&scope.name.as_str()) {
        return Err(AdminError::Refused(format!("`{}` is a built-in permission", scope.name)));
    }
    if scope.audience.as_deref().is_some_and(|audience| audience.is_empty() || audience.contains(' ')) {
        return Err(AdminError::Refused("an audience has no space and is not empty".to_owned()));
    }
    let known = context.store.read(scopes::list).await?;
    if known.iter().any(|other| other.name == scope.name) {
        return Err(AdminError::Refused(format!("there is a scope `{}` already", scope.name)));
    }
    let now = context.clock.now();
    let (actor, made) = (actor.clone(), scope.clone());
    context
        .change(move |db| {
            scopes::create(db, &scope, false, now)?;
            let event = AuditEvent {
                action: "scope.created",
                target_kind: "scope",
                target_id: scope.name.clone(),
                organization_id: None,
                details: format!("requires_approval={}", scope.requires_approval),
            };
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(made)
}

/// All scopes.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn list(context: &Context) -> Result<Vec<CatalogueScope>, AdminError> {
    Ok(context.store.read(scopes::list).await?)
}
