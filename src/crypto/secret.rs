//! Values that must not reach a log, an error message or a response by accident.
//!
//! Neither type has `Display` or `Serialize`; `Debug` is redacted; equality takes the same time
//! wherever two values of one length differ; memory is wiped on drop.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Text that must stay secret, such as a client secret or a password.
#[derive(Clone, Default)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Takes ownership of the text; the caller's buffer becomes the protected one, without a copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Gives the text away, unprotected, for the one answer that shows it.
    #[must_use]
    pub fn into_exposed(mut self) -> String {
        std::mem::take(&mut *self.0)
    }
}

impl From<String> for SecretString {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for SecretString {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl PartialEq for SecretString {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretString {}

impl fmt::Debug for SecretString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretString(redacted)")
    }
}

/// Bytes that must stay secret, such as a private key in PKCS#8.
#[derive(Clone, Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes ownership of the bytes; the caller's buffer becomes the protected one, without a copy.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Gives the bytes away, unprotected.
    #[must_use]
    pub fn into_exposed(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0)
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretBytes(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let text = format!("{:?}", SecretString::from("hunter2"));
        assert_eq!(text, "SecretString(redacted)");
        let bytes = format!("{:?}", SecretBytes::from(b"hunter2".to_vec()));
        assert_eq!(bytes, "SecretBytes(redacted)");
    }

    #[test]
    fn secrets_are_equal_when_their_contents_are() {
        assert_eq!(SecretString::from("a"), SecretString::from("a"));
        assert_ne!(SecretString::from("a"), SecretString::from("b"));
        assert_ne!(SecretString::from("a"), SecretString::from("aa"));
        assert_eq!(SecretString::from("a").into_exposed(), "a");
        assert_ne!(SecretBytes::from(vec![1]), SecretBytes::from(vec![2]));
    }
}
