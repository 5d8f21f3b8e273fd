//! The shape of what Grantor gives out: client secrets, API keys, generated passwords, one-time links, refresh tokens.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::crypto::digest::{Digest, DigestKey};
use grantor::crypto::token_format::{
    API_KEY_PREFIX, CLIENT_SECRET_PREFIX, GENERATED_PASSWORD_PREFIX, ONE_TIME_PREFIX, REFRESH_TOKEN_PREFIX, derive,
    has_checksum, is_well_formed, kind_of, likely_kind_of, seal_checksum,
};
use grantor::login::is_generated_shape;
use grantor::model::family::Family;
use grantor::model::scope::ScopeSet;
use grantor::model::time::Timestamp;
use grantor::oauth::tokens::refresh_token::RefreshToken;

const PREFIXES: [&str; 6] = [
    CLIENT_SECRET_PREFIX,
    API_KEY_PREFIX,
    REFRESH_TOKEN_PREFIX,
    ONE_TIME_PREFIX,
    GENERATED_PASSWORD_PREFIX,
    "gr_cs_test",
];

const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct Made {
    family: Family,
    key: DigestKey,
    tokens: Vec<String>,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let at = Timestamp::from_seconds(0);
    let family = Family {
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
    };
    let key = DigestKey::new([7; 32]);
    let token = |generation| RefreshToken::derive(&family, generation, &key).unwrap().into_exposed();
    let tokens = [1, 2, 255, 256, i64::from(u32::MAX)].map(token).to_vec();
    Made { family, key, tokens }
});

/// The input is a credential; what stands in one before its checksum; the bits behind one; the bytes of a refresh token;
/// and what is done to a real one.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        look_at(text);
        let sealed = seal_checksum(text);
        assert!(has_checksum(&sealed) && sealed.len() == text.len() + 7);
        look_at(&sealed);
        for prefix in PREFIXES {
            look_at(&seal_checksum(&format!("{prefix}_{text}")));
        }
        if let Some(digest) = Digest::from_text(text) {
            assert_eq!(digest.to_text(), text);
        }
    }
    derived(data);
    refresh_token_of(data);
    changed(data);
}

/// Prefix, checksum and length say the same, whoever asks.
fn look_at(text: &str) {
    if let Some(kind) = kind_of(text) {
        assert!(has_checksum(text) && likely_kind_of(text) == Some(kind) && text.starts_with(kind));
    }
    if has_checksum(text) {
        let (before, tail) = text.split_at(text.len() - 7);
        assert_eq!(seal_checksum(before), text);
        assert!(tail.strip_prefix('_').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_alphanumeric())));
        let last = if text.ends_with('0') { '1' } else { '0' };
        assert!(!has_checksum(&format!("{}{last}", &text[..text.len() - 1])));
    } else {
        assert!(RefreshToken::parse(text).is_none());
    }
    let shapes: Vec<&str> = PREFIXES.into_iter().filter(|prefix| is_well_formed(prefix, text)).collect();
    assert!(shapes.len() <= 1, "two kinds have one text: {shapes:?}");
    for prefix in shapes {
        let body = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).expect("its prefix");
        assert!(has_checksum(text) && body.len() == 43 + 7);
        assert!(body[..43].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(kind_of(text).is_some_and(|kind| prefix.starts_with(kind)));
    }
    assert_eq!(is_generated_shape(text), is_well_formed(GENERATED_PASSWORD_PREFIX, text));
    if let Some(token) = RefreshToken::parse(text) {
        assert!(text.len() == 6 + 72 + 7 && kind_of(text) == Some(REFRESH_TOKEN_PREFIX));
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
        assert!(u32::try_from(token.generation()).is_ok());
        assert!(uuid::Uuid::parse_str(&token.family_id()).is_ok_and(|id| id.to_string() == token.family_id()));
        // Whatever family it names, it is good for none that did not make it.
        let family = Family { id: token.family_id(), ..MADE.family.clone() };
        let made = RefreshToken::derive(&family, token.generation(), &MADE.key).expect("a refresh token");
        assert_eq!(token.is_of(&family, &MADE.key), made.expose() == text);
    }
}

/// A credential that is derived from bits is those bits, and can be read back.
fn derived(data: &[u8]) {
    let mut bits = [0; 32];
    let length = data.len().min(32);
    bits[..length].copy_from_slice(&data[..length]);
    let made = derive(ONE_TIME_PREFIX, &bits);
    assert!(is_well_formed(ONE_TIME_PREFIX, made.expose()));
    let mut back = [0_u8; 32];
    for digit in made.expose()[6..49].chars() {
        let mut carry = BASE62.find(digit).expect("a digit of base62");
        for byte in back.iter_mut().rev() {
            carry += usize::from(*byte) * 62;
            *byte = (carry % 256) as u8;
            carry /= 256;
        }
        assert_eq!(carry, 0);
    }
    assert_eq!(back, bits);
}

/// Bytes of the right length are a refresh token in form, whatever they are; no others.
fn refresh_token_of(data: &[u8]) {
    let bytes = [&[0, 1], data].concat();
    let text = seal_checksum(&format!("{REFRESH_TOKEN_PREFIX}_{}", URL_SAFE_NO_PAD.encode(&bytes)));
    look_at(&text);
    let Some(token) = RefreshToken::parse(&text) else {
        assert_ne!(bytes.len(), 54);
        return;
    };
    assert_eq!(bytes.len(), 54);
    assert_eq!(
        token.family_id().replace('-', ""),
        bytes[2..18].iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    );
    assert_eq!(token.generation(), bytes[18..22].iter().fold(0, |number, byte| number * 256 + i64::from(*byte)));
}

/// A real one that was changed is none, though its checksum be made to fit.
fn changed(data: &[u8]) {
    let Some((which, changes)) = data.split_first() else { return };
    let made = &MADE.tokens[usize::from(*which) % MADE.tokens.len()];
    let mut bytes = made.as_bytes()[..made.len() - 7].to_vec();
    for change in changes.chunks_exact(2).take(8) {
        let at = usize::from(change[0]) % bytes.len();
        bytes[at] = change[1];
    }
    let Ok(before) = String::from_utf8(bytes) else { return };
    let text = seal_checksum(&before);
    look_at(&text);
    let is_good = RefreshToken::parse(&text)
        .is_some_and(|token| token.family_id() == MADE.family.id && token.is_of(&MADE.family, &MADE.key));
    assert_eq!(is_good, MADE.tokens.contains(&text), "{text}");
}
