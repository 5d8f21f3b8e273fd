//! The JWKS document (RFC 7517 §5).

use crate::model::time::Timestamp;
use crate::oauth::keys::ring::KeyRing;
use crate::oauth::rendered::{Document, Made, Rendered};

/// The document at this instant. No private member can be in it: it is made of the stored public JWKs.
pub fn jwks(rendered: &Rendered, ring: &KeyRing, now: Timestamp) -> Document {
    let made = Made { ring: ring.number(), keys: (ring.published(now).count(), 0), ..Made::default() };
    rendered.document(made, || {
        let keys: Vec<&str> = ring.published(now).map(|key| key.public_jwk.as_str()).collect();
        format!("{{\"keys\":[{}]}}", keys.join(","))
    })
}
