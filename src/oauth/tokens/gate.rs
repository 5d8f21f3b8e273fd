//! The one gate: the only way to make an [`AuthorizedGrant`] asks again whether client, user, organization and
//! scopes are what they must be at this instant. Most token vulnerabilities of recent years are one grant that
//! forgot one of these questions.

use std::sync::Arc;

use crate::model::client::{Client, ClientStatus};
use crate::model::family::Family;
use crate::model::organization::OrganizationStatus;
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::model::user::{User, UserStatus};
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::scope;
use crate::oauth::tokens::access_token::Epochs;
use crate::registry::Snapshot;
use crate::store::{families, users};

/// A grant that may be issued.
pub struct AuthorizedGrant {
    pub(super) client: Arc<Client>,
    pub(super) authenticated: AuthenticatedClient,
    pub(super) owner: Option<Owner>,
    pub(super) scope: ScopeSet,
    pub(super) audience: Vec<String>,
    pub(super) epochs: Epochs,
    pub(super) family_id: Option<String>,
}

/// The resource owner behind a grant.
pub(super) struct Owner {
    pub(super) id: String,
    pub(super) organization_id: String,
    pub(super) role_names: Vec<String>,
    pub(super) auth_time: Timestamp,
}

/// What a grant asks for.
pub struct Asked<'a> {
    /// The scope that the grant's machine has negotiated.
    pub scope: &'a ScopeSet,
    /// The resources of the request (RFC 8707).
    pub resources: &'a [String],
}

/// A family and its user, as the database had them in one reading. Only [`RecoveredFamily::read`] makes one.
pub struct RecoveredFamily {
    /// The family.
    pub family: Family,
    user: Option<User>,
}

impl RecoveredFamily {
    /// Reads a family and its user.
    ///
    /// # Errors
    /// 503 if the database cannot be read.
    pub async fn read(context: &Context, family_id: String) -> Result<Option<Self>, ProtocolError> {
        let read = context.store.read(move |db| {
            let found = families::find_with_owner(db, &family_id)?;
            Ok(found.map(|(family, user)| Self { family, user }))
        });
        Ok(read.await?)
    }

    /// Whether the family's user, and their organization, may have tokens at this instant.
    #[must_use]
    pub fn owner_may_be_issued(&self, snapshot: &Snapshot) -> bool {
        self.user.as_ref().is_some_and(|user| {
            may_be_issued(user, false) && organization_epoch(snapshot, &user.organization_id).is_some()
        })
    }
}

impl AuthorizedGrant {
    /// A client acts for itself.
    ///
    /// # Errors
    /// `invalid_client` if the client or its organization is no longer active, `invalid_target`.
    pub fn for_client(
        context: &Context,
        client: &AuthenticatedClient,
        asked: &Asked<'_>,
    ) -> Result<Self, ProtocolError> {
        let snapshot = context.registry.snapshot();
        let authenticated = client.clone();
        let client = live_client(&snapshot, &client.client_id)?;
        let scope = scope::effective(asked.scope, &client, &snapshot, None);
        let audience = audience(context, &snapshot, &client, &scope, asked.resources)?;
        let organization = live_organization(&snapshot, &client)?;
        let epochs = Epochs { client: client.epoch, user: 0, organization };
        Ok(Self { client, authenticated, owner: None, scope, audience, epochs, family_id: None })
    }

    /// A user has signed in just now. Where the password took a while to check they are read again here: a raised
    /// epoch says that it may have been changed meanwhile.
    ///
    /// # Errors
    /// `invalid_grant` if the user may have no token, and as [`AuthorizedGrant::for_client`].
    pub async fn for_sign_in(
        context: &Context,
        client: &AuthenticatedClient,
        signed_in: &crate::login::SignedIn,
        asked: &Asked<'_>,
        auth_time: Timestamp,
    ) -> Result<Self, ProtocolError> {
        let read_again;
        let user = match &signed_in.just_read {
            Some(user) => Some(&**user),
            None => {
                let id = signed_in.user_id.clone();
                read_again = context.store.read(move |db| users::by_id(db, &id)).await?;
                read_again.as_ref()
            }
        };
        let user = user
            .filter(|user| may_be_issued(user, signed_in.despite_lock) && user.epoch == signed_in.epoch)
            .ok_or_else(ProtocolError::refused_sign_in)?;
        Self::for_user(context, client, user, asked, auth_time, ProtocolError::refused_sign_in)
    }

