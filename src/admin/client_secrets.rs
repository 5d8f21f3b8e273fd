//! Secrets of clients: several at once, so that one is replaced without an interruption.

use crate::admin::clients::{event, find};
use crate::admin::{AdminError, Authority, roles};
use crate::crypto::secret::SecretString;
use crate::crypto::token_format::mint;
use crate::model::client::{Client, ClientKind, ClientMode, ClientSecret, ClientStatus};
use crate::model::reveal::RevealPolicy;
use crate::model::role::APPLICATIONS_MANAGE;
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::oauth::client_authentication::SECRET_DIGEST_PURPOSE;
use crate::store::clients::{NewSecret, SecretDetails};
use crate::store::{StoreError, audit, clients, families};

/// Secrets that a client may have beside each other.
const MOST_SECRETS: usize = 10;

/// A secret that was made and is not stored yet.
pub(super) struct Made {
    pub(super) secret: SecretString,
    digest: ClientSecret,
    sealed: Option<String>,
}

impl Made {
    /// What is stored of it.
    pub(super) fn stored(&self) -> (ClientSecret, Option<String>) {
        (self.digest.clone(), self.sealed.clone())
    }
}

/// What a client's secret is sealed for: it opens in its own row alone.
fn sealed_for(secret_id: &str) -> String {
    format!("client secret {secret_id}")
}

/// Makes a secret, sealed where the policy lets it be shown again.
pub(super) fn make(
    context: &Context,
    mode: ClientMode,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Made, AdminError> {
    let names = &context.credentials;
    let prefix = match mode {
        ClientMode::Live => &names.client_secret_prefix,
        ClientMode::Test => &names.test_secret_prefix,
    };
    let secret = mint(prefix, &context.random);
    let id = crate::crypto::identifier::uuid_v7(now, &context.random);
    let sealed = match names.reveal.client_secret {
        RevealPolicy::Once => None,
        RevealPolicy::Always => {
            let sealing = &context.data_keys.sealing;
            let sealed = sealing.seal(&sealed_for(&id), secret.expose().as_bytes(), &context.random);
            Some(sealed.map_err(|cause| AdminError::Bug(cause.to_string()))?)
        }
    };
    let digest = *context.data_keys.digest.digest(SECRET_DIGEST_PURPOSE, secret.expose().as_bytes()).as_bytes();
    Ok(Made { secret, digest: ClientSecret { id, digest, expires_at }, sealed })
}

/// A new secret of a client, shown this once.
#[derive(Debug)]
pub struct NewClientSecret {
    /// The client.
    pub client: Client,
    /// The secret.
    pub secret: SecretString,
    /// Its id.
    pub secret_id: String,
    /// When the old ones end; none if they have, or if they do not.
    pub previous_expires_at: Option<Timestamp>,
}

/// Whoever sees a client's secret can do what the client can: nobody sees one that opens more than they hold.
pub(super) fn may_see(context: &Context, by: &Authority, client: &Client) -> Result<(), AdminError> {
    by.may_grant(&roles::permissions(&context.registry.snapshot(), &client.role_ids))
}

/// A confidential client that is approved, for a change of its secrets.
async fn confidential(context: &Context, by: &Authority, key: &str) -> Result<Client, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    let client = find(context, by, key).await?;
    if client.kind == ClientKind::Public {
        return Err(AdminError::Refused("a public client has no secret".to_owned()));
    }
    if client.status == ClientStatus::Pending {
        return Err(AdminError::Refused("the approval makes the first secret: this client waits for it".to_owned()));
    }
    if client.status == ClientStatus::Denied {
        return Err(AdminError::Refused("this client was denied: it has no secret".to_owned()));
    }
    Ok(client)
}

/// Gives a client a new secret. The old ones end at once, with the client's tokens, or after `overlap` seconds.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for a public client.
pub async fn rotate(
    context: &Context,
    by: &Authority,
    key: &str,
    overlap: Option<i64>,
) -> Result<NewClientSecret, AdminError> {
    let client = confidential(context, by, key).await?;
    may_see(context, by, &client)?;
    if overlap.is_some_and(|seconds| !(0..=90 * 86_400).contains(&seconds)) {
        return Err(AdminError::invalid("overlap", "an overlap is 0 seconds to 90 days"));
    }
    let now = context.clock.now();
    let made = make(context, client.mode, None, now)?;
    let (stored, sealed) = made.stored();
    let secret_id = stored.id.clone();
    let end = overlap.filter(|seconds| *seconds > 0).map(|seconds| now.plus_seconds(seconds));
    let (actor, changed) = (by.actor.clone(), client.clone());
    context
        .change(move |db| {
            let new = NewSecret { secret: &stored, label: "", sealed: sealed.as_deref() };
            clients::replace_secret(db, &changed.client_id, &new, end, now)?;
            if end.is_none() {
                families::revoke_all_of_client(db, &changed.client_id, now)?;
            }
            let details = format!("secret={} overlap={}", stored.id, overlap.unwrap_or(0));
            audit::record(db, &actor, &event("client.secret_rotated", &changed, details), now)
        })
        .await?;
    Ok(NewClientSecret { client, secret: made.secret, secret_id, previous_expires_at: end })
}

