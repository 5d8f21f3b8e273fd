//! Which credential a request brings: exactly one, of a known shape.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::crypto::secret::SecretString;
use crate::oauth::ProtocolError;

/// Longer texts are no credential of ours.
const LONGEST: usize = 8 * 1024;

crate::words! {
    /// The shape of a credential.
    Shape {
        /// An access token.
        Jwt = "jwt",
        /// A user's username and password.
        Password = "password",
        /// A client's id and secret.
        ClientSecret = "client_secret",
        /// An API key.
        ApiKey = "api_key",
        /// The cookie of a session of the console.
        Session = "session",
    }
}

/// One header of a request.
pub enum Header {
    /// It is not there.
    Absent,
    /// It is there once, in visible ASCII.
    Once(SecretString),
    /// It is repeated, or not text.
    Unreadable,
}

/// The credential of a request, before anything is known to be true.
#[derive(Debug)]
pub enum Presented {
    /// `Authorization: Bearer` (RFC 6750 §2.1).
    Jwt(SecretString),
    /// `Authorization: Basic` (RFC 7617).
    Password(UserAndPassword),
    /// `Client-ID` and `Client-Secret`.
    ClientSecret(ClientAndSecret),
    /// `X-API-Key`, alone or with both of `X-User-ID` and `X-Business-ID`.
    ApiKey(KeyWithOwner),
}

/// A username and a password.
#[derive(Debug)]
pub struct UserAndPassword {
    /// Both, as they came: `username:password`. No two pairs have one text, since a username has no colon.
    pub(super) whole: SecretString,
    /// Where the password begins.
    password_at: usize,
}

impl UserAndPassword {
    /// What stands before the first colon.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.whole.expose()[..self.password_at - 1]
    }

    /// What stands behind it.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.whole.expose()[self.password_at..]
    }
}

/// A client's id and secret.
#[derive(Debug)]
pub struct ClientAndSecret {
    /// `Client-ID`: people paste secrets there, so it is treated as one.
    pub client_id: SecretString,
    /// `Client-Secret`.
    pub secret: SecretString,
}

/// An API key, and whose it is said to be.
#[derive(Debug)]
pub struct KeyWithOwner {
    /// `X-API-Key`.
    pub key: SecretString,
    /// Whose it is said to be, if anything is said.
    pub owner: Option<Owner>,
}

/// Whose an API key is said to be.
#[derive(Debug)]
pub struct Owner {
    /// `X-User-ID`.
    pub user_id: SecretString,
    /// `X-Business-ID`.
    pub business_id: SecretString,
}

/// Reads the one credential of a request.
///
/// # Errors
/// 401 if there is none, if it is malformed, or if there are several.
pub fn present(header: impl Fn(&'static str) -> Header) -> Result<Presented, ProtocolError> {
    let read = |name| match header(name) {
        Header::Absent => Ok(None),
        // The verifier of tokens has a bound of its own.
        Header::Once(value) if name == "authorization" || value.expose().len() <= LONGEST => Ok(Some(value)),
        Header::Once(_) => Err(refused("a header is too long")),
        Header::Unreadable => Err(refused("a header is repeated or not text")),
    };
    let authorization = read("authorization")?;
    let client = (read("client-id")?, read("client-secret")?);
    let key = (read("x-api-key")?, read("x-user-id")?, read("x-business-id")?);
    match (authorization, client, key) {
        (None, (None, None), (None, None, None)) => Err(ProtocolError::no_credential()),
        (Some(authorization), (None, None), (None, None, None)) => of_authorization(&authorization),
        (None, (Some(client_id), Some(secret)), (None, None, None)) => {
            Ok(Presented::ClientSecret(ClientAndSecret { client_id, secret }))
        }
        (None, (None, None), (Some(key), None, None)) => Ok(Presented::ApiKey(KeyWithOwner { key, owner: None })),
        (None, (None, None), (Some(key), Some(user_id), Some(business_id))) => {
            Ok(Presented::ApiKey(KeyWithOwner { key, owner: Some(Owner { user_id, business_id }) }))
        }
        _ => Err(refused("half a credential, or more than one")),
    }
}

fn of_authorization(value: &SecretString) -> Result<Presented, ProtocolError> {
    let (scheme, rest) = value.expose().split_once(' ').ok_or_else(|| refused("Authorization without credentials"))?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Presented::Jwt(SecretString::from(rest.trim())));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(refused("another scheme than Bearer and Basic"));
    }
    if rest.len() > LONGEST {
        return Err(refused("Basic: too long"));
    }
    let decoded = STANDARD.decode(rest.trim()).map(Zeroizing::new).map_err(|_| refused("Basic: not base64"))?;
    let text = std::str::from_utf8(&decoded).map_err(|_| refused("Basic: not UTF-8"))?;
    // RFC 7617 §2: no control characters; this one no database of ours takes.
    if text.contains('\0') {
        return Err(refused("Basic: NUL"));
    }
    // RFC 7617 §2: the first colon ends the user-id; the password may have more of them.
    let colon = text.find(':').ok_or_else(|| refused("Basic: no colon"))?;
    Ok(Presented::Password(UserAndPassword { whole: SecretString::from(text), password_at: colon + 1 }))
}

pub(super) fn refused(why: &'static str) -> ProtocolError {
    ProtocolError::invalid_credentials().because(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(headers: &[(&str, &str)]) -> Result<Presented, ProtocolError> {
        present(|name| match headers.iter().filter(|(known, _)| *known == name).collect::<Vec<_>>()[..] {
            [] => Header::Absent,
            [(_, value)] => Header::Once(SecretString::from(*value)),
            _ => Header::Unreadable,
        })
    }

    #[test]
    fn a_username_ends_at_the_first_colon() {
        let header = format!("basic {}", STANDARD.encode("jürgen:a:b c"));
        let Ok(Presented::Password(given)) = presented(&[("authorization", &header)]) else { panic!("{header}") };
        assert_eq!((given.username(), given.password()), ("jürgen", "a:b c"));
        let header = format!("Basic {}", STANDARD.encode(":"));
        let Ok(Presented::Password(given)) = presented(&[("authorization", &header)]) else { panic!("{header}") };
        assert_eq!((given.username(), given.password()), ("", ""));
    }

    #[test]
    fn half_a_credential_and_two_are_none() {
        let bearer = ("authorization", "Bearer x");
        for headers in [
            &[("client-id", "a")][..],
            &[("client-secret", "a")],
            &[("x-user-id", "a"), ("x-business-id", "b")],
            &[("x-api-key", "a"), ("x-user-id", "b")],
            &[("x-api-key", "a"), ("x-business-id", "b")],
            &[bearer, bearer],
            &[bearer, ("x-api-key", "a")],
            &[bearer, ("client-id", "")],
            &[bearer, ("x-user-id", "a")],
            &[("client-id", "a"), ("client-secret", "b"), ("x-api-key", "c")],
            &[("authorization", "Bearer")],
            &[("authorization", "Digest x")],
            &[("authorization", "Basic Og")],
            &[("authorization", "Basic /zo=")],
            &[("authorization", "Basic YQ==")],
        ] {
            assert_eq!(presented(headers).unwrap_err().status, 401, "{headers:?}");
        }
        assert_eq!(presented(&[("x-api-key", &"a".repeat(LONGEST + 1))]).unwrap_err().status, 401);
        assert!(presented(&[("x-api-key", "a"), ("x-user-id", "b"), ("x-business-id", "c")]).is_ok());
    }
}
