//! The table of keys: every setting there is, and what kind of value it has.
//!
//! The serde structs in `parsed` say the same a second time; the table is what lets a variable, which is always text, be
//! read as the type of its key, and what "did you mean" looks through. A test holds the two together.

/// The kind of value a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// A whole number, not negative.
    Number,
    /// `true` or `false`.
    Flag,
    /// A length of time: seconds, or text such as `90d`.
    Span,
    /// A list of texts.
    List,
    /// A list of tables with a `path`, where text alone stands for a table with just that path.
    Paths,
}

impl Kind {
    /// What a value of this kind looks like, for an error.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Text => "text; put it in quotes",
            Self::Number => "a whole number, 0 or more, without quotes",
            Self::Flag => "true or false, without quotes",
            Self::Span => "seconds as a whole number, or text such as \"90d\", \"12h\", \"30m\", \"45s\"",
            Self::List => "a list of texts, such as [\"a\", \"b\"]",
            Self::Paths => "a list such as [{ path = \"/api/token\", errors = \"rfc6749\" }]",
        }
    }
}

/// Every key, with its kind.
pub(crate) const KEYS: &[(&str, Kind)] = &[
    ("environment", Kind::Text),
    ("preset", Kind::Text),
    ("issuer", Kind::Text),
    ("server.address", Kind::Text),
    ("server.private_address", Kind::Text),
    ("server.workers", Kind::Number),
    ("server.drain", Kind::Number),
    ("server.allow_plain_http", Kind::Flag),
    ("database.url", Kind::Text),
    ("database.url_file", Kind::Text),
    ("database.pool_size", Kind::Number),
    ("database.deadline_ms", Kind::Number),
    ("security.master_key", Kind::Text),
    ("security.master_key_file", Kind::Text),
    ("tokens.access_lifetime", Kind::Number),
    ("tokens.audience", Kind::Text),
    ("tokens.signing_algorithm", Kind::Text),
    ("refresh.idle_lifetime", Kind::Number),
    ("refresh.absolute_lifetime", Kind::Number),
    ("refresh.reuse_window", Kind::Number),
    ("keys.publish_ahead", Kind::Number),
    ("keys.rotation_interval", Kind::Span),
    ("grants.password.enabled", Kind::Flag),
    ("grants.password.people", Kind::Flag),
    ("passwords.bcrypt_cost", Kind::Number),
    ("passwords.min_length", Kind::Number),
    ("limits.enabled", Kind::Flag),
    ("limits.body_bytes", Kind::Number),
    ("limits.header_timeout", Kind::Number),
    ("limits.body_timeout", Kind::Number),
    ("limits.keep_alive", Kind::Number),
    ("limits.max_connections", Kind::Number),
    ("limits.account_network_failures", Kind::Number),
    ("limits.network_failures", Kind::Number),
    ("limits.account_failures", Kind::Number),
    ("limits.client_failures", Kind::Number),
    ("limits.window", Kind::Number),
    ("http.token_path", Kind::Paths),
    ("http.cors_origins", Kind::List),
    ("http.trusted_proxies", Kind::List),
    ("credentials.programmatic_client_id", Kind::Text),
    ("credentials.client_id_prefix", Kind::Text),
    ("credentials.client_secret_prefix", Kind::Text),
    ("credentials.test_secret_prefix", Kind::Text),
    ("credentials.new_client_grants", Kind::List),
    ("audit.retention_days", Kind::Number),
    ("retention.usage_days", Kind::Number),
    ("retention.mail_days", Kind::Number),
    ("retention.replaced_secret_days", Kind::Number),
    ("credentials.reveal.client_secret", Kind::Text),
    ("credentials.reveal.api_key", Kind::Text),
    ("credentials.reveal.generated_password", Kind::Text),
    ("users.required_fields", Kind::List),
    ("users.phone_pattern", Kind::Text),
    ("console.words.developer", Kind::Text),
    ("console.words.administration", Kind::Text),
    ("console.words.credentials", Kind::Text),
    ("console.words.applications", Kind::Text),
    ("console.words.api_keys", Kind::Text),
    ("console.words.api_keys_tab", Kind::Text),
    ("console.words.users", Kind::Text),
    ("console.words.roles", Kind::Text),
    ("console.words.scopes", Kind::Text),
    ("console.words.approvals", Kind::Text),
    ("console.words.audit", Kind::Text),
    ("console.words.keys", Kind::Text),
    ("console.words.reports", Kind::Text),
    ("console.words.organizations", Kind::Text),
    ("console.words.profile", Kind::Text),
    ("console.words.settings", Kind::Text),
    ("console.words.security", Kind::Text),
    ("console.words.security_events", Kind::Text),
    ("console.words.permissions", Kind::Text),
    ("console.words.api_access", Kind::Text),
    ("console.words.new_credentials", Kind::Text),
    ("console.words.new_application", Kind::Text),
    ("console.words.new_api_key", Kind::Text),
    ("console.words.api_key_created", Kind::Text),
    ("console.words.view_api_key", Kind::Text),
    ("console.words.new_user", Kind::Text),
    ("console.words.new_role", Kind::Text),
    ("console.words.request_scope", Kind::Text),
    ("console.words.new_secret", Kind::Text),
    ("console.words.save", Kind::Text),
    ("brand.name", Kind::Text),
    ("brand.support_url", Kind::Text),
    ("brand.logo_file", Kind::Text),
    ("brand.colour", Kind::Text),
    ("mail.smtp_url", Kind::Text),
    ("mail.smtp_url_file", Kind::Text),
    ("mail.from", Kind::Text),
    ("log.format", Kind::Text),
    ("log.level", Kind::Text),
];

