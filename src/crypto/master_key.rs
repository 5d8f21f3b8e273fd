//! The master key: 256 bits in a file of their own, outside the database. It opens the data keys and
//! nothing else, so that it can be changed without touching a single stored digest. Its file is in
//! [`master_key_file`](crate::crypto::master_key_file).

use std::fmt;
use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::digest::{DigestKey, constant_time_eq};
use crate::crypto::random::Random;
use crate::crypto::sealing::SealingKey;
use crate::crypto::secret::SecretString;

/// The master key, 256 bits.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Why the master key cannot be read or written. Each message is one line and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is neither 43 characters of base64url nor 64 hexadecimal digits.
    #[error("a master key is 43 characters of base64url or 64 hexadecimal digits, and this is neither")]
    Malformed,
    /// The file's content is not a master key.
    #[error(
        "{} does not hold a master key (43 characters of base64url or 64 hexadecimal digits); put the right file back from your backup",
        .0.display()
    )]
    MalformedFile(PathBuf),
    /// The file is empty, as a creation that was cut short leaves it.
    #[error(
        "{} is empty; put the key back from your backup, or delete the file if this is the first start",
        .0.display()
    )]
    EmptyFile(PathBuf),
    /// Group or others may access the file.
    #[error("other users can read the master key; run: chmod 600 {}", .0.display())]
    TooOpen(PathBuf),
    /// The operating system refused.
    #[error(
        "cannot {action} {}: {source}; security.master_key_file must be in a folder that the user that runs grantor can read and write",
        path.display()
    )]
    Io {
        /// What was attempted, as a verb in the infinitive.
        action: &'static str,
        /// The file or folder concerned.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl MasterKey {
    /// A new random key.
    #[must_use]
    pub fn generate(random: &Random) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut_slice());
        Self(key)
    }

    /// Reads 43 characters of base64url without padding, or 64 hexadecimal digits. White space around
    /// them is ignored.
    ///
    /// # Errors
    ///
    /// [`MasterKeyError::Malformed`] for anything else.
    pub fn from_text(text: &str) -> Result<Self, MasterKeyError> {
        let text = text.trim();
        let decoded = match text.len() {
            64 => decode_hex(text),
            43 => URL_SAFE_NO_PAD.decode(text).ok(),
            _ => None,
        };
        let decoded = Zeroizing::new(decoded.ok_or(MasterKeyError::Malformed)?);
        let mut key = Zeroizing::new([0; 32]);
        if decoded.len() != key.len() {
            return Err(MasterKeyError::Malformed);
        }
        key.copy_from_slice(&decoded);
        Ok(Self(key))
    }

    /// The key as 43 characters of base64url, for the file.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        SecretString::new(URL_SAFE_NO_PAD.encode(self.0.as_slice()))
    }

    /// 16 hexadecimal digits that tell keys apart and say nothing about them. Safe to log.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let code = self.derive(b"grantor master key fingerprint");
        code.iter().take(8).fold(String::new(), |mut text, byte| {
            for nibble in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(nibble), 16));
            }
            text
        })
    }

    /// The key that seals the data keys: derived, so that the master key itself has one use only.
    #[must_use]
    pub fn sealing_key(&self) -> SealingKey {
        let mut derived = self.derive(b"grantor sealing key v1");
        let key = SealingKey::new(derived);
        derived.zeroize();
        key
    }

    fn derive(&self, label: &[u8]) -> [u8; 32] {
        DigestKey::new(*self.0).mac(&[label])
    }
}

impl PartialEq for MasterKey {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_slice(), other.0.as_slice())
    }
}

impl Eq for MasterKey {}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterKey(redacted)")
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |digit: &u8| char::from(*digit).to_digit(16);
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let value = pair.iter().try_fold(0, |sum, digit| Some(sum * 16 + nibble(digit)?))?;
            u8::try_from(value).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_text_forms_are_read() {
        let key = MasterKey::generate(&Random::seeded(1));
        let text = key.to_text();
        assert_eq!(text.expose().len(), 43);
        assert_eq!(MasterKey::from_text(text.expose()).unwrap(), key);
        assert_eq!(MasterKey::from_text(&"0a".repeat(32)).unwrap(), MasterKey(Zeroizing::new([10; 32])));
        for text in ["", "short", &"zz".repeat(32), &"+".repeat(43), &"ü".repeat(32)] {
            assert!(MasterKey::from_text(text).is_err(), "{text}");
        }
        assert_eq!(key.fingerprint().len(), 16);
        assert!(!format!("{key:?}").contains(text.expose()));
    }
}
