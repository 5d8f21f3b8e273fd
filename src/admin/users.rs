//! Users: making, finding, changing and stopping them.
//!
//! Longer than most files: what a user must be, what is checked of one and who may change one are decided in one place.

use std::collections::BTreeSet;

use crate::admin::links::Letter;
use crate::admin::profiles::{check_profile, check_rules};
use crate::admin::{AdminError, Authority, FieldError, organizations, passwords, roles};
use crate::crypto::secret::SecretString;
use crate::model::audit::AuditEvent;
use crate::model::role::{ADMINISTRATOR, API_USER, CREDENTIALS_MANAGE, USERS_MANAGE};
use crate::model::states::UnknownWord;
use crate::model::user::{Administration, User, UserKind, UserStatus, Username, UsernameError};
use crate::oauth::Context;
use crate::store::user_profiles::{self, UserFilter, UserProfile};
use crate::store::users::NewUser;
use crate::store::{Db, StoreError, attempts, audit, families, memberships, recipients, roles as stored_roles, users};

/// A user as somebody describes them.
#[derive(Debug, Clone, Default)]
pub struct UserRequest {
    /// The username.
    pub username: String,
    /// `person` or `api_user`; a person if none is said.
    pub kind: Option<String>,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Their organization; the default one, or the only one in reach, if none is named.
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
    /// What the maker should think about.
    pub warnings: Vec<String>,
}

fn username(request: &UserRequest) -> Result<Username, UsernameError> {
    Username::parse(&request.username)
}

fn kind(request: &UserRequest) -> Result<UserKind, UnknownWord> {
    request.kind.as_deref().unwrap_or("person").parse()
}

fn administration(request: &UserRequest) -> Result<Administration, UnknownWord> {
    request.administration.as_deref().unwrap_or("basic").parse()
}

/// What is wrong with a user to be made, field by field; names that are taken and passwords that are weak are found when
/// the user is made.
#[must_use]
pub fn check(context: &Context, by: &Authority, request: &UserRequest) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    let mut note = |field, message: String| wrong.push(FieldError { field, message });
    if let Err(cause) = username(request) {
        note("username", cause.to_string());
    }
    if let Err(cause) = kind(request) {
        note("kind", cause.to_string());
    }
    if let Err(cause) = administration(request) {
        note("administration", cause.to_string());
    }
    check_profile(
        &mut wrong,
        &[("name", &request.name), ("first_name", &request.first_name), ("last_name", &request.last_name)],
        &request.description,
        request.email.as_deref(),
        request.phone.as_deref(),
    );
    if !request.programmatic {
        check_rules(context, by, request, &mut wrong);
    }
    wrong
}

