//! A client's request for a scope that needs an approval.

use crate::model::time::Timestamp;

crate::words! {
    /// The life of a request: `pending → approved | denied`.
    ScopeRequestStatus {
        /// Nobody has decided.
        Pending = "pending",
        /// The client may ask for the scope.
        Approved = "approved",
        /// It may not.
        Denied = "denied",
    }
}

/// What a developer asks an administrator for.
#[derive(Debug, Clone)]
pub struct ScopeRequest {
    /// `UUIDv7`, as text.
    pub id: String,
    /// The client that is to have it.
    pub client_id: String,
    /// The client's organization.
    pub organization_id: String,
    /// The scope-token.
    pub scope: String,
    /// Why.
    pub justification: String,
    /// Where it is in its life.
    pub status: ScopeRequestStatus,
    /// The id of the user who asks, or `cli`.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// The id of the user who decided, or `cli`.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What they said to it.
    pub reason: String,
}
