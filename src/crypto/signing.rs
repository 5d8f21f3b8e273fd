//! Key pairs for signing JWTs (RFC 7518, RFC 8037), parsed once and used often.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};

pub use crate::crypto::public_jwk::PublicJwk;
use crate::crypto::secret::SecretBytes;
pub use crate::model::signing_key::SigningAlgorithm;

/// Why a key pair could not be made, read or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// No key pair could be generated.
    #[error("no {0} key pair could be generated")]
    NotGenerated(SigningAlgorithm),
    /// The PKCS#8 document holds no acceptable key for the algorithm.
    #[error("this is not a private key for {algorithm}: {reason}")]
    Rejected {
        /// The algorithm that the key was meant for.
        algorithm: SigningAlgorithm,
        /// The library's word for what is wrong with it.
        reason: String,
    },
    /// The signature failed.
    #[error("signing with {0} failed")]
    NotSigned(SigningAlgorithm),
}

/// A private key, ready to sign, with its public half.
pub struct SigningKeyPair {
    algorithm: SigningAlgorithm,
    private: PrivateKey,
    public: PublicJwk,
    verifier: ParsedPublicKey,
}

// Boxed: the variants differ much in size.
enum PrivateKey {
    Ec(Box<EcdsaKeyPair>),
    Rsa(Box<RsaKeyPair>),
    Ed(Box<Ed25519KeyPair>),
}

impl SigningKeyPair {
    /// A new key pair (P-256, RSA of 2048 bits or Ed25519) and its PKCS#8 document (RFC 5208) to be
    /// sealed and stored. RSA takes tens to hundreds of milliseconds.
    ///
    /// # Errors
    ///
    /// [`SigningError::NotGenerated`] when the library fails.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<(Self, SecretBytes), SigningError> {
        let failed = |_| SigningError::NotGenerated(algorithm);
        let pkcs8 = match algorithm {
            SigningAlgorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| document.as_ref().to_vec()),
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|pair| pair.as_der())
                .map(|document| document.as_ref().to_vec()),
            SigningAlgorithm::EdDsa => {
                Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()).map(|document| document.as_ref().to_vec())
            }
        };
        let pkcs8 = SecretBytes::new(pkcs8.map_err(failed)?);
        // Read back at once: what is stored is known to load.
        let pair = Self::from_pkcs8(algorithm, pkcs8.expose())?;
        Ok((pair, pkcs8))
    }

    /// Reads a PKCS#8 document that holds a key for `algorithm`.
    ///
    /// # Errors
    ///
    /// [`SigningError::Rejected`] when it is malformed, of another type or too small.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, SigningError> {
        let rejected = |reason: &dyn fmt::Display| SigningError::Rejected { algorithm, reason: reason.to_string() };
        let (private, public) = match algorithm {
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map_err(|reason| rejected(&reason))?;
                let public = PublicJwk::from_p256_point(pair.public_key().as_ref());
                (PrivateKey::Ec(Box::new(pair)), public)
            }
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|reason| rejected(&reason))?;
                let public = PublicJwk::from_rsa_der(pair.public_key().as_ref());
                (PrivateKey::Rsa(Box::new(pair)), public)
            }
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|reason| rejected(&reason))?;
                let public = PublicJwk::from_ed25519(pair.public_key().as_ref());
                (PrivateKey::Ed(Box::new(pair)), Some(public))
            }
        };
        let verifier = match (algorithm, &private) {
            (_, PrivateKey::Ec(pair)) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key()),
            (_, PrivateKey::Ed(pair)) => ParsedPublicKey::new(&ED25519, pair.public_key()),
            (SigningAlgorithm::Ps256, PrivateKey::Rsa(pair)) => {
                ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, pair.public_key())
            }
            (_, PrivateKey::Rsa(pair)) => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key()),
        };
        Ok(Self {
            algorithm,
            private,
            public: public.ok_or_else(|| rejected(&"its public half has an unexpected shape"))?,
            verifier: verifier.map_err(|reason| rejected(&reason))?,
        })
    }

    /// Signs `message`, the JWS signing input (RFC 7515 §5.1). ES256 gives the 64 bytes of r and s
    /// (RFC 7518 §3.4), not DER.
    ///
    /// # Errors
    ///
    /// [`SigningError::NotSigned`] when the library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let failed = |_| SigningError::NotSigned(self.algorithm);
        match &self.private {
            PrivateKey::Ec(pair) => {
                let digest = digest::digest(&digest::SHA256, message);
                pair.sign_digest(&digest).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
            PrivateKey::Ed(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()).map_err(failed),
            PrivateKey::Rsa(pair) => {
                let padding = match self.algorithm {
                    SigningAlgorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }

    /// Whether `signature` is this key's over `message` (RFC 7515 §5.2).
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify_sig(message, signature).is_ok()
    }

    /// The algorithm that this key signs with, and no other.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public half, to be published.
    #[must_use]
    pub fn public_jwk(&self) -> PublicJwk {
        self.public.clone()
    }

    /// The thumbprint of the public half (RFC 7638), base64url, 43 characters.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.public.thumbprint()
    }
}

impl fmt::Debug for SigningKeyPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKeyPair({}, redacted)", self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
        UnparsedPublicKey,
    };
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn verifies(jwk: &PublicJwk, algorithm: SigningAlgorithm, signature: &[u8]) -> bool {
        let bytes = |member: &Option<String>| URL_SAFE_NO_PAD.decode(member.as_deref().unwrap()).unwrap();
        let rsa = |padding| {
            RsaPublicKeyComponents { n: bytes(&jwk.n), e: bytes(&jwk.e) }.verify(padding, b"message", signature)
        };
        match algorithm {
            SigningAlgorithm::Es256 => {
                let point = [vec![4], bytes(&jwk.x), bytes(&jwk.y)].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(b"message", signature)
            }
            SigningAlgorithm::EdDsa => UnparsedPublicKey::new(&ED25519, bytes(&jwk.x)).verify(b"message", signature),
            SigningAlgorithm::Rs256 => rsa(&RSA_PKCS1_2048_8192_SHA256),
            SigningAlgorithm::Ps256 => rsa(&RSA_PSS_2048_8192_SHA256),
        }
        .is_ok()
    }

    #[test]
    fn every_algorithm_signs_what_its_published_key_verifies() {
        for algorithm in SigningAlgorithm::ALL.iter().copied() {
            let (pair, pkcs8) = SigningKeyPair::generate(algorithm).unwrap();
            let again = SigningKeyPair::from_pkcs8(algorithm, pkcs8.expose()).unwrap();
            assert_eq!(pair.public_jwk(), again.public_jwk());
            let signature = again.sign(b"message").unwrap();
            assert!(verifies(&pair.public_jwk(), algorithm, &signature));
            assert!(!verifies(&pair.public_jwk(), algorithm, &signature[1..]));
            assert_eq!(pair.thumbprint().len(), 43);
        }
    }

    #[test]
    fn a_key_of_another_type_is_refused() {
        let (_, pkcs8) = SigningKeyPair::generate(SigningAlgorithm::Es256).unwrap();
        for other in [SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa] {
            assert!(SigningKeyPair::from_pkcs8(other, pkcs8.expose()).is_err());
        }
        assert!(SigningKeyPair::from_pkcs8(SigningAlgorithm::Es256, b"").is_err());
    }
}
