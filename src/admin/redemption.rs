//! What a one-time link opens. A link that is unknown, used, taken back, expired or somebody else's gets one refusal.

use crate::admin::links::{self, Letter, event};
use crate::admin::mail::{self, Message};
use crate::admin::{AdminError, FieldError, passwords};
use crate::crypto::secret::SecretString;
use crate::crypto::token_format::{ONE_TIME_PREFIX, is_well_formed};
use crate::model::audit::{Actor, ActorKind};
use crate::model::mail::{LinkPurpose, MailKind, OneTimeLink};
use crate::model::time::Timestamp;
use crate::model::user::{PasswordKind, UserStatus};
use crate::oauth::Context;
use crate::store::attempts::{self, Bucket, Reservation, Settlement};
use crate::store::recipients::{self, Recipient};
use crate::store::{Db, StoreError, audit, families, one_time_links, users as stored_users};

/// Wrong telephone numbers that a link bears in [`PHONE_WINDOW`] seconds.
const PHONE_FAILURES: i64 = 5;
const PHONE_WINDOW: i64 = 3600;

/// Why a link opened nothing.
#[derive(Debug, thiserror::Error)]
pub enum RedemptionError {
    /// Whatever is wrong with the link.
    #[error("the link is not valid, was used already, or has expired")]
    Refused,
    /// Too many wrong telephone numbers; seconds to wait.
    #[error("too many wrong attempts")]
    Limited(u64),
    /// The link is good; what came with it is not.
    #[error(transparent)]
    Other(#[from] AdminError),
}

impl From<StoreError> for RedemptionError {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

/// What the holder of a link gives with it.
#[derive(Debug, Clone, Default)]
pub struct Presented {
    /// The link's secret.
    pub token: SecretString,
    /// The new password, for a link that sets one.
    pub password: Option<SecretString>,
    /// The telephone number as it was entered for the user, for a link that verifies an address.
    pub phone: Option<String>,
}

/// What a link has opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// What the link was for.
    pub purpose: LinkPurpose,
    /// Where the user is in their life now.
    pub status: UserStatus,
    /// Whether a message with a link that sets the password is on its way.
    pub password_link_sent: bool,
}

/// Redeems a link for what it is for. `origin` says where the request came from, for the audit.
///
/// # Errors
/// [`RedemptionError`].
pub async fn redeem(context: &Context, origin: &Actor, presented: &Presented) -> Result<Redeemed, RedemptionError> {
    let link = find(context, presented.token.expose()).await?;
    match link.purpose {
        LinkPurpose::VerifyEmail => verify(context, origin, link, presented.phone.clone()).await,
        LinkPurpose::SetPassword | LinkPurpose::SetUp => {
            set_password(context, origin, link, presented.password.as_ref()).await
        }
    }
}

/// Verifies the address that a link was sent to. A user without a password is sent mail two; one with a password is
/// let in.
///
/// # Errors
/// [`RedemptionError`].
pub async fn redeem_verification(
    context: &Context,
    origin: &Actor,
    token: &str,
    phone: Option<&str>,
) -> Result<Redeemed, RedemptionError> {
    let link = find(context, token).await?;
    if link.purpose != LinkPurpose::VerifyEmail {
        return Err(RedemptionError::Refused);
    }
    verify(context, origin, link, phone.map(str::to_owned)).await
}

/// Sets a password by a link; ends what was signed in with the old one, an invitation and a lock.
///
/// # Errors
/// [`RedemptionError`].
pub async fn redeem_set_password(
    context: &Context,
    origin: &Actor,
    token: &str,
    password: &SecretString,
) -> Result<Redeemed, RedemptionError> {
    let link = find(context, token).await?;
    if link.purpose == LinkPurpose::VerifyEmail {
        return Err(RedemptionError::Refused);
    }
    set_password(context, origin, link, Some(password)).await
}

/// What a link that is still good is for, and whose: for the page that asks for what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Whose it is.
    pub username: String,
    /// Whether the user's telephone number is asked for.
    pub asks_phone: bool,
}

/// Looks at a link and leaves it as it is.
///
/// # Errors
/// [`RedemptionError`].
pub async fn open(context: &Context, token: &str) -> Result<Opened, RedemptionError> {
    let link = find(context, token).await?;
    let id = link.user_id.clone();
    let user = context.store.read(move |db| recipients::find(db, &id)).await?.ok_or(RedemptionError::Refused)?;
    let asks_phone = link.purpose == LinkPurpose::VerifyEmail && user.phone.is_some();
    Ok(Opened { purpose: link.purpose, username: user.username, asks_phone })
}

/// The link that a secret is of, if it seems to be good.
async fn find(context: &Context, token: &str) -> Result<OneTimeLink, RedemptionError> {
    if !is_well_formed(ONE_TIME_PREFIX, token) {
        return Err(RedemptionError::Refused);
    }
    let digest = links::digest(context, token);
    let found = context.store.read(move |db| one_time_links::by_digest(db, &digest)).await?;
    found.filter(|link| link.is_live(context.clock.now())).ok_or(RedemptionError::Refused)
}

/// What the transaction found.
enum Outcome {
    Done(Redeemed),
    Refused,
    WrongPhone,
    Limited(Timestamp),
}