/// Makes a user: active, or invited by a message to their e-mail address.
///
/// # Errors
/// [`AdminError`] says what cannot be, and at which field.
pub async fn create(context: &Context, by: &Authority, request: &UserRequest) -> Result<MadeUser, AdminError> {
    by.require(if request.programmatic { CREDENTIALS_MANAGE } else { USERS_MANAGE })?;
    let organization = organizations::reached(context, by, request.organization.as_deref()).await?;
    let wrong = check(context, by, request);
    if !wrong.is_empty() {
        return Err(AdminError::Invalid(wrong));
    }
    let (Ok(username), Ok(kind), Ok(administration)) = (username(request), kind(request), administration(request))
    else {
        return Err(AdminError::Bug("a field was checked and is wrong".to_owned()));
    };
    let (access_console, access_api) = access(kind, &request.access)?;
    let named = if request.roles.is_empty() { vec![API_USER.to_owned()] } else { request.roles.clone() };
    let given = roles::grantable(context, by, &organization.id, &named).await?;
    // Whoever has an address proves it before anything is issued; who is made on the command line is vouched for.
    let invited = by.organization().is_some() && kind == UserKind::Person && request.email.is_some();
    let (stored, shown) = if invited && request.password.is_none() {
        (None, None)
    } else {
        let (stored, shown) = passwords::stored(context, request.password.as_ref()).await?;
        (Some(stored), shown)
    };
    let status = if invited { UserStatus::Invited } else { UserStatus::Active };
    let now = context.clock.now();
    let new = NewUser {
        id: crate::crypto::identifier::uuid_v7(now, &context.random),
        organization_id: organization.id.clone(),
        kind,
        programmatic: request.programmatic,
        username,
        name: request.name.clone(),
        description: request.description.clone(),
        first_name: request.first_name.clone(),
        last_name: request.last_name.clone(),
        email: request.email.clone(),
        phone: request.phone.clone(),
        administration,
        access_console,
        access_api,
        status,
        password: stored,
        role_ids: given.iter().map(|role| role.id.clone()).collect(),
    };
    let both = access_console && access_api && (kind == UserKind::ApiUser || !request.access.is_empty());
    let has_api_role = !request.roles.is_empty() && given.iter().any(|role| role.name == API_USER);
    let warnings = cautions(kind, both, has_api_role);
    let (id, username) = (new.id.clone(), new.username.as_str().to_owned());
    let event = event("user.created", &new.id, &organization.id, format!("kind={kind} roles={}", named.join(",")));
    let letter = match (&new.email, invited) {
        (Some(email), true) => Some(Letter::invitation(context, &new.id, email)?),
        _ => None,
    };
    let actor = by.actor.clone();
    context
        .change(move |db| {
            users::create(db, &new, now)?;
            if let Some(letter) = &letter {
                letter.enqueue(db)?;
            }
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(MadeUser { id, username, kind, status, password: shown, warnings })
}

/// What an administrator should think about. `both`: the account has console and API.
#[must_use]
pub fn cautions(kind: UserKind, both: bool, has_api_role: bool) -> Vec<String> {
    let mut cautions = Vec::new();
    if both && kind == UserKind::ApiUser {
        cautions.push("an account for a program does not need the console: access `api` alone is safer".to_owned());
    } else if both {
        let text = "one password opens both the console and the API: a person for the one and an API user for the other \
                    are safer";
        cautions.push(text.to_owned());
    }
    if has_api_role && kind == UserKind::Person {
        cautions.push("an API role goes to a person: an API user of its own is easier to audit".to_owned());
    }
    cautions
}

/// A refusal that a form can show at the field whose value somebody else has.
#[must_use]
pub fn at_field(error: AdminError) -> AdminError {
    match error {
        AdminError::Refused(why) if why == user_profiles::EMAIL_TAKEN => {
            AdminError::invalid("email", "is used already: another user has this address")
        }
        AdminError::Refused(why) if why.starts_with("the username ") && why.ends_with(" is taken") => {
            AdminError::invalid("username", "is taken, or was once: no username is given out twice")
        }
        other => other,
    }
}

fn access(kind: UserKind, words: &[String]) -> Result<(bool, bool), AdminError> {
    if words.is_empty() { Ok((kind == UserKind::Person, true)) } else { access_of(words) }
}

/// Console and API, as these words say.
///
/// # Errors
/// [`AdminError::Invalid`] for another word.
pub fn access_of(words: &[String]) -> Result<(bool, bool), AdminError> {
    if let Some(unknown) = words.iter().find(|word| !matches!(word.as_str(), "console" | "api")) {
        return Err(AdminError::invalid("access", format!("`{unknown}` is not one of: console, api")));
    }
    Ok((words.iter().any(|word| word == "console"), words.iter().any(|word| word == "api")))
}

/// One by username or id, if they are a member where `by` reaches.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn find(context: &Context, by: &Authority, key: &str) -> Result<User, AdminError> {
    let wanted = key.to_owned();
    let organization = by.organization().map(str::to_owned);
    let found = context
        .store
        .read(move |db| {
            let user = match users::by_username(db, &wanted)? {
                Some(user) => Some(user),
                None => users::by_id(db, &wanted)?,
            };
            let Some(user) = user.filter(|user| user.status != UserStatus::Deleted) else { return Ok(None) };
            let Some(organization) = &organization else { return Ok(Some(user)) };
            let member = memberships::of_user(db, &user.id)?.iter().any(|place| place.organization_id == *organization);
            Ok(Some(user).filter(|_| member))
        })
        .await?;
    found.ok_or_else(|| AdminError::not_found("user", key))
}

/// One whom `by` may look at: everybody themselves, others with [`USERS_MANAGE`].
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`].
pub async fn visible(context: &Context, by: &Authority, key: &str) -> Result<User, AdminError> {
    let user = find(context, by, key).await;
    if !user.as_ref().is_ok_and(|user| by.user_id() == Some(user.id.as_str())) {
        by.require(USERS_MANAGE)?;
    }
    user
}

/// One whose sign-ins and use `by` may look at: everybody their own, others those of the users that were made in their
/// organization. What a guest does elsewhere is not the host's to see.
///
/// # Errors
/// As [`visible`].
pub async fn account(context: &Context, by: &Authority, key: &str) -> Result<User, AdminError> {
    let user = visible(context, by, key).await?;
    if by.user_id() == Some(user.id.as_str()) || by.sees(&user.organization_id) {
        return Ok(user);
    }
    Err(AdminError::Forbidden("the account belongs to another organization, which alone sees what it does".to_owned()))
}

/// One whose account `by` may change: a user of the organization that they were made in, who holds nothing there
/// that `by` does not. Whoever resets a password can do what its owner can.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`].
pub async fn manageable(context: &Context, by: &Authority, key: &str) -> Result<User, AdminError> {
    let found = find(context, by, key).await;
    let own_set = match &found {
        Ok(user) if by.holds(CREDENTIALS_MANAGE) => profile(context, user).await?.programmatic,
        _ => false,
    };
    if !own_set {
        by.require(USERS_MANAGE)?;
    }
    let user = found?;
    if !by.sees(&user.organization_id) {
        return Err(AdminError::Forbidden(
            "the account belongs to another organization, which alone changes it".into(),
        ));
    }
    by.may_grant(&held(context, &user))?;
    Ok(user)
}

