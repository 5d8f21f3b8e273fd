//! Links that work once: made here, and sent by mail or shown to an operator.

use crate::admin::mail::{self, Message};
use crate::admin::{AdminError, Authority, users};
use crate::crypto::digest::DigestKey;
use crate::crypto::identifier::uuid_v7;
use crate::crypto::secret::SecretString;
use crate::crypto::token_format::{ONE_TIME_PREFIX, derive};
use crate::model::audit::AuditEvent;
use crate::model::mail::{LinkPurpose, MailKind, OneTimeLink};
use crate::model::user::UserStatus;
use crate::oauth::Context;
use crate::store::recipients::{self, Recipient};
use crate::store::{Db, StoreError, audit, one_time_links};

/// What the secrets of links are derived for, and what they are digested for.
const SECRET_PURPOSE: &str = "one-time link";
const DIGEST_PURPOSE: &str = "one-time link digest";

/// The secret of a link: `gr_ot_…`, derived from its id and purpose under a key that is not in the database.
#[must_use]
pub fn secret(context: &Context, link: &OneTimeLink) -> SecretString {
    secret_of(&context.data_keys.digest, link.purpose, &link.id)
}

fn secret_of(key: &DigestKey, purpose: LinkPurpose, id: &str) -> SecretString {
    derive(ONE_TIME_PREFIX, key.digest(&format!("{SECRET_PURPOSE} {purpose}"), id.as_bytes()).as_bytes())
}

/// What a link is found by.
pub(super) fn digest(context: &Context, secret: &str) -> String {
    context.data_keys.digest.digest(DIGEST_PURPOSE, secret.as_bytes()).to_text()
}

/// The address that opens a link. The secret stands in its fragment, which a browser sends to no server.
#[must_use]
pub fn url(context: &Context, link: &OneTimeLink) -> SecretString {
    SecretString::from(format!("{}/console/link#{}", context.settings.issuer, secret(context, link).expose()))
}

/// A new link, made outside of the transaction that stores it with [`store`].
#[must_use]
pub fn make(context: &Context, purpose: LinkPurpose, user_id: &str, email: Option<&str>) -> OneTimeLink {
    let now = context.clock.now();
    let mut link = OneTimeLink {
        id: uuid_v7(now, &context.random),
        purpose,
        user_id: user_id.to_owned(),
        digest: String::new(),
        email: email.map(str::to_owned),
        expires_at: now.plus_seconds(purpose.lifetime()),
        used_at: None,
    };
    link.digest = digest(context, secret(context, &link).expose());
    link
}

/// Stores a link, in the caller's transaction.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn store(db: &mut Db, link: &OneTimeLink) -> Result<(), StoreError> {
    let made_at = link.expires_at.plus_seconds(-link.purpose.lifetime());
    one_time_links::create(db, link, made_at)
}

/// A link and the message that brings it.
#[derive(Debug, Clone)]
pub struct Letter {
    link: OneTimeLink,
    message: Message,
}

impl Letter {
    /// Prepares a message of this kind with a link of this purpose, outside of the transaction.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if the address is none.
    pub fn prepare(
        context: &Context,
        kind: MailKind,
        purpose: LinkPurpose,
        user_id: &str,
        email: &str,
    ) -> Result<Self, AdminError> {
        let link = make(context, purpose, user_id, Some(email));
        let message = Message::about_user(context, kind, user_id, email)?.with_link(&link.id);
        Ok(Self { link, message })
    }

    /// Mail one of a new user: the username, and a link that verifies the address. It is enqueued in the transaction
    /// that makes the user.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if the address is none.
    pub fn invitation(context: &Context, user_id: &str, email: &str) -> Result<Self, AdminError> {
        Self::prepare(context, MailKind::VerifyEmail, LinkPurpose::VerifyEmail, user_id, email)
    }

    /// Mail two: a link that sets the first password.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if the address is none.
    pub fn first_password(context: &Context, user_id: &str, email: &str) -> Result<Self, AdminError> {
        Self::prepare(context, MailKind::SetPassword, LinkPurpose::SetPassword, user_id, email)
    }

    /// A link that sets another password.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] if the address is none.
    pub fn reset(context: &Context, user_id: &str, email: &str) -> Result<Self, AdminError> {
        Self::prepare(context, MailKind::ResetPassword, LinkPurpose::SetPassword, user_id, email)
    }

    /// Stores link and message, in the caller's transaction.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn enqueue(&self, db: &mut Db) -> Result<(), StoreError> {
        store(db, &self.link)?;
        mail::enqueue(db, &self.message)
    }

    /// As [`Letter::enqueue`]; the user's older links of the same purpose open nothing any more.
    ///
    /// # Errors
    /// [`StoreError`] if the database refuses.
    pub fn replace(&self, db: &mut Db) -> Result<(), StoreError> {
        let made_at = self.link.expires_at.plus_seconds(-self.link.purpose.lifetime());
        one_time_links::void(db, &self.link.user_id, &[self.link.purpose], made_at)?;
        self.enqueue(db)
    }
}

/// Sends mail one to a user whose address is not verified yet, with a new link.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if there is no address, or nothing to verify.
pub async fn invite(context: &Context, by: &Authority, key: &str) -> Result<Recipient, AdminError> {
    let (user, email) = addressee(context, by, key).await?;
    if user.is_verified {
        return Err(AdminError::Refused(format!(
            "the e-mail address of {} is verified: 'grantor user send-reset' sends a link that sets a password",
            user.username
        )));
    }
    let letter = Letter::invitation(context, &user.id, &email)?;
    send(context, by, user, letter, "user.invited").await
}

