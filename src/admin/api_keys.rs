//! API keys: made for oneself, or by an administrator for an API user.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::admin::{AdminError, Authority, FieldError, organizations};
use crate::credentials::API_KEY_DIGEST_PURPOSE;
use crate::crypto::identifier::uuid_v7;
use crate::crypto::secret::SecretString;
use crate::crypto::token_format::{API_KEY_PREFIX, mint};
use crate::model::api_key::{ApiKey, ApiKeyStatus, SHOWN_PREFIX};
use crate::model::audit::AuditEvent;
use crate::model::reveal::RevealPolicy;
use crate::model::role::{API_KEYS_MANAGE, SECRETS_REVEAL, USERS_MANAGE};
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::model::user::{Membership, User, UserKind, UserStatus};
use crate::oauth::Context;
use crate::store::{Db, StoreError, api_keys, audit, memberships, users};

/// What a key is called that was made by one click.
const DEFAULT_NAME: &str = "API key";

/// Networks that one key may name.
const MOST_NETWORKS: usize = 50;

/// An API key to be made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// In whose name it acts, by username or id; in that of who asks if none is named.
    pub user: Option<String>,
    /// For people.
    pub name: Option<String>,
    /// In which of the user's organizations, where the operator asks; the user's own if none is named.
    pub organization: Option<String>,
    /// Scopes and permissions that it has at most, a subset of the user's; all of them if none is stated.
    pub scopes: Option<Vec<String>>,
    /// From when it no longer works.
    pub expires_at: Option<Timestamp>,
    /// Addresses and networks that it may be used from; everywhere if none is named.
    pub networks: Vec<String>,
    /// Whether it can be shown again.
    pub reveal: RevealPolicy,
}

/// An API key and its text, which is shown now.
#[derive(Debug, Clone)]
pub struct MadeApiKey {
    /// The key.
    pub key: ApiKey,
    /// Its text.
    pub secret: SecretString,
}

