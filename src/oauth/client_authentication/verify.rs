//! Whether what was presented is right: one answer for an unknown client and for a wrong secret, at one cost.

use std::sync::Arc;

use crate::crypto::digest::constant_time_eq;
use crate::model::client::{AuthenticationMethod, Client, ClientKind, ClientStatus};
use crate::model::organization::OrganizationStatus;
use crate::oauth::client_authentication::PresentedClient;
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;

/// What client secrets are digested for, so that no digest of another kind of secret is one of theirs.
pub const SECRET_DIGEST_PURPOSE: &str = "client secret";

/// A client that has proved who it is, or a public one that has named itself. Only [`authenticate`], [`verify`] and
/// [`verify_secret`] make one.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    secret_id: Option<String>,
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

    /// The id of the secret that matched; none for a public client.
    #[must_use]
    pub fn secret_id(&self) -> Option<&str> {
        self.secret_id.as_deref()
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
    let found = matched(context, client_id, secret)?;
    if found.authentication_method.is_some_and(|pinned| pinned != method) {
        return Err(refused(client_id, "another authentication method than the registered one"));
    }
    match found.kind {
        ClientKind::Public if secret.is_empty() => Ok(found),
        ClientKind::Public => Err(refused(client_id, "a public client with a secret")),
        ClientKind::Confidential if found.secret_id.is_some() => Ok(found),
        ClientKind::Confidential => Err(refused(client_id, "wrong or missing secret")),
    }
}

/// Checks an identifier and a secret that come with a request to an API, where no authentication method is
/// registered and a public client has nothing to show.
///
/// # Errors
/// `invalid_client`, whatever the reason; the log has it.
pub fn verify_secret(context: &Context, client_id: &str, secret: &str) -> Result<AuthenticatedClient, ProtocolError> {
    let found = matched(context, client_id, secret)?;
    match (found.kind, &found.secret_id) {
        (ClientKind::Confidential, Some(_)) => Ok(found),
        _ => Err(refused(client_id, "wrong or missing secret, or a public client")),
    }
}

fn refused(client_id: &str, why: &str) -> ProtocolError {
    ProtocolError::invalid_client().because(format!("{why} (client {client_id:?})"))
}

/// A live client, and which of its secrets this is.
fn matched(context: &Context, client_id: &str, secret: &str) -> Result<AuthenticatedClient, ProtocolError> {
    // Before the look-up, so that an unknown client costs what a known one does.
    let digest = context.data_keys.digest.digest(SECRET_DIGEST_PURPOSE, secret.as_bytes());
    let snapshot = context.registry.snapshot();
    let Some(client) = snapshot.client(client_id) else {
        // Not its name: people paste secrets there.
        return Err(ProtocolError::invalid_client().because("unknown client"));
    };
    if client.status != ClientStatus::Active {
        return Err(refused(client_id, "the client is not active"));
    }
    let active = |id: &str| snapshot.organization(id).is_some_and(|o| o.status == OrganizationStatus::Active);
    if !active(&client.organization_id) {
        return Err(refused(client_id, "the client's organization is not active"));
    }
    let now = context.clock.now();
    // Every secret is compared, so that the time does not tell which one matched.
    let matched = client.secrets.iter().fold(None, |matched, known| {
        let alive = known.expires_at.is_none_or(|expires_at| now < expires_at);
        if constant_time_eq(&known.digest, digest.as_bytes()) & alive { Some(known) } else { matched }
    });
    Ok(AuthenticatedClient { client: Arc::clone(client), secret_id: matched.map(|known| known.id.clone()) })
}
