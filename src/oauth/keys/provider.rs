//! `jsonwebtoken` signs and verifies through this provider, which looks a parsed key up instead of parsing it at every
//! token.
//!
//! An `EncodingKey` or `DecodingKey` of ours holds the key's `kid` and nothing else; the key itself is in the table here.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, aws_lc};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

use crate::crypto::signing::{SigningAlgorithm, SigningKeyPair};

static PARSED: LazyLock<ArcSwap<HashMap<Vec<u8>, Arc<SigningKeyPair>>>> = LazyLock::new(ArcSwap::default);

static PROVIDER: LazyLock<CryptoProvider> = LazyLock::new(|| CryptoProvider {
    signer_factory: |algorithm, key| signer(*algorithm, key),
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    ..aws_lc::DEFAULT_PROVIDER.clone()
});

/// Makes this provider the process's. Calling it again changes nothing.
pub fn install() {
    // The only error is that a provider is installed already, and that is this one.
    let _ = LazyLock::force(&PROVIDER).install_default();
}

/// Makes a parsed key usable by keys of `jsonwebtoken` that hold its `kid`.
pub(super) fn register(kid: &str, pair: &Arc<SigningKeyPair>) -> (EncodingKey, DecodingKey) {
    PARSED.rcu(|known| {
        let mut known = HashMap::clone(known);
        known.insert(kid.as_bytes().to_vec(), Arc::clone(pair));
        known
    });
    let kid = kid.as_bytes();
    match pair.algorithm() {
        SigningAlgorithm::Es256 => (EncodingKey::from_ec_der(kid), DecodingKey::from_ec_der(kid)),
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
            (EncodingKey::from_rsa_der(kid), DecodingKey::from_rsa_der(kid))
        }
        SigningAlgorithm::EdDsa => (EncodingKey::from_ed_der(kid), DecodingKey::from_ed_der(kid)),
    }
}

/// The name that `jsonwebtoken` has for an algorithm.
pub(super) fn jwt_algorithm(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Ps256 => Algorithm::PS256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

fn signer(algorithm: Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    let pair = PARSED.load().get(key.as_bytes()).cloned().ok_or_else(|| Error::from(ErrorKind::InvalidKeyFormat))?;
    if jwt_algorithm(pair.algorithm()) == algorithm {
        Ok(Box::new(ParsedSigner(pair)))
    } else {
        Err(ErrorKind::InvalidAlgorithm.into())
    }
}

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let known = key.try_get_as_bytes().ok().and_then(|kid| PARSED.load().get(kid).cloned());
    match known {
        // A key of somebody else's, from a JWK.
        None => (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&algorithm, key),
        Some(pair) if jwt_algorithm(pair.algorithm()) == algorithm => Ok(Box::new(ParsedVerifier(pair))),
        Some(_) => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

struct ParsedVerifier(Arc<SigningKeyPair>);

impl Verifier<Vec<u8>> for ParsedVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        if self.0.verifies(message, signature) { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtVerifier for ParsedVerifier {
    fn algorithm(&self) -> Algorithm {
        jwt_algorithm(self.0.algorithm())
    }
}

struct ParsedSigner(Arc<SigningKeyPair>);

impl Signer<Vec<u8>> for ParsedSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.0.sign(message).map_err(signature::Error::from_source)
    }
}

impl JwtSigner for ParsedSigner {
    fn algorithm(&self) -> Algorithm {
        jwt_algorithm(self.0.algorithm())
    }
}
