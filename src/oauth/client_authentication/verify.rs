//! Whether what was presented is right: one answer for an unknown client and for a wrong secret, at one cost.

use std::sync::Arc;

use crate::crypto::digest::constant_time_eq;
use crate::model::audit::Refusal;
use crate::model::client::{AuthenticationMethod, Client, ClientKind, ClientSecret, ClientStatus};
use crate::model::organization::OrganizationStatus;
use crate::model::time::Timestamp;
use crate::oauth::client_authentication::PresentedClient;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;

/// What client secrets are digested for, so that no digest of another kind of secret is one of theirs.
pub const SECRET_DIGEST_PURPOSE: &str = "client secret";

/// A client was refused.
const REFUSED: &str = "client.refused";

/// Somebody presents a secret that was replaced or has expired: a program that was forgotten, or a thief.
const DEAD_SECRET_USED: &str = "client.dead_secret_used";

/// A client that has proved who it is, or a public one that has named itself. Only [`authenticate`], [`verify`] and
/// [`verify_secret`] make one.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    /// The place of the secret that matched.
    secret: Option<usize>,
}

impl std::ops::Deref for AuthenticatedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl AuthenticatedClient {
    /// The client's registration as of this request.
    #[must_use]
    pub fn registration(&self) -> &Arc<Client> {
        &self.client
    }

    /// The id of the secret that it has proved to know; none for a public client.
    #[must_use]
    pub fn secret_id(&self) -> Option<&str> {
        self.client.secrets.get(self.secret?).map(|secret| secret.id.as_str())
    }
}

/// Checks what a request presents.
///
/// # Errors
/// `invalid_client`, whatever the reason; the log has it.
pub fn authenticate(context: &Context, presented: &PresentedClient) -> Result<AuthenticatedClient, ProtocolError> {
    verify(context, &presented.client_id, presented.secret.expose(), presented.method)
}

/// Checks an identifier and a secret.
///
/// # Errors
/// `invalid_client`, whatever the reason; the log has it.
pub fn verify(
    context: &Context,
    client_id: &str,
    secret: &str,
    method: AuthenticationMethod,
) -> Result<AuthenticatedClient, ProtocolError> {
    let found = found(context, client_id, secret)?;
    let client = &found.client;
    if client.authentication_method.is_some_and(|pinned| pinned != method) {
        return Err(refused(client, "another authentication method than the registered one"));
    }
    match client.kind {
        ClientKind::Public if secret.is_empty() => Ok(AuthenticatedClient { client: found.client, secret: None }),
        ClientKind::Public => Err(refused(client, "a public client with a secret")),
        ClientKind::Confidential => found.proved(),
    }
}

/// Checks an identifier and a secret that come with a request to an API, where no authentication method is
/// registered and a public client has nothing to show.
///
/// # Errors
/// `invalid_client`, whatever the reason; the log has it.
pub fn verify_secret(context: &Context, client_id: &str, secret: &str) -> Result<AuthenticatedClient, ProtocolError> {
    let found = found(context, client_id, secret)?;
    match found.client.kind {
        ClientKind::Public => Err(refused(&found.client, "a public client with a secret")),
        ClientKind::Confidential => found.proved(),
    }
}

fn refused(client: &Client, why: &'static str) -> ProtocolError {
    let id = &client.client_id;
    let refusal = about_client(client, REFUSED, "client", id, why);
    ProtocolError::invalid_client().because(format!("{why} (client {id:?})")).about(refusal)
}

/// A live client, and which of its secrets was presented.
struct Found {
    client: Arc<Client>,
    alive: Option<usize>,
    dead: Option<ClientSecret>,
}

impl Found {
    /// The client, if it has proved to know a secret that opens something.
    fn proved(self) -> Result<AuthenticatedClient, ProtocolError> {
        let Self { client, alive, dead } = self;
        if let Some(place) = alive {
            return Ok(AuthenticatedClient { client, secret: Some(place) });
        }
        let Some(secret) = dead else { return Err(refused(&client, "wrong or missing secret")) };
        let why = "the secret was replaced or has expired";
        let refusal = about_client(&client, DEAD_SECRET_USED, "client_secret", &secret.id, why);
        let cause = format!("{why} (client {:?}, secret {})", client.client_id, secret.id);
        Err(ProtocolError::invalid_client().because(cause).about(refusal))
    }
}

fn found(context: &Context, client_id: &str, secret: &str) -> Result<Found, ProtocolError> {
    // Before the look-up, so that an unknown client costs what a known one does.
    let digest = context.data_keys.digest.digest(SECRET_DIGEST_PURPOSE, secret.as_bytes());
    let snapshot = context.registry.snapshot();
    let Some(client) = snapshot.client(client_id) else {
        // Not its name: people paste secrets there.
        let reason = "unknown client";
        let refusal =
            Refusal { action: REFUSED, target_kind: "client", target_id: String::new(), organization_id: None, reason };
        return Err(ProtocolError::invalid_client().because(reason).about(refusal));
    };
    if client.status != ClientStatus::Active {
        return Err(refused(client, "the client is not active"));
    }
    let active = |id: &str| snapshot.organization(id).is_some_and(|o| o.status == OrganizationStatus::Active);
    if !active(&client.organization_id) {
        return Err(refused(client, "the client's organization is not active"));
    }
    let matched = Matched::of(client, digest.as_bytes(), context.clock.now());
    Ok(Found { client: Arc::clone(client), alive: matched.alive, dead: matched.dead.cloned() })
}

fn about_client(
    client: &Client,
    action: &'static str,
    target_kind: &'static str,
    target_id: &str,
    reason: &'static str,
) -> Refusal {
    let organization_id = Some(client.organization_id.clone());
    Refusal { action, target_kind, target_id: target_id.to_owned(), organization_id, reason }
}

/// The secret that a digest is of.
struct Matched<'a> {
    /// Its place among the client's secrets, if it opens something.
    alive: Option<usize>,
    /// It was replaced or has expired.
    dead: Option<&'a ClientSecret>,
}

impl<'a> Matched<'a> {
    /// Every secret is compared, and nothing is decided until all are, so that the time does not tell which one
    /// matched. No two have the same digest.
    fn of(client: &'a Client, digest: &[u8], now: Timestamp) -> Self {
        let all = || client.secrets.iter().chain(&client.ended_secrets);
        let (mut alive, mut dead) = (0, 0);
        for (place, known) in all().enumerate() {
            let opens = place < client.secrets.len() && known.expires_at.is_none_or(|expires_at| now < expires_at);
            let same = usize::from(constant_time_eq(&known.digest, digest));
            alive += (place + 1) * same * usize::from(opens);
            dead += (place + 1) * same * usize::from(!opens);
        }
        Self { alive: alive.checked_sub(1), dead: dead.checked_sub(1).and_then(|place| all().nth(place)) }
    }
}