impl Outcome {
    fn into_answer(self, now: Timestamp) -> Result<Redeemed, RedemptionError> {
        match self {
            Self::Done(redeemed) => Ok(redeemed),
            Self::Refused => Err(RedemptionError::Refused),
            Self::WrongPhone => {
                Err(invalid("phone", "must be the telephone number of the account, in the same format"))
            }
            Self::Limited(until) => {
                let micros = u64::try_from(until.micros_since(now)).unwrap_or(0);
                Err(RedemptionError::Limited(micros.div_ceil(1_000_000).max(1)))
            }
        }
    }
}

fn invalid(field: &'static str, message: &str) -> RedemptionError {
    RedemptionError::Other(AdminError::Invalid(vec![FieldError { field, message: message.to_owned() }]))
}

/// The link's user with a lock on their row, if the link is for them as they are now.
fn hold_owner(db: &mut Db, link: &OneTimeLink) -> Result<Option<Recipient>, StoreError> {
    let alive = |user: &Recipient| !matches!(user.status, UserStatus::Disabled | UserStatus::Deleted);
    let reached = |user: &Recipient| link.email.is_none() || user.email == link.email;
    Ok(recipients::hold(db, &link.user_id)?.filter(|user| alive(user) && reached(user)))
}

async fn verify(
    context: &Context,
    origin: &Actor,
    link: OneTimeLink,
    phone: Option<String>,
) -> Result<Redeemed, RedemptionError> {
    let Some(email) = &link.email else { return Err(RedemptionError::Refused) };
    let next = Letter::first_password(context, &link.user_id, email)?;
    let actor = actor(origin, &link);
    let key = context.data_keys.digest.digest("attempts link", link.id.as_bytes()).to_text();
    let bucket = Bucket { key, allowed: PHONE_FAILURES, window: PHONE_WINDOW, backs_off: false };
    let now = context.clock.now();
    let outcome = context
        .change(move |db| {
            let Some(user) = hold_owner(db, &link)? else { return Ok(Outcome::Refused) };
            if let Some(known) = &user.phone {
                match attempts::reserve(db, std::slice::from_ref(&bucket), now)? {
                    Reservation::Reserved => {}
                    Reservation::Blocked(until) => return Ok(Outcome::Limited(until)),
                    Reservation::Busy => return Ok(Outcome::Limited(now.plus_seconds(1))),
                }
                let is_right = phone.as_ref() == Some(known);
                let settlement = if is_right { Settlement::Refunded } else { Settlement::Failed };
                attempts::settle(db, &bucket, settlement, now)?;
                if !is_right {
                    return Ok(Outcome::WrongPhone);
                }
            }
            if !one_time_links::use_up(db, &link.id, now)? {
                return Ok(Outcome::Refused);
            }
            recipients::verify(db, &user.id, now)?;
            let mut status = user.status;
            if user.has_password {
                if stored_users::set_status(db, &user.id, UserStatus::Invited, UserStatus::Active, now)? {
                    status = UserStatus::Active;
                }
            } else {
                next.replace(db)?;
            }
            let password_link_sent = !user.has_password;
            audit::record(db, &actor, &event("user.email_verified", &user, format!("status={status}")), now)?;
            Ok(Outcome::Done(Redeemed { purpose: link.purpose, status, password_link_sent }))
        })
        .await?;
    outcome.into_answer(now)
}

async fn set_password(
    context: &Context,
    origin: &Actor,
    link: OneTimeLink,
    password: Option<&SecretString>,
) -> Result<Redeemed, RedemptionError> {
    let Some(password) = password else {
        return Err(invalid("password", "is missing: this link sets a password"));
    };
    let hash = passwords::hash(context, password).await.map_err(|error| match error {
        AdminError::Refused(why) => invalid("password", &why),
        other => RedemptionError::Other(other),
    })?;
    let notice = match &link.email {
        Some(email) => Some(Message::about_user(context, MailKind::PasswordChanged, &link.user_id, email)?),
        None => None,
    };
    let actor = actor(origin, &link);
    let account_of = context.login.clone();
    let now = context.clock.now();
    let outcome = context
        .change(move |db| {
            let Some(user) = hold_owner(db, &link)? else { return Ok(Outcome::Refused) };
            // A link that was sent proves the address only once that is verified; a set-up link was shown.
            if link.email.is_some() && !user.is_verified {
                return Ok(Outcome::Refused);
            }
            if !one_time_links::use_up(db, &link.id, now)? {
                return Ok(Outcome::Refused);
            }
            stored_users::set_password(db, &user.id, PasswordKind::Human, &hash, now)?;
            // A new password ends an invitation and a lock, and nothing else: where neither is, nothing changes.
            for waiting in [UserStatus::Locked, UserStatus::Invited] {
                stored_users::set_status(db, &user.id, waiting, UserStatus::Active, now)?;
            }
            attempts::forget(db, &account_of.account_key(&user.username))?;
            families::revoke_all_of_user(db, &user.id, now)?;
            if let Some(notice) = notice.as_ref().filter(|_| user.has_password) {
                mail::enqueue(db, notice)?;
            }
            let details = format!("kind={} link={}", PasswordKind::Human, link.id);
            audit::record(db, &actor, &event("user.password_changed", &user, details), now)?;
            let status = UserStatus::Active;
            Ok(Outcome::Done(Redeemed { purpose: link.purpose, status, password_link_sent: false }))
        })
        .await?;
    outcome.into_answer(now)
}

/// Whoever has the link acts as its user.
fn actor(origin: &Actor, link: &OneTimeLink) -> Actor {
    Actor { kind: ActorKind::User, id: link.user_id.clone(), ..origin.clone() }
}
