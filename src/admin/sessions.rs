//! Sessions of the console: begun by a password, listed, ended.

use crate::admin::users::{account, event, find, visible};
use crate::admin::{AdminError, Authority, passwords};
use crate::crypto::identifier::uuid_v7;
use crate::crypto::secret::SecretString;
use crate::login::{Door, Network, Secret, SignInError, SignedIn, is_live, session_digest};
use crate::model::audit::{Actor, ActorKind};
use crate::model::session::Session;
use crate::oauth::Context;
use crate::store::{audit, sessions, users};

/// What of a browser's own name is kept, in characters.
const USER_AGENT_KEPT: usize = 200;

/// The browser that somebody signs in with.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Its address and the request, for the audit.
    pub origin: Actor,
    /// Its network, for the limits on guessing.
    pub network: Network,
    /// What it calls itself.
    pub user_agent: String,
}

/// Signs somebody in by their password; the answer is what the browser's cookie bears from now on.
///
/// # Errors
/// [`SignInError`].
pub async fn begin(
    context: &Context,
    browser: &Browser,
    username: &str,
    password: &SecretString,
) -> Result<Secret, SignInError> {
    let signed_in = context.login.sign_in(&Door::of_console(), username, password.expose(), browser.network).await?;
    let id = signed_in.user_id.clone();
    let user = context.store.read(move |db| users::by_id(db, &id)).await?;
    let home = user.map(|user| user.organization_id).ok_or(SignInError::Refused("the account is gone"))?;
    start(context, browser, &signed_in, &home).await.map_err(SignInError::from)
}

async fn start(
    context: &Context,
    browser: &Browser,
    signed_in: &SignedIn,
    organization_id: &str,
) -> Result<Secret, crate::store::StoreError> {
    let now = context.clock.now();
    let secret = Secret::make(&context.random);
    let digest = session_digest(&context.data_keys.digest, &secret);
    let session = Session {
        id: uuid_v7(now, &context.random),
        user_id: signed_in.user_id.clone(),
        organization_id: organization_id.to_owned(),
        epoch: signed_in.epoch,
        despite_lock: signed_in.despite_lock,
        authenticated_at: now,
        created_at: now,
        last_seen_at: now,
        ip: browser.origin.ip.clone().unwrap_or_default(),
        user_agent: browser.user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT_KEPT).collect(),
    };
    let actor = Actor { kind: ActorKind::User, id: signed_in.user_id.clone(), ..browser.origin.clone() };
    let event = event("user.signed_in", &session.user_id, &session.organization_id, format!("session={}", session.id));
    context
        .store
        .write(move |db| {
            sessions::create(db, &session, &digest)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(secret)
}

/// That whoever uses this session knows its user's password: before a secret is shown, or anything risky is done.
///
/// # Errors
/// [`SignInError`].
pub async fn prove(
    context: &Context,
    session: &Session,
    username: &str,
    password: &SecretString,
    network: Network,
) -> Result<(), SignInError> {
    let signed_in = context.login.sign_in(&Door::of_console(), username, password.expose(), network).await?;
    if signed_in.user_id != session.user_id {
        return Err(SignInError::Refused("another user's password"));
    }
    let (id, now) = (session.id.clone(), context.clock.now());
    Ok(context.store.write(move |db| sessions::authenticate(db, &id, now)).await?)
}

/// Changes one's own password, for which the present one is asked. Every other session, token and family ends; the
/// answer is the secret of this browser's new session.
///
/// # Errors
/// [`AdminError::Invalid`] for a present password that is wrong, and for a new one that is too weak.
pub async fn change_password(
    context: &Context,
    by: &Authority,
    browser: &Browser,
    organization_id: &str,
    present: &SecretString,
    new: &SecretString,
) -> Result<Secret, AdminError> {
    let user_id = by.user_id().ok_or_else(|| AdminError::Forbidden("only a user has a password".to_owned()))?;
    let user = find(context, by, user_id).await?;
    let door = Door::of_console();
    let proof = context.login.sign_in(&door, &user.username, present.expose(), browser.network).await;
    let proof = proof.map_err(|error| match error {
        SignInError::Refused(_) => AdminError::invalid("present_password", "is not your password"),
        SignInError::Limited(seconds) => AdminError::Limited(seconds),
        SignInError::Bug(what) => AdminError::Bug(what),
        busy => AdminError::Unavailable(busy.to_string()),
    })?;
    // The epoch of this very change: one that is raised meanwhile ends the new session, too.
    let epoch = passwords::set_own(context, by, &user, new).await?;
    let signed_in = SignedIn { epoch, ..proof };
    Ok(start(context, browser, &signed_in, organization_id).await?)
}

/// Notes that a session is in use, once a minute at most.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn touch(context: &Context, session: &Session) -> Result<(), AdminError> {
    let now = context.clock.now();
    if now < session.last_seen_at.plus_seconds(60) {
        return Ok(());
    }
    let id = session.id.clone();
    Ok(context.store.write(move |db| sessions::touch(db, &id, now)).await?)
}

/// Shows another organization of the user's from now on.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn show_organization(context: &Context, session: &Session, organization_id: &str) -> Result<(), AdminError> {
    let (id, organization_id) = (session.id.clone(), organization_id.to_owned());
    Ok(context.store.write(move |db| sessions::set_organization(db, &id, &organization_id)).await?)
}

/// A user's sessions that are not over, the latest first. Everybody sees their own.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`].
pub async fn list(context: &Context, by: &Authority, user_key: &str) -> Result<Vec<Session>, AdminError> {
    let user = account(context, by, user_key).await?;
    let (id, now) = (user.id.clone(), context.clock.now());
    let found = context.store.read(move |db| sessions::of_user(db, &id)).await?;
    Ok(found.into_iter().filter(|session| session.epoch == user.epoch && is_live(session, now)).collect())
}

/// Ends a session at its next page. Everybody ends their own.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`].
pub async fn end(context: &Context, by: &Authority, user_key: &str, id: &str) -> Result<(), AdminError> {
    let user = visible(context, by, user_key).await?;
    if by.user_id() != Some(user.id.as_str()) {
        crate::admin::users::manageable(context, by, user_key).await?;
    }
    let (actor, now) = (by.actor.clone(), context.clock.now());
    let (user_id, session_id) = (user.id.clone(), id.to_owned());
    let event = event("user.signed_out", &user.id, &user.organization_id, format!("session={session_id}"));
    let ended = context
        .store
        .write(move |db| {
            let ended = sessions::end(db, &user_id, &session_id)?;
            if ended {
                audit::record(db, &actor, &event, now)?;
            }
            Ok(ended)
        })
        .await?;
    if ended { Ok(()) } else { Err(AdminError::not_found("session", id)) }
}
