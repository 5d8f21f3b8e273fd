//! Authenticating a request by the credential that it brings, whatever its shape: a JWT, a username and a password,
//! a client's id and secret, an API key. One file per shape.
//!
//! What was read of the database is remembered for a minute at most, and for less where the registry shows a change:
//! a known caller costs neither a slow hash nor a question to the database, and is refused within a second of whatever
//! ends it.

mod api_key;
mod basic;
mod client_secret;
mod jwt;
mod known;
mod principal;
mod shape;

use std::net::IpAddr;
use std::sync::Arc;

use crate::credentials::known::Known;
use crate::oauth::{Context, ProtocolError};

pub use api_key::DIGEST_PURPOSE as API_KEY_DIGEST_PURPOSE;
pub use principal::{Kind, Principal};
pub use shape::{Header, Presented, Shape, present};

/// What a door asks of a caller, beyond being somebody.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The organization to act in, by id or number; the caller's first one if none is named.
    pub organization: Option<String>,
    /// The audience that a JWT must be for; any if none is named.
    pub audience: Option<String>,
}

/// Authentication of requests, with what is remembered for it. One for each node.
pub struct Credentials {
    context: Arc<Context>,
    known: Known,
}

impl Credentials {
    /// With nothing remembered.
    #[must_use]
    pub fn new(context: Arc<Context>) -> Self {
        Self { context, known: Known::default() }
    }

    /// Who is behind a credential that came from this address.
    ///
    /// # Errors
    /// 401 for what is no valid credential, 403 for a caller who may not, 429, and 503 where nobody can tell.
    pub async fn authenticate(
        &self,
        presented: &Presented,
        asked: &Asked,
        address: IpAddr,
    ) -> Result<Principal, ProtocolError> {
        let (context, known) = (&*self.context, &self.known);
        if !context.registry.is_fresh() {
            return Err(ProtocolError::unavailable(2).because("the database has not answered for two seconds"));
        }
        // Every authentication of a request passes here, right or wrong.
        match presented {
            Presented::Jwt(token) => jwt::authenticate(context, known, token, asked).await,
            Presented::Password(given) => basic::authenticate(context, known, given, asked, address).await,
            Presented::ClientSecret(given) => client_secret::authenticate(context, given, asked),
            Presented::ApiKey(given) => api_key::authenticate(context, known, given, asked, address).await,
        }
    }
}
