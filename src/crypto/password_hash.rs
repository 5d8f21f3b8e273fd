//! How passwords are hashed: `base64(HMAC-SHA-256(pepper, password))` into bcrypt. The code has 44
//! characters, so that nothing is cut at bcrypt's 72 bytes, and no NUL, at which bcrypt would repeat itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::digest::DigestKey;
use crate::crypto::imported_hash::ImportedHash;
use crate::crypto::password::PasswordInput;
use crate::crypto::random::Random;
use crate::crypto::sealing::SealingKey;

/// The lowest cost that is accepted; meant for tests.
pub const MIN_COST: u32 = 4;
/// The highest cost that is accepted, about four seconds: a stored text cannot ask for hours of work.
pub const MAX_COST: u32 = 16;

/// How the stored text of an imported hash begins; what follows is sealed.
const IMPORTED: &str = "imported$1$";
/// What a sealed imported hash is, for the seal.
const IMPORTED_CONTEXT: &str = "imported password hash";

/// Hashes and verifies passwords. Each call takes the whole cost on the calling thread: run it in the
/// [`HashPool`](crate::crypto::hash_pool::HashPool).
#[derive(Clone)]
pub struct PasswordHasher {
    pepper: DigestKey,
    pepper_id: String,
    cost: u32,
    imports: Option<SealingKey>,
}

/// Why a password could not be hashed or compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    /// The stored text is not one that [`PasswordHasher::hash`] wrote.
    #[error("the stored password hash is malformed")]
    Malformed,
    /// The stored text was made with a pepper that this hasher lacks.
    #[error("the stored password hash needs pepper {0:?}, which is not the present one")]
    OtherPepper(String),
    /// The cost is outside 4 to 16.
    #[error("the cost of password hashing must be between 4 and 16, not {0}")]
    Cost(u32),
    /// A pepper's id is not 1 to 32 ASCII letters and digits.
    #[error("a pepper id has 1 to 32 ASCII letters and digits")]
    PepperId,
    /// The library failed, which only a lack of randomness explains.
    #[error("the password could not be hashed")]
    Failed,
}

impl PasswordHasher {
    /// A hasher with the pepper's key, its id as stored, and bcrypt's cost (base-2 logarithm of rounds).
    ///
    /// # Errors
    ///
    /// [`PasswordHashError::Cost`] outside [`MIN_COST`] to [`MAX_COST`], and [`PasswordHashError::PepperId`].
    pub fn new(pepper: DigestKey, pepper_id: impl Into<String>, cost: u32) -> Result<Self, PasswordHashError> {
        let pepper_id = pepper_id.into();
        if !is_pepper_id(&pepper_id) {
            return Err(PasswordHashError::PepperId);
        }
        if !(MIN_COST..=MAX_COST).contains(&cost) {
            return Err(PasswordHashError::Cost(cost));
        }
        Ok(Self { pepper, pepper_id, cost, imports: None })
    }

    /// The same hasher, which also knows the hashes that were imported: they are sealed with this key.
    #[must_use]
    pub fn with_imports(self, sealing: SealingKey) -> Self {
        Self { imports: Some(sealing), ..self }
    }

    /// The text to store for a hash that another program made. It is sealed: until its owner signs in, it is
    /// neither peppered nor of our cost, and the database alone must not be enough to try words on it.
    ///
    /// # Errors
    ///
    /// [`PasswordHashError::Failed`] without [`PasswordHasher::with_imports`], or when the library fails.
    pub fn import(&self, hash: &ImportedHash, random: &Random) -> Result<String, PasswordHashError> {
        let key = self.imports.as_ref().ok_or(PasswordHashError::Failed)?;
        let sealed = key.seal(IMPORTED_CONTEXT, hash.expose().as_bytes(), random);
        Ok(format!("{IMPORTED}{}", sealed.map_err(|_| PasswordHashError::Failed)?))
    }

    /// The text to store: `grantor$1$p=<pepper id>$`, followed by bcrypt's own `$2b$<cost>$…`.
    ///
    /// # Errors
    ///
    /// [`PasswordHashError::Failed`] when the operating system gives no randomness for the salt.
    pub fn hash(&self, password: &PasswordInput) -> Result<String, PasswordHashError> {
        let hash = bcrypt::non_truncating_hash(self.peppered(password.expose()).as_str(), self.cost)
            .map_err(|_| PasswordHashError::Failed)?;
        Ok(format!("grantor$1$p={}${hash}", self.pepper_id))
    }

    /// Whether `password` is the one behind `stored`. It costs what is set now, or what was stored where that is
    /// more: an account whose hash is of an earlier, lower cost takes no less time than one that does not exist.
    ///
    /// # Errors
    ///
    /// When `stored` is of another shape, asks for a cost out of range, or was made with another pepper.
    pub fn verify(&self, password: &PasswordInput, stored: &str) -> Result<bool, PasswordHashError> {
        if let Some(sealed) = stored.strip_prefix(IMPORTED) {
            return self.verify_imported(password, sealed);
        }
        let stored = Stored::parse(stored)?;
        if stored.pepper_id != self.pepper_id {
            return Err(PasswordHashError::OtherPepper(stored.pepper_id.to_owned()));
        }
        let right = bcrypt::non_truncating_verify(self.peppered(password.expose()).as_str(), stored.bcrypt)
            .map_err(|_| PasswordHashError::Malformed)?;
        // 2^c + 2^c + 2^(c+1) + … up to the present cost: one hash at each cost between makes up the difference.
        for cost in stored.cost..self.cost {
            self.burn_at(cost);
        }
        Ok(right)
    }

