//! Password hashes that another program made. They verify until their owner signs in; then ours takes their place.
//!
//! Read here and nowhere else: the text names its own cost, so the cost is bounded before it is worked.

use std::fmt;
use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::crypto::password::PasswordInput;
use crate::crypto::secret::SecretString;

/// The highest cost of bcrypt that is taken in: about two seconds.
pub const MAX_BCRYPT_COST: u32 = 15;
/// The most iterations of PBKDF2 that are taken in.
pub const MAX_PBKDF2_ITERATIONS: u32 = 5_000_000;
/// The most memory of Argon2 that is taken in, in KiB: each hashing thread takes as much.
pub const MAX_ARGON2_MEMORY: u32 = 256 * 1024;
/// The most memory times passes of Argon2, in KiB: some two seconds.
const MAX_ARGON2_WORK: u64 = 2 * 1024 * 1024;

/// A hash that can be verified: its format is known, its cost within bounds.
#[derive(Clone)]
pub struct ImportedHash {
    text: SecretString,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Bcrypt { cost: u32 },
    Argon2 { algorithm: Algorithm, version: Version, params: Params, salt: Vec<u8>, hash: Vec<u8> },
    Pbkdf2 { sha512: bool, iterations: NonZeroU32, salt: Vec<u8>, hash: Vec<u8> },
}

/// Why a text is no hash that can be imported. It never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportedHashError {
    /// Another format.
    #[error("is none of the known formats: $2b$ (bcrypt), $argon2id$, $pbkdf2-sha256$, $pbkdf2-sha512$")]
    UnknownFormat,
    /// A format that is known, and a text that does not follow it.
    #[error("is not a well-formed {0} hash")]
    Malformed(&'static str),
    /// It asks for more work than a sign-in may cost.
    #[error("asks for too much work: {0}")]
    TooCostly(String),
}

impl ImportedHash {
    /// Reads a PHC string, `$2a$`, `$2b$` or `$2y$` of bcrypt, or the form that Python's passlib gives PBKDF2.
    ///
    /// # Errors
    ///
    /// [`ImportedHashError`] says what is wrong without repeating the text.
    pub fn parse(text: &str) -> Result<Self, ImportedHashError> {
        let parts: Vec<&str> = text.split('$').collect();
        let kind = match *parts.as_slice() {
            ["", "2a" | "2b" | "2y", ..] => bcrypt_of(text)?,
            ["", name @ ("argon2id" | "argon2i" | "argon2d"), version, params, salt, hash] => {
                argon2_of(name, version, params, salt, hash)?
            }
            ["", name @ ("argon2id" | "argon2i" | "argon2d"), params, salt, hash] => {
                // Version 1.0 is what a text without a version means.
                argon2_of(name, "v=16", params, salt, hash)?
            }
            ["", "argon2id" | "argon2i" | "argon2d", ..] => return Err(ImportedHashError::Malformed("Argon2")),
            ["", name @ ("pbkdf2-sha256" | "pbkdf2-sha512"), params, salt, hash] => {
                pbkdf2_of(name == "pbkdf2-sha512", params, salt, hash)?
            }
            ["", "pbkdf2-sha256" | "pbkdf2-sha512", ..] => return Err(ImportedHashError::Malformed("PBKDF2")),
            _ => return Err(ImportedHashError::UnknownFormat),
        };
        Ok(Self { text: SecretString::from(text), kind })
    }

    /// The text. Every call is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What made it, for the audit.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match &self.kind {
            Kind::Bcrypt { .. } => "bcrypt",
            Kind::Argon2 { algorithm, .. } => algorithm.as_str(),
            Kind::Pbkdf2 { sha512: true, .. } => "pbkdf2-sha512",
            Kind::Pbkdf2 { sha512: false, .. } => "pbkdf2-sha256",
        }
    }

    /// The cost, where it is one of bcrypt.
    #[must_use]
    pub fn bcrypt_cost(&self) -> Option<u32> {
        match self.kind {
            Kind::Bcrypt { cost } => Some(cost),
            Kind::Argon2 { .. } | Kind::Pbkdf2 { .. } => None,
        }
    }

    /// Whether `password` is the one behind it. Takes the whole cost on the calling thread.
    #[must_use]
    pub fn verify(&self, password: &PasswordInput) -> bool {
        let password = password.expose().as_bytes();
        match &self.kind {
            // The program that made it may have cut the password at 72 bytes, as most do. A PasswordInput has no NUL.
            Kind::Bcrypt { .. } => bcrypt::verify(password, self.text.expose()).unwrap_or(false),
            Kind::Argon2 { algorithm, version, params, salt, hash } => {
                let mut made = Zeroizing::new(vec![0; hash.len()]);
                let argon2 = Argon2::new(*algorithm, *version, params.clone());
                argon2.hash_password_into(password, salt, &mut made).is_ok() && bool::from(made.ct_eq(hash))
            }
            Kind::Pbkdf2 { sha512, iterations, salt, hash } => {
                let algorithm = if *sha512 { pbkdf2::PBKDF2_HMAC_SHA512 } else { pbkdf2::PBKDF2_HMAC_SHA256 };
                pbkdf2::verify(algorithm, *iterations, salt, password, hash).is_ok()
            }
        }
    }
}

