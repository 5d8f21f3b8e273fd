//! The public half of a signing key as a JSON Web Key (RFC 7517), and its thumbprint (RFC 7638).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::digest::sha256;

/// The members of a public JWK that define the key. Values are base64url without padding, but for
/// `kty` and `crv`. There is no member for anything private.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    /// The key type: `EC` or `RSA` (RFC 7518 §6.1), or `OKP` (RFC 8037 §2).
    pub kty: &'static str,
    /// The curve, of `EC` and `OKP` keys.
    pub crv: Option<&'static str>,
    /// The x coordinate of an `EC` key, or the public key of an `OKP` one.
    pub x: Option<String>,
    /// The y coordinate of an `EC` key.
    pub y: Option<String>,
    /// The modulus of an `RSA` key.
    pub n: Option<String>,
    /// The exponent of an `RSA` key.
    pub e: Option<String>,
}

impl PublicJwk {
    /// A P-256 key from its uncompressed point (SEC 1 §2.3.3); `None` for another encoding.
    #[must_use]
    pub fn from_p256_point(point: &[u8]) -> Option<Self> {
        // RFC 7518 §6.2.1.2: coordinates keep their leading zeros.
        let (x, y) = match point {
            [4, coordinates @ ..] if coordinates.len() == 64 => coordinates.split_at(32),
            _ => return None,
        };
        Some(Self {
            crv: Some("P-256"),
            x: Some(URL_SAFE_NO_PAD.encode(x)),
            y: Some(URL_SAFE_NO_PAD.encode(y)),
            ..Self::of_type("EC")
        })
    }

    /// An Ed25519 key from its 32 bytes (RFC 8037 §2).
    #[must_use]
    pub fn from_ed25519(public: &[u8]) -> Self {
        Self { crv: Some("Ed25519"), x: Some(URL_SAFE_NO_PAD.encode(public)), ..Self::of_type("OKP") }
    }

    /// An RSA key from the DER of an `RSAPublicKey` (RFC 8017 §A.1.1); `None` for another encoding.
    #[must_use]
    pub fn from_rsa_der(der: &[u8]) -> Option<Self> {
        let (sequence, []) = take_der(0x30, der)? else {
            return None;
        };
        let (modulus, rest) = take_der(0x02, sequence)?;
        let (exponent, []) = take_der(0x02, rest)? else {
            return None;
        };
        Some(Self { n: Some(unsigned(modulus)), e: Some(unsigned(exponent)), ..Self::of_type("RSA") })
    }

    /// The members that are present, by name and in lexicographic order, as RFC 7638 §3.2 has them.
    #[must_use]
    pub fn to_json_members(&self) -> Vec<(&'static str, String)> {
        let members = [
            ("crv", self.crv.map(str::to_owned)),
            ("e", self.e.clone()),
            ("kty", Some(self.kty.to_owned())),
            ("n", self.n.clone()),
            ("x", self.x.clone()),
            ("y", self.y.clone()),
        ];
        members.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The SHA-256 thumbprint (RFC 7638 §3), base64url, 43 characters.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // Every value is base64url or a registered name, so nothing needs escaping in JSON.
        let members: Vec<String> =
            self.to_json_members().iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let json = format!("{{{}}}", members.join(","));
        URL_SAFE_NO_PAD.encode(sha256(json.as_bytes()))
    }

    fn of_type(kty: &'static str) -> Self {
        Self { kty, crv: None, x: None, y: None, n: None, e: None }
    }
}

// RFC 7518 §6.3.1.1: DER's leading zero, which keeps an integer positive, is not part of the value.
fn unsigned(integer: &[u8]) -> String {
    let significant = integer.iter().position(|byte| *byte != 0);
    URL_SAFE_NO_PAD.encode(&integer[significant.unwrap_or(integer.len())..])
}

// One DER element: its content and what follows it.
fn take_der(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = input.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        // Four bytes of length are more than any key needs.
        if bytes.is_empty() || bytes.len() > 4 {
            return None;
        }
        let length = bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        (length, rest)
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_the_one_of_rfc_7638_section_3_1() {
        let n = concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj",
            "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ",
            "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK",
            "nqDKgw",
        );
        let jwk = PublicJwk { n: Some(n.to_owned()), e: Some("AQAB".to_owned()), ..PublicJwk::of_type("RSA") };
        assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn an_rsa_key_loses_the_sign_byte_of_der() {
        let der = [0x30, 9, 2, 2, 0, 0x81, 2, 3, 1, 0, 1];
        let jwk = PublicJwk::from_rsa_der(&der).unwrap();
        assert_eq!((jwk.n.as_deref(), jwk.e.as_deref()), (Some("gQ"), Some("AQAB")));
        for cut in 0..der.len() {
            assert!(PublicJwk::from_rsa_der(&der[..cut]).is_none());
        }
        assert!(PublicJwk::from_rsa_der(&[&der[..], &[0]].concat()).is_none());
    }

    #[test]
    fn a_p256_key_is_an_uncompressed_point() {
        assert!(PublicJwk::from_p256_point(&[4; 65]).is_some());
        assert!(PublicJwk::from_p256_point(&[2; 65]).is_none());
        assert!(PublicJwk::from_p256_point(&[4; 33]).is_none());
    }
}
