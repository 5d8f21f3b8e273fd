//! Clients and their secrets.

use crate::admin::{AdminError, organizations};
use crate::crypto::secret::SecretString;
use crate::crypto::token_format::mint;
use crate::model::audit::{Actor, AuditEvent};
use crate::model::client::{AuthenticationMethod, Client, ClientKind, ClientMode, ClientSecret, ClientStatus};
use crate::model::grant_type::GrantType;
use crate::model::scope::ScopeSet;
use crate::model::signing_key::SigningAlgorithm;
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::oauth::client_authentication::SECRET_DIGEST_PURPOSE;
use crate::oauth::keys;
use crate::registry::LONGEST_ACCESS_LIFETIME;
use crate::store::{StoreError, audit, clients, families, scopes, signing_keys};

/// How generated client ids and secrets begin (`credentials.*_prefix`).
#[derive(Debug, Clone)]
pub struct Prefixes {
    /// Of client ids.
    pub client_id: String,
    /// Of secrets.
    pub client_secret: String,
}

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
}

/// A client and the secret that is shown this once.
#[derive(Debug, Clone)]
pub struct MadeClient {
    /// The client.
    pub client: Client,
    /// Its secret; none for a public client.
    pub secret: Option<SecretString>,
}

/// Makes an active client. Its scopes must be in the catalogue and are approved.
///
/// # Errors
/// [`AdminError::Refused`] says what cannot be.
pub async fn create(
    context: &Context,
    actor: &Actor,
    prefixes: &Prefixes,
    new: &NewClient,
) -> Result<MadeClient, AdminError> {
    let organization = organizations::find(context, new.organization.as_deref()).await?;
    let mut client = checked(new, &organization.id)?;
    let known = context.store.read(scopes::list).await?;
    if let Some(unknown) = client.scopes.iter().find(|name| !known.iter().any(|scope| scope.name == *name)) {
        return Err(AdminError::Refused(format!(
            "the scope `{unknown}` is not in the catalogue (grantor scope create --name '{unknown}' adds it)"
        )));
    }
    let now = context.clock.now();
    client.client_id = match &new.client_id {
        Some(chosen) => checked_client_id(chosen)?,
        None => format!("{}_{}", prefixes.client_id, context.random.digits(12)),
    };
    let secret = match client.kind {
        ClientKind::Public => None,
        ClientKind::Confidential => {
            let (secret, stored) = new_secret(context, &prefixes.client_secret, now);
            client.secrets.push(stored);
            Some(secret)
        }
    };
    let first_key = match client.signing_algorithm {
        Some(algorithm) => Some(keys::make_key(algorithm, &context.data_keys.sealing, &context.random, now)?),
        None => None,
    };
    let (actor, stored) = (actor.clone(), client.clone());
    context
        .change(move |db| {
            if let Some(key) = &first_key
                && !signing_keys::list(db)?.iter().any(|known| known.algorithm == key.algorithm && !known.times.revoked)
            {
                keys::rotate(db, key.clone(), 0, now)?;
            }
            clients::create(db, &stored, "", now)?;
            audit::record(db, &actor, &event("client.created", &stored, String::new()), now)
        })
        .await?;
    Ok(MadeClient { client, secret })
}

/// Makes a secret and what is stored of it.
#[must_use]
pub fn new_secret(context: &Context, prefix: &str, now: Timestamp) -> (SecretString, ClientSecret) {
    let secret = mint(prefix, &context.random);
    let stored = ClientSecret {
        id: crate::crypto::identifier::uuid_v7(now, &context.random),
        digest: *context.data_keys.digest.digest(SECRET_DIGEST_PURPOSE, secret.expose().as_bytes()).as_bytes(),
        expires_at: None,
    };
    (secret, stored)
}

fn checked(new: &NewClient, organization_id: &str) -> Result<Client, AdminError> {
    let refused = |what: &str| Err(AdminError::Refused(what.to_owned()));
    let label = new.label.trim();
    if label.is_empty() || label.len() > 255 || label.chars().any(char::is_control) {
        return refused("a label has 1 to 255 bytes on one line");
    }
    let mut grant_types: Vec<GrantType> =
        new.grant_types.iter().map(|grant| grant.parse()).collect::<Result<_, _>>()?;
    grant_types.sort_unstable();
    grant_types.dedup();
    let kind = if new.public { ClientKind::Public } else { ClientKind::Confidential };
    let method: Option<AuthenticationMethod> = new.authentication_method.as_deref().map(str::parse).transpose()?;
    match (kind, method) {
        (
            ClientKind::Public,
            Some(AuthenticationMethod::ClientSecretBasic | AuthenticationMethod::ClientSecretPost),
        ) => {
            return refused("a public client has no secret: its authentication method is none");
        }
        (ClientKind::Confidential, Some(AuthenticationMethod::None)) => {
            return refused("only a public client authenticates with none (--public)");
        }
        _ => {}
    }
    if kind == ClientKind::Public && grant_types.contains(&GrantType::ClientCredentials) {
        // RFC 6749 §4.4: the client credentials grant MUST only be used by confidential clients.
        return refused("a public client cannot have the grant client_credentials (RFC 6749 section 4.4)");
    }
    if kind == ClientKind::Public && new.may_introspect {
        return refused("only a confidential client may introspect");
    }
    if new.access_lifetime.is_some_and(|seconds| !(30..=LONGEST_ACCESS_LIFETIME).contains(&seconds)) {
        return refused("an access lifetime is 30 to 86400 seconds");
    }
    if new.reuse_window.is_some_and(|seconds| !(0..=60).contains(&seconds)) {
        return refused("a reuse window is 0 to 60 seconds");
    }
    if new.audiences.iter().any(|audience| audience.is_empty() || audience.contains(char::is_whitespace)) {
        return refused("an audience has no space and is not empty");
    }
    let scopes = ScopeSet::parse(&new.scopes.join(" ")).map_err(|cause| AdminError::Refused(cause.to_string()))?;
    let signing_algorithm: Option<SigningAlgorithm> = new.signing_algorithm.as_deref().map(str::parse).transpose()?;
    Ok(Client {
        client_id: String::new(),
        organization_id: organization_id.to_owned(),
        label: label.to_owned(),
        kind,
        mode: ClientMode::Live,
        authentication_method: method,
        may_introspect: new.may_introspect,
        access_lifetime: new.access_lifetime,
        idle_lifetime: None,
        absolute_lifetime: None,
        reuse_window: new.reuse_window,
        signing_algorithm,
        status: ClientStatus::Active,
        epoch: 0,
        grant_types,
        scopes,
        audiences: new.audiences.clone(),
        secrets: Vec::new(),
    })
}