impl fmt::Debug for ImportedHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ImportedHash").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

fn bcrypt_of(text: &str) -> Result<Kind, ImportedHashError> {
    let malformed = ImportedHashError::Malformed("bcrypt");
    let parts: bcrypt::HashParts = text.parse().map_err(|_| malformed.clone())?;
    let cost = parts.get_cost();
    if cost < 4 {
        return Err(malformed);
    }
    if cost > MAX_BCRYPT_COST {
        return Err(ImportedHashError::TooCostly(format!("bcrypt's cost is {MAX_BCRYPT_COST} at most, not {cost}")));
    }
    Ok(Kind::Bcrypt { cost })
}

fn argon2_of(name: &str, version: &str, params: &str, salt: &str, hash: &str) -> Result<Kind, ImportedHashError> {
    let malformed = || ImportedHashError::Malformed("Argon2");
    let algorithm = Algorithm::new(name).map_err(|_| malformed())?;
    let version = version.strip_prefix("v=").and_then(|number| number.parse::<u32>().ok()).ok_or_else(malformed)?;
    let version = Version::try_from(version).map_err(|_| malformed())?;
    let (mut memory, mut passes, mut lanes) = (None, None, None);
    for (name, value) in pairs(params).ok_or_else(malformed)? {
        let place = match name {
            "m" => &mut memory,
            "t" => &mut passes,
            "p" => &mut lanes,
            _ => return Err(malformed()),
        };
        *place = Some(value);
    }
    let (Some(memory), Some(passes), Some(lanes)) = (memory, passes, lanes) else { return Err(malformed()) };
    if memory > MAX_ARGON2_MEMORY {
        return Err(ImportedHashError::TooCostly(format!(
            "Argon2's memory is {MAX_ARGON2_MEMORY} KiB at most, not {memory}"
        )));
    }
    if u64::from(memory) * u64::from(passes) > MAX_ARGON2_WORK {
        return Err(ImportedHashError::TooCostly(format!(
            "Argon2's memory times passes is {MAX_ARGON2_WORK} KiB at most"
        )));
    }
    let (salt, hash) = (bytes(salt, 8..=64).ok_or_else(malformed)?, bytes(hash, 16..=64).ok_or_else(malformed)?);
    let params = Params::new(memory, passes, lanes, Some(hash.len())).map_err(|_| malformed())?;
    Ok(Kind::Argon2 { algorithm, version, params, salt, hash })
}

fn pbkdf2_of(sha512: bool, params: &str, salt: &str, hash: &str) -> Result<Kind, ImportedHashError> {
    let malformed = || ImportedHashError::Malformed("PBKDF2");
    // passlib writes the number alone, and `.` for `+`.
    let iterations = match params.parse::<u32>() {
        Ok(iterations) => Some(iterations),
        Err(_) => {
            let pairs = pairs(params).ok_or_else(malformed)?;
            pairs.into_iter().find_map(|(name, value)| (name == "i").then_some(value))
        }
    };
    let iterations = iterations.and_then(NonZeroU32::new).ok_or_else(malformed)?;
    if iterations.get() > MAX_PBKDF2_ITERATIONS {
        return Err(ImportedHashError::TooCostly(format!(
            "PBKDF2 has {MAX_PBKDF2_ITERATIONS} iterations at most, not {iterations}"
        )));
    }
    let bytes = |text: &str, length| bytes(&text.replace('.', "+"), length).ok_or_else(malformed);
    Ok(Kind::Pbkdf2 { sha512, iterations, salt: bytes(salt, 1..=128)?, hash: bytes(hash, 16..=64)? })
}

/// `m=65536,t=3,p=4`.
fn pairs(params: &str) -> Option<Vec<(&str, u32)>> {
    params.split(',').map(|pair| pair.split_once('=').and_then(|(name, n)| Some((name, n.parse().ok()?)))).collect()
}

