//! Authenticated encryption (AES-256-GCM, NIST SP 800-38D) for what must be read back: private keys and
//! the data keys.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::random::Random;
use crate::crypto::secret::SecretBytes;

// The version goes first, so that another algorithm can come later beside stored values.
const VERSION: &str = "v1.";

/// A key for AES-256-GCM. A random nonce is safe for 2^32 values sealed under one key.
#[derive(Clone)]
pub struct SealingKey(Zeroizing<[u8; 32]>);

/// Why something could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The text is not one that [`SealingKey::seal`] wrote.
    #[error("the sealed value is malformed")]
    Malformed,
    /// Another key sealed it, it belongs to another context, or it was altered.
    #[error("the sealed value does not open: it was sealed under another key or has been altered")]
    Rejected,
    /// The cryptographic library failed.
    #[error("the value could not be sealed")]
    Failed,
}

impl SealingKey {
    /// A key of these bytes. The argument's copy is wiped.
    #[must_use]
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = Self(Zeroizing::new(bytes));
        bytes.zeroize();
        key
    }

    /// Encrypts `plaintext`. `context` says what the value is and whose (it is authenticated, not
    /// stored): a value moved to another row does not open there. Gives `v1.` and base64url of
    /// nonce, ciphertext and tag: 41 characters more than the plaintext takes in base64url, at most.
    ///
    /// # Errors
    ///
    /// [`SealError::Failed`] when the library refuses, which only exhausted memory explains.
    pub fn seal(&self, context: &str, plaintext: &[u8], random: &Random) -> Result<String, SealError> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let capacity = plaintext.len() + AES_256_GCM.tag_len();
        let mut sealed = Zeroizing::new(Vec::with_capacity(capacity));
        sealed.extend_from_slice(plaintext);
        self.cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut *sealed)
            .map_err(|_| SealError::Failed)?;
        let encoded = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        Ok(format!("{VERSION}{encoded}"))
    }

    /// Decrypts what [`SealingKey::seal`] wrote for the same context.
    ///
    /// # Errors
    ///
    /// [`SealError::Malformed`] for any other shape, [`SealError::Rejected`] when key, context or content differ.
    pub fn open(&self, context: &str, sealed: &str) -> Result<SecretBytes, SealError> {
        let encoded = sealed.strip_prefix(VERSION).ok_or(SealError::Malformed)?;
        let decoded = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| SealError::Malformed)?;
        let (nonce, ciphertext) = decoded.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Malformed)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .cipher()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), &mut buffer)
            .map_err(|_| SealError::Rejected)?
            .len();
        buffer.truncate(length);
        Ok(SecretBytes::new(std::mem::take(&mut *buffer)))
    }

    // The key schedule is set up at each use: well under a microsecond, and sealing is rare.
    fn cipher(&self) -> Result<LessSafeKey, SealError> {
        UnboundKey::new(&AES_256_GCM, self.0.as_slice()).map(LessSafeKey::new).map_err(|_| SealError::Failed)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealingKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_under_the_same_key_and_context_only() {
        let (key, random) = (SealingKey::new([1; 32]), Random::seeded(1));
        let sealed = key.seal("signing key 1", b"secret", &random).unwrap();
        assert!(sealed.starts_with("v1.") && !sealed.contains("secret"));
        assert_eq!(key.open("signing key 1", &sealed).unwrap().expose(), b"secret");
        assert_eq!(key.open("signing key 2", &sealed), Err(SealError::Rejected));
        let other = SealingKey::new([2; 32]);
        assert_eq!(other.open("signing key 1", &sealed), Err(SealError::Rejected));
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let (key, random) = (SealingKey::new([1; 32]), Random::system());
        let one = key.seal("c", b"", &random).unwrap();
        assert_ne!(one, key.seal("c", b"", &random).unwrap());
        assert_eq!(key.open("c", &one).unwrap().expose(), b"");
    }

    #[test]
    fn altered_or_malformed_text_is_refused() {
        let key = SealingKey::new([1; 32]);
        let sealed = key.seal("c", b"secret", &Random::seeded(1)).unwrap();
        let other = if sealed.ends_with('Q') { "A" } else { "Q" };
        let altered = format!("{}{other}", &sealed[..sealed.len() - 1]);
        assert!(key.open("c", &altered).is_err());
        for text in ["", "v1.", "v1.AAAA", "v2.AAAA", "v1.!!!!", &sealed[3..]] {
            assert_eq!(key.open("c", text), Err(SealError::Malformed), "{text}");
        }
    }
}
