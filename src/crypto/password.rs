//! Passwords: what people type, and what is too weak to keep. The pipeline is a type: no NUL, 256 code
//! points at most, NFC; only such a [`PasswordInput`] can be hashed.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

pub use crate::crypto::password_hash::{MAX_COST, MIN_COST, PasswordHashError, PasswordHasher};
use crate::crypto::random::Random;
use crate::crypto::secret::SecretString;
use crate::crypto::token_format::{self, GENERATED_PASSWORD_PREFIX};

/// The longest password, in code points.
pub const MAX_PASSWORD_LENGTH: usize = 256;

static COMMON_PASSWORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// A password as presented: not empty, without NUL, of 256 code points at most, in Unicode's NFC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordInput(SecretString);

/// Why a text cannot be anybody's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordInputError {
    /// There is no text.
    #[error("the password is empty")]
    Empty,
    /// The text contains U+0000.
    #[error("the password contains a NUL character")]
    Nul,
    /// The text is longer than any password may be.
    #[error("the password is longer than 256 characters")]
    TooLong,
}

impl PasswordInput {
    /// Checks and normalizes what was typed; two ways of writing one character become the same.
    ///
    /// # Errors
    ///
    /// [`PasswordInputError`] names the rule that was broken; a long text is not read to its end.
    pub fn parse(raw: &str) -> Result<Self, PasswordInputError> {
        if raw.is_empty() {
            return Err(PasswordInputError::Empty);
        }
        if raw.chars().nth(MAX_PASSWORD_LENGTH).is_some() {
            return Err(PasswordInputError::TooLong);
        }
        if raw.contains('\0') {
            return Err(PasswordInputError::Nul);
        }
        // NFC triples UTF-8 at most: the buffer never moves and leaves no copy behind.
        let mut normalized = String::with_capacity(raw.len() * 3);
        normalized.extend(raw.nfc());
        Ok(Self(SecretString::new(normalized)))
    }

    /// The normalized text. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// What a new password must fulfil: a length, and not to be among the common ones. There are no
/// composition rules (NIST SP 800-63B-4 §3.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The shortest new password, in code points.
    pub min_length: usize,
}

/// Why a new password is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It has fewer code points than the policy asks for.
    #[error("the password needs at least {min_length} characters")]
    TooShort {
        /// The policy's minimum, in code points.
        min_length: usize,
    },
    /// Normalization made it longer than any password may be.
    #[error("the password is longer than 256 characters")]
    TooLong,
    /// It is in the bundled list.
    #[error("the password is a common one that attackers try first")]
    Common,
}

impl PasswordPolicy {
    /// Checks a password that is about to be set. Sign-in does not ask: a password that was set under an
    /// older policy still works.
    ///
    /// # Errors
    ///
    /// [`WeakPassword`] names the first rule that was broken.
    pub fn check_new(&self, password: &PasswordInput) -> Result<(), WeakPassword> {
        let length = password.expose().chars().count();
        if length < self.min_length {
            let min_length = self.min_length;
            return Err(WeakPassword::TooShort { min_length });
        }
        if length > MAX_PASSWORD_LENGTH {
            return Err(WeakPassword::TooLong);
        }
        let lowercase = Zeroizing::new(password.expose().to_lowercase());
        if COMMON_PASSWORDS.contains(lowercase.as_str()) {
            return Err(WeakPassword::Common);
        }
        Ok(())
    }
}

/// A password that nobody chose: 256 random bits in the recognisable format, prefix `gr_pw`.
#[must_use]
pub fn generate_password(random: &Random) -> SecretString {
    token_format::mint(GENERATED_PASSWORD_PREFIX, random)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(raw: &str) -> PasswordInput {
        PasswordInput::parse(raw).unwrap()
    }

    #[test]
    fn what_cannot_be_a_password_is_refused_at_the_door() {
        assert_eq!(PasswordInput::parse(""), Err(PasswordInputError::Empty));
        assert_eq!(PasswordInput::parse("a\0b"), Err(PasswordInputError::Nul));
        let longest = "ü".repeat(256);
        assert!(PasswordInput::parse(&longest).is_ok());
        let longer = PasswordInput::parse(&format!("{longest}x"));
        assert_eq!(longer, Err(PasswordInputError::TooLong));
    }

    #[test]
    fn two_ways_of_writing_one_character_are_the_same_password() {
        assert_eq!(input("e\u{301}"), input("\u{e9}"));
        // One of the characters that NFC makes three times as long.
        assert_eq!(input("\u{1d160}").expose().chars().count(), 3);
    }

    #[test]
    fn a_new_password_is_long_enough_and_not_a_common_one() {
        let policy = PasswordPolicy { min_length: 15 };
        let check = |raw: &str| policy.check_new(&input(raw));
        assert_eq!(check("violet trombone 7"), Ok(()));
        let too_short = WeakPassword::TooShort { min_length: 15 };
        assert_eq!(check("fourteen chars"), Err(too_short));
        assert_eq!(check("PasswordPassword"), Err(WeakPassword::Common));
        assert_eq!(check("aaaaaaaaaaaaaaa"), Err(WeakPassword::Common));
        assert_eq!(check(&"\u{1d160}".repeat(100)), Err(WeakPassword::TooLong));
    }

    #[test]
    fn the_bundled_list_is_lower_case_and_normalized() {
        assert!(COMMON_PASSWORDS.len() >= 300);
        for common in COMMON_PASSWORDS.iter() {
            assert_eq!(input(&common.to_lowercase()).expose(), *common);
        }
    }
}
