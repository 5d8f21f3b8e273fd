//! What a token, secret, key or password is, by its shape alone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::crypto::token_format;

/// The token of a whole `Authorization` header's value.
#[must_use]
pub fn without_scheme(text: &str) -> &str {
    match text.split_once(char::is_whitespace) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        _ => text,
    }
}

fn word(kind: &str) -> &'static str {
    match kind {
        token_format::CLIENT_SECRET_PREFIX => "client secret",
        token_format::API_KEY_PREFIX => "API key",
        token_format::REFRESH_TOKEN_PREFIX => "refresh token",
        token_format::ONE_TIME_PREFIX => "one-time link",
        token_format::GENERATED_PASSWORD_PREFIX => "generated password",
        _ => "unknown",
    }
}

/// What a text is, and why it is nothing of ours where it is not. A whole `Authorization` header's value will do.
/// The text itself is in no answer but where it is a JWT, whose parts are.
#[must_use]
pub fn inspect(text: &str) -> (Value, Option<String>) {
    let text = without_scheme(text.trim());
    if let Some(jwt) = inspect_jwt(text) {
        return (jwt, None);
    }
    if token_format::has_checksum(text) {
        let kind = token_format::kind_of(text).map_or("secret with a prefix of its own", word);
        return (json!({ "kind": kind, "checksum": "good" }), None);
    }
    match token_format::likely_kind_of(text).map(word) {
        Some(kind) => {
            let article = if kind.starts_with('A') { "an" } else { "a" };
            let doubt = format!("looks like {article} {kind}, but its checksum is wrong: mistyped or cut off");
            (json!({ "kind": kind, "checksum": "bad" }), Some(doubt))
        }
        None => (json!({ "kind": "unknown", "checksum": "bad" }), Some("no token or secret of Grantor's".to_owned())),
    }
}

/// Header and claims as they stand there: the signature is not checked.
fn inspect_jwt(text: &str) -> Option<Value> {
    let parts: Vec<&str> = text.split('.').collect();
    let [header, claims, _] = parts.as_slice() else { return None };
    let decode = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let (header, claims) = (decode(header)?, decode(claims)?);
    let kind = match header.get("typ").and_then(Value::as_str) {
        Some("at+jwt") => "access token",
        Some("JWT") => "ID token",
        _ => "JWT",
    };
    Some(json!({ "kind": kind, "header": header, "claims": claims, "signature": "not checked" }))
}