/// Sends a link that sets a password to a user whose address is verified.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if there is no verified address, or the user is disabled.
pub async fn send_reset(context: &Context, by: &Authority, key: &str) -> Result<Recipient, AdminError> {
    let (user, email) = addressee(context, by, key).await?;
    if !user.is_verified {
        return Err(AdminError::Refused(format!(
            "the e-mail address of {} is not verified: 'grantor user invite' sends the link for that",
            user.username
        )));
    }
    let letter = if user.has_password {
        Letter::reset(context, &user.id, &email)?
    } else {
        Letter::first_password(context, &user.id, &email)?
    };
    send(context, by, user, letter, "user.password_link_sent").await
}

/// A set-up link of an administrator: whoever opens it chooses their password. It is shown to the operator and sent to
/// nobody; the older ones open nothing any more.
///
/// # Errors
/// [`AdminError::Forbidden`] for anybody but the operator; [`AdminError::NotFound`]; [`AdminError::Refused`] for a user
/// who is disabled.
pub async fn set_up(context: &Context, by: &Authority, key: &str) -> Result<SecretString, AdminError> {
    if by.organization().is_some() {
        return Err(AdminError::Forbidden("a set-up link is made by the operator: grantor init".to_owned()));
    }
    let user = users::find(context, by, key).await?;
    if user.status == UserStatus::Disabled {
        return Err(AdminError::Refused(format!("{} is {}", user.username, user.status)));
    }
    let link = make(context, LinkPurpose::SetUp, &user.id, None);
    let shown = url(context, &link);
    let (actor, now) = (by.actor.clone(), context.clock.now());
    let event = users::event("user.set_up_link_made", &user.id, &user.organization_id, format!("link={}", link.id));
    context
        .store
        .write(move |db| {
            one_time_links::void(db, &link.user_id, &[LinkPurpose::SetUp], now)?;
            store(db, &link)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(shown)
}

/// What a user waits for a message with: the verification of their address, or a first password.
#[must_use]
pub fn awaited(user: &Recipient) -> Option<MailKind> {
    let reached = user.email.is_some() && !matches!(user.status, UserStatus::Disabled | UserStatus::Deleted);
    match (reached, user.is_verified, user.has_password) {
        (true, false, _) => Some(MailKind::VerifyEmail),
        (true, true, false) => Some(MailKind::SetPassword),
        _ => None,
    }
}

/// How far a user is with it: everybody sees their own, others with `users:manage`.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`].
pub async fn verification(context: &Context, by: &Authority, key: &str) -> Result<Recipient, AdminError> {
    let id = users::visible(context, by, key).await?.id;
    let found = context.store.read(move |db| recipients::find(db, &id)).await?;
    found.ok_or_else(|| AdminError::not_found("user", key))
}

/// Sends again what the user waits for: mail one, or mail two.
///
/// # Errors
/// As [`invite`] and [`send_reset`].
pub async fn resend(context: &Context, by: &Authority, key: &str) -> Result<Recipient, AdminError> {
    let (user, _) = addressee(context, by, key).await?;
    if !user.is_verified {
        return invite(context, by, &user.id).await;
    }
    if user.has_password {
        return Err(AdminError::Refused(format!("{} waits for no message", user.username)));
    }
    send_reset(context, by, &user.id).await
}

/// The user whom a message is for, as far as the authority sees them, and the address.
async fn addressee(context: &Context, by: &Authority, key: &str) -> Result<(Recipient, String), AdminError> {
    by.require("users:manage")?;
    let wanted = key.to_owned();
    let found = context
        .store
        .read(move |db| match recipients::find(db, &wanted)? {
            Some(user) => Ok(Some(user)),
            None => recipients::named(db, &wanted),
        })
        .await?;
    let user = found
        .filter(|user| user.status != UserStatus::Deleted && by.sees(&user.organization_id))
        .ok_or_else(|| AdminError::not_found("user", key))?;
    if user.status == UserStatus::Disabled {
        return Err(AdminError::Refused(format!("{} is {}", user.username, user.status)));
    }
    let Some(email) = user.email.clone() else {
        return Err(AdminError::Refused(format!("{} has no e-mail address", user.username)));
    };
    Ok((user, email))
}

async fn send(
    context: &Context,
    by: &Authority,
    user: Recipient,
    letter: Letter,
    action: &'static str,
) -> Result<Recipient, AdminError> {
    let (actor, now) = (by.actor.clone(), context.clock.now());
    let event = event(action, &user, format!("message={}", letter.message.id()));
    context
        .store
        .write(move |db| {
            letter.replace(db)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(user)
}

pub(super) fn event(action: &'static str, user: &Recipient, details: String) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "user",
        target_id: user.id.clone(),
        organization_id: Some(user.organization_id.clone()),
        details,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_link_depends_on_its_id_its_purpose_and_the_key() {
        let (key, other) = (DigestKey::new([1; 32]), DigestKey::new([2; 32]));
        let first = secret_of(&key, LinkPurpose::VerifyEmail, "a");
        assert_eq!(first, secret_of(&key, LinkPurpose::VerifyEmail, "a"));
        for different in [
            secret_of(&key, LinkPurpose::SetPassword, "a"),
            secret_of(&key, LinkPurpose::VerifyEmail, "b"),
            secret_of(&other, LinkPurpose::VerifyEmail, "a"),
        ] {
            assert_ne!(first, different);
        }
    }
}
