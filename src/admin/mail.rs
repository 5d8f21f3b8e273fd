//! The outbox: what is put into it, and what an operator sees of it.

use crate::admin::{AdminError, Authority, links};
use crate::crypto::identifier::uuid_v7;
use crate::crypto::secret::SecretString;
use crate::mail::{Letter, Subject, is_address, is_one_line};
use crate::model::audit::AuditEvent;
use crate::model::mail::{MailKind, MailStatus, OneTimeLink, OutboxMessage};
use crate::oauth::Context;
use crate::store::recipients::{self, Recipient};
use crate::store::{Db, StoreError, audit, mail_outbox, one_time_links};

/// Messages that a list shows.
const LISTED: i64 = 1000;

/// A message to be put into the outbox, made outside of the transaction.
#[derive(Debug, Clone)]
pub struct Message(OutboxMessage);

impl Message {
    /// A message to a user about themselves.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if the address is none.
    pub fn about_user(context: &Context, kind: MailKind, user_id: &str, email: &str) -> Result<Self, AdminError> {
        if !is_address(email) {
            return Err(AdminError::invalid("email", "is not an address that a message can be sent to"));
        }
        let now = context.clock.now();
        Ok(Self(OutboxMessage {
            id: uuid_v7(now, &context.random),
            kind,
            recipient: email.to_owned(),
            user_id: Some(user_id.to_owned()),
            link_id: None,
            about: String::new(),
            status: MailStatus::Queued,
            attempts: 0,
            next_attempt_at: now,
            last_error: None,
            created_at: now,
            sent_at: None,
        }))
    }

    /// That an application of a user was approved or denied.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if the address is none, or the application's name would begin another line.
    pub fn about_application(
        context: &Context,
        approved: bool,
        owner_id: &str,
        email: &str,
        label: &str,
    ) -> Result<Self, AdminError> {
        // It stands in the subject.
        if !is_one_line(label) {
            return Err(AdminError::invalid("label", "must be one line"));
        }
        let kind = if approved { MailKind::ApplicationApproved } else { MailKind::ApplicationDenied };
        let mut message = Self::about_user(context, kind, owner_id, email)?;
        label.clone_into(&mut message.0.about);
        Ok(message)
    }

    /// With a link in it.
    #[must_use]
    pub fn with_link(mut self, link_id: &str) -> Self {
        self.0.link_id = Some(link_id.to_owned());
        self
    }

    /// The message's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }
}

/// Puts a message into the outbox, in the caller's transaction: it is sent if and only if that commits.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn enqueue(db: &mut Db, message: &Message) -> Result<(), StoreError> {
    mail_outbox::create(db, &message.0)
}

/// The newest messages, the newest first.
///
/// # Errors
/// [`AdminError::Forbidden`] to all but the operator.
pub async fn list(context: &Context, by: &Authority) -> Result<Vec<OutboxMessage>, AdminError> {
    operator_only(by)?;
    Ok(context.store.read(|db| mail_outbox::list(db, LISTED)).await?)
}

/// A message as it is sent.
#[derive(Debug, Clone)]
pub struct ShownMessage {
    /// What stands in the outbox.
    pub message: OutboxMessage,
    /// What its reader sees.
    pub letter: Letter,
    /// The link in it.
    pub link: Option<SecretString>,
}

/// Shows a message as it is sent, with the link in it; audited, since the link opens something.
///
/// # Errors
/// [`AdminError::Forbidden`] to all but the operator; [`AdminError::NotFound`]; [`AdminError::Refused`] if there is
/// nothing to show any more.
pub async fn show(context: &Context, by: &Authority, id: &str) -> Result<ShownMessage, AdminError> {
    operator_only(by)?;
    let wanted = id.to_owned();
    let read = context.store.read(move |db| Content::find(db, &wanted)).await?;
    let found = read.ok_or_else(|| AdminError::not_found("mail", id))?;
    let letter = found.write(context).map_err(|why| AdminError::Refused(why.to_owned()))?;
    let (actor, now) = (by.actor.clone(), context.clock.now());
    let event = AuditEvent {
        action: "mail.shown",
        target_kind: "mail",
        target_id: found.message.id.clone(),
        organization_id: found.user.as_ref().map(|user| user.organization_id.clone()),
        details: format!("kind={}", found.message.kind),
    };
    context.store.write(move |db| audit::record(db, &actor, &event, now)).await?;
    let link = found.link.as_ref().map(|link| links::url(context, link));
    Ok(ShownMessage { letter, link, message: found.message })
}

fn operator_only(by: &Authority) -> Result<(), AdminError> {
    match by.organization() {
        None => Ok(()),
        Some(_) => Err(AdminError::Forbidden("the outbox is the operator's: it shows links of everybody".to_owned())),
    }
}

/// A message with what its text is made of.
pub(super) struct Content {
    pub(super) message: OutboxMessage,
    pub(super) user: Option<Recipient>,
    pub(super) link: Option<OneTimeLink>,
}

impl Content {
    fn find(db: &mut Db, id: &str) -> Result<Option<Self>, StoreError> {
        mail_outbox::find(db, id)?.map(|message| Self::read(db, message)).transpose()
    }

    /// Reads what belongs to a message.
    pub(super) fn read(db: &mut Db, message: OutboxMessage) -> Result<Self, StoreError> {
        let user = match &message.user_id {
            Some(id) => recipients::find(db, id)?,
            None => None,
        };
        let link = match &message.link_id {
            Some(id) => one_time_links::find(db, id)?,
            None => None,
        };
        Ok(Self { message, user, link })
    }

    /// Why the message is of no use any more: what it says does not hold, or its link opens nothing.
    pub(super) fn is_stale(&self, context: &Context) -> Option<&'static str> {
        let Some(link) = &self.link else { return None };
        if link.used_at.is_some() {
            Some("the link in it was used, or another one has taken its place")
        } else if link.is_live(context.clock.now()) {
            None
        } else {
            Some("the link in it expired before it could be sent")
        }
    }

    /// Writes the text.
    pub(super) fn write(&self, context: &Context) -> Result<Letter, &'static str> {
        let username = match (&self.message.user_id, &self.user) {
            (Some(_), None) => return Err("the user is gone"),
            (_, user) => user.as_ref().map(|user| user.username.clone()).unwrap_or_default(),
        };
        if self.message.link_id.is_some() && self.link.is_none() {
            return Err("the link in it is long over");
        }
        let link = self.link.as_ref().map(|link| (links::url(context, link), link.expires_at));
        let subject = Subject { username, about: self.message.about.clone(), link };
        Ok(context.mailer.write(self.message.kind, &subject))
    }
}
