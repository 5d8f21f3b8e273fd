//! The cookie by which a browser is known, and the token that its forms bear.
//!
//! A visitor has a cookie too: its secret is what the CSRF token is derived from. Signing in puts another secret in its
//! place, so that nobody who knew the old one is signed in.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::USER_AGENT;

use crate::admin::sessions::Browser;
use crate::http::extract::{RequestId, address_of, network_of};
use crate::http::state::State;
use crate::login::Secret;
use crate::model::audit::{Actor, ActorKind};

/// Bound to this host, over TLS alone.
const NAME: &str = "__Host-grantor";

/// Over plain HTTP, which is for loopback, browsers refuse the name above.
const PLAIN_NAME: &str = "grantor_session";

fn is_secure(state: &State) -> bool {
    state.context().settings.issuer.starts_with("https://")
}

fn name(state: &State) -> &'static str {
    if is_secure(state) { NAME } else { PLAIN_NAME }
}

/// The secret in the browser's cookie, if it brings one of ours.
#[must_use]
pub fn secret_of(request: &HttpRequest, state: &State) -> Option<Secret> {
    Secret::parse(request.cookie(name(state))?.value())
}

/// The cookie that bears a secret until the browser is closed; how long it is good for is the server's to say.
#[must_use]
pub fn cookie(state: &State, secret: &Secret) -> Cookie<'static> {
    Cookie::build(name(state), secret.expose().to_owned())
        .path("/")
        .secure(is_secure(state))
        .http_only(true)
        // Links in mails lead here; what changes anything is a POST, with a token of its own.
        .same_site(SameSite::Lax)
        .finish()
}

/// The token that the forms of this browser bear.
#[must_use]
pub fn csrf_token(state: &State, secret: &Secret) -> String {
    state.context().data_keys.digest.digest("csrf token", secret.expose().as_bytes()).to_text()
}

/// The browser as a verb knows it.
#[must_use]
pub fn browser_of(request: &HttpRequest, state: &State) -> Browser {
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Browser {
        origin: Actor {
            kind: ActorKind::User,
            id: String::new(),
            ip: Some(address_of(request, state).to_string()),
            request_id: Some(RequestId::of(request).0),
        },
        network: network_of(request, state),
        user_agent: user_agent.to_owned(),
    }
}
