//! Roles and the permissions in them.

use std::collections::BTreeSet;

/// "Overall Web API access": without it a valid token still gets 403 at Grantor's API and at `/verify`.
pub const API_ACCESS: &str = "api:access";

/// The permissions that the server itself knows; every other permission is a scope of the catalogue.
pub const BUILT_IN_PERMISSIONS: &[&str] = &[
    API_ACCESS,
    "api_keys:manage",
    "credentials:manage",
    "applications:manage",
    "users:manage",
    "roles:manage",
    "scopes:manage",
    "audit:read",
    "keys:manage",
    "secrets:reveal",
];

/// The role that an administrator of an organization has.
pub const ADMINISTRATOR: &str = "administrator";
/// The role of somebody who registers applications and credentials.
pub const DEVELOPER: &str = "developer";
/// The role of users and credentials made without one.
pub const API_USER: &str = "api user";

/// A named set of permissions.
#[derive(Debug, Clone)]
pub struct Role {
    /// `UUIDv7`, as text.
    pub id: String,
    /// The organization that owns it; none for the built-in roles.
    pub organization_id: Option<String>,
    /// Unique in its organization.
    pub name: String,
    /// For people.
    pub description: String,
    /// Built-in permissions and scopes of the catalogue.
    pub permissions: BTreeSet<String>,
}