fn bytes(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<Vec<u8>> {
    let decoded = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    length.contains(&decoded.len()).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery staple";

    /// Made by Python: bcrypt 5, argon2-cffi 25, hashlib and passlib 1.7.
    const MADE_ELSEWHERE: &[(&str, &str)] = &[
        ("bcrypt", "$2b$05$dNx0l.zNJ6Se0kaJv4yPBexoFW.mu7YjKTUmQ6hv/KijBsVHrQnpm"),
        ("bcrypt", "$2a$04$r1LiZUPB9kxStNPOx19LYOBRHl7n7C0frZCyPvvlINCrsSy56tcWO"),
        (
            "argon2id",
            "$argon2id$v=19$m=1024,t=2,p=2$FVWA3Nv9Y4djvaab5pgO/w$q82lSbTtdMgBeS7tS3NP+frRFirA4MaOMU+KNt6iQPw",
        ),
        (
            "pbkdf2-sha256",
            "$pbkdf2-sha256$i=1000,l=32$AAECAwQFBgcICQoLDA0ODw$ppsXnjrdPB4KryJ6DrOqKqhkWrhv7PbKAMF1Eml8cZ4",
        ),
        (
            "pbkdf2-sha512",
            "$pbkdf2-sha512$i=1200,l=64$AAECAwQFBgcICQoLDA0ODw$M2uR36qUAonN+qbZnIaQcH+nzGlOUP3dxWX3hiNrDqru2m6/CghfFht4hJqmw+G5QyfBnLyDvQh+UCmjI1f6Lw",
        ),
        ("pbkdf2-sha256", "$pbkdf2-sha256$1100$KOXcm/M.ZwwBgNCacw5ByA$Zqd1KkOBa9BYaXit8vi6zizuzkItlqs2s7oMDMd9Wls"),
        (
            "pbkdf2-sha512",
            "$pbkdf2-sha512$1100$AYCQ8p5TihECAMB4j9E6Jw$08hLZXP8hkdhpWVFYBE2zbQZaNkM1vH4QQnpQjCpnGAz3XYaCMN/UlsBkzy4kGFAX.iWA5VZv0biM/ckJU38Ww",
        ),
    ];

    fn input(raw: &str) -> PasswordInput {
        PasswordInput::parse(raw).unwrap()
    }

    #[test]
    fn hashes_of_other_programs_verify_their_own_password_only() {
        for (algorithm, text) in MADE_ELSEWHERE {
            let hash = ImportedHash::parse(text).unwrap();
            assert_eq!((hash.algorithm(), hash.expose()), (*algorithm, *text));
            assert!(hash.verify(&input(PASSWORD)), "{text}");
            assert!(!hash.verify(&input("correct horse battery stapl")), "{text}");
            assert!(!format!("{hash:?}").contains(&text[20..]));
        }
    }

    #[test]
    fn a_bcrypt_hash_of_a_password_that_was_cut_at_72_bytes_verifies() {
        let hash = ImportedHash::parse("$2b$04$SxiOG26JaplunybE7Fa02.N8rOTuYHcRehKztq/LqTkW7PUTNvpp.").unwrap();
        assert!(hash.verify(&input(&format!("{} and a tail", "x".repeat(80)))));
        assert!(hash.verify(&input(&"x".repeat(72))));
        assert!(!hash.verify(&input(&"x".repeat(71))));
    }

    #[test]
    fn a_text_cannot_ask_for_more_work_than_a_sign_in_may_cost() {
        let [bcrypt, _, argon2, pbkdf2, ..] = MADE_ELSEWHERE else { panic!("fixtures") };
        for text in [
            bcrypt.1.replace("$05$", "$16$"),
            argon2.1.replace("m=1024", "m=262145"),
            argon2.1.replace("m=1024,t=2", "m=262144,t=9"),
            pbkdf2.1.replace("i=1000", "i=5000001"),
        ] {
            assert!(matches!(ImportedHash::parse(&text), Err(ImportedHashError::TooCostly(_))), "{text}");
        }
    }

    #[test]
    fn what_is_no_hash_of_a_known_format_is_refused() {
        for text in ["", "secret", "$1$abc$def", "$2x$05$dNx0l.zNJ6Se0kaJv4yPBexoFW.mu7YjKTUmQ6hv/KijBsVHrQnpm"] {
            assert_eq!(ImportedHash::parse(text).unwrap_err(), ImportedHashError::UnknownFormat, "{text}");
        }
        let [_, _, argon2, pbkdf2, ..] = MADE_ELSEWHERE else { panic!("fixtures") };
        for text in [
            "$2b$05$short".to_owned(),
            argon2.1.replace("m=1024,", ""),
            argon2.1.replace("p=2", "p=0"),
            argon2.1.replace("v=19", "v=20"),
            argon2.1[..60].to_owned(),
            pbkdf2.1.replace("i=1000", "i=0"),
            pbkdf2.1.replace("i=1000", "i=-1"),
            pbkdf2.1.replace("AAEC", "A*EC"),
            format!("{}$more", pbkdf2.1),
        ] {
            assert!(matches!(ImportedHash::parse(&text), Err(ImportedHashError::Malformed(_))), "{text}");
        }
    }
}
