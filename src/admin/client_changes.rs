//! Changes of a client's registration.

use crate::admin::clients::{NewClient, approves, check_scopes, checked, event, find};
use crate::admin::{AdminError, Authority, client_secrets, roles};
use crate::model::client::{Client, ClientKind, StaticClaims};
use crate::model::role::APPLICATIONS_MANAGE;
use crate::oauth::Context;
use crate::store::{StoreError, audit, clients};

/// What of a client is to be changed; what is none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ClientChange {
    /// For people.
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// The grants that it may use.
    pub grant_types: Option<Vec<String>>,
    /// The scopes that it may ask for, approved herewith.
    pub scopes: Option<Vec<String>>,
    /// The resource servers that it may have tokens for.
    pub audiences: Option<Vec<String>>,
    /// Whether it may introspect tokens.
    pub may_introspect: Option<bool>,
    /// Lifetime of its access tokens in seconds; the inner none is the server's.
    pub access_lifetime: Option<Option<i64>>,
    /// Idle lifetime of its token families in seconds; the inner none is the server's.
    pub idle_lifetime: Option<Option<i64>>,
    /// Absolute lifetime of its token families in seconds; the inner none is the server's.
    pub absolute_lifetime: Option<Option<i64>>,
    /// Reuse window of its refresh tokens in seconds; the inner none is the server's.
    pub reuse_window: Option<Option<i64>>,
    /// Claims that its access tokens bear besides the standard's.
    pub static_claims: Option<StaticClaims>,
    /// Its roles at Grantor's own API, by name or id.
    pub roles: Option<Vec<String>>,
}

impl ClientChange {
    /// Only what a developer changes of their own application.
    fn is_a_developers(&self) -> bool {
        self.grant_types.is_none()
            && self.scopes.is_none()
            && self.audiences.is_none()
            && self.may_introspect.is_none()
            && self.access_lifetime.is_none()
            && self.idle_lifetime.is_none()
            && self.absolute_lifetime.is_none()
            && self.reuse_window.is_none()
            && self.static_claims.is_none()
            && self.roles.is_none()
    }

    /// The registration as it would be made with this change.
    fn onto(&self, known: &Client) -> NewClient {
        let grants = || known.grant_types.iter().map(|grant| grant.as_str().to_owned()).collect();
        NewClient {
            label: self.label.clone().unwrap_or_else(|| known.label.clone()),
            description: self.description.clone().unwrap_or_else(|| known.description.clone()),
            purpose: self.purpose.clone().unwrap_or_else(|| known.purpose.clone()),
            grant_types: self.grant_types.clone().unwrap_or_else(grants),
            public: known.kind == ClientKind::Public,
            scopes: self.scopes.clone().unwrap_or_else(|| known.scopes.iter().map(str::to_owned).collect()),
            audiences: self.audiences.clone().unwrap_or_else(|| known.audiences.clone()),
            authentication_method: known.authentication_method.map(|method| method.as_str().to_owned()),
            may_introspect: self.may_introspect.unwrap_or(known.may_introspect),
            access_lifetime: self.access_lifetime.unwrap_or(known.access_lifetime),
            idle_lifetime: self.idle_lifetime.unwrap_or(known.idle_lifetime),
            absolute_lifetime: self.absolute_lifetime.unwrap_or(known.absolute_lifetime),
            reuse_window: self.reuse_window.unwrap_or(known.reuse_window),
            signing_algorithm: known.signing_algorithm.map(|algorithm| algorithm.as_str().to_owned()),
            static_claims: self.static_claims.clone().unwrap_or_else(|| known.static_claims.clone()),
            mode: Some(known.mode.as_str().to_owned()),
            ..NewClient::default()
        }
    }
}

/// Changes a registration. Its developer changes label, description and purpose; an approver everything.
///
/// # Errors
/// [`AdminError`] says what cannot be, and at which field.
pub async fn update(context: &Context, by: &Authority, key: &str, change: &ClientChange) -> Result<Client, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    let known = find(context, by, key).await?;
    if !change.is_a_developers() && !approves(by) {
        return Err(AdminError::Forbidden(
            "whoever registered an application changes its label, description and purpose alone".to_owned(),
        ));
    }
    if !change.is_a_developers() {
        client_secrets::may_see(context, by, &known)?;
    }
    // Against what is known now: a bad change is refused before the transaction.
    let proposed = checked(&change.onto(&known), &known.organization_id)?;
    check_scopes(context, &proposed, true).await?;
    let role_ids = match &change.roles {
        Some(named) => {
            let given = roles::grantable(context, by, &known.organization_id, named).await?;
            Some(given.into_iter().map(|role| role.id).collect::<Vec<_>>())
        }
        None => None,
    };
    let now = context.clock.now();
    let (actor, change, id) = (by.actor.clone(), change.clone(), known.client_id.clone());
    let changed = context
        .change(move |db| {
            clients::hold(db, &id)?;
            let gone = || StoreError::Conflict("the client is gone".to_owned());
            let current = clients::by_id(db, &id)?.ok_or_else(gone)?;
            let next = checked(&change.onto(&current), &current.organization_id);
            let next = next.map_err(|cause| StoreError::Conflict(cause.to_string()))?;
            let role_ids = role_ids.clone().unwrap_or_else(|| current.role_ids.clone());
            let next = Client {
                client_id: current.client_id,
                owner_id: current.owner_id,
                status: current.status,
                epoch: current.epoch,
                secrets: current.secrets,
                ended_secrets: current.ended_secrets,
                role_ids,
                ..next
            };
            clients::update(db, &next)?;
            audit::record(db, &actor, &event("client.changed", &next, format!("scopes={}", next.scopes)), now)?;
            Ok(next)
        })
        .await?;
    Ok(changed)
}
