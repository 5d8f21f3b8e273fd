//! Clients: registered by developers, made and approved by administrators.
//!
//! Longer than most files: making and approving ask the same questions, and who reads one must see the other.

use crate::admin::mail::{self, Message};
use crate::admin::{AdminError, Authority, client_secrets, organizations, roles, scope_requests};
use crate::crypto::secret::SecretString;
use crate::model::audit::AuditEvent;
use crate::model::client::{
    AuthenticationMethod, Client, ClientKind, ClientMode, ClientStatus, PASSWORD_AS_CLIENT, StaticClaims,
};
use crate::model::grant_type::GrantType;
use crate::model::role::{APPLICATIONS_MANAGE, SCOPES_MANAGE};
use crate::model::scope::ScopeSet;
use crate::model::signing_key::SigningAlgorithm;
use crate::model::states::UnknownWord;
use crate::model::user::UserStatus;
use crate::oauth::Context;
use crate::oauth::keys;
use crate::registry::LONGEST_ACCESS_LIFETIME;
use crate::store::clients::{ClientFilter, NewSecret};
use crate::store::{
    StoreError, audit, clients, families, recipients, scope_requests as stored_requests, scopes, signing_keys,
};

/// A client to be made.
#[derive(Debug, Clone, Default)]
pub struct NewClient {
    /// For people.
    pub label: String,
    /// The id, if it is chosen.
    pub client_id: Option<String>,
    /// Its organization; the default one if none is named.
    pub organization: Option<String>,
    /// The grants that it may use.
    pub grant_types: Vec<String>,
    /// Whether it is public.
    pub public: bool,
    /// `live` or `test`; live if none is said.
    pub mode: Option<String>,
    /// The scopes that it may ask for.
    pub scopes: Vec<String>,
    /// The resource servers that it may have tokens for.
    pub audiences: Vec<String>,
    /// The one authentication method that it may use.
    pub authentication_method: Option<String>,
    /// Whether it may introspect tokens.
    pub may_introspect: bool,
    /// Lifetime of its access tokens in seconds.
    pub access_lifetime: Option<i64>,
    /// Reuse window of its refresh tokens in seconds.
    pub reuse_window: Option<i64>,
    /// What signs its tokens.
    pub signing_algorithm: Option<String>,
    /// Idle lifetime of its token families in seconds.
    pub idle_lifetime: Option<i64>,
    /// Absolute lifetime of its token families in seconds.
    pub absolute_lifetime: Option<i64>,
    /// For people.
    pub description: String,
    /// What it is for.
    pub purpose: String,
    /// Claims that its access tokens bear besides the standard's.
    pub static_claims: StaticClaims,
    /// Its roles at Grantor's own API, by name or id.
    pub roles: Vec<String>,
    /// Why it needs the scopes that wait for an approval.
    pub justification: String,
}

/// A client and the secret that is shown this once.
#[derive(Debug, Clone)]
pub struct MadeClient {
    /// The client.
    pub client: Client,
    /// Its secret; none for a public client, and none before the approval.
    pub secret: Option<SecretString>,
}

/// Whether `by` decides about the applications of others: a developer registers, an approver approves.
#[must_use]
pub fn approves(by: &Authority) -> bool {
    by.holds(APPLICATIONS_MANAGE) && by.holds(SCOPES_MANAGE)
}

