//! Passwords of users: set by somebody, or generated.

use crate::admin::memberships::controllable;
use crate::admin::users::event;
use crate::admin::{AdminError, Authority};
use crate::crypto::password::{PasswordInput, generate_password};
use crate::crypto::secret::SecretString;
use crate::login::{GENERATED_DIGEST_PURPOSE, is_generated_shape};
use crate::model::user::{PasswordKind, User, UserStatus};
use crate::oauth::Context;
use crate::store::{attempts, audit, families, recipients, users};

/// What is stored of a chosen password, or of a generated one that is shown this once.
///
/// # Errors
/// [`AdminError::Invalid`] if it is too weak.
pub(super) async fn stored(
    context: &Context,
    chosen: Option<&SecretString>,
) -> Result<((PasswordKind, String), Option<SecretString>), AdminError> {
    if let Some(chosen) = chosen {
        return Ok(((PasswordKind::Human, hash(context, chosen).await?), None));
    }
    let generated = generate_password(&context.random);
    let digest = context.data_keys.digest.digest(GENERATED_DIGEST_PURPOSE, generated.expose().as_bytes());
    Ok(((PasswordKind::Generated, digest.to_text()), Some(generated)))
}

/// Checks and hashes a password that somebody chose.
pub(super) async fn hash(context: &Context, chosen: &SecretString) -> Result<String, AdminError> {
    if is_generated_shape(chosen.expose()) {
        return Err(AdminError::invalid("password", "a chosen password has not the shape of a generated one"));
    }
    let input =
        PasswordInput::parse(chosen.expose()).map_err(|cause| AdminError::invalid("password", cause.to_string()))?;
    context.login.policy().check_new(&input).map_err(|cause| AdminError::invalid("password", cause.to_string()))?;
    let hasher = context.login.hasher().clone();
    Ok(context.login.pool().run(move || hasher.hash(&input)).await??)
}

/// Sets a chosen password; ends every token and family of the user, and a lock.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Invalid`] if the password is too weak.
pub async fn set(context: &Context, by: &Authority, key: &str, chosen: &SecretString) -> Result<User, AdminError> {
    let user = controllable(context, by, key).await?;
    let (password, _) = stored(context, Some(chosen)).await?;
    store(context, by, &user, password).await?;
    Ok(user)
}

/// Sets the password of the user who asks, who has just given the present one. Answers their epoch from then on.
///
/// # Errors
/// [`AdminError::Invalid`] if the password is too weak.
pub(super) async fn set_own(
    context: &Context,
    by: &Authority,
    user: &User,
    chosen: &SecretString,
) -> Result<i64, AdminError> {
    let (password, _) = stored(context, Some(chosen)).await?;
    store(context, by, user, password).await
}

/// Gives a user a generated password; ends every token and family of theirs.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn rotate(context: &Context, by: &Authority, key: &str) -> Result<(User, SecretString), AdminError> {
    let user = controllable(context, by, key).await?;
    let (password, generated) = stored(context, None).await?;
    store(context, by, &user, password).await?;
    let generated = generated.ok_or_else(|| AdminError::Bug("no password was generated".to_owned()))?;
    Ok((user, generated))
}

async fn store(
    context: &Context,
    by: &Authority,
    user: &User,
    (kind, hash): (PasswordKind, String),
) -> Result<i64, AdminError> {
    let now = context.clock.now();
    let event = event("user.password_changed", &user.id, &user.organization_id, format!("kind={kind}"));
    let (actor, user) = (by.actor.clone(), user.clone());
    let account = context.login.account_key(&user.username);
    let vouched_for = by.organization().is_none();
    let epoch = context
        .change(move |db| {
            users::set_password(db, &user.id, kind, &hash, now)?;
            // A new password ends a lock, and an invitation whose address is verified; where neither is, nothing changes.
            users::set_status(db, &user.id, UserStatus::Locked, UserStatus::Active, now)?;
            if vouched_for || recipients::find(db, &user.id)?.is_some_and(|user| user.has_no_address_to_verify()) {
                users::set_status(db, &user.id, UserStatus::Invited, UserStatus::Active, now)?;
            }
            attempts::forget(db, &account)?;
            families::revoke_all_of_user(db, &user.id, now)?;
            audit::record(db, &actor, &event, now)?;
            Ok(users::by_id(db, &user.id)?.map_or(0, |user| user.epoch))
        })
        .await?;
    Ok(epoch)
}
