//! Messages to people, and the links in them that work once.

use crate::model::time::Timestamp;

crate::words! {
    /// What a message says.
    MailKind {
        /// Mail one: the username, and a link that verifies the address.
        VerifyEmail = "verify_email",
        /// Mail two: a link that sets the first password. Never a password.
        SetPassword = "set_password",
        /// A link that sets another password, as somebody asked for one.
        ResetPassword = "reset_password",
        /// The password was changed.
        PasswordChanged = "password_changed",
        /// An application was approved.
        ApplicationApproved = "application_approved",
        /// An application was denied.
        ApplicationDenied = "application_denied",
        /// A link that sets an administrator up.
        SetUp = "set_up",
    }
}

crate::words! {
    /// Where a message is on its way.
    MailStatus {
        /// To be sent, or to be tried again.
        Queued = "queued",
        /// A mail server has taken it.
        Sent = "sent",
        /// It will not be sent any more; `last_error` says why.
        Failed = "failed",
    }
}

crate::words! {
    /// What a link does, once.
    LinkPurpose {
        /// Verifies the e-mail address that it was sent to.
        VerifyEmail = "verify_email",
        /// Sets a password.
        SetPassword = "set_password",
        /// Sets the administrator's first password.
        SetUp = "set_up",
    }
}

impl LinkPurpose {
    /// How long such a link works, in seconds.
    #[must_use]
    pub const fn lifetime(self) -> i64 {
        match self {
            Self::VerifyEmail => 7 * 86_400,
            Self::SetPassword => 86_400,
            Self::SetUp => 30 * 60,
        }
    }
}

/// A link that works once. Its secret is nowhere: it is derived from the id.
#[derive(Debug, Clone)]
pub struct OneTimeLink {
    /// The id.
    pub id: String,
    /// What it does.
    pub purpose: LinkPurpose,
    /// Whose it is.
    pub user_id: String,
    /// A keyed digest of the secret.
    pub digest: String,
    /// The address that it is sent to; once the user has another one, it opens nothing.
    pub email: Option<String>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was used, or taken back.
    pub used_at: Option<Timestamp>,
}

impl OneTimeLink {
    /// Whether it still opens something.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }
}

/// A message in the outbox.
#[derive(Debug, Clone)]
pub struct OutboxMessage {
    /// The id.
    pub id: String,
    /// What it says.
    pub kind: MailKind,
    /// The address that it goes to.
    pub recipient: String,
    /// The user whom it is about.
    pub user_id: Option<String>,
    /// The link in it.
    pub link_id: Option<String>,
    /// The name of the thing that it is about, such as an application; empty where there is none.
    pub about: String,
    /// Where it is on its way.
    pub status: MailStatus,
    /// How often it was tried.
    pub attempts: i64,
    /// Not before this instant; while a node sends it, when another one may take it over.
    pub next_attempt_at: Timestamp,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When a mail server took it.
    pub sent_at: Option<Timestamp>,
}
