//! Usage: what a credential was used for, counted by the hour.

use crate::model::time::Timestamp;

crate::words! {
    /// The kinds of credentials that are counted.
    CredentialKind {
        /// A client, by its `client_id`.
        Client = "client",
        /// One of a client's secrets.
        ClientSecret = "client_secret",
        /// An API key.
        ApiKey = "api_key",
        /// A user.
        User = "user",
    }
}

crate::words! {
    /// What a counter by name tells more of.
    UsageDetail {
        /// Refusals, by reason.
        Refused = "refused",
        /// Tokens, by grant.
        Grant = "grant",
        /// Checks, by the way in which the credential came.
        Method = "method",
    }
}

/// The method of a username and password in HTTP Basic.
pub const BASIC: &str = "basic";

/// A credential: its kind and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential<'a> {
    /// The kind.
    pub kind: CredentialKind,
    /// The id, which must be one that is known: every id takes memory and rows.
    pub id: &'a str,
}

impl<'a> Credential<'a> {
    /// A client.
    #[must_use]
    pub const fn client(id: &'a str) -> Self {
        Self { kind: CredentialKind::Client, id }
    }

    /// A client's secret.
    #[must_use]
    pub const fn client_secret(id: &'a str) -> Self {
        Self { kind: CredentialKind::ClientSecret, id }
    }

    /// An API key.
    #[must_use]
    pub const fn api_key(id: &'a str) -> Self {
        Self { kind: CredentialKind::ApiKey, id }
    }

    /// A user.
    #[must_use]
    pub const fn user(id: &'a str) -> Self {
        Self { kind: CredentialKind::User, id }
    }
}

/// When a credential was last accepted, and from where.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LastUsed {
    /// The instant.
    pub at: Timestamp,
    /// The network.
    pub ip: String,
}

/// The counters of a credential in a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counters {
    /// Tokens issued.
    pub issued: i64,
    /// Times that it was checked and right.
    pub verified: i64,
    /// Times that it was refused.
    pub refused: i64,
}

impl Counters {
    /// These and those.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            issued: self.issued + other.issued,
            verified: self.verified + other.verified,
            refused: self.refused + other.refused,
        }
    }
}

/// What has been counted of one credential in one hour, and is not stored yet.
#[derive(Debug, Clone)]
pub struct Tally {
    /// The kind of credential.
    pub kind: CredentialKind,
    /// Its id.
    pub id: String,
    /// The beginning of the hour.
    pub hour: Timestamp,
    /// The counters.
    pub counters: Counters,
    /// What they are made of.
    pub details: Vec<(UsageDetail, &'static str, i64)>,
    /// Its last use in the hour, if it was accepted at all.
    pub last_used: Option<LastUsed>,
}
