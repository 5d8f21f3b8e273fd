//! The cookie by which a browser is known, and the token that its forms bear.
//!
//! A visitor has a cookie too: its secret is what the CSRF token is derived from. Signing in puts another secret in its
//! place, so that nobody who knew the old one is signed in.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{COOKIE, HeaderValue, USER_AGENT};

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
    secret_in(request.headers().get_all(COOKIE).map(HeaderValue::as_bytes), name(state))
}

/// The secret in the first cookie of this name, to the letter, in the lines of the header `Cookie` (RFC 6265 §4.2.1).
///
/// Nothing is decoded: browsers let no other host set a cookie `__Host-…`, but one that is called `__Host%2D…` is to them
/// a cookie as any other. And nothing that another cookie holds can hide ours.
#[must_use]
pub fn secret_in<'a>(lines: impl Iterator<Item = &'a [u8]>, name: &str) -> Option<Secret> {
    let mut cookies = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    let value = cookies.find_map(|cookie| {
        let start = cookie.iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
        cookie[start..].strip_prefix(name.as_bytes())?.strip_prefix(b"=")
    })?;
    Secret::parse(std::str::from_utf8(value).ok()?)
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
            request_id: Some(RequestId::of(request).0.to_string()),
        },
        network: network_of(request, state),
        user_agent: user_agent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&[u8]]) -> Option<String> {
        secret_in(lines.iter().copied(), NAME).map(|secret| secret.expose().to_owned())
    }

    fn ours() -> String {
        format!("{NAME}={}", "s".repeat(43))
    }

    #[test]
    fn the_cookie_is_found_among_others_whatever_they_hold() {
        let secret = Some("s".repeat(43));
        let ours = ours();
        assert_eq!(found(&[ours.as_bytes()]), secret);
        assert_eq!(found(&[format!("a=b; nameless; =; {ours}; c=%zz").as_bytes()]), secret);
        assert_eq!(found(&[b"a=\xff", ours.as_bytes()]), secret);
        assert_eq!(found(&[format!("x{ours}; {ours}").as_bytes()]), secret);
    }

    #[test]
    fn a_cookie_whose_name_only_decodes_to_ours_is_none_of_ours() {
        // A browser takes these from any host of the domain.
        for other in [
            ours().replace('-', "%2D"),
            ours().replace("__", "%5F%5f"),
            format!("\u{2003}{}", ours()),
            format!("\"{}\"", ours()),
            ours().replacen('=', " =", 1),
        ] {
            assert_eq!(found(&[other.as_bytes()]), None, "{other}");
        }
    }

    #[test]
    fn the_first_cookie_of_the_name_counts_alone() {
        assert_eq!(found(&[format!("{NAME}=short; {}", ours()).as_bytes()]), None);
        assert_eq!(found(&[format!("{}; {NAME}=short", ours()).as_bytes()]), Some("s".repeat(43)));
    }
}