/// Makes a client. An approver's is active at once, with its secret and its scopes; a developer's waits, without
/// credentials, and so do those of its scopes that need an approval.
///
/// # Errors
/// [`AdminError`] says what cannot be.
pub async fn create(context: &Context, by: &Authority, new: &NewClient) -> Result<MadeClient, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    let organization = organizations::reached(context, by, new.organization.as_deref()).await?;
    let mut client = checked(new, &organization.id)?;
    client.owner_id = by.user_id().map(str::to_owned);
    let now = context.clock.now();
    client.client_id = match &new.client_id {
        Some(chosen) => checked_client_id(chosen)?,
        None => format!("{}_{}", context.credentials.client_id_prefix, context.random.digits(12)),
    };
    client.role_ids =
        roles::grantable(context, by, &organization.id, &new.roles).await?.into_iter().map(|role| role.id).collect();
    let waiting = check_scopes(context, &client, approves(by)).await?;
    if !approves(by) {
        refuse_beyond_a_developer(new)?;
        client.status = ClientStatus::Pending;
        client.scopes = client.scopes.iter().filter(|scope| !waiting.contains(scope)).collect();
    }
    let requests: Vec<_> = waiting
        .iter()
        .map(|scope| scope_requests::pending(context, by, &client, scope, &new.justification, now))
        .collect::<Result<_, _>>()?;
    let secret = match (client.kind, client.status) {
        (ClientKind::Confidential, ClientStatus::Active) => {
            Some(client_secrets::make(context, client.mode, None, now)?)
        }
        _ => None,
    };
    let first_key = match client.signing_algorithm {
        Some(algorithm) => Some(keys::make_key(algorithm, &context.data_keys.sealing, &context.random, now)?),
        None => None,
    };
    let (actor, stored) = (by.actor.clone(), client.clone());
    let first_secret = secret.as_ref().map(client_secrets::Made::stored);
    context
        .change(move |db| {
            if let Some(key) = &first_key
                && !signing_keys::list(db)?.iter().any(|known| known.algorithm == key.algorithm && !known.times.revoked)
            {
                keys::rotate(db, key.clone(), 0, now)?;
            }
            clients::create(db, &stored, now)?;
            if let Some((secret, sealed)) = &first_secret {
                let new = NewSecret { secret, label: "", sealed: sealed.as_deref() };
                clients::add_secret(db, &stored.client_id, &new, now)?;
            }
            for request in &requests {
                stored_requests::create(db, request)?;
            }
            let details = format!("status={} scopes={}", stored.status, stored.scopes);
            audit::record(db, &actor, &event("client.created", &stored, details), now)
        })
        .await?;
    if let Some(made) = &secret {
        client.secrets.push(made.stored().0);
    }
    Ok(MadeClient { client, secret: secret.map(|made| made.secret) })
}

/// The scopes that wait for an approval: those that need one, where `by` cannot give it.
pub(super) async fn check_scopes(context: &Context, client: &Client, approved: bool) -> Result<ScopeSet, AdminError> {
    let known = context.store.read(scopes::list).await?;
    if let Some(unknown) = client.scopes.iter().find(|name| !known.iter().any(|scope| scope.name == *name)) {
        return Err(AdminError::invalid(
            "scopes",
            format!("the scope `{unknown}` is not in the catalogue (grantor scope create --name '{unknown}' adds it)"),
        ));
    }
    let needs = |name: &str| known.iter().any(|scope| scope.name == name && scope.requires_approval);
    Ok(client.scopes.iter().filter(|scope| !approved && needs(scope)).collect())
}

/// What only an approver gives a client: a look at others' tokens, another life of tokens, words of the server's.
fn refuse_beyond_a_developer(new: &NewClient) -> Result<(), AdminError> {
    let beyond = [
        ("may_introspect", new.may_introspect),
        ("access_lifetime", new.access_lifetime.is_some()),
        ("idle_lifetime", new.idle_lifetime.is_some()),
        ("absolute_lifetime", new.absolute_lifetime.is_some()),
        ("reuse_window", new.reuse_window.is_some()),
        ("signing_algorithm", new.signing_algorithm.is_some()),
        ("static_claims", !new.static_claims.as_map().is_empty()),
        ("client_id", new.client_id.is_some()),
        ("audiences", !new.audiences.is_empty()),
    ];
    match beyond.iter().find(|(_, asked)| *asked) {
        None => Ok(()),
        Some((field, _)) => Err(AdminError::Forbidden(format!("only whoever approves applications chooses {field}"))),
    }
}

/// The longest life of a token family that a client can have, in seconds.
const LONGEST_FAMILY: i64 = 10 * 366 * 86_400;

/// A word of a closed set that was written wrong, at its field.
fn at(field: &'static str) -> impl Fn(UnknownWord) -> AdminError {
    move |cause| AdminError::invalid(field, cause.to_string())
}

