//! Sign-ins to the console.

use crate::model::time::Timestamp;

/// One browser of one user, from its sign-in on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id, by which lists name it; it opens nothing.
    pub id: String,
    /// Whose.
    pub user_id: String,
    /// The organization whose pages are shown.
    pub organization_id: String,
    /// The user's epoch at the sign-in: what raised it since has ended the session.
    pub epoch: i64,
    /// The account was locked, and the sign-in came from a network of the user's.
    pub despite_lock: bool,
    /// When the password was given last.
    pub authenticated_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When a page was asked for last, to the minute.
    pub last_seen_at: Timestamp,
    /// The address that it began from.
    pub ip: String,
    /// What the browser called itself then.
    pub user_agent: String,
}
