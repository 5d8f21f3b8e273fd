//! Access tokens: the verifier, with a ring of keys of three algorithms and one that was removed.

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor::crypto::random::Random;
use grantor::crypto::sealing::SealingKey;
use grantor::crypto::secret::SecretBytes;
use grantor::crypto::signing::{SigningAlgorithm, SigningKeyPair};
use grantor::model::time::Timestamp;
use grantor::oauth::keys::{KeyRing, TokenType, install, seal_key};
use grantor::oauth::tokens::access_token::{AccessClaims, Epochs};
use grantor::oauth::tokens::verifier::{Invalid, Verified, VerifiedTokens};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

const TYP: &str = TokenType::AccessToken.as_str();
const ISSUER: &str = "https://id.example.com";
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// PKCS#8 of a key of P-256 and of Ed25519 (RFC 5208, RFC 5915, RFC 8410), up to its 32 bytes.
const P256: [u8; 35] = [
    0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3,
    1, 7, 4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20,
];
const ED25519: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A key, and an access token that it signed.
struct Signer {
    pair: SigningKeyPair,
    is_removed: bool,
    header: String,
    claims: AccessClaims<'static>,
    token: String,
}

struct Setup {
    ring: KeyRing,
    signers: Vec<Signer>,
    /// As the server has it: what was verified is remembered.
    verified: VerifiedTokens,
}

static SETUP: LazyLock<Setup> = LazyLock::new(|| {
    install();
    // Keys that are the same in every process, so that an input means the same.
    let (sealing, random) = (SealingKey::new([1; 32]), Random::seeded(1));
    let key = |algorithm, pkcs8: Vec<u8>, is_removed: bool| {
        let pkcs8 = SecretBytes::new(pkcs8);
        let pair = SigningKeyPair::from_pkcs8(algorithm, pkcs8.expose()).expect("a key");
        let mut stored = seal_key(&pair, &pkcs8, &sealing, &random, Timestamp::from_seconds(0)).expect("a sealed key");
        stored.times.removed_at = is_removed.then_some(NOW);
        (Signer::new(pair, is_removed), stored)
    };
    let (signers, stored) = [
        key(SigningAlgorithm::Es256, [&P256[..], &[1; 32]].concat(), false),
        key(SigningAlgorithm::EdDsa, [&ED25519[..], &[2; 32]].concat(), false),
        key(SigningAlgorithm::Rs256, include_bytes!("../keys/rsa.pkcs8").to_vec(), false),
        key(SigningAlgorithm::EdDsa, [&ED25519[..], &[3; 32]].concat(), true),
    ]
    .into_iter()
    .unzip::<_, _, Vec<_>, Vec<_>>();
    let ring = KeyRing::open(&Arc::new(stored), &sealing).expect("a ring");
    let setup = Setup { ring, signers, verified: VerifiedTokens::default() };
    for signer in &setup.signers {
        assert_eq!(setup.check(&signer.token).is_ok(), !signer.is_removed, "a token that was not touched");
    }
    setup
});

impl Setup {
    fn check(&self, token: &str) -> Result<Arc<Verified>, Invalid> {
        self.verified.check(&self.ring, ISSUER, token, NOW)
    }
}

impl Signer {
    fn new(pair: SigningKeyPair, is_removed: bool) -> Self {
        let header = serde_json::json!({ "typ": TYP, "alg": pair.algorithm().as_str(), "kid": pair.thumbprint() });
        let claims = AccessClaims {
            iss: ISSUER.into(),
            sub: "u".into(),
            aud: vec!["https://api.example.com".to_owned()].into(),
            exp: NOW.seconds() + 300,
            iat: NOW.seconds(),
            jti: pair.thumbprint(),
            client_id: "c".into(),
            scope: "orders:read".to_owned(),
            sid: None,
            epoch: "1.2.3".to_owned(),
            org: Some("o".into()),
            roles: Some(vec!["r".to_owned()].into()),
            auth_time: Some(NOW.seconds()),
        };
        let mut made = Self { pair, is_removed, header: header.to_string(), claims, token: String::new() };
        made.token = made.sign(made.header.as_bytes(), &serde_json::to_vec(&made.claims).expect("claims"));
        made
    }

