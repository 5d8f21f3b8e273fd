//! The grants of the token endpoint, one file per grant.

pub mod client_credentials;
pub mod password;
pub mod refresh_token;

use std::sync::Arc;

use crate::login::Network;
use crate::model::grant_type::GrantType;
use crate::model::usage::{Credential, UsageDetail};
use crate::oauth::client_authentication::{PresentedClient, authenticate, note_refusal};
use crate::oauth::context::Context;
use crate::oauth::error::ProtocolError;
use crate::oauth::oxide::GrantRequest;
use crate::oauth::parameters::Parameters;
use crate::oauth::tokens::issue::Tokens;

/// A token request, as the endpoint hands it over.
pub struct TokenRequest {
    /// The parameters.
    pub parameters: Parameters,
    /// The client that it presents.
    pub presented: PresentedClient,
    /// Where it comes from.
    pub network: Network,
    /// Its id, for audit events.
    pub request_id: Arc<str>,
}

/// Answers a token request (RFC 6749 §5).
///
/// # Errors
/// As RFC 6749 §5.2 says.
pub async fn exchange(context: &Context, request: &TokenRequest) -> Result<Tokens, ProtocolError> {
    let outcome = answer(context, request).await;
    match &outcome {
        Ok((grant_type, tokens)) => note_issued(context, request, *grant_type, tokens),
        Err(error) => note_refusal(context, &request.presented, error, request.network, &request.request_id),
    }
    outcome.map(|(_, tokens)| tokens)
}

async fn answer(context: &Context, request: &TokenRequest) -> Result<(GrantType, Tokens), ProtocolError> {
    let grant_type = grant_type(context, request)?;
    let asked = GrantRequest::read(grant_type, &request.parameters, &request.presented)?;
    let tokens = match grant_type {
        GrantType::ClientCredentials => client_credentials::issue_for(context, &asked)?,
        // In boxes of their own: they keep thousands of bytes while they wait, which the grant that waits for nothing would carry too.
        GrantType::Password => Box::pin(password::sign_in(context, request, &asked)).await?,
        GrantType::RefreshToken => Box::pin(refresh_token::redeem(context, request, &asked)).await?,
    };
    Ok((grant_type, tokens))
}

/// Counts what was issued, in memory: for the client, the secret that it used, and the user.
fn note_issued(context: &Context, request: &TokenRequest, grant_type: GrantType, tokens: &Tokens) {
    let (usage, client) = (&context.usage, &tokens.client);
    let grant = [(UsageDetail::Grant, grant_type.as_str())];
    usage.issued_by(Credential::client(&client.client_id), &grant, request.network);
    if let Some(secret) = client.secret_id() {
        usage.issued(Credential::client_secret(secret), request.network);
    }
    if let Some(user_id) = &tokens.user_id {
        usage.issued_by(Credential::user(user_id), &grant, request.network);
    }
    usage.scopes_given(&client.client_id, tokens.scope.iter());
}

/// RFC 6749 §5.2 `unsupported_grant_type`; only an authenticated client is told.
fn grant_type(context: &Context, request: &TokenRequest) -> Result<GrantType, ProtocolError> {
    let named = request.parameters.required("grant_type");
    match named.as_ref().ok().and_then(|name| context.settings.grants().find(|grant| grant.as_str() == *name)) {
        Some(grant_type) => Ok(grant_type),
        None => {
            authenticate(context, &request.presented)?;
            named?;
            let supported: Vec<&str> = context.settings.grants().map(GrantType::as_str).collect();
            Err(ProtocolError::unsupported_grant_type(&supported))
        }
    }
}
