//! `grantor token …`: what a text is, without the database.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::crypto::token_format;
use crate::developer::secret_formats;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Say what a token, secret, key or password is; `-` reads it from standard input
    Inspect {
        /// The text, or -
        token: String,
    },
    /// Print the regular expressions that find Grantor's secrets
    Patterns {
        /// As a rule file of gitleaks
        #[arg(long)]
        gitleaks: bool,
    },
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Inspect { token } => say(session, token),
            Self::Patterns { gitleaks } => patterns(session, gitleaks),
        }
    }
}

/// The published shapes, with the prefixes of the configuration.
fn patterns(session: &Session, gitleaks: bool) -> Result<(), Failure> {
    let credentials = session.config()?.credentials;
    let formats = secret_formats::all(&credentials.client_secret_prefix, &credentials.test_secret_prefix);
    if gitleaks {
        output::line(secret_formats::gitleaks(&formats).trim_end());
    } else if session.json {
        return output::json(&formats);
    } else {
        output::line(secret_formats::page(&formats).trim_end());
    }
    Ok(())
}

fn say(session: &Session, token: String) -> Result<(), Failure> {
    let text = if token == "-" {
        let mut text = String::new();
        std::io::stdin().take(64 * 1024).read_to_string(&mut text)?;
        text
    } else {
        token
    };
    let (answer, doubt) = inspect(without_scheme(text.trim()));
    if session.json {
        output::json(&answer)?;
    } else if doubt.is_none()
        && let Value::Object(members) = &answer
    {
        for (name, value) in members {
            match value {
                Value::String(text) => output::line(&format!("{name}: {text}")),
                other => output::line(&format!("{name}: {other:#}")),
            }
        }
    }
    doubt.map_or(Ok(()), |doubt| Err(Failure::Refused(doubt)))
}

/// The token of a whole `Authorization` header's value.
fn without_scheme(text: &str) -> &str {
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

/// What a text is, and why it is nothing of ours where it is not.
fn inspect(text: &str) -> (Value, Option<String>) {
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
