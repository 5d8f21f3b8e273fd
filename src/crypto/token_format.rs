//! The recognisable shape of credentials: `<prefix>_<43 base62>_<6 base62 checksum>`.
//!
//! The prefix names the kind, so that a leak is found by scanners and a mix-up is seen by people. The
//! checksum (CRC-32 of everything before the last underscore) lets garbage be refused without a look-up;
//! it is not a proof of anything. 43 characters of base62 carry 256 bits.

use zeroize::Zeroizing;

use crate::crypto::random::Random;
use crate::crypto::secret::SecretString;

/// The prefix of a client secret, unless the configuration names another.
pub const CLIENT_SECRET_PREFIX: &str = "gr_cs";
/// The prefix of an API key.
pub const API_KEY_PREFIX: &str = "gr_ak";
/// The prefix of a refresh token; its body is derived and longer than 43 characters.
pub const REFRESH_TOKEN_PREFIX: &str = "gr_rt";
/// The prefix of a token that is good for one use, in registration and reset links.
pub const ONE_TIME_PREFIX: &str = "gr_ot";
/// The prefix of a password that Grantor generated.
pub const GENERATED_PASSWORD_PREFIX: &str = "gr_pw";

const KINDS: [&str; 5] =
    [CLIENT_SECRET_PREFIX, API_KEY_PREFIX, REFRESH_TOKEN_PREFIX, ONE_TIME_PREFIX, GENERATED_PASSWORD_PREFIX];
const BODY_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Makes a new credential with a random body of 256 bits.
#[must_use]
pub fn mint(prefix: &str, random: &Random) -> SecretString {
    let body = SecretString::new(random.base62(BODY_LENGTH));
    let mut text = String::with_capacity(prefix.len() + BODY_LENGTH + CHECKSUM_LENGTH + 2);
    text.push_str(prefix);
    text.push('_');
    text.push_str(body.expose());
    append_checksum(&mut text);
    SecretString::new(text)
}

/// A credential whose body is these 256 bits, as a number in base62: the same one each time.
#[must_use]
pub fn derive(prefix: &str, bits: &[u8; 32]) -> SecretString {
    let mut rest = Zeroizing::new(*bits);
    // 62^43 exceeds 2^256, so 43 digits always suffice.
    let mut digits = Zeroizing::new([0; BODY_LENGTH]);
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0;
        for byte in rest.iter_mut() {
            let value = (remainder << 8) | usize::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            remainder = value % 62;
        }
        *digit = BASE62[remainder];
    }
    let mut text = String::with_capacity(prefix.len() + BODY_LENGTH + CHECKSUM_LENGTH + 2);
    text.push_str(prefix);
    text.push('_');
    text.extend(digits.iter().copied().map(char::from));
    append_checksum(&mut text);
    SecretString::new(text)
}

/// `text` with an underscore and its checksum appended, for bodies that are derived rather than random.
#[must_use]
pub fn seal_checksum(text: &str) -> String {
    let mut sealed = String::with_capacity(text.len() + CHECKSUM_LENGTH + 1);
    sealed.push_str(text);
    append_checksum(&mut sealed);
    sealed
}

/// Whether `text` ends in an underscore and the right checksum of what stands before it.
#[must_use]
pub fn has_checksum(text: &str) -> bool {
    split_checksum(text).is_some()
}

/// Whether `text` is `prefix`, an underscore, 43 base62 characters and the right checksum.
#[must_use]
pub fn is_well_formed(prefix: &str, text: &str) -> bool {
    split_checksum(text)
        .and_then(|before| before.strip_prefix(prefix)?.strip_prefix('_'))
        .is_some_and(|body| body.len() == BODY_LENGTH && body.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The prefix of the kind of credential that `text` is, when it starts with one of Grantor's own and its
/// checksum is right. The length of the body is not looked at: refresh tokens have a longer one.
#[must_use]
pub fn kind_of(text: &str) -> Option<&'static str> {
    let before = split_checksum(text)?;
    KINDS.into_iter().find(|kind| before.strip_prefix(kind).is_some_and(|rest| rest.len() > 1 && rest.starts_with('_')))
}

/// The kind whose prefix `text` has, whatever its checksum: for telling people what they have mistyped.
#[must_use]
pub fn likely_kind_of(text: &str) -> Option<&'static str> {
    KINDS.into_iter().find(|kind| text.strip_prefix(kind).is_some_and(|rest| rest.starts_with('_')))
}

fn split_checksum(text: &str) -> Option<&str> {
    let at = text.len().checked_sub(CHECKSUM_LENGTH + 1)?;
    let (before, tail) = text.split_at_checked(at)?;
    let presented = tail.strip_prefix('_')?;
    (presented.as_bytes() == checksum(before)).then_some(before)
}

fn append_checksum(text: &mut String) {
    let digits = checksum(text);
    text.push('_');
    text.extend(digits.map(char::from));
}

fn checksum(text: &str) -> [u8; CHECKSUM_LENGTH] {
    // 62^6 exceeds 2^32, so six digits always suffice; short values are padded with zeros on the left.
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_credential_has_the_published_shape() {
        let random = Random::seeded(3);
        for kind in KINDS {
            let minted = mint(kind, &random);
            let text = minted.expose();
            assert_eq!(text.len(), kind.len() + 1 + 43 + 1 + 6);
            assert!(is_well_formed(kind, text) && has_checksum(text));
            assert_eq!(kind_of(text), Some(kind));
        }
        let live = mint("sk_live", &random);
        assert!(is_well_formed("sk_live", live.expose()));
        assert!(!is_well_formed("sk", live.expose()));
        assert_eq!(kind_of(live.expose()), None);
    }

    #[test]
    fn a_derived_credential_is_its_bits_in_base62() {
        let body = |bits: &[u8; 32]| derive("gr_ot", bits).expose()[6..49].to_owned();
        assert_eq!(body(&[0; 32]), "0".repeat(43));
        let mut bits = [0; 32];
        // 62² + 2·62 + 3
        bits[30..].copy_from_slice(&3971_u16.to_be_bytes());
        assert_eq!(body(&bits), format!("{}123", "0".repeat(40)));
        let most = derive("gr_ot", &[255; 32]);
        assert!(is_well_formed("gr_ot", most.expose()));
        assert_ne!(body(&[255; 32]), body(&[254; 32]));
    }

    #[test]
    fn one_changed_character_is_noticed() {
        let text = mint(API_KEY_PREFIX, &Random::seeded(4)).into_exposed();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert!(!has_checksum(&String::from_utf8(bytes).unwrap()));
        }
    }

    #[test]
    fn garbage_is_refused_without_a_panic() {
        for text in ["", "_", "gr_ak", "gr_ak_000000", "ü_äöüß", "______ü", "é23456"] {
            assert!(!has_checksum(text), "{text}");
            assert!(kind_of(text).is_none());
            assert!(!is_well_formed("gr_ak", text));
        }
    }

    #[test]
    fn the_checksum_is_the_crc_32_in_base62() {
        // 0xCBF43926 is the check value of CRC-32 over these nine digits.
        assert_eq!(seal_checksum("123456789"), "123456789_3jZRME");
        // CRC-32 of the empty text is zero.
        assert_eq!(seal_checksum(""), "_000000");
    }
}
