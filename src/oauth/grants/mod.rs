//! The grants of the token endpoint, one file per grant.

pub mod client_credentials;
pub mod password;
pub mod refresh_token;

use crate::login::Network;
use crate::model::grant_type::GrantType;
use crate::oauth::client_authentication::{PresentedClient, authenticate};
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
    pub request_id: String,
}

/// Answers a token request (RFC 6749 §5).
///
/// # Errors
/// As RFC 6749 §5.2 says.
pub async fn exchange(context: &Context, request: &TokenRequest) -> Result<Tokens, ProtocolError> {
    let grant_type = grant_type(context, request)?;
    let asked = GrantRequest::read(grant_type, &request.parameters, &request.presented)?;
    match grant_type {
        GrantType::ClientCredentials => client_credentials::issue_for(context, &asked),
        GrantType::Password => password::sign_in(context, request, &asked).await,
        GrantType::RefreshToken => refresh_token::redeem(context, request, &asked).await,
    }
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