/// Makes an API key.
///
/// # Errors
/// [`AdminError::Invalid`], [`AdminError::Forbidden`], [`AdminError::NotFound`] for the user.
pub async fn create(context: &Context, by: &Authority, new: &NewApiKey) -> Result<MadeApiKey, AdminError> {
    by.require(API_KEYS_MANAGE)?;
    let (user, of_user) = owner(context, by, new.user.as_deref()).await?;
    let organization_id = match (by.organization(), &new.organization) {
        (Some(own), _) => own.to_owned(),
        (None, Some(named)) => organizations::reached(context, by, Some(named)).await?.id,
        (None, None) => user.organization_id.clone(),
    };
    let membership = of_user.iter().find(|membership| membership.organization_id == organization_id);
    let membership = membership.ok_or_else(|| AdminError::not_found("user", &user.username))?;
    let held: BTreeSet<String> = {
        let snapshot = context.registry.snapshot();
        let roles = membership.role_ids.iter().filter_map(|id| snapshot.role(id));
        roles.flat_map(|role| role.permissions.iter().cloned()).collect()
    };
    let now = context.clock.now();
    let mut key = checked(new, &held, now)?;
    may_hand_out(by, &held, key.scopes.as_ref())?;
    let secret = mint(API_KEY_PREFIX, &context.random);
    key.id = uuid_v7(now, &context.random);
    key.prefix = secret.expose().chars().take(SHOWN_PREFIX).collect();
    key.user_id = user.id;
    key.organization_id = organization_id;
    if key.reveal == RevealPolicy::Always {
        let sealed = context.data_keys.sealing.seal(&sealed_as(&key.id), secret.expose().as_bytes(), &context.random);
        key.sealed = Some(sealed.map_err(|cause| AdminError::Bug(cause.to_string()))?);
    }
    let digest = context.data_keys.digest.digest(API_KEY_DIGEST_PURPOSE, secret.expose().as_bytes()).to_text();
    let scopes = key.scopes.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
    let event = event("api_key.created", &key, format!("user={} scopes={scopes} reveal={}", key.user_id, key.reveal));
    let (actor, stored) = (by.actor.clone(), key.clone());
    context
        .change(move |db| {
            api_keys::create(db, &stored, &digest)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    Ok(MadeApiKey { key, secret })
}

/// In whose name the key will act. A person makes their own; an administrator makes those of API users.
async fn owner(context: &Context, by: &Authority, named: Option<&str>) -> Result<(User, Vec<Membership>), AdminError> {
    let Some(wanted) = named.or(by.user_id()).map(str::to_owned) else {
        return Err(AdminError::invalid("user", "name the user that the key is for"));
    };
    let own = by.user_id().map(str::to_owned);
    let key = wanted.clone();
    let read = context.store.read(move |db| {
        let found = match users::by_username(db, &key)? {
            Some(user) => Some(user),
            None => users::by_id(db, &key)?,
        };
        let Some(user) = found.filter(|user| user.status != UserStatus::Deleted) else { return Ok(None) };
        let of_user = memberships::of_user(db, &user.id)?;
        Ok(Some((user, of_user)))
    });
    let (user, of_user) = read
        .await?
        .filter(|(_, of_user)| of_user.iter().any(|membership| by.sees(&membership.organization_id)))
        .ok_or_else(|| AdminError::not_found("user", &wanted))?;
    if own.as_deref() != Some(user.id.as_str()) {
        by.require(USERS_MANAGE)?;
        if by.organization().is_some() && user.kind != UserKind::ApiUser {
            return Err(AdminError::Forbidden("people make their own API keys".to_owned()));
        }
    }
    Ok((user, of_user))
}

/// Whoever sees a key can use it, so it opens no more than they hold. Who may have which scope is decided by those who
/// manage scopes; permissions at Grantor itself are never lent.
fn may_hand_out(by: &Authority, held: &BTreeSet<String>, stated: Option<&ScopeSet>) -> Result<(), AdminError> {
    by.may_grant(held.iter().filter(|name| stated.is_none_or(|stated| stated.contains(name))))
}

fn checked(new: &NewApiKey, held: &BTreeSet<String>, now: Timestamp) -> Result<ApiKey, AdminError> {
    let mut wrong: Vec<FieldError> = Vec::new();
    let mut refuse = |field, message: String| wrong.push(FieldError { field, message });
    let name = new.name.as_deref().map_or(DEFAULT_NAME, str::trim);
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        refuse("name", "has 1 to 255 bytes on one line".to_owned());
    }
    let scopes = new.scopes.as_ref().map(|names| ScopeSet::parse(&names.join(" ")));
    match &scopes {
        Some(Err(cause)) => refuse("scopes", cause.to_string()),
        Some(Ok(stated)) => {
            for beyond in stated.iter().filter(|scope| !held.contains(*scope)) {
                refuse("scopes", format!("has `{beyond}`, which the user may not"));
            }
        }
        None => {}
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        refuse("expires_at", "lies in the past".to_owned());
    }
    if new.networks.len() > MOST_NETWORKS {
        refuse("networks", format!("has more than {MOST_NETWORKS} lines"));
    }
    let networks: Option<Vec<IpNet>> = new.networks.iter().map(|text| network(text)).collect();
    if networks.is_none() {
        refuse("networks", "must be addresses, or ones with a length, as 192.0.2.0/24 or 2001:db8::/32".to_owned());
    }
    if !wrong.is_empty() {
        return Err(AdminError::Invalid(wrong));
    }
    Ok(ApiKey {
        id: String::new(),
        prefix: String::new(),
        name: name.to_owned(),
        user_id: String::new(),
        organization_id: String::new(),
        scopes: scopes.and_then(Result::ok),
        networks: networks.unwrap_or_default(),
        reveal: new.reveal,
        sealed: None,
        status: ApiKeyStatus::Active,
        expires_at: new.expires_at,
        last_used_at: None,
        last_used_ip: None,
        created_at: now,
    })
}

fn network(text: &str) -> Option<IpNet> {
    let parsed = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    parsed.ok().map(|network| network.trunc())
}

/// The keys that are there for who asks, after one id: their own, or all of the organization for an administrator; of
/// one user, if one is named.
///
/// # Errors
/// [`AdminError::Forbidden`]; [`AdminError::NotFound`] for the user.
pub async fn page(
    context: &Context,
    by: &Authority,
    user: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<ApiKey>, AdminError> {
    by.require(API_KEYS_MANAGE)?;
    let of_user = match user {
        Some(named) => Some(owner_of_list(context, by, named).await?),
        None if by.holds(USERS_MANAGE) => None,
        None => Some(by.user_id().unwrap_or_default().to_owned()),
    };
    let (organization, after) = (by.organization().map(str::to_owned), after.to_owned());
    let read = move |db: &mut Db| api_keys::page(db, organization.as_deref(), of_user.as_deref(), &after, limit);
    Ok(context.store.read(read).await?)
}

async fn owner_of_list(context: &Context, by: &Authority, named: &str) -> Result<String, AdminError> {
    let user = crate::admin::users::find(context, by, named).await?;
    if by.holds(USERS_MANAGE) || by.user_id() == Some(user.id.as_str()) {
        return Ok(user.id);
    }
    Err(AdminError::not_found("user", named))
}

fn is_there_for(by: &Authority, key: &ApiKey) -> bool {
    by.sees(&key.organization_id) && (by.holds(USERS_MANAGE) || by.user_id() == Some(key.user_id.as_str()))
}

/// One by id, or by shown prefix or name where one alone has it.
///
/// # Errors
/// [`AdminError::Forbidden`], [`AdminError::NotFound`]; [`AdminError::Refused`] if several have the name.
pub async fn find(context: &Context, by: &Authority, key: &str) -> Result<ApiKey, AdminError> {
    by.require(API_KEYS_MANAGE)?;
    visible(context, by, key).await
}

async fn visible(context: &Context, by: &Authority, key: &str) -> Result<ApiKey, AdminError> {
    let (wanted, organization) = (key.to_owned(), by.organization().map(str::to_owned));
    let read = context.store.read(move |db| match api_keys::find(db, &wanted)? {
        Some(key) => Ok(vec![key]),
        None => api_keys::called(db, organization.as_deref(), &wanted),
    });
    let mut found: Vec<ApiKey> = read.await?.into_iter().filter(|found| is_there_for(by, found)).collect();
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (Some(_), more) => {
            Err(AdminError::Refused(format!("{} API keys are called `{key}`: name one by its id", more + 1)))
        }
        (None, _) => Err(AdminError::not_found("api key", key)),
    }
}

/// Shows a key again, where it was made to be.
///
/// # Errors
/// [`AdminError::Forbidden`], [`AdminError::NotFound`]; [`AdminError::Refused`] for one that is shown once alone.
pub async fn reveal(context: &Context, by: &Authority, key: &str) -> Result<MadeApiKey, AdminError> {
    if !by.holds(SECRETS_REVEAL) {
        by.require(API_KEYS_MANAGE)?;
    }
    let found = visible(context, by, key).await?;
    if by.user_id() != Some(found.user_id.as_str()) {
        // As at its making.
        let (_, of_user) = owner(context, by, Some(&found.user_id)).await?;
        let snapshot = context.registry.snapshot().clone();
        let own = of_user.iter().filter(|membership| membership.organization_id == found.organization_id);
        let roles = own.flat_map(|membership| &membership.role_ids).filter_map(|id| snapshot.role(id));
        let held: BTreeSet<String> = roles.flat_map(|role| role.permissions.iter().cloned()).collect();
        may_hand_out(by, &held, found.scopes.as_ref())?;
    }
    let Some(sealed) = &found.sealed else {
        return Err(AdminError::Refused("this API key was shown once, when it was made".to_owned()));
    };
    let opened = context.data_keys.sealing.open(&sealed_as(&found.id), sealed);
    let opened = opened.map_err(|cause| AdminError::Bug(cause.to_string()))?;
    let secret = String::from_utf8(opened.into_exposed()).map(SecretString::new);
    let secret = secret.map_err(|_| AdminError::Bug("a sealed API key is not text".to_owned()))?;
    let now = context.clock.now();
    let (actor, event) = (by.actor.clone(), event("api_key.revealed", &found, String::new()));
    context.store.write(move |db| audit::record(db, &actor, &event, now)).await?;
    Ok(MadeApiKey { key: found, secret })
}

/// Moves an API key to another status; it bites at the next request.
///
/// # Errors
/// [`AdminError::Forbidden`], [`AdminError::NotFound`].
pub async fn set_status(
    context: &Context,
    by: &Authority,
    key: &str,
    status: ApiKeyStatus,
) -> Result<ApiKey, AdminError> {
    let mut found = find(context, by, key).await?;
    if found.status == status {
        return Ok(found);
    }
    if !found.status.may_become(status) {
        return Err(AdminError::Refused(format!("an API key that is {} cannot become {status}", found.status)));
    }
    let now = context.clock.now();
    let (actor, changed) = (by.actor.clone(), found.clone());
    context
        .change(move |db| {
            if !api_keys::set_status(db, &changed.id, changed.status, status)? {
                return Err(StoreError::Conflict("somebody else changed the API key meanwhile: look again".to_owned()));
            }
            audit::record(db, &actor, &event("api_key.status_changed", &changed, format!("status={status}")), now)
        })
        .await?;
    found.status = status;
    Ok(found)
}

/// What a sealed key belongs to: it opens in no other row.
fn sealed_as(id: &str) -> String {
    format!("api key {id}")
}

fn event(action: &'static str, key: &ApiKey, details: String) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "api_key",
        target_id: key.id.clone(),
        organization_id: Some(key.organization_id.clone()),
        details,
    }
}