pub(in crate::admin) fn checked(new: &NewClient, organization_id: &str) -> Result<Client, AdminError> {
    let refused = |field, what: &str| Err(AdminError::invalid(field, what));
    let label = new.label.trim();
    if label.is_empty() || label.len() > 255 || label.chars().any(char::is_control) {
        return refused("label", "has 1 to 255 bytes on one line");
    }
    let mut grant_types: Vec<GrantType> = new
        .grant_types
        .iter()
        .map(|grant| grant.parse())
        .collect::<Result<_, UnknownWord>>()
        .map_err(at("grant_types"))?;
    grant_types.sort_unstable();
    grant_types.dedup();
    let kind = if new.public { ClientKind::Public } else { ClientKind::Confidential };
    let method: Option<AuthenticationMethod> =
        new.authentication_method.as_deref().map(str::parse).transpose().map_err(at("token_endpoint_auth_method"))?;
    match (kind, method) {
        (
            ClientKind::Public,
            Some(AuthenticationMethod::ClientSecretBasic | AuthenticationMethod::ClientSecretPost),
        ) => {
            return refused(
                "token_endpoint_auth_method",
                "a public client has no secret: its authentication method is none",
            );
        }
        (ClientKind::Confidential, Some(AuthenticationMethod::None)) => {
            return refused("token_endpoint_auth_method", "only a public client authenticates with none (--public)");
        }
        _ => {}
    }
    if kind == ClientKind::Public && grant_types.contains(&GrantType::ClientCredentials) {
        // RFC 6749 §4.4: the client credentials grant MUST only be used by confidential clients.
        return refused(
            "grant_types",
            "a public client cannot have the grant client_credentials (RFC 6749 section 4.4)",
        );
    }
    if kind == ClientKind::Public && new.may_introspect {
        return refused("may_introspect", "only a confidential client may introspect");
    }
    if new.access_lifetime.is_some_and(|seconds| !(30..=LONGEST_ACCESS_LIFETIME).contains(&seconds)) {
        return refused("access_lifetime", "an access lifetime is 30 to 86400 seconds");
    }
    if new.reuse_window.is_some_and(|seconds| !(0..=60).contains(&seconds)) {
        return refused("reuse_window", "a reuse window is 0 to 60 seconds");
    }
    for (field, lifetime) in [("idle_lifetime", new.idle_lifetime), ("absolute_lifetime", new.absolute_lifetime)] {
        if lifetime.is_some_and(|seconds| !(60..=LONGEST_FAMILY).contains(&seconds)) {
            return Err(AdminError::invalid(field, "a lifetime of refresh tokens is 60 seconds to 10 years"));
        }
    }
    for (field, text) in [("description", &new.description), ("purpose", &new.purpose)] {
        if text.len() > 4096 {
            return Err(AdminError::invalid(field, "has at most 4096 bytes"));
        }
    }
    if new.audiences.iter().any(|audience| audience.is_empty() || audience.contains(char::is_whitespace)) {
        return refused("audiences", "an audience has no space and is not empty");
    }
    let scopes =
        ScopeSet::parse(&new.scopes.join(" ")).map_err(|cause| AdminError::invalid("scopes", cause.to_string()))?;
    let signing_algorithm: Option<SigningAlgorithm> =
        new.signing_algorithm.as_deref().map(str::parse).transpose().map_err(at("signing_algorithm"))?;
    Ok(Client {
        client_id: String::new(),
        organization_id: organization_id.to_owned(),
        owner_id: None,
        label: label.to_owned(),
        description: new.description.clone(),
        purpose: new.purpose.clone(),
        kind,
        mode: new.mode.as_deref().map_or(Ok(ClientMode::Live), str::parse).map_err(at("mode"))?,
        authentication_method: method,
        may_introspect: new.may_introspect,
        access_lifetime: new.access_lifetime,
        idle_lifetime: new.idle_lifetime,
        absolute_lifetime: new.absolute_lifetime,
        reuse_window: new.reuse_window,
        signing_algorithm,
        status: ClientStatus::Active,
        epoch: 0,
        grant_types,
        scopes,
        audiences: new.audiences.clone(),
        static_claims: new.static_claims.clone(),
        role_ids: Vec::new(),
        secrets: Vec::new(),
        ended_secrets: Vec::new(),
    })
}

