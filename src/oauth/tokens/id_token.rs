//! ID tokens (OpenID Connect Core §2).

use serde::Serialize;

/// The claims of an ID token.
#[derive(Debug, Serialize)]
pub struct IdClaims<'a> {
    /// Issuer.
    pub iss: &'a str,
    /// The user's id.
    pub sub: &'a str,
    /// The client that it is for.
    pub aud: &'a str,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
    /// Time of issue, in seconds since 1970.
    pub iat: i64,
    /// When the user signed in, in seconds since 1970; the same at every refresh (§12.2).
    pub auth_time: i64,
    /// How: by password (RFC 8176).
    pub amr: [&'static str; 1],
    /// The token family behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<&'a str>,
}
