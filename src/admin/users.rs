//! Users and their passwords.

use crate::admin::{AdminError, organizations, roles};
use crate::crypto::password::{PasswordInput, PasswordPolicy, generate_password};
use crate::crypto::secret::SecretString;
use crate::login::{GENERATED_DIGEST_PURPOSE, is_generated_shape};
use crate::model::audit::{Actor, AuditEvent};
use crate::model::role::API_USER;
use crate::model::user::{Administration, PasswordKind, User, UserKind, UserStatus, Username};
use crate::oauth::Context;
use crate::store::users::{ListedUser, NewUser};
use crate::store::{StoreError, attempts, audit, families, users};

/// A user as an operator describes them.
#[derive(Debug, Clone, Default)]
pub struct UserRequest {
    /// The username.
    pub username: String,
    /// `person` or `api_user`; a person if none is said.
    pub kind: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Their organization; the default one if none is named.
    pub organization: Option<String>,
    /// `console`, `api` or both; by kind if none is said.
    pub access: Vec<String>,
    /// `admin` or `basic`.
    pub administration: Option<String>,
    /// Their roles by name or id; `api user` if none is named.
    pub roles: Vec<String>,
    /// The password; generated if none is given.
    pub password: Option<SecretString>,
    /// Display name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Whether it is made as a set of credentials.
    pub programmatic: bool,
    /// Permits a chosen password that the policy would refuse (documented examples under a preset).
    pub min_length: usize,
}

/// A user and the generated password that is shown this once.
#[derive(Debug, Clone)]
pub struct MadeUser {
    /// The id.
    pub id: String,
    /// The username.
    pub username: String,
    /// Person or API user.
    pub kind: UserKind,
    /// Where they start.
    pub status: UserStatus,
    /// The password, where it was generated.
    pub password: Option<SecretString>,
}

/// Makes an active user.
///
/// # Errors
/// [`AdminError::Refused`] says what cannot be.
pub async fn create(context: &Context, actor: &Actor, request: &UserRequest) -> Result<MadeUser, AdminError> {
    let refused = |what: String| AdminError::Refused(what);
    let organization = organizations::find(context, request.organization.as_deref()).await?;
    let username = Username::parse(&request.username).map_err(|cause| refused(cause.to_string()))?;
    let kind: UserKind = request.kind.as_deref().unwrap_or("person").parse()?;
    let (access_console, access_api) = access(kind, &request.access)?;
    if request.email.as_deref().is_some_and(|email| !is_email(email)) {
        return Err(refused("an e-mail address looks like name@example.com".to_owned()));
    }
    let mut role_ids = Vec::new();
    let named = if request.roles.is_empty() { vec![API_USER.to_owned()] } else { request.roles.clone() };
    for role in &named {
        role_ids.push(roles::find(context, &organization.id, role).await?.id);
    }
    let now = context.clock.now();
    let (stored, shown) = if let Some(chosen) = &request.password {
        ((PasswordKind::Human, hash_chosen(context, chosen, request.min_length).await?), None)
    } else {
        let generated = generate_password(&context.random);
        ((PasswordKind::Generated, digest_generated(context, &generated)), Some(generated))
    };
    let administration = request.administration.as_deref().unwrap_or("basic").parse::<Administration>()?;
    let new = NewUser {
        id: crate::crypto::identifier::uuid_v7(now, &context.random),
        organization_id: organization.id.clone(),
        kind,
        programmatic: request.programmatic,
        username: username.clone(),
        name: request.name.clone(),
        description: request.description.clone(),
        email: request.email.clone(),
        administration,
        access_console,
        access_api,
        status: UserStatus::Active,
        password: Some(stored),
        role_ids,
    };
    let id = new.id.clone();
    let event = event("user.created", &new.id, &organization.id, format!("kind={kind} roles={}", named.join(",")));
    let actor = actor.clone();
    context
        .change(move |db| {
            users::create(db, &new, now)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(MadeUser { id, username: username.as_str().to_owned(), kind, status: UserStatus::Active, password: shown })
}

fn access(kind: UserKind, words: &[String]) -> Result<(bool, bool), AdminError> {
    if words.is_empty() {
        return Ok((kind == UserKind::Person, true));
    }
    if let Some(unknown) = words.iter().find(|word| !matches!(word.as_str(), "console" | "api")) {
        return Err(AdminError::Refused(format!("`{unknown}` is not one of: console, api")));
    }
    Ok((words.iter().any(|word| word == "console"), words.iter().any(|word| word == "api")))
}

fn is_email(text: &str) -> bool {
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        })
}

/// Checks and hashes a password that somebody chose.
async fn hash_chosen(context: &Context, chosen: &SecretString, min_length: usize) -> Result<String, AdminError> {
    let refused = |what: String| AdminError::Refused(what);
    if is_generated_shape(chosen.expose()) {
        return Err(refused("a chosen password has not the shape of a generated one".to_owned()));
    }
    let input = PasswordInput::parse(chosen.expose()).map_err(|cause| refused(cause.to_string()))?;
    PasswordPolicy { min_length }.check_new(&input).map_err(|cause| refused(cause.to_string()))?;
    let hasher = context.login.hasher().clone();
    Ok(context.login.pool().run(move || hasher.hash(&input)).await??)
}

