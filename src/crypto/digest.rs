//! Keyed digests. What Grantor generated has 160 random bits or more and is stored as HMAC-SHA-256
//! (RFC 2104) under a key that is not in the database; it is looked up by that digest.

use std::fmt;
use std::hash::{Hash, Hasher};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// A key for HMAC-SHA-256, 256 bits.
#[derive(Clone)]
pub struct DigestKey(hmac::Key);

impl DigestKey {
    /// A key of these bytes. The argument's copy is wiped.
    #[must_use]
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        bytes.zeroize();
        Self(key)
    }

    /// HMAC-SHA-256 of the parts, joined without separators: the caller sees to it that no two
    /// different lists of parts join to the same bytes.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let mut code = [0; 32];
        code.copy_from_slice(context.sign().as_ref());
        code
    }

    /// The digest of `data` for one purpose. The same data under another purpose has another digest, so
    /// that a credential of one kind is never found as one of another.
    #[must_use]
    pub fn digest(&self, purpose: &str, data: &[u8]) -> Digest {
        // The length goes first, so that no purpose and data can join to the bytes of another pair.
        let length = (purpose.len() as u64).to_be_bytes();
        Digest(self.mac(&[&length, purpose.as_bytes(), data]))
    }
}

impl From<[u8; 32]> for DigestKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DigestKey(redacted)")
    }
}

/// What is stored in place of a secret: 256 bits, compared in constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The form in which it is stored: base64url without padding (RFC 4648 §5), 43 characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads what [`Digest::to_text`] wrote; nothing else is accepted.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}

impl Eq for Digest {}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Digest(redacted)")
    }
}

/// SHA-256 (FIPS 180-4) without a key, for what is public: thumbprints, code challenges, `ETag`s.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data).as_ref());
    hash
}

/// Equality that takes the same time wherever the difference is; only a difference in length shows.
#[must_use]
pub fn constant_time_eq(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_of_parts_is_the_mac_of_their_concatenation() {
        let key = DigestKey::new([7; 32]);
        assert_eq!(key.mac(&[b"ab", b"", b"c"]), key.mac(&[b"abc"]));
        assert_ne!(key.mac(&[b"abc"]), DigestKey::new([8; 32]).mac(&[b"abc"]));
    }

    #[test]
    fn a_purpose_and_its_data_cannot_be_shifted_into_one_another() {
        let key = DigestKey::new([7; 32]);
        assert_ne!(key.digest("ab", b"c"), key.digest("a", b"bc"));
        assert_eq!(key.digest("ab", b"c"), key.digest("ab", b"c"));
    }

    #[test]
    fn a_digest_survives_its_text_form() {
        let digest = DigestKey::new([1; 32]).digest("api key", b"x");
        let text = digest.to_text();
        assert_eq!((text.len(), Digest::from_text(&text)), (43, Some(digest)));
        assert!(Digest::from_text(&text[1..]).is_none());
        assert!(Digest::from_text(&format!("{text}=")).is_none());
        assert_eq!(format!("{digest:?}"), "Digest(redacted)");
    }

    #[test]
    fn sha256_agrees_with_the_standard() {
        // FIPS 180-4's example for the message "abc".
        assert_eq!(sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
