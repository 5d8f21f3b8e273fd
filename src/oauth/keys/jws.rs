//! What a key signs, in the compact serialization (RFC 7515 §7.1). All tokens of one type have the same header under one key, so
//! it is written when the key is opened; the signature is `jsonwebtoken`'s.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto};
use serde::Serialize;

use crate::crypto::secret::SecretString;
use crate::oauth::error::ProtocolError;

/// The `typ` of a token (RFC 7515 §4.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// An access token (RFC 9068 §2.1).
    AccessToken,
    /// An ID token (OpenID Connect Core §2).
    IdToken,
}

impl TokenType {
    /// As the header has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::IdToken => "JWT",
        }
    }
}

/// Characters of a signature with RSA of 2048 bits.
const LONGEST_SIGNATURE: usize = 342;

/// A key that signs, with the headers of its tokens, encoded.
pub(in crate::oauth) struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    access_token: String,
    id_token: String,
}

impl Signer {
    pub(super) fn new(key: EncodingKey, algorithm: Algorithm, kid: &str) -> Result<Self, serde_json::Error> {
        let header = |typ: TokenType| {
            let mut header = Header::new(algorithm);
            header.typ = Some(typ.as_str().to_owned());
            header.kid = Some(kid.to_owned());
            serde_json::to_vec(&header).map(|header| URL_SAFE_NO_PAD.encode(header))
        };
        let (access_token, id_token) = (header(TokenType::AccessToken)?, header(TokenType::IdToken)?);
        Ok(Self { key, algorithm, access_token, id_token })
    }

    /// Signs the claims of a token.
    ///
    /// # Errors
    /// 500 if the signature fails.
    pub(in crate::oauth) fn sign(
        &self,
        typ: TokenType,
        claims: &impl Serialize,
    ) -> Result<SecretString, ProtocolError> {
        let header = match typ {
            TokenType::AccessToken => &self.access_token,
            TokenType::IdToken => &self.id_token,
        };
        // Room for what is usual: grown from nothing, both texts would be copied two or three times.
        let mut text = Vec::with_capacity(512);
        serde_json::to_writer(&mut text, claims).map_err(|cause| ProtocolError::defect().because(cause))?;
        let mut token = String::with_capacity(header.len() + text.len() * 4 / 3 + 4 + LONGEST_SIGNATURE);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(text, &mut token);
        let signature = crypto::sign(token.as_bytes(), &self.key, self.algorithm)
            .map_err(|cause| ProtocolError::defect().because(cause))?;
        token.push('.');
        token.push_str(&signature);
        Ok(SecretString::new(token))
    }
}