/// RFC 6749 Appendix A.1 allows printable ASCII; other letters are taken too, as they are in a form (Appendix B). A UUID is
/// refused, so that no `sub` is ambiguous.
pub(in crate::admin) fn checked_client_id(chosen: &str) -> Result<String, AdminError> {
    let printable = !chosen.is_empty() && chosen.len() <= 255 && !chosen.chars().any(char::is_control);
    if !printable {
        return Err(AdminError::invalid("client_id", "has 1 to 255 bytes without control characters"));
    }
    if chosen.starts_with(PASSWORD_AS_CLIENT) {
        return Err(AdminError::invalid("client_id", "does not begin with `password:`"));
    }
    if uuid::Uuid::parse_str(chosen).is_ok() {
        return Err(AdminError::invalid("client_id", "is not a UUID: those name users in `sub`"));
    }
    Ok(chosen.to_owned())
}

/// One by client id or label, if `by` sees it: a developer sees their own alone.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if several have the label.
pub async fn find(context: &Context, by: &Authority, key: &str) -> Result<Client, AdminError> {
    let wanted = key.to_owned();
    let organization = by.organization().map(str::to_owned);
    let found = context.store.read(move |db| clients::find(db, &wanted, organization.as_deref())).await?;
    found.filter(|client| sees(by, client)).ok_or_else(|| AdminError::not_found("client", key))
}

fn sees(by: &Authority, client: &Client) -> bool {
    let own = || by.user_id().is_some_and(|user| client.owner_id.as_deref() == Some(user));
    by.sees(&client.organization_id) && (approves(by) || own())
}

/// The clients that `by` sees, after one id, in the order of their ids.
///
/// # Errors
/// [`AdminError::Forbidden`].
pub async fn page(
    context: &Context,
    by: &Authority,
    mut filter: ClientFilter,
    after: &str,
    limit: i64,
) -> Result<Vec<Client>, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    if let Some(own) = by.organization() {
        filter.organization_id = Some(own.to_owned());
    }
    if !approves(by) {
        // A client has no applications of its own.
        filter.owner_id = Some(by.user_id().unwrap_or_default().to_owned());
    }
    let after = after.to_owned();
    Ok(context.store.read(move |db| clients::page(db, &filter, &after, limit)).await?)
}

/// Approves a client that waits for it, which makes its secret.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Forbidden`] for one's own; [`AdminError::Refused`] for a client that is not
/// pending.
pub async fn approve(context: &Context, by: &Authority, key: &str) -> Result<MadeClient, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    by.require(SCOPES_MANAGE)?;
    let mut client = find(context, by, key).await?;
    if client.owner_id.is_some() && client.owner_id.as_deref() == by.user_id() {
        return Err(AdminError::Forbidden("nobody approves their own application".to_owned()));
    }
    client_secrets::may_see(context, by, &client)?;
    if client.status == ClientStatus::Active {
        return Ok(MadeClient { client, secret: None });
    }
    if client.status != ClientStatus::Pending {
        return Err(wrong_step(&client, ClientStatus::Pending, "enable"));
    }
    let now = context.clock.now();
    let made = match client.kind {
        ClientKind::Public => None,
        ClientKind::Confidential => Some(client_secrets::make(context, client.mode, None, now)?),
    };
    let notice = notice_of_decision(context, &client, true).await?;
    let (actor, approved) = (by.actor.clone(), client.clone());
    let stored = made.as_ref().map(client_secrets::Made::stored);
    context
        .change(move |db| {
            if !clients::set_status(db, &approved.client_id, ClientStatus::Pending, ClientStatus::Active)? {
                return Err(StoreError::Conflict("somebody else decided about the client meanwhile".to_owned()));
            }
            if let Some((secret, sealed)) = &stored {
                let new = NewSecret { secret, label: "", sealed: sealed.as_deref() };
                clients::add_secret(db, &approved.client_id, &new, now)?;
            }
            if let Some(notice) = &notice {
                mail::enqueue(db, notice)?;
            }
            audit::record(db, &actor, &event("client.approved", &approved, String::new()), now)
        })
        .await?;
    client.status = ClientStatus::Active;
    if let Some(made) = &made {
        client.secrets.push(made.stored().0);
    }
    Ok(MadeClient { client, secret: made.map(|made| made.secret) })
}

