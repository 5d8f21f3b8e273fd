//! The published shapes of secrets, for scanners that look for leaks: a page, and a rule file of gitleaks.

use std::fmt::Write;

use serde::Serialize;

use crate::crypto::token_format::{
    API_KEY_PREFIX, CLIENT_SECRET_PREFIX, GENERATED_PASSWORD_PREFIX, ONE_TIME_PREFIX, REFRESH_TOKEN_PREFIX,
};

/// The body and checksum of what is random.
const RANDOM: &str = "[0-9A-Za-z]{43}_[0-9A-Za-z]{6}";

/// Those of a refresh token, whose body is derived: 54 bytes in base64url.
const DERIVED: &str = "[0-9A-Za-z_-]{72}_[0-9A-Za-z]{6}";

/// The shape of one kind of secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretFormat {
    /// A name for programs.
    pub id: String,
    /// What it is.
    pub kind: &'static str,
    /// What it begins with, with the underscore behind it.
    pub prefix: String,
    /// The regular expression that matches all of it, in the common subset of RE2, PCRE and others.
    pub pattern: String,
}

/// All shapes. The prefixes of client secrets are settings; secrets of the default ones can be about as well.
#[must_use]
pub fn all(client_secret_prefix: &str, test_secret_prefix: &str) -> Vec<SecretFormat> {
    let mut formats = vec![
        format("client-secret", "client secret", CLIENT_SECRET_PREFIX, RANDOM),
        format("generated-password", "generated password", GENERATED_PASSWORD_PREFIX, RANDOM),
        format("api-key", "API key", API_KEY_PREFIX, RANDOM),
        format("refresh-token", "refresh token", REFRESH_TOKEN_PREFIX, DERIVED),
        format("one-time-link", "one-time link", ONE_TIME_PREFIX, RANDOM),
    ];
    for (kind, prefix) in [("client secret", client_secret_prefix), ("client secret in test mode", test_secret_prefix)]
    {
        let own = format(&format!("client-secret-{}", prefix.replace(['_', '.'], "-")), kind, prefix, RANDOM);
        if !formats.iter().any(|known| known.prefix == own.prefix) {
            formats.push(own);
        }
    }
    formats
}

fn format(id: &str, kind: &'static str, prefix: &str, rest: &str) -> SecretFormat {
    let escaped = prefix.replace('.', "\\.");
    SecretFormat {
        id: format!("grantor-{}", id.to_lowercase()),
        kind,
        prefix: format!("{prefix}_"),
        pattern: format!("{escaped}_{rest}"),
    }
}

/// The page of the documentation that lists them.
#[must_use]
pub fn page(formats: &[SecretFormat]) -> String {
    let mut text = "# Shapes of secrets\n\n\
        Printed by `grantor token patterns`, which knows the prefixes that you configured. How they are built, and what the\n\
        last six characters are: [token formats](token-formats.md).\n\n\
        | Secret | Regular expression |\n|---|---|\n"
        .to_owned();
    for SecretFormat { kind, pattern, .. } in formats {
        let _ = writeln!(text, "| {kind} | `{pattern}` |");
    }
    text + "\nFor [gitleaks](https://github.com/gitleaks/gitleaks) there is a rule file, [gitleaks.toml](gitleaks.toml):\n\n\
        ```sh\n\
        grantor token patterns --gitleaks > .gitleaks.toml\n\
        gitleaks dir . --config .gitleaks.toml\n\
        ```\n\n\
        Whether a text that was found is a secret of Grantor's, and which kind: `grantor token inspect -`. What to do then:\n\
        `grantor client rotate-secret`, `grantor user rotate-password`, or delete the credentials.\n"
}

/// The rule file of gitleaks.
#[must_use]
pub fn gitleaks(formats: &[SecretFormat]) -> String {
    let mut text = "# Rules of gitleaks that find the secrets of Grantor, beside its own rules.\n\
        # Printed by `grantor token patterns --gitleaks`, which knows the prefixes that you configured.\n\
        title = \"Grantor\"\n\n[extend]\nuseDefault = true\n"
        .to_owned();
    for SecretFormat { id, kind, prefix, pattern } in formats {
        // A boundary stands only beside a letter, digit or underscore.
        let before = if prefix.starts_with(['-', '.']) { "" } else { "\\b" };
        let keyword = toml::Value::from(prefix.to_lowercase());
        let _ = write!(
            text,
            "\n[[rules]]\nid = \"{id}\"\ndescription = \"Grantor: {kind}\"\n\
             regex = '''{before}({pattern})\\b'''\nsecretGroup = 1\nkeywords = [{keyword}]\n"
        );
    }
    text
}