/// What a user may do in the organization that they were made in.
#[must_use]
pub fn held(context: &Context, user: &User) -> BTreeSet<String> {
    let mut held = roles::permissions(&context.registry.snapshot(), &user.role_ids);
    if user.administration == Administration::Admin {
        held.insert(USERS_MANAGE.to_owned());
    }
    held
}

/// A user's profile.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn profile(context: &Context, user: &User) -> Result<UserProfile, AdminError> {
    let id = user.id.clone();
    let found = context.store.read(move |db| user_profiles::find(db, &id)).await?;
    found.ok_or_else(|| AdminError::not_found("user", &user.username))
}

/// The users that `by` sees, after one id, in the order in which they were made.
///
/// # Errors
/// [`AdminError::Forbidden`].
pub async fn page(
    context: &Context,
    by: &Authority,
    mut filter: UserFilter,
    after: &str,
    limit: i64,
) -> Result<Vec<UserProfile>, AdminError> {
    by.require(if filter.programmatic == Some(true) { CREDENTIALS_MANAGE } else { USERS_MANAGE })?;
    if let Some(own) = by.organization() {
        filter.organization_id = Some(own.to_owned());
    }
    let after = after.to_owned();
    Ok(context.store.read(move |db| user_profiles::page(db, &filter, &after, limit)).await?)
}

/// Moves a user to another status; all but `active` end their tokens and families.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if the user's life has no such step.
pub async fn set_status(context: &Context, by: &Authority, key: &str, status: UserStatus) -> Result<User, AdminError> {
    let mut user = manageable(context, by, key).await?;
    if user.status == status && status != UserStatus::Active {
        return Ok(user);
    }
    if user.status != status && !user.status.may_become(status) {
        return Err(AdminError::Refused(format!("a user who is {} cannot become {status}", user.status)));
    }
    // Whoever was invited proves their address first; only the operator vouches for it.
    if user.status == UserStatus::Invited && status == UserStatus::Active && by.organization().is_some() {
        let id = user.id.clone();
        let invited = context.store.read(move |db| recipients::find(db, &id)).await?;
        if !invited.is_some_and(|invited| invited.has_no_address_to_verify()) {
            return Err(AdminError::Refused(
                "the address is not verified yet: the invitation can be sent again".to_owned(),
            ));
        }
    }
    let now = context.clock.now();
    let event = event("user.status_changed", &user.id, &user.organization_id, format!("status={status}"));
    let (actor, changed) = (by.actor.clone(), user.clone());
    let account = context.login.account_key(&user.username);
    context
        .change(move |db| {
            if status != UserStatus::Active {
                refuse_last_administrator(db, &changed, &changed.organization_id, None)?;
            }
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

/// The last administrator of an organization stays one. `keeping` is what the user's roles there will be; none where
/// they lose them all.
///
/// # Errors
/// [`StoreError::Conflict`].
pub(super) fn refuse_last_administrator(
    db: &mut Db,
    user: &User,
    organization_id: &str,
    keeping: Option<&[String]>,
) -> Result<(), StoreError> {
    let Some(administrator) = stored_roles::find(db, organization_id, ADMINISTRATOR)? else { return Ok(()) };
    let places = memberships::of_user(db, &user.id)?;
    let is_one = places
        .iter()
        .any(|place| place.organization_id == organization_id && place.role_ids.contains(&administrator.id));
    let stays = keeping.is_some_and(|roles| roles.contains(&administrator.id));
    if is_one
        && !stays
        && user.status == UserStatus::Active
        && user_profiles::active_holders(db, organization_id, &administrator.id, &user.id)? == 0
    {
        return Err(StoreError::Conflict(format!(
            "{} is the last administrator of the organization: make another one first",
            user.username
        )));
    }
    Ok(())
}

/// Lifts a lock, and forgets the failures that were on the way to one.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for a user who is stopped for another reason.
pub async fn unlock(context: &Context, by: &Authority, key: &str) -> Result<User, AdminError> {
    let user = manageable(context, by, key).await?;
    if !matches!(user.status, UserStatus::Locked | UserStatus::Active) {
        let verb = if user.status == UserStatus::Invited { "set-password" } else { "enable" };
        return Err(AdminError::Refused(format!(
            "{} is not locked but {}: 'grantor user {verb}' is for that",
            user.username, user.status
        )));
    }
    set_status(context, by, key, UserStatus::Active).await
}

pub(super) fn event(action: &'static str, user_id: &str, organization_id: &str, details: String) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "user",
        target_id: user_id.to_owned(),
        organization_id: Some(organization_id.to_owned()),
        details,
    }
}