/// Denies a client that waits for an approval, and the scopes that it waits for; its developer is told by mail and sees
/// the reason.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Forbidden`] for one's own; [`AdminError::Invalid`] without a reason;
/// [`AdminError::Refused`] for a client that is not pending.
pub async fn deny(context: &Context, by: &Authority, key: &str, reason: &str) -> Result<Client, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    by.require(SCOPES_MANAGE)?;
    let mut client = find(context, by, key).await?;
    if client.owner_id.is_some() && client.owner_id.as_deref() == by.user_id() {
        return Err(AdminError::Forbidden("nobody decides about their own application".to_owned()));
    }
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > 1024 || reason.chars().any(char::is_control) {
        return Err(AdminError::invalid("reason", "has 1 to 1024 bytes on one line"));
    }
    if client.status != ClientStatus::Pending {
        return Err(wrong_step(&client, ClientStatus::Pending, "disable"));
    }
    let now = context.clock.now();
    let notice = notice_of_decision(context, &client, false).await?;
    let (actor, denied, reason) = (by.actor.clone(), client.clone(), reason.to_owned());
    context
        .change(move |db| {
            if !clients::set_status(db, &denied.client_id, ClientStatus::Pending, ClientStatus::Denied)? {
                return Err(StoreError::Conflict("somebody else decided about the client meanwhile".to_owned()));
            }
            stored_requests::deny_all(db, &denied.client_id, &actor.id, &reason, now)?;
            if let Some(notice) = &notice {
                mail::enqueue(db, notice)?;
            }
            audit::record(db, &actor, &event(DENIED, &denied, format!("{REASON}{reason}")), now)
        })
        .await?;
    client.status = ClientStatus::Denied;
    Ok(client)
}

/// The event of a denial, and what its details begin with.
pub(super) const DENIED: &str = "client.denied";
pub(super) const REASON: &str = "reason=";

/// The message to whoever registered the application, where they have an address.
async fn notice_of_decision(context: &Context, client: &Client, good: bool) -> Result<Option<Message>, AdminError> {
    let Some(owner) = client.owner_id.clone() else { return Ok(None) };
    let found = context.store.read(move |db| recipients::find(db, &owner)).await?;
    let reached = found.filter(|owner| !matches!(owner.status, UserStatus::Disabled | UserStatus::Deleted));
    let addressed = reached.and_then(|owner| Some((owner.id, owner.email?)));
    // What cannot be addressed does not hold the approval up.
    let message =
        |(id, email): (String, String)| Message::about_application(context, good, &id, &email, &client.label).ok();
    Ok(addressed.and_then(message))
}

/// Lets a disabled client work again.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for a client that was never approved.
pub async fn enable(context: &Context, by: &Authority, key: &str) -> Result<Client, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    by.require(SCOPES_MANAGE)?;
    let client = find(context, by, key).await?;
    if client.status == ClientStatus::Pending {
        return Err(wrong_step(&client, ClientStatus::Disabled, "approve"));
    }
    set_status(context, by, key, ClientStatus::Active).await
}

fn wrong_step(client: &Client, from: ClientStatus, other_verb: &str) -> AdminError {
    AdminError::Refused(format!(
        "{} is not {from} but {}: 'grantor client {other_verb}' is for that",
        client.client_id, client.status
    ))
}

/// Moves a client to another status; all but `active` end its tokens. Its developer may stop it and delete it; what
/// an approver stopped, an approver alone lets work again.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if the client's life has no such step.
pub async fn set_status(
    context: &Context,
    by: &Authority,
    key: &str,
    status: ClientStatus,
) -> Result<Client, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    let mut client = find(context, by, key).await?;
    if status == ClientStatus::Active {
        by.require(SCOPES_MANAGE)?;
    }
    if client.status == status {
        return Ok(client);
    }
    if !client.status.may_become(status) {
        return Err(AdminError::Refused(format!("a client that is {} cannot become {status}", client.status)));
    }
    let now = context.clock.now();
    let (actor, changed) = (by.actor.clone(), client.clone());
    context
        .change(move |db| {
            if !clients::set_status(db, &changed.client_id, changed.status, status)? {
                return Err(StoreError::Conflict("somebody else changed the client meanwhile: look again".to_owned()));
            }
            if status != ClientStatus::Active {
                families::revoke_all_of_client(db, &changed.client_id, now)?;
            }
            audit::record(db, &actor, &event("client.status_changed", &changed, format!("status={status}")), now)
        })
        .await?;
    client.status = status;
    Ok(client)
}

pub(super) fn event(action: &'static str, client: &Client, details: String) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "client",
        target_id: client.client_id.clone(),
        organization_id: Some(client.organization_id.clone()),
        details,
    }
}
