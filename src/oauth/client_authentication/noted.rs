//! What is kept of a client authentication: uses are counted, refusals are audited.

use crate::model::network::Network;
use crate::model::usage::Credential;
use crate::oauth::client_authentication::{AuthenticatedClient, PresentedClient, authenticate};
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;

/// Checks what a request presents, at an endpoint that issues nothing.
///
/// # Errors
/// As [`authenticate`].
pub fn authenticate_and_note(
    context: &Context,
    presented: &PresentedClient,
    network: Network,
    request_id: &str,
) -> Result<AuthenticatedClient, ProtocolError> {
    let outcome = authenticate(context, presented);
    match &outcome {
        Ok(client) => {
            context.usage.verified(Credential::client(&client.client_id), network);
            if let Some(secret) = client.secret_id() {
                context.usage.verified(Credential::client_secret(secret), network);
            }
        }
        Err(error) => note_refusal(context, presented, error, network, request_id),
    }
    outcome
}

/// Keeps a refusal: counted under the client that the request names, where there is one, and audited where a
/// credential was refused.
pub fn note_refusal(
    context: &Context,
    presented: &PresentedClient,
    error: &ProtocolError,
    network: Network,
    request_id: &str,
) {
    let snapshot = context.registry.snapshot();
    let known = snapshot.client(&presented.client_id).map(|client| client.client_id.as_str());
    if let Some(client_id) = known
        && error.status < 500
    {
        context.usage.refused(Credential::client(client_id), error.code.as_str(), network);
    }
    if let Some(refusal) = &error.refusal {
        if refusal.target_kind == "client_secret" {
            context.usage.refused(Credential::client_secret(&refusal.target_id), error.code.as_str(), network);
        }
        let client_id = known.unwrap_or_default();
        context.refusals.note(refusal, client_id, network, Some(request_id), context.clock.now());
    }
}