    /// A bcrypt of another program is brought up to our cost, as an earlier one of ours is. The others cost what they
    /// cost, and one bcrypt: of the new hash where the password is right, for nothing where it is wrong.
    fn verify_imported(&self, password: &PasswordInput, sealed: &str) -> Result<bool, PasswordHashError> {
        let malformed = PasswordHashError::Malformed;
        let key = self.imports.as_ref().ok_or(malformed.clone())?;
        let text = key.open(IMPORTED_CONTEXT, sealed).map_err(|_| malformed.clone())?;
        let text = std::str::from_utf8(text.expose()).map_err(|_| malformed.clone())?;
        let hash = ImportedHash::parse(text).map_err(|_| malformed)?;
        let right = hash.verify(password);
        match hash.bcrypt_cost() {
            Some(cost) => (cost..self.cost).for_each(|cost| self.burn_at(cost)),
            None if !right => self.burn(),
            None => {}
        }
        Ok(right)
    }

    /// Whether `stored` should be made anew at the next sign-in: lower cost, other pepper, other shape,
    /// imported.
    #[must_use]
    pub fn needs_rehash(&self, stored: &str) -> bool {
        !Stored::parse(stored).is_ok_and(|stored| stored.cost >= self.cost && stored.pepper_id == self.pepper_id)
    }

    /// The work of one [`PasswordHasher::verify`] at the present cost, for users who do not exist: so
    /// that the time does not tell them from those who do.
    pub fn burn(&self) {
        self.burn_at(self.cost);
    }

    fn burn_at(&self, cost: u32) {
        let code = self.peppered("nobody's password");
        let hash = bcrypt::non_truncating_hash_with_salt(code.as_str(), cost, [0; 16]);
        // The result is of no use, and the compiler must not conclude that the work is not either.
        let _ = std::hint::black_box(hash);
    }

    fn peppered(&self, password: &str) -> Zeroizing<String> {
        let mut code = self.pepper.mac(&[password.as_bytes()]);
        let text = STANDARD.encode(code);
        code.zeroize();
        Zeroizing::new(text)
    }
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PasswordHasher")
            .field("pepper_id", &self.pepper_id)
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

struct Stored<'a> {
    pepper_id: &'a str,
    bcrypt: &'a str,
    cost: u32,
}

impl<'a> Stored<'a> {
    fn parse(stored: &'a str) -> Result<Self, PasswordHashError> {
        let (pepper_id, bcrypt) = stored
            .strip_prefix("grantor$1$p=")
            .and_then(|rest| rest.split_once('$'))
            .filter(|(pepper_id, _)| is_pepper_id(pepper_id))
            .ok_or(PasswordHashError::Malformed)?;
        let parts: bcrypt::HashParts = bcrypt.parse().map_err(|_| PasswordHashError::Malformed)?;
        let cost = parts.get_cost();
        if !(MIN_COST..=MAX_COST).contains(&cost) {
            return Err(PasswordHashError::Cost(cost));
        }
        Ok(Self { pepper_id, bcrypt, cost })
    }
}

fn is_pepper_id(id: &str) -> bool {
    (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(raw: &str) -> PasswordInput {
        PasswordInput::parse(raw).unwrap()
    }

    fn hasher(pepper: u8, cost: u32) -> PasswordHasher {
        PasswordHasher::new(DigestKey::new([pepper; 32]), pepper.to_string(), cost).unwrap()
    }

    #[test]
    fn a_hash_verifies_its_own_password_only() {
        let hasher = hasher(1, 4);
        let stored = hasher.hash(&input("abc")).unwrap();
        assert!(stored.starts_with("grantor$1$p=1$$2b$04$"), "{stored}");
        assert_eq!(hasher.verify(&input("abc"), &stored), Ok(true));
        assert_eq!(hasher.verify(&input("abd"), &stored), Ok(false));
        let (one, other) = ("x".repeat(72), "x".repeat(73));
        let long = hasher.hash(&input(&one)).unwrap();
        assert_eq!(hasher.verify(&input(&other), &long), Ok(false));
        hasher.burn();
    }

    #[test]
    fn a_stored_hash_is_renewed_for_cost_or_pepper() {
        let stored = hasher(1, 5).hash(&input("abc")).unwrap();
        assert!(!hasher(1, 5).needs_rehash(&stored) && !hasher(1, 4).needs_rehash(&stored));
        assert!(hasher(1, 6).needs_rehash(&stored) && hasher(2, 5).needs_rehash(&stored));
        let other = hasher(2, 5).verify(&input("abc"), &stored);
        assert_eq!(other, Err(PasswordHashError::OtherPepper("1".to_owned())));
    }

    #[test]
    fn a_stored_text_cannot_ask_for_hours_of_work() {
        let stored = hasher(1, 4).hash(&input("abc")).unwrap();
        let costly = stored.replace("$2b$04$", "$2b$31$");
        let refused = hasher(1, 4).verify(&input("abc"), &costly);
        assert_eq!(refused, Err(PasswordHashError::Cost(31)));
        for text in ["", "grantor$1$p=1$", "grantor$2$p=1$x", "$2b$04$", &stored[..70]] {
            let refused = hasher(1, 4).verify(&input("abc"), text);
            assert_eq!(refused, Err(PasswordHashError::Malformed), "{text}");
        }
        assert!(PasswordHasher::new(DigestKey::new([1; 32]), "a$b", 4).is_err());
        assert!(PasswordHasher::new(DigestKey::new([1; 32]), "1", 17).is_err());
    }
}