/// RFC 6749 Appendix A.1 allows printable ASCII; a UUID is refused, so that no `sub` is ambiguous.
fn checked_client_id(chosen: &str) -> Result<String, AdminError> {
    let printable = !chosen.is_empty() && chosen.len() <= 255 && chosen.chars().all(|c| !c.is_control());
    if !printable {
        return Err(AdminError::Refused("a client id has 1 to 255 bytes without control characters".to_owned()));
    }
    if uuid::Uuid::parse_str(chosen).is_ok() {
        return Err(AdminError::Refused("a client id is not a UUID: those name users in `sub`".to_owned()));
    }
    Ok(chosen.to_owned())
}

/// One by client id or label, in whichever organization.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if several have the label.
pub async fn find(context: &Context, key: &str) -> Result<Client, AdminError> {
    let wanted = key.to_owned();
    let found = context.store.read(move |db| clients::find(db, &wanted)).await?;
    found.ok_or_else(|| AdminError::not_found("client", key))
}

/// All clients of an organization, or of every one.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn list(context: &Context, organization: Option<&str>) -> Result<Vec<Client>, AdminError> {
    let organization = match organization {
        Some(key) => Some(organizations::find(context, Some(key)).await?.id),
        None => None,
    };
    Ok(context.store.read(move |db| clients::list(db, organization.as_deref())).await?)
}

/// A new secret of a client.
#[derive(Debug)]
pub struct RotatedSecret {
    /// The client.
    pub client: Client,
    /// The new secret, shown this once.
    pub secret: SecretString,
    /// Its id.
    pub secret_id: String,
    /// When the old ones end; none if they have.
    pub previous_expires_at: Option<Timestamp>,
}

/// Gives a client a new secret. The old ones end at once, with the client's tokens, or after `overlap` seconds.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for a public client.
pub async fn rotate_secret(
    context: &Context,
    actor: &Actor,
    prefixes: &Prefixes,
    key: &str,
    overlap: Option<i64>,
) -> Result<RotatedSecret, AdminError> {
    let client = find(context, key).await?;
    if client.kind == ClientKind::Public {
        return Err(AdminError::Refused("a public client has no secret".to_owned()));
    }
    let now = context.clock.now();
    let (secret, stored) = new_secret(context, &prefixes.client_secret, now);
    let secret_id = stored.id.clone();
    let end = overlap.filter(|seconds| *seconds > 0).map(|seconds| now.plus_seconds(seconds));
    let (actor, changed) = (actor.clone(), client.clone());
    context
        .change(move |db| {
            clients::replace_secret(db, &changed.client_id, &stored, end, now)?;
            if end.is_none() {
                families::revoke_all_of_client(db, &changed.client_id, now)?;
            }
            let details = format!("secret={} overlap={}", stored.id, overlap.unwrap_or(0));
            audit::record(db, &actor, &event("client.secret_rotated", &changed, details), now)
        })
        .await?;
    Ok(RotatedSecret { client, secret, secret_id, previous_expires_at: end })
}

/// Approves a client that waits for it.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for a client that is not pending.
pub async fn approve(context: &Context, actor: &Actor, key: &str) -> Result<Client, AdminError> {
    activate(context, actor, key, ClientStatus::Pending, "enable").await
}

/// Lets a disabled client work again.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for a client that was never approved.
pub async fn enable(context: &Context, actor: &Actor, key: &str) -> Result<Client, AdminError> {
    activate(context, actor, key, ClientStatus::Disabled, "approve").await
}

async fn activate(
    context: &Context,
    actor: &Actor,
    key: &str,
    from: ClientStatus,
    other_verb: &str,
) -> Result<Client, AdminError> {
    let client = find(context, key).await?;
    if client.status != from && client.status != ClientStatus::Active {
        return Err(AdminError::Refused(format!(
            "{} is not {from} but {}: 'grantor client {other_verb}' is for that",
            client.client_id, client.status
        )));
    }
    set_status(context, actor, key, ClientStatus::Active).await
}

/// Moves a client to another status; all but `active` end its tokens.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] if the client's life has no such step.
pub async fn set_status(
    context: &Context,
    actor: &Actor,
    key: &str,
    status: ClientStatus,
) -> Result<Client, AdminError> {
    let mut client = find(context, key).await?;
    if client.status == status {
        return Ok(client);
    }
    if !client.status.may_become(status) {
        return Err(AdminError::Refused(format!("a client that is {} cannot become {status}", client.status)));
    }
    let now = context.clock.now();
    let (actor, changed) = (actor.clone(), client.clone());
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

fn event(action: &'static str, client: &Client, details: String) -> AuditEvent {
    AuditEvent {
        action,
        target_kind: "client",
        target_id: client.client_id.clone(),
        organization_id: Some(client.organization_id.clone()),
        details,
    }
}
