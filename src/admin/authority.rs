//! On whose authority a verb is carried out: the operator's, or what a principal may do in one organization.

use std::collections::BTreeSet;

use crate::admin::AdminError;
use crate::model::audit::Actor;
use crate::model::role::{BUILT_IN_PERMISSIONS, SCOPES_MANAGE};

/// Who asks for a verb, and how far they reach. A verb checks it, so that page, API and command line cannot differ.
#[derive(Debug, Clone)]
pub struct Authority {
    /// Who acts, for the audit.
    pub actor: Actor,
    reach: Reach,
}

#[derive(Debug, Clone)]
enum Reach {
    /// The operator, who has the database anyway.
    Installation,
    /// A principal: one organization, the permissions that they hold there at this instant.
    Organization { id: String, user_id: Option<String>, permissions: BTreeSet<String>, moves: bool },
}

impl Authority {
    /// The operator on the command line.
    #[must_use]
    pub fn operator() -> Self {
        Self { actor: Actor::command_line(), reach: Reach::Installation }
    }

    /// A principal in one organization. `user_id` is the user behind it; none for a client.
    #[must_use]
    pub fn in_organization(actor: Actor, id: String, user_id: Option<String>, permissions: BTreeSet<String>) -> Self {
        Self { actor, reach: Reach::Organization { id, user_id, permissions, moves: false } }
    }

    /// The same of somebody at the console, who may act in each of their organizations without switching to it first. A
    /// credential of one organization never reaches another.
    #[must_use]
    pub fn at_the_console(mut self) -> Self {
        if let Reach::Organization { moves, .. } = &mut self.reach {
            *moves = true;
        }
        self
    }

    /// Whether another organization can be in reach at all.
    #[must_use]
    pub(super) fn moves(&self) -> bool {
        match &self.reach {
            Reach::Installation => true,
            Reach::Organization { moves, .. } => *moves,
        }
    }

    /// The one organization that it reaches; none for the operator, who reaches all.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        match &self.reach {
            Reach::Installation => None,
            Reach::Organization { id, .. } => Some(id),
        }
    }

    /// The user who acts, if one does.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        match &self.reach {
            Reach::Installation => None,
            Reach::Organization { user_id, .. } => user_id.as_deref(),
        }
    }

    /// The same principal, with the same permissions, in another organization that is at their disposal; `permissions`
    /// are those that they hold there, where it is not.
    #[must_use]
    pub(super) fn moved_to(&self, organization_id: &str, permissions: Option<BTreeSet<String>>) -> Self {
        let reach = match &self.reach {
            Reach::Installation => Reach::Installation,
            Reach::Organization { user_id, permissions: own, moves, .. } => Reach::Organization {
                id: organization_id.to_owned(),
                user_id: user_id.clone(),
                permissions: permissions.unwrap_or_else(|| own.clone()),
                moves: *moves,
            },
        };
        Self { actor: self.actor.clone(), reach }
    }

    /// Whether what belongs to this organization is there at all: what is not is *not found*, never *forbidden*.
    #[must_use]
    pub fn sees(&self, organization_id: &str) -> bool {
        self.organization().is_none_or(|own| own == organization_id)
    }

    /// Whether it holds a permission (`model::role::BUILT_IN_PERMISSIONS`, or a scope of the catalogue).
    #[must_use]
    pub fn holds(&self, permission: &str) -> bool {
        match &self.reach {
            Reach::Installation => true,
            // Whoever governs the catalogue holds what is in it: a new scope would be nobody's to give.
            Reach::Organization { permissions, .. } => {
                permissions.contains(permission)
                    || (!BUILT_IN_PERMISSIONS.contains(&permission) && permissions.contains(SCOPES_MANAGE))
            }
        }
    }

    /// That it holds a permission.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`] names the permission that is missing.
    pub fn require(&self, permission: &str) -> Result<(), AdminError> {
        if self.holds(permission) {
            Ok(())
        } else {
            Err(AdminError::Forbidden(format!("this needs the permission {permission}")))
        }
    }

    /// That it holds all of these: nobody grants more than they hold.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`] names the first that is missing.
    pub fn may_grant<'a>(&self, permissions: impl IntoIterator<Item = &'a String>) -> Result<(), AdminError> {
        match permissions.into_iter().find(|permission| !self.holds(permission)) {
            None => Ok(()),
            Some(missing) => {
                Err(AdminError::Forbidden(format!("nobody grants more than they hold: {missing} is not yours")))
            }
        }
    }
}