    /// A family is used again.
    ///
    /// # Errors
    /// As [`AuthorizedGrant::for_sign_in`].
    pub fn for_family(
        context: &Context,
        client: &AuthenticatedClient,
        recovered: &RecoveredFamily,
        asked: &Asked<'_>,
    ) -> Result<Self, ProtocolError> {
        let refused = ProtocolError::refused_refresh;
        let user = recovered.user.as_ref().ok_or_else(|| refused().because("the user is gone"))?;
        if !may_be_issued(user, false) {
            return Err(refused().because("the user is not active or has no API access"));
        }
        let mut grant = Self::for_user(context, client, user, asked, recovered.family.auth_time, refused)?;
        let original = &recovered.family.audience;
        if !original.is_empty() {
            // RFC 8707 §2.2: within what was granted first; and only for what the client may still ask for.
            if asked.resources.is_empty() {
                let may_name =
                    |audience: &&String| grant.client.audiences.contains(audience) || grant.audience.contains(audience);
                let still: Vec<String> = original.iter().filter(may_name).cloned().collect();
                if still.is_empty() {
                    return Err(ProtocolError::invalid_target());
                }
                grant.audience = still;
            } else if !asked.resources.iter().all(|resource| original.contains(resource)) {
                return Err(ProtocolError::invalid_target());
            }
        }
        grant.family_id = Some(recovered.family.id.clone());
        Ok(grant)
    }

    /// `refused` is the grant's one text for every account that may have no token.
    fn for_user(
        context: &Context,
        client: &AuthenticatedClient,
        user: &User,
        asked: &Asked<'_>,
        auth_time: Timestamp,
        refused: fn() -> ProtocolError,
    ) -> Result<Self, ProtocolError> {
        let snapshot = context.registry.snapshot();
        let authenticated = client.clone();
        let client = live_client(&snapshot, &client.client_id)?;
        live_organization(&snapshot, &client)?;
        let organization = organization_epoch(&snapshot, &user.organization_id)
            .ok_or_else(|| refused().because("the user's organization is not active"))?;
        let scope = scope::effective(asked.scope, &client, &snapshot, Some(&user.role_ids));
        let audience = audience(context, &snapshot, &client, &scope, asked.resources)?;
        let mut role_names: Vec<String> =
            user.role_ids.iter().filter_map(|id| snapshot.role(id)).map(|role| role.name.clone()).collect();
        role_names.sort_unstable();
        let owner = Owner { id: user.id.clone(), organization_id: user.organization_id.clone(), role_names, auth_time };
        let epochs = Epochs { client: client.epoch, user: user.epoch, organization };
        Ok(Self { client, authenticated, owner: Some(owner), scope, audience, epochs, family_id: None })
    }

    /// Names the family that the grant starts.
    #[must_use]
    pub fn starting_family(mut self, family_id: String) -> Self {
        self.family_id = Some(family_id);
        self
    }
}

pub(super) fn live_client(snapshot: &Snapshot, client_id: &str) -> Result<Arc<Client>, ProtocolError> {
    let client = snapshot.client(client_id).filter(|client| client.status == ClientStatus::Active);
    client.cloned().ok_or_else(|| ProtocolError::invalid_client().because("the client is no longer active"))
}

/// The epoch of the client's organization, which must be active.
pub(super) fn live_organization(snapshot: &Snapshot, client: &Client) -> Result<i64, ProtocolError> {
    organization_epoch(snapshot, &client.organization_id)
        .ok_or_else(|| ProtocolError::invalid_client().because("the client's organization is not active"))
}

pub(super) fn organization_epoch(snapshot: &Snapshot, id: &str) -> Option<i64> {
    let organization = snapshot.organization(id)?;
    (organization.status == OrganizationStatus::Active).then_some(organization.epoch)
}

/// Nothing is issued unless the user is active and has API access; a locked user is let in only where the sign-in
/// came from a network of theirs.
pub(super) fn may_be_issued(user: &User, despite_lock: bool) -> bool {
    let active = match user.status {
        UserStatus::Active => true,
        UserStatus::Locked => despite_lock,
        UserStatus::Invited | UserStatus::Disabled | UserStatus::Deleted => false,
    };
    active && user.access_api
}

/// The `aud` of a token: what the request names, else what the scopes belong to, else what the client is for, else
/// the server's own.
fn audience(
    context: &Context,
    snapshot: &Snapshot,
    client: &Client,
    scope: &ScopeSet,
    resources: &[String],
) -> Result<Vec<String>, ProtocolError> {
    if !resources.is_empty() {
        // RFC 8707 §2: each must be one that the client may have.
        if resources.iter().any(|resource| !client.audiences.contains(resource)) {
            return Err(ProtocolError::invalid_target());
        }
        return Ok(resources.to_vec());
    }
    let mut of_scopes: Vec<String> = scope.iter().filter_map(|name| snapshot.scope(name)?.audience.clone()).collect();
    if !of_scopes.is_empty() {
        of_scopes.sort_unstable();
        of_scopes.dedup();
        return Ok(of_scopes);
    }
    if client.audiences.is_empty() { Ok(vec![context.settings.audience.clone()]) } else { Ok(client.audiences.clone()) }
}
