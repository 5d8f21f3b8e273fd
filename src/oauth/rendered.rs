//! Documents that are rendered once for as long as they are true.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::digest::sha256;

/// A rendered document and its validator.
#[derive(Debug, Clone)]
pub struct Document {
    /// The JSON text.
    pub body: Arc<str>,
    /// A strong entity tag, in quotes (RFC 9110 §8.8.3).
    pub etag: Arc<str>,
}

/// Keeps a document until what it was made of changes.
#[derive(Default)]
pub struct Rendered {
    kept: Mutex<Option<(Made, Document)>>,
}

/// What a document was made of: the catalogue of scopes, the ring, and how many keys counted at the time. What it does
/// not show stays zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// [`crate::registry::Snapshot::scopes_change`].
    pub scopes: i64,
    /// [`crate::oauth::keys::KeyRing::number`].
    pub ring: u64,
    /// Keys that were published or signed; within one ring they only ever change with their number.
    pub keys: (usize, usize),
}

impl Rendered {
    /// The kept document if it was made of just this, or a new one.
    pub fn document(&self, made: Made, render: impl FnOnce() -> String) -> Document {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, document)) = &*kept
            && *of == made
        {
            return document.clone();
        }
        let body = render();
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&sha256(body.as_bytes())[..12]));
        let document = Document { body: body.into(), etag: etag.into() };
        *kept = Some((made, document.clone()));
        document
    }
}