/// Names that people try for a key which is called otherwise, and is not like them.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("server.port", "server.address"),
    ("server.host", "server.address"),
    ("server.bind", "server.address"),
    ("server.listen", "server.address"),
    ("port", "server.address"),
    ("host", "server.address"),
    ("server.private_port", "server.private_address"),
    ("server.issuer", "issuer"),
    ("server.url", "issuer"),
    ("database.path", "database.url"),
    ("database.file", "database.url"),
];

/// What an entry of `http.token_path` holds.
pub(crate) const ENTRY_KEYS: &[&str] = &["http.token_path.path", "http.token_path.errors"];

/// The kind of a key, if there is such a key.
pub(crate) fn kind(key: &str) -> Option<Kind> {
    KEYS.iter().find(|(name, _)| *name == key).map(|(_, kind)| *kind)
}

/// Whether keys stand below this name: `server`, `grants.password`.
pub(crate) fn is_section(name: &str) -> bool {
    KEYS.iter().any(|(key, _)| key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The advice for a key that does not exist: the nearest one, or where to look.
pub(crate) fn advice(wrong: &str) -> String {
    let wrong = wrong.to_ascii_lowercase();
    if let Some((_, key)) = OTHER_NAMES.iter().find(|(name, _)| *name == wrong) {
        return format!("did you mean `{key}`?");
    }
    let all = KEYS.iter().map(|(key, _)| *key).chain(ENTRY_KEYS.iter().copied());
    match all.map(|key| (likeness(&wrong, key), key)).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, key)) if likeness >= 0.6 => format!("did you mean `{key}`?"),
        _ => "remove it; config/default.toml lists every key".to_owned(),
    }
}

/// How alike two keys are, 0 to 1. The last part counts by itself too: a right name in a wrong section is the commonest slip.
fn likeness(wrong: &str, key: &str) -> f64 {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let whole = strsim::normalized_damerau_levenshtein(wrong, key);
    // Weighed down, so that of two keys with the same last part the one in the likelier section wins.
    let by_last = if last(wrong) == last(key) { 0.6 + whole * 0.4 } else { 0.0 };
    whole.max(by_last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::wording::ConsoleWord;

    #[test]
    fn a_misspelt_key_gets_the_key_that_was_meant() {
        assert_eq!(advice("tokens.acces_lifetime"), "did you mean `tokens.access_lifetime`?");
        assert_eq!(advice("token.access_lifetime"), "did you mean `tokens.access_lifetime`?");
        assert_eq!(advice("access_lifetime"), "did you mean `tokens.access_lifetime`?");
        assert_eq!(advice("refresh.reuse_windw"), "did you mean `refresh.reuse_window`?");
        assert_eq!(advice("server.bcrypt_cost"), "did you mean `passwords.bcrypt_cost`?");
        assert_eq!(advice("server.port"), "did you mean `server.address`?");
        for (_, key) in OTHER_NAMES {
            assert!(kind(key).is_some(), "{key}");
        }
    }

    #[test]
    fn a_key_that_is_like_no_other_gets_no_guess() {
        assert_eq!(advice("zzzzzz.qqqqqqqq"), "remove it; config/default.toml lists every key");
    }

    #[test]
    fn every_word_of_the_console_is_a_key_and_no_other_word_is() {
        let keys: Vec<&str> = KEYS.iter().filter_map(|(key, _)| key.strip_prefix("console.words.")).collect();
        let words: Vec<&str> = ConsoleWord::ALL.iter().map(|word| word.as_str()).collect();
        assert_eq!(keys, words);
    }

    #[test]
    fn the_defaults_file_speaks_of_every_key() {
        let mut section = String::new();
        let mut seen = Vec::new();
        for line in include_str!("../../config/default.toml").lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = format!("{name}.");
            } else if let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ")
                && !key.contains([' ', '`'])
            {
                seen.push(format!("{section}{key}"));
            }
        }
        for (key, _) in KEYS {
            assert!(seen.iter().any(|one| one == key), "config/default.toml does not mention {key}");
        }
    }
}
