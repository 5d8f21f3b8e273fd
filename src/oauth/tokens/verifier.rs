//! The one verifier of access tokens: algorithm fixed by the stored key, leeway 0, strict types before policy.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Validation;
use quick_cache::sync::Cache;

use crate::crypto::digest::sha256;
use crate::model::client::ClientStatus;
use crate::model::organization::OrganizationStatus;
use crate::model::time::Timestamp;
use crate::oauth::context::Context;
use crate::oauth::keys::{KeyRing, TokenType};
use crate::oauth::tokens::access_token::{AccessClaims, Epochs};
use crate::registry::Snapshot;

/// Longer texts are not looked at: the largest token of ours is far smaller.
const LONGEST: usize = 8 * 1024;

/// Tokens remembered as verified. At about a kilobyte each this bounds the memory.
const REMEMBERED: usize = 8 * 1024;

/// Access tokens whose signature was checked before, by digest. A signature costs 33 µs, a look-up less than one.
pub struct VerifiedTokens(Cache<[u8; 32], Arc<Verified>>);

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

/// An access token with a good signature of ours. Whether it is alive is another question: [`Verified::is_alive`].
#[derive(Debug)]
pub struct Verified {
    /// The claims.
    pub claims: AccessClaims<'static>,
    epochs: Epochs,
    kid: String,
}

/// Why an access token is none, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Not three base64url parts, or too long.
    #[error("not a JWT")]
    Malformed,
    /// Another `typ`, `alg` or `kid` than an access token of ours has, or a `crit`.
    #[error("not the header of an access token of ours")]
    Header,
    /// The signature is not ours.
    #[error("wrong signature")]
    Signature,
    /// A claim is missing or has another type.
    #[error("not the claims of an access token of ours")]
    Claims,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// It, its family, client, user or organization was ended.
    #[error("revoked")]
    Revoked,
}

#[derive(serde::Deserialize)]
struct StrictHeader {
    typ: String,
    alg: String,
    kid: String,
    crit: Option<serde_json::Value>,
}

/// Checks an access token and that it is alive at this instant.
///
/// # Errors
/// [`Invalid`].
pub fn verify(context: &Context, token: &str) -> Result<Arc<Verified>, Invalid> {
    let verified = verify_signature(context, token)?;
    verified.is_alive(context, &context.registry.snapshot(), context.clock.now())?;
    Ok(verified)
}

/// Checks signature, header, types and issuer, but not whether the token is alive.
///
/// # Errors
/// [`Invalid`].
pub fn verify_signature(context: &Context, token: &str) -> Result<Arc<Verified>, Invalid> {
    context.verified.check(&context.ring.load(), &context.settings.issuer, token, context.clock.now())
}

impl VerifiedTokens {
    /// Checks signature, header, types and issuer with the keys of a ring, unless it did so before.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn check(&self, ring: &KeyRing, issuer: &str, token: &str, now: Timestamp) -> Result<Arc<Verified>, Invalid> {
        if token.len() > LONGEST {
            return Err(Invalid::Malformed);
        }
        let digest = sha256(token.as_bytes());
        if let Some(known) = self.0.get(&digest) {
            return Ok(known);
        }
        let verified = Arc::new(verified(ring, issuer, token, now)?);
        self.0.insert(digest, Arc::clone(&verified));
        Ok(verified)
    }
}

fn verified(ring: &KeyRing, issuer: &str, token: &str, now: Timestamp) -> Result<Verified, Invalid> {
    let (encoded_header, _) = token.split_once('.').ok_or(Invalid::Malformed)?;
    let header = URL_SAFE_NO_PAD.decode(encoded_header).map_err(|_| Invalid::Malformed)?;
    let header: StrictHeader = serde_json::from_slice(&header).map_err(|_| Invalid::Header)?;
    let key = ring.verifying(&header.kid, now).ok_or(Invalid::Header)?;
    if header.alg != key.algorithm.as_str() || header.typ != TokenType::AccessToken.as_str() || header.crit.is_some() {
        return Err(Invalid::Header);
    }
    // Time is asked of our own clock below, policy of the registry: here only signature and types.
    let mut validation = Validation::new(key.jwt_algorithm);
    validation.leeway = 0;
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<AccessClaims>(token, &key.decoding, &validation)
        .map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::Json(_) => Invalid::Claims,
            jsonwebtoken::errors::ErrorKind::InvalidSignature => Invalid::Signature,
            _ => Invalid::Malformed,
        })?
        .claims;
    let epochs = Epochs::from_claim(&claims.epoch).ok_or(Invalid::Claims)?;
    if claims.iss != issuer || claims.aud.is_empty() || claims.jti.is_empty() {
        return Err(Invalid::Claims);
    }
    Ok(Verified { claims, epochs, kid: header.kid })
}

impl Verified {
    /// Whether nothing has ended the token.
    ///
    /// # Errors
    /// [`Invalid::Expired`] at `exp` sharp (RFC 7519 §4.1.4), [`Invalid::Revoked`].
    pub fn is_alive(&self, context: &Context, snapshot: &Snapshot, now: Timestamp) -> Result<(), Invalid> {
        if now.seconds() >= self.claims.exp {
            return Err(Invalid::Expired);
        }
        // A token that was verified before its key was revoked is dead too.
        let key_stands = context.ring.load().verifying(&self.kid, now).is_some();
        if key_stands && self.stands(snapshot) { Ok(()) } else { Err(Invalid::Revoked) }
    }

    fn stands(&self, snapshot: &Snapshot) -> bool {
        let claims = &self.claims;
        if snapshot.is_denied(&claims.jti) || claims.sid.as_deref().is_some_and(|sid| snapshot.is_ended(sid)) {
            return false;
        }
        let Some(client) = snapshot.client(&claims.client_id) else { return false };
        if client.status != ClientStatus::Active || client.epoch > self.epochs.client {
            return false;
        }
        if claims.sub != claims.client_id
            && snapshot.user_epoch(&claims.sub).is_some_and(|epoch| epoch > self.epochs.user)
        {
            return false;
        }
        let active = |id: &str| snapshot.organization(id).filter(|found| found.status == OrganizationStatus::Active);
        // The client's organization ends what its clients have of users of others; the epoch is the user's one's.
        active(&client.organization_id).is_some()
            && active(claims.org.as_deref().unwrap_or(&client.organization_id))
                .is_some_and(|organization| organization.epoch <= self.epochs.organization)
    }
}
