//! Refresh tokens: derived from their family's row, never stored.
//!
//! `gr_rt_` and the base64url of key id (2 bytes) ‖ family id (16) ‖ generation (4) ‖ MAC (32), then the checksum.
//! The MAC is HMAC-SHA-256 over family id, generation and the family's salt, under a key that the database holds
//! sealed: forging one takes the master key and the database.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::crypto::digest::{DigestKey, constant_time_eq};
use crate::crypto::secret::SecretString;
use crate::crypto::token_format::{REFRESH_TOKEN_PREFIX, has_checksum, seal_checksum};
use crate::model::family::Family;

const KEY_ID: u16 = 1;
const BYTES: usize = 2 + 16 + 4 + 32;

/// A refresh token that is well formed; whether it is good takes its family ([`RefreshToken::is_of`]).
#[derive(Clone)]
pub struct RefreshToken {
    family: Uuid,
    generation: u32,
    mac: [u8; 32],
}

impl RefreshToken {
    /// Reads a presented text. Garbage is told by the checksum, without a look-up.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(REFRESH_TOKEN_PREFIX)?.strip_prefix('_')?;
        if !has_checksum(text) {
            return None;
        }
        let mut bytes = [0; BYTES];
        let encoded = body.get(..body.len().checked_sub(7)?)?;
        if URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes) != Ok(BYTES) {
            return None;
        }
        let (key_id, rest) = bytes.split_first_chunk::<2>()?;
        let (family, rest) = rest.split_first_chunk::<16>()?;
        let (generation, mac) = rest.split_first_chunk::<4>()?;
        (u16::from_be_bytes(*key_id) == KEY_ID).then_some(())?;
        Some(Self {
            family: Uuid::from_bytes(*family),
            generation: u32::from_be_bytes(*generation),
            mac: mac.try_into().ok()?,
        })
    }

    /// The id of the family that it claims to be of.
    #[must_use]
    pub fn family_id(&self) -> String {
        self.family.to_string()
    }

    /// Its place in the chain.
    #[must_use]
    pub fn generation(&self) -> i64 {
        i64::from(self.generation)
    }

    /// Whether the family really made it, in this or an earlier generation.
    #[must_use]
    pub fn is_of(&self, family: &Family, key: &DigestKey) -> bool {
        mac_of(self.family, self.generation, &family.salt, key).is_some_and(|mac| constant_time_eq(&mac, &self.mac))
    }

    /// Derives the refresh token of a generation; the same one each time. `None` if the family's id or the
    /// generation is none that this program makes.
    #[must_use]
    pub fn derive(family: &Family, generation: i64, key: &DigestKey) -> Option<SecretString> {
        let id = Uuid::parse_str(&family.id).ok()?;
        let generation = u32::try_from(generation).ok()?;
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&KEY_ID.to_be_bytes());
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&generation.to_be_bytes());
        bytes.extend_from_slice(&mac_of(id, generation, &family.salt, key)?);
        let text = format!("{REFRESH_TOKEN_PREFIX}_{}", URL_SAFE_NO_PAD.encode(bytes));
        Some(SecretString::new(seal_checksum(&text)))
    }
}

fn mac_of(family: Uuid, generation: u32, salt: &str, key: &DigestKey) -> Option<[u8; 32]> {
    // An empty salt is no family of ours.
    (!salt.is_empty())
        .then(|| key.mac(&[b"refresh token", family.as_bytes(), &generation.to_be_bytes(), salt.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scope::ScopeSet;
    use crate::model::time::Timestamp;

    fn family() -> Family {
        let at = Timestamp::from_seconds(0);
        Family {
            id: "0199a0c8-0000-7000-8000-000000000001".to_owned(),
            client_id: "c".to_owned(),
            user_id: "u".to_owned(),
            scope: ScopeSet::default(),
            audience: Vec::new(),
            salt: "salt".to_owned(),
            generation: 1,
            auth_time: at,
            rotated_at: at,
            idle_expires_at: at,
            absolute_expires_at: at,
            revoked_at: None,
        }
    }

    #[test]
    fn the_same_generation_is_derived_the_same_again() {
        let key = DigestKey::new([7; 32]);
        let first = RefreshToken::derive(&family(), 3, &key).unwrap();
        let again = RefreshToken::derive(&family(), 3, &key).unwrap();
        assert_eq!(first, again);
        let parsed = RefreshToken::parse(first.expose()).unwrap();
        assert_eq!((parsed.family_id(), parsed.generation()), (family().id, 3));
        assert!(parsed.is_of(&family(), &key));
    }

    #[test]
    fn a_token_of_another_key_or_salt_or_with_a_changed_bit_is_not_of_the_family() {
        let key = DigestKey::new([7; 32]);
        let token = RefreshToken::derive(&family(), 3, &key).unwrap();
        let parsed = RefreshToken::parse(token.expose()).unwrap();
        assert!(!parsed.is_of(&family(), &DigestKey::new([8; 32])));
        assert!(!parsed.is_of(&Family { salt: "other".to_owned(), ..family() }, &key));
        assert!(!RefreshToken { generation: 4, ..parsed.clone() }.is_of(&family(), &key));
        for index in 0..token.expose().len() {
            let mut changed = token.expose().as_bytes().to_vec();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(RefreshToken::parse(&changed).is_none(), "{index}");
        }
    }

    #[test]
    fn a_refresh_token_is_url_safe() {
        let token = RefreshToken::derive(&family(), 1, &DigestKey::new([7; 32])).unwrap();
        assert!(token.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
    }
}
