//! The gate for a credential that a request brought to `/verify`: its upstream gets a short token instead.
//!
//! The token's `client_id` is the credential's id, which is never a client's. So resource servers that check offline
//! see what stands behind it, while no door of Grantor's takes it: it cannot be exchanged or presented again here, and
//! nothing of it has to be revoked.

use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::tokens::access_token::Epochs;
use crate::oauth::tokens::gate::{live_client, live_organization, may_be_issued, organization_epoch};

/// The longest life of such a token in seconds: its upstream asked just now and will ask again.
pub const LONGEST_LIFETIME: i64 = 300;

/// Who stands behind a credential.
pub enum Subject<'a> {
    /// A user in one organization.
    User {
        /// The user, as read for this request.
        user: &'a User,
        /// The organization.
        organization_id: &'a str,
        /// The roles that they have there.
        role_ids: &'a [String],
        /// The account is locked, but the sign-in came from a network of the user's.
        despite_lock: bool,
        /// When the user gave a password, where they did.
        auth_time: Option<Timestamp>,
    },
    /// A client that acts for itself.
    Client(&'a str),
}

/// A credential that was found to be right.
pub struct Presented<'a> {
    /// Its id.
    pub credential_id: &'a str,
    /// Who stands behind it.
    pub subject: Subject<'a>,
    /// What it may at this instant.
    pub scope: &'a ScopeSet,
    /// The resource server that asks; the issuer if it names itself not.
    pub audience: Option<&'a str>,
    /// When the credential ends: the token does not outlive it.
    pub expires_at: Option<Timestamp>,
}

/// A credential for which a token may be issued. Only [`AuthorizedCredential::check`] makes one.
pub struct AuthorizedCredential {
    pub(super) credential_id: String,
    pub(super) subject: String,
    pub(super) scope: ScopeSet,
    pub(super) audience: String,
    pub(super) epochs: Epochs,
    pub(super) lifetime: i64,
    pub(super) organization_id: Option<String>,
    pub(super) role_names: Option<Vec<String>>,
    pub(super) auth_time: Option<Timestamp>,
}

impl AuthorizedCredential {
    /// Asks again whether user or client and organization are what they must be at this instant.
    ///
    /// # Errors
    /// 401 if they are not.
    pub fn check(context: &Context, presented: &Presented<'_>) -> Result<Self, ProtocolError> {
        let refused = |why: &'static str| ProtocolError::invalid_credentials().because(why);
        let snapshot = context.registry.snapshot();
        let (now, mut lifetime) = (context.clock.now(), LONGEST_LIFETIME);
        if let Some(expires_at) = presented.expires_at {
            lifetime = lifetime.min(expires_at.seconds() - now.seconds());
        }
        if lifetime <= 0 {
            return Err(refused("the credential has expired"));
        }
        let mut made = Self {
            credential_id: presented.credential_id.to_owned(),
            subject: String::new(),
            scope: presented.scope.clone(),
            audience: presented.audience.unwrap_or(&context.settings.issuer).to_owned(),
            epochs: Epochs::default(),
            lifetime,
            organization_id: None,
            role_names: None,
            auth_time: None,
        };
        match &presented.subject {
            Subject::User { user, organization_id, role_ids, despite_lock, auth_time } => {
                if !may_be_issued(user, *despite_lock) {
                    return Err(refused("the user is not active or has no API access"));
                }
                let organization = organization_epoch(&snapshot, organization_id)
                    .ok_or_else(|| refused("the organization is not active"))?;
                let roles = role_ids.iter().filter_map(|id| snapshot.role(id));
                let mut names: Vec<String> = roles.map(|role| role.name.clone()).collect();
                names.sort_unstable();
                made.subject.clone_from(&user.id);
                made.epochs = Epochs { client: 0, user: user.epoch, organization };
                made.organization_id = Some((*organization_id).to_owned());
                made.role_names = Some(names);
                made.auth_time = *auth_time;
            }
            Subject::Client(client_id) => {
                let client = live_client(&snapshot, client_id)?;
                let organization = live_organization(&snapshot, &client)?;
                made.subject.clone_from(&client.client_id);
                made.epochs = Epochs { client: client.epoch, user: 0, organization };
            }
        }
        Ok(made)
    }
}
