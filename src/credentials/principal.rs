//! Who a request comes from, and what they may at this instant.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::credentials::known::KnownUser;
use crate::credentials::shape::Shape;
use crate::crypto::secret::SecretString;
use crate::login::Face;
use crate::model::audit::{Actor, ActorKind};
use crate::model::client::Client;
use crate::model::organization::{Organization, OrganizationStatus};
use crate::model::role::{API_ACCESS, USERS_MANAGE};
use crate::model::scope::{OFFLINE_ACCESS, OPENID, ScopeSet};
use crate::model::time::Timestamp;
use crate::model::user::{Administration, Membership, UserKind};
use crate::oauth::tokens::issue::issue_for_upstream;
use crate::oauth::tokens::presented::{AuthorizedCredential, Presented, Subject};
use crate::oauth::{Context, ProtocolError};
use crate::registry::Snapshot;

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user.
    User(UserKind),
    /// A client that acts for itself.
    Client,
}

/// Somebody whose credential was found to be right, in one organization.
#[derive(Debug, Clone)]
pub struct Principal {
    /// User or client.
    pub kind: Kind,
    /// The user's id, or the `client_id`.
    pub subject: String,
    /// The user's name.
    pub username: Option<String>,
    /// The client that acts, or that a user's token was issued to.
    pub client_id: Option<String>,
    /// The organization that was asked for, or their first.
    pub organization: Arc<Organization>,
    /// What they may at a resource server.
    pub scopes: ScopeSet,
    /// What they may at Grantor: built-in permissions, and scopes.
    pub permissions: BTreeSet<String>,
    /// The credential: a token's `jti`, the id of a secret or of an API key, `password:` and the user's id.
    pub credential_id: String,
    /// The credential's shape.
    pub shape: Shape,
    /// When the credential ends by itself.
    pub expires_at: Option<Timestamp>,
    user: Option<Behind>,
}

/// The user behind a principal.
#[derive(Debug, Clone)]
struct Behind {
    known: Arc<KnownUser>,
    despite_lock: bool,
    auth_time: Option<Timestamp>,
}

/// A credential, and how far it reaches.
pub(super) struct Reach<'a> {
    pub(super) shape: Shape,
    pub(super) face: Face,
    pub(super) credential_id: String,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) client_id: Option<String>,
    pub(super) limit: Limit<'a>,
    pub(super) despite_lock: bool,
    pub(super) auth_time: Option<Timestamp>,
}

