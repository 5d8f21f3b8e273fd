//! The JWKS document (RFC 7517 §5), rendered once for as long as it is true.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::digest::sha256;
use crate::model::time::Timestamp;
use crate::oauth::keys::ring::KeyRing;

/// A rendered document and its validator.
#[derive(Debug, Clone)]
pub struct Document {
    /// The JSON text.
    pub body: Arc<str>,
    /// A strong entity tag, in quotes (RFC 9110 §8.8.3).
    pub etag: Arc<str>,
}

/// Keeps the rendered JWKS until the ring or the set of published keys changes.
#[derive(Default)]
pub struct Jwks {
    rendered: Mutex<Option<(Vec<String>, Document)>>,
}

impl Jwks {
    /// The document at this instant. No private member can be in it: it is made of the stored public JWKs.
    pub fn document(&self, ring: &KeyRing, now: Timestamp) -> Document {
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        let published = || ring.published(now).map(|key| key.kid.as_str());
        if let Some((kids, document)) = &*rendered
            && kids.iter().map(String::as_str).eq(published())
        {
            return document.clone();
        }
        let keys: Vec<&str> = ring.published(now).map(|key| key.public_jwk.as_str()).collect();
        let body = format!("{{\"keys\":[{}]}}", keys.join(","));
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&sha256(body.as_bytes())[..12]));
        let document = Document { body: body.into(), etag: etag.into() };
        *rendered = Some((published().map(str::to_owned).collect(), document.clone()));
        document
    }
}