fn digest_generated(context: &Context, generated: &SecretString) -> String {
    context.data_keys.digest.digest(GENERATED_DIGEST_PURPOSE, generated.expose().as_bytes()).to_text()
}

/// One by username or id.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn find(context: &Context, key: &str) -> Result<User, AdminError> {
    let wanted = key.to_owned();
    let found = context
        .store
        .read(move |db| match users::by_username(db, &wanted)? {
            Some(user) => Ok(Some(user)),
            None => users::by_id(db, &wanted),
        })
        .await?;
    found.filter(|user| user.status != UserStatus::Deleted).ok_or_else(|| AdminError::not_found("user", key))
}

/// All users of an organization, or its sets of credentials.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn list(
    context: &Context,
    organization: Option<&str>,
    programmatic: bool,
) -> Result<Vec<ListedUser>, AdminError> {
    let organization = organizations::find(context, organization).await?;
    Ok(context.store.read(move |db| users::list(db, &organization.id, programmatic)).await?)
}

/// Moves a user to another status; all but `active` end their tokens and families.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if the user's life has no such step.
pub async fn set_status(context: &Context, actor: &Actor, key: &str, status: UserStatus) -> Result<User, AdminError> {
    let mut user = find(context, key).await?;
    if user.status == status && status != UserStatus::Active {
        return Ok(user);
    }
    if user.status != status && !user.status.may_become(status) {
        return Err(AdminError::Refused(format!("a user who is {} cannot become {status}", user.status)));
    }
    let now = context.clock.now();
    let event = event("user.status_changed", &user.id, &user.organization_id, format!("status={status}"));
    let (actor, changed) = (actor.clone(), user.clone());
    let account = context.login.account_key(&user.username);
    context
        .change(move |db| {
            if !users::set_status(db, &changed.id, changed.status, status, now)? {
                return Err(StoreError::Conflict("somebody else changed the user meanwhile: look again".to_owned()));
            }
            if status == UserStatus::Active {
                attempts::forget(db, &account)?;
            } else {
                families::revoke_all_of_user(db, &changed.id, now)?;
            }
            audit::record(db, &actor, &event, now)
        })
        .await?;
    user.status = status;
    Ok(user)
}

/// Lifts a lock, and forgets the failures that were on the way to one.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for a user who is stopped for another reason.
pub async fn unlock(context: &Context, actor: &Actor, key: &str) -> Result<User, AdminError> {
    let user = find(context, key).await?;
    if !matches!(user.status, UserStatus::Locked | UserStatus::Active) {
        let verb = if user.status == UserStatus::Invited { "set-password" } else { "enable" };
        return Err(AdminError::Refused(format!(
            "{} is not locked but {}: 'grantor user {verb}' is for that",
            user.username, user.status
        )));
    }
    set_status(context, actor, key, UserStatus::Active).await
}

/// Sets a chosen password; ends every token and family of the user, and a lock.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if the password is too weak.
pub async fn set_password(
    context: &Context,
    actor: &Actor,
    key: &str,
    chosen: &SecretString,
    min_length: usize,
) -> Result<User, AdminError> {
    let user = find(context, key).await?;
    let hash = hash_chosen(context, chosen, min_length).await?;
    store_password(context, actor, &user, PasswordKind::Human, hash).await?;
    Ok(user)
}

/// Gives a user a generated password; ends every token and family of theirs.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn rotate_password(context: &Context, actor: &Actor, key: &str) -> Result<(User, SecretString), AdminError> {
    let user = find(context, key).await?;
    let generated = generate_password(&context.random);
    let digest = digest_generated(context, &generated);
    store_password(context, actor, &user, PasswordKind::Generated, digest).await?;
    Ok((user, generated))
}

async fn store_password(
    context: &Context,
    actor: &Actor,
    user: &User,
    kind: PasswordKind,
    hash: String,
) -> Result<(), AdminError> {
    let now = context.clock.now();
    let event = event("user.password_changed", &user.id, &user.organization_id, format!("kind={kind}"));
    let (actor, user) = (actor.clone(), user.clone());
    let account = context.login.account_key(&user.username);
    context
        .change(move |db| {
            users::set_password(db, &user.id, kind, &hash, now)?;
            // A new password ends an invitation and a lock, and nothing else: where neither is, nothing changes.
            for waiting in [UserStatus::Locked, UserStatus::Invited] {
                users::set_status(db, &user.id, waiting, UserStatus::Active, now)?;
            }
            attempts::forget(db, &account)?;
            families::revoke_all_of_user(db, &user.id, now)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(())
}

/// Gives a user a role.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn grant_role(context: &Context, actor: &Actor, key: &str, role: &str) -> Result<User, AdminError> {
    let user = find(context, key).await?;
    let role = roles::find(context, &user.organization_id, role).await?;
    let now = context.clock.now();
    let event = event("user.role_granted", &user.id, &user.organization_id, format!("role={}", role.name));
    let (actor, changed) = (actor.clone(), user.clone());
    context
        .change(move |db| {
            crate::store::memberships::grant_role(db, &changed.id, &changed.organization_id, &role.id)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(user)
}

fn event(action: &'static str, user_id: &str, organization_id: &str, details: String) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "user",
        target_id: user_id.to_owned(),
        organization_id: Some(organization_id.to_owned()),
        details,
    }
}