/// What a credential leaves of what its user holds.
pub(super) enum Limit<'a> {
    /// Everything.
    None,
    /// These scopes; permissions stay, since no token's scope names them.
    Token(&'a ScopeSet),
    /// These scopes and permissions.
    Stated(&'a ScopeSet),
}

impl Principal {
    /// A user in the organization that is asked for.
    ///
    /// # Errors
    /// 403 if it is none of theirs, or if they lack `api:access` there; 401 if their own one is not active.
    pub(super) fn of_user(
        context: &Context,
        known: &Arc<KnownUser>,
        asked: Option<&str>,
        reach: Reach<'_>,
    ) -> Result<Self, ProtocolError> {
        let snapshot = context.registry.snapshot();
        let user = &known.user;
        if live(&snapshot, &user.organization_id).is_none() {
            return Err(ProtocolError::invalid_credentials().because("the user's organization is not active"));
        }
        let (organization, membership) = place(&snapshot, known, asked)
            .ok_or_else(|| ProtocolError::access_denied("the organization is not one of the user's"))?;
        let roles = membership.role_ids.iter().filter_map(|id| snapshot.role(id));
        let mut held: BTreeSet<&str> = roles.flat_map(|role| &role.permissions).map(String::as_str).collect();
        // An administrator of the account manages its users, whatever the roles say.
        if user.administration == Administration::Admin && user.organization_id == organization.id {
            held.insert(USERS_MANAGE);
        }
        if reach.face == Face::Api && !held.contains(API_ACCESS) {
            return Err(ProtocolError::insufficient_scope("you are not allowed to access the web API"));
        }
        let of_protocol = |scope: &str| scope == OPENID || scope == OFFLINE_ACCESS;
        let in_catalogue = |scope: &str| snapshot.scope(scope).is_some() && !of_protocol(scope);
        let stated = |name: &str| match reach.limit {
            Limit::Stated(stated) => stated.contains(name),
            Limit::None | Limit::Token(_) => true,
        };
        let scopes = match reach.limit {
            Limit::Token(token) => token.iter().filter(|scope| of_protocol(scope) || held.contains(scope)).collect(),
            Limit::None | Limit::Stated(_) => {
                held.iter().copied().filter(|name| in_catalogue(name) && stated(name)).collect()
            }
        };
        let permissions = held.iter().filter(|name| **name == API_ACCESS || stated(name));
        Ok(Self {
            kind: Kind::User(user.kind),
            subject: user.id.clone(),
            username: Some(user.username.clone()),
            client_id: reach.client_id,
            organization,
            scopes,
            permissions: permissions.map(|name| (*name).to_owned()).collect(),
            credential_id: reach.credential_id,
            shape: reach.shape,
            expires_at: reach.expires_at,
            user: Some(Behind {
                known: Arc::clone(known),
                despite_lock: reach.despite_lock,
                auth_time: reach.auth_time,
            }),
        })
    }

    /// A client that acts for itself; `api:access` is asked of users alone.
    ///
    /// # Errors
    /// 403 if another organization than its own is asked for.
    pub(super) fn of_client(
        context: &Context,
        client: &Client,
        scopes: ScopeSet,
        asked: Option<&str>,
        reach: Reach<'_>,
    ) -> Result<Self, ProtocolError> {
        let snapshot = context.registry.snapshot();
        let organization = live(&snapshot, &client.organization_id)
            .ok_or_else(|| ProtocolError::invalid_credentials().because("the client's organization is not active"))?;
        if asked.is_some_and(|asked| !is_named(organization, asked)) {
            return Err(ProtocolError::access_denied("the organization is not the client's"));
        }
        Ok(Self {
            kind: Kind::Client,
            subject: client.client_id.clone(),
            username: None,
            client_id: Some(client.client_id.clone()),
            organization: Arc::clone(organization),
            scopes,
            permissions: permissions_of(&snapshot, client),
            credential_id: reach.credential_id,
            shape: reach.shape,
            expires_at: reach.expires_at,
            user: None,
        })
    }

    /// An organization of the principal's by id or number; what is not theirs is not there.
    #[must_use]
    pub fn organization_named(&self, context: &Context, name: &str) -> Option<Arc<Organization>> {
        match &self.user {
            Some(behind) => {
                let snapshot = context.registry.snapshot();
                let of_user = behind.known.memberships.iter();
                let mut found = of_user.filter_map(|membership| live(&snapshot, &membership.organization_id));
                found.find(|organization| is_named(organization, name)).cloned()
            }
            None => Some(Arc::clone(&self.organization)).filter(|organization| is_named(organization, name)),
        }
    }

    /// The organizations that they may act in.
    #[must_use]
    pub fn organizations(&self, context: &Context) -> Vec<Arc<Organization>> {
        let Some(behind) = &self.user else { return vec![Arc::clone(&self.organization)] };
        let snapshot = context.registry.snapshot();
        let of_user = behind.known.memberships.iter();
        of_user.filter_map(|membership| live(&snapshot, &membership.organization_id)).cloned().collect()
    }

    /// Who acts, for the audit.
    #[must_use]
    pub fn actor(&self, ip: String, request_id: String) -> Actor {
        let kind = if self.kind == Kind::Client { ActorKind::Client } else { ActorKind::User };
        Actor { kind, id: self.subject.clone(), ip: Some(ip), request_id: Some(request_id) }
    }

    /// The user who acts, if one does.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user.as_ref().map(|_| self.subject.as_str())
    }

    /// A short token for an upstream that checks JWTs, in the place of the credential.
    ///
    /// # Errors
    /// 401 if something has ended the credential meanwhile, 500 if nothing signs.
    pub fn token_for_upstream(&self, context: &Context, audience: Option<&str>) -> Result<SecretString, ProtocolError> {
        let subject = match &self.user {
            Some(behind) => Subject::User {
                user: &behind.known.user,
                organization_id: &self.organization.id,
                role_ids: behind.roles_in(&self.organization.id),
                despite_lock: behind.despite_lock,
                auth_time: behind.auth_time,
            },
            None => Subject::Client(&self.subject),
        };
        let presented = Presented {
            credential_id: &self.credential_id,
            subject,
            scope: &self.scopes,
            audience,
            expires_at: self.expires_at,
        };
        issue_for_upstream(context, &AuthorizedCredential::check(context, &presented)?)
    }
}

impl Behind {
    fn roles_in(&self, organization_id: &str) -> &[String] {
        let mut of_user = self.known.memberships.iter();
        of_user.find(|membership| membership.organization_id == organization_id).map_or(&[], |found| &found.role_ids)
    }
}

fn live<'a>(snapshot: &'a Snapshot, id: &str) -> Option<&'a Arc<Organization>> {
    snapshot.organization(id).filter(|organization| organization.status == OrganizationStatus::Active)
}

fn is_named(organization: &Organization, name: &str) -> bool {
    organization.id == name || organization.number.to_string() == name
}

/// The organization that is asked for and the user's place in it; without a question their own, or their first.
fn place<'a>(
    snapshot: &Snapshot,
    known: &'a KnownUser,
    asked: Option<&str>,
) -> Option<(Arc<Organization>, &'a Membership)> {
    let live = known.memberships.iter().filter_map(|own| Some((live(snapshot, &own.organization_id)?, own)));
    let home = &known.user.organization_id;
    let found = match asked {
        Some(asked) => live.into_iter().find(|(organization, _)| is_named(organization, asked)),
        // The smallest key comes first, and the earliest of equal ones.
        None => live.into_iter().min_by_key(|(organization, _)| organization.id != *home),
    };
    found.map(|(organization, membership)| (Arc::clone(organization), membership))
}

/// What a client may do at Grantor, by the roles that it was given.
fn permissions_of(snapshot: &Snapshot, client: &Client) -> BTreeSet<String> {
    client
        .role_ids
        .iter()
        .filter_map(|id| snapshot.role(id))
        .flat_map(|role| role.permissions.iter().cloned())
        .collect()
}