/// Adds a secret beside the others.
///
/// # Errors
/// As [`rotate`]; [`AdminError::Refused`] if the client has ten already.
pub async fn add(
    context: &Context,
    by: &Authority,
    key: &str,
    label: &str,
    expires_at: Option<Timestamp>,
) -> Result<NewClientSecret, AdminError> {
    let client = confidential(context, by, key).await?;
    may_see(context, by, &client)?;
    let now = context.clock.now();
    if label.len() > 255 || label.chars().any(char::is_control) {
        return Err(AdminError::invalid("label", "has at most 255 bytes on one line"));
    }
    if expires_at.is_some_and(|end| end <= now) {
        return Err(AdminError::invalid("expires_at", "lies in the past"));
    }
    let made = make(context, client.mode, expires_at, now)?;
    let (stored, sealed) = made.stored();
    let secret_id = stored.id.clone();
    let (actor, changed, label) = (by.actor.clone(), client.clone(), label.to_owned());
    context
        .change(move |db| {
            clients::hold(db, &changed.client_id)?;
            let alive = |end: Option<i64>| end.is_none_or(|end| end > now.micros());
            let known = clients::secrets(db, &changed.client_id)?;
            if known.iter().filter(|secret| alive(secret.expires_at)).count() >= MOST_SECRETS {
                return Err(StoreError::Conflict(format!("a client has at most {MOST_SECRETS} secrets: delete one")));
            }
            let new = NewSecret { secret: &stored, label: &label, sealed: sealed.as_deref() };
            clients::add_secret(db, &changed.client_id, &new, now)?;
            audit::record(db, &actor, &event("client.secret_added", &changed, format!("secret={}", stored.id)), now)
        })
        .await?;
    Ok(NewClientSecret { client, secret: made.secret, secret_id, previous_expires_at: None })
}

/// Ends one secret, and with it the client's tokens. An active client keeps one.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] for the last one of an active client.
pub async fn end(context: &Context, by: &Authority, key: &str, secret_id: &str) -> Result<Client, AdminError> {
    let client = confidential(context, by, key).await?;
    if !client.secrets.iter().any(|secret| secret.id == secret_id) {
        return Err(AdminError::not_found("secret", secret_id));
    }
    let now = context.clock.now();
    let (actor, changed, id) = (by.actor.clone(), client.clone(), secret_id.to_owned());
    context
        .change(move |db| {
            clients::hold(db, &changed.client_id)?;
            let alive = |secret: &&SecretDetails| secret.expires_at.is_none_or(|end| end > now.micros());
            let others = clients::secrets(db, &changed.client_id)?;
            let left = others.iter().filter(alive).filter(|secret| secret.id != id).count();
            if left == 0 && changed.status == ClientStatus::Active {
                return Err(StoreError::Conflict(
                    "the last secret of an active client stays: rotate it instead".into(),
                ));
            }
            clients::end_secret(db, &changed.client_id, &id, now)?;
            families::revoke_all_of_client(db, &changed.client_id, now)?;
            audit::record(db, &actor, &event("client.secret_deleted", &changed, format!("secret={id}")), now)
        })
        .await?;
    Ok(client)
}

/// The secrets of a client, without the secrets themselves.
///
/// # Errors
/// [`AdminError::NotFound`].
pub async fn list(context: &Context, by: &Authority, key: &str) -> Result<Vec<SecretDetails>, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    let client = find(context, by, key).await?;
    Ok(context.store.read(move |db| clients::secrets(db, &client.client_id)).await?)
}

/// Shows a secret again, where the policy was `always` when it was made. The caller has signed in once more.
///
/// # Errors
/// [`AdminError::NotFound`]; [`AdminError::Refused`] where only its digest is kept.
pub async fn reveal(context: &Context, by: &Authority, key: &str, secret_id: &str) -> Result<SecretString, AdminError> {
    by.require(APPLICATIONS_MANAGE)?;
    let client = find(context, by, key).await?;
    may_see(context, by, &client)?;
    let id = client.client_id.clone();
    let known = context.store.read(move |db| clients::secrets(db, &id)).await?;
    let known = known.into_iter().find(|secret| secret.id == secret_id);
    let known = known.ok_or_else(|| AdminError::not_found("secret", secret_id))?;
    let Some(sealed) = known.sealed.filter(|_| context.credentials.reveal.client_secret == RevealPolicy::Always) else {
        return Err(AdminError::Refused("this secret was shown once: rotate it to see one again".to_owned()));
    };
    let now = context.clock.now();
    let (actor, shown, id) = (by.actor.clone(), client.clone(), known.id.clone());
    context
        .store
        .write(move |db| {
            audit::record(db, &actor, &event("client.secret_revealed", &shown, format!("secret={id}")), now)
        })
        .await?;
    let opened = context.data_keys.sealing.open(&sealed_for(&known.id), &sealed);
    let opened = opened.map_err(|cause| AdminError::Bug(cause.to_string()))?;
    let text = std::str::from_utf8(opened.expose()).map_err(|cause| AdminError::Bug(cause.to_string()))?;
    Ok(SecretString::from(text))
}
