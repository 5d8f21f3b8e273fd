//! Organizations: what Kizen calls a business and Bandwidth an account.

crate::words! {
    /// Whether an organization is in use.
    OrganizationStatus {
        /// Tokens are issued for its clients and users.
        Active = "active",
        /// Nothing is issued.
        Disabled = "disabled",
    }
}

/// A tenant: every user, client and role belongs to one.
#[derive(Debug, Clone)]
pub struct Organization {
    /// `UUIDv7`, as text.
    pub id: String,
    /// Six digits or more, stable, used in URLs.
    pub number: i64,
    /// Short unique name.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// Whether it is in use.
    pub status: OrganizationStatus,
    /// Raised by every change that must end its tokens.
    pub epoch: i64,
}
