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
mod session;
mod shape;

use std::net::IpAddr;
use std::sync::Arc;

use crate::credentials::known::Known;
use crate::credentials::shape::ClientAndSecret;
use crate::login::Network;
use crate::model::usage::{BASIC, Credential, UsageDetail};
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
        let outcome = match presented {
            Presented::Jwt(token) => jwt::authenticate(context, known, token, asked).await,
            Presented::Password(given) => basic::authenticate(context, known, given, asked, address).await,
            Presented::ClientSecret(given) => client_secret::authenticate(context, given, asked),
            Presented::ApiKey(given) => api_key::authenticate(context, known, given, asked, address).await,
        };
        if let (Err(error), Presented::ClientSecret(given)) = (&outcome, presented) {
            self.count_refusal(given, error, Network::of(address));
        }
        self.note(&outcome, Network::of(address));
        outcome
    }

    /// A refusal is counted under the client that the request names, where there is one, and under a secret that is
    /// dead.
    fn count_refusal(&self, given: &ClientAndSecret, error: &ProtocolError, network: Network) {
        let usage = &self.context.usage;
        let snapshot = self.context.registry.snapshot();
        if let Some(client) = snapshot.client(given.client_id.expose())
            && error.status < 500
        {
            usage.refused(Credential::client(&client.client_id), error.code.as_str(), network);
        }
        if let Some(refusal) = error.refusal.as_ref().filter(|refusal| refusal.target_kind == "client_secret") {
            usage.refused(Credential::client_secret(&refusal.target_id), error.code.as_str(), network);
        }
    }

    /// Uses are counted, refusals of a known credential are audited. Login keeps those of passwords itself.
    fn note(&self, outcome: &Result<Principal, ProtocolError>, network: Network) {
        let (usage, context) = (&self.context.usage, &*self.context);
        let principal = match outcome {
            Ok(principal) => principal,
            Err(error) => {
                if let Some(refusal) = &error.refusal {
                    if refusal.target_kind == "api_key" {
                        usage.refused(Credential::api_key(&refusal.target_id), error.code.as_str(), network);
                    }
                    let client_id = if refusal.target_kind == "client" { refusal.target_id.as_str() } else { "" };
                    context.refusals.note(refusal, client_id, network, None, context.clock.now());
                }
                return;
            }
        };
        let basic: &[_] = match principal.shape {
            Shape::Password => &[(UsageDetail::Method, BASIC)],
            Shape::Jwt | Shape::ClientSecret | Shape::ApiKey | Shape::Session => &[],
        };
        match principal.user_id() {
            Some(user) => usage.verified_by(Credential::user(user), basic, network),
            None => usage.verified(Credential::client(&principal.subject), network),
        }
        match principal.shape {
            Shape::ApiKey => usage.verified(Credential::api_key(&principal.credential_id), network),
            Shape::ClientSecret => usage.verified(Credential::client_secret(&principal.credential_id), network),
            Shape::Jwt | Shape::Password | Shape::Session => {}
        }
    }
}
