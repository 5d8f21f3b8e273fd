//! Audit events: who changed what.

crate::words! {
    /// Who acted.
    ActorKind {
        /// A user, by their id.
        User = "user",
        /// A client, by its `client_id`.
        Client = "client",
        /// The server or its operator on the command line.
        System = "system",
    }
}

crate::words! {
    /// How it ended.
    AuditResult {
        /// It was done.
        Ok = "ok",
        /// It was refused.
        Refused = "refused",
    }
}

/// Who acted, from where, in which request.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The kind of actor.
    pub kind: ActorKind,
    /// A user's id, a `client_id`, or the name of the door (`cli`, `server`).
    pub id: String,
    /// Network address, where there is one.
    pub ip: Option<String>,
    /// The request's id, where there is one.
    pub request_id: Option<String>,
}

impl Actor {
    /// The operator on the command line.
    #[must_use]
    pub fn command_line() -> Self {
        Self { kind: ActorKind::System, id: "cli".to_owned(), ip: None, request_id: None }
    }

    /// The server itself.
    #[must_use]
    pub fn server() -> Self {
        Self { kind: ActorKind::System, id: "server".to_owned(), ip: None, request_id: None }
    }
}

/// One change, written in the transaction that makes it.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// Noun and verb: `client.created`.
    pub action: &'static str,
    /// The noun that was changed.
    pub target_kind: &'static str,
    /// Its id.
    pub target_id: String,
    /// The organization that it belongs to.
    pub organization_id: Option<String>,
    /// What changed, never a secret.
    pub details: String,
}

/// A refusal that concerns a credential. Those of one kind, network and minute are counted in one event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// Noun and verb: `client.dead_secret_used`.
    pub action: &'static str,
    /// The noun of the credential.
    pub target_kind: &'static str,
    /// Its id; empty where what was presented is none that is known: people paste secrets there.
    pub target_id: String,
    /// The organization that it belongs to.
    pub organization_id: Option<String>,
    /// Why.
    pub reason: &'static str,
}