    /// RFC 7515 §5.1.
    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.pair.sign(input.as_bytes()).expect("a signature");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The first character of an input says what the rest is: `c` changes of a token, `h` a header and `p` a payload that a
/// key of ours signs; with any other, the whole is a token.
pub fn run(data: &[u8]) {
    match data {
        [b'c', which, changes @ ..] => {
            let signer = signer(*which);
            forged(&changed(&signer.token, changes));
        }
        [b'h', which, header @ ..] => {
            let signer = quick_signer(*which);
            signed(signer, header, &serde_json::to_vec(&signer.claims).expect("claims"));
        }
        [b'p', which, payload @ ..] => {
            let signer = quick_signer(*which);
            signed(signer, signer.header.as_bytes(), payload);
        }
        _ => forged(&String::from_utf8_lossy(data)),
    }
}

fn signer(which: u8) -> &'static Signer {
    &SETUP.signers[usize::from(which) % SETUP.signers.len()]
}

/// One that signs at once, and mostly the quicker one: RSA takes a hundred times as long.
fn quick_signer(which: u8) -> &'static Signer {
    &SETUP.signers[usize::from(which != 0)]
}

/// Each four bytes are one change: where, what, and with which byte.
fn changed(token: &str, changes: &[u8]) -> String {
    let mut bytes = token.as_bytes().to_vec();
    for change in changes.chunks_exact(4).take(8) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % (bytes.len() + 1);
        match change[2] % 4 {
            0 if at < bytes.len() => bytes[at] = change[3],
            1 => bytes.insert(at, change[3]),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => bytes.truncate(at),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A token that nobody signed: only one that somebody did, to the letter, is accepted.
fn forged(token: &str) {
    let Ok(verified) = SETUP.check(token) else { return };
    let found = SETUP.signers.iter().find(|signer| signer.token == token);
    let Some(signer) = found else { panic!("a token that nobody signed was accepted: {token}") };
    assert!(!signer.is_removed, "a token of a removed key was accepted");
    assert_eq!(verified.claims, signer.claims);
}

/// The one claim that `jsonwebtoken` reads beyond ours, and refuses where it is repeated (RFC 7519 §4) or a number that does not fit.
/// We never make one, so a token with one may be refused.
#[derive(Deserialize)]
struct Foreign {
    nbf: Option<IgnoredAny>,
}

/// What a key of ours signed is accepted if it is an access token, and as just what it says.
fn signed(signer: &Signer, header: &[u8], payload: &[u8]) {
    let unsigned = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    match SETUP.check(&unsigned) {
        Ok(_) => panic!("a token that nobody signed was accepted: {unsigned}"),
        // It was refused before its signature was looked at.
        Err(Invalid::Header) => {
            assert_ne!(header, signer.header.as_bytes());
            return;
        }
        Err(_) => {}
    }
    let token = signer.sign(header, payload);
    let claims = serde_json::from_slice::<AccessClaims>(payload).ok().filter(|claims| {
        claims.iss == ISSUER
            && !claims.aud.is_empty()
            && !claims.jti.is_empty()
            && Epochs::from_claim(&claims.epoch).is_some()
    });
    let is_ours = serde_json::from_slice::<Foreign>(payload).is_ok_and(|foreign| foreign.nbf.is_none());
    match SETUP.check(&token) {
        Ok(verified) => {
            assert_eq!(Some(&verified.claims), claims.as_ref(), "other claims than those of an access token");
            let header: Value = serde_json::from_slice(header).expect("a header");
            assert_eq!((&header["typ"], &header["alg"]), (&TYP.into(), &signer.pair.algorithm().as_str().into()));
            assert_eq!(header["kid"], signer.pair.thumbprint());
            // RFC 7515 §4.1.11: no extension is understood here.
            assert!(header["crit"].is_null());
            let again = serde_json::to_vec(&verified.claims).expect("claims");
            assert_eq!(serde_json::from_slice::<AccessClaims>(&again).ok(), claims);
        }
        Err(invalid) => {
            let is_long = token.len() > 8 * 1024;
            let is_good = header == signer.header.as_bytes() && claims.is_some() && is_ours && !is_long;
            assert!(!is_good, "an access token was refused: {invalid}");
        }
    }
}
