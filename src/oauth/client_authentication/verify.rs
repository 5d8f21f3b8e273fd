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

/// A client that has proved who it is, or a public one that has named itself. Only [`authenticate`] and
/// [`verify`] make one.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient(Arc<Client>);

impl std::ops::Deref for AuthenticatedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.0
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
    let refused = |why: &str| Err(ProtocolError::invalid_client().because(format!("{why} (client {client_id:?})")));
    // Before the look-up, so that an unknown client costs what a known one does.
    let digest = context.data_keys.digest.digest(SECRET_DIGEST_PURPOSE, secret.as_bytes());
    let snapshot = context.registry.snapshot();
    let Some(client) = snapshot.client(client_id) else {
        // Not its name: people paste secrets there.
        return Err(ProtocolError::invalid_client().because("unknown client"));
    };
    if client.status != ClientStatus::Active {
        return refused("the client is not active");
    }
    let active = |id: &str| snapshot.organization(id).is_some_and(|o| o.status == OrganizationStatus::Active);
    if !active(&client.organization_id) {
        return refused("the client's organization is not active");
    }
    if client.authentication_method.is_some_and(|pinned| pinned != method) {
        return refused("another authentication method than the registered one");
    }
    match client.kind {
        ClientKind::Public if secret.is_empty() => Ok(AuthenticatedClient(Arc::clone(client))),
        ClientKind::Public => refused("a public client with a secret"),
        ClientKind::Confidential => {
            let now = context.clock.now();
            // Every secret is compared, so that the time does not tell which one matched.
            let matched = client.secrets.iter().fold(false, |matched, known| {
                let alive = known.expires_at.is_none_or(|expires_at| now < expires_at);
                matched | (constant_time_eq(&known.digest, digest.as_bytes()) & alive)
            });
            if matched { Ok(AuthenticatedClient(Arc::clone(client))) } else { refused("wrong or missing secret") }
        }
    }
}
