//! Roles and the permissions in them.

use std::collections::BTreeSet;

/// "Overall Web API access": without it a valid token still gets 403 at Grantor's API and at `/verify`.
pub const API_ACCESS: &str = "api:access";
/// Make, show and end API keys: one's own, and those of API users.
pub const API_KEYS_MANAGE: &str = "api_keys:manage";
/// Make and delete sets of credentials.
pub const CREDENTIALS_MANAGE: &str = "credentials:manage";
/// Register applications.
pub const APPLICATIONS_MANAGE: &str = "applications:manage";
/// Make and change users of the organization.
pub const USERS_MANAGE: &str = "users:manage";
/// Make and change roles.
pub const ROLES_MANAGE: &str = "roles:manage";
/// The catalogue of scopes, and who may have them.
pub const SCOPES_MANAGE: &str = "scopes:manage";
/// Read audit events and usage.
pub const AUDIT_READ: &str = "audit:read";
/// Rotate and revoke signing keys.
pub const KEYS_MANAGE: &str = "keys:manage";
/// See a secret again where the policy allows it.
pub const SECRETS_REVEAL: &str = "secrets:reveal";

/// The permissions that the server itself knows; every other permission is a scope of the catalogue.
pub const BUILT_IN_PERMISSIONS: &[&str] = &[
    API_ACCESS,
    API_KEYS_MANAGE,
    CREDENTIALS_MANAGE,
    APPLICATIONS_MANAGE,
    USERS_MANAGE,
    ROLES_MANAGE,
    SCOPES_MANAGE,
    AUDIT_READ,
    KEYS_MANAGE,
    SECRETS_REVEAL,
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
