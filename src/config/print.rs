//! The effective configuration as TOML, for people: what the layers came to, without secrets.

use std::fmt::Write;

use toml::Value;

use crate::config::choices::{IssuerSetting, LogFormat};
use crate::config::settings::Config;
use crate::model::reveal::RevealPolicy;
use crate::model::wording::ConsoleWord;

/// What is shown in place of a secret.
const SET: &str = "(set)";

/// The configuration as TOML. The master key is shown as `(set)`, the password of the database URL and the
/// user and password of the mail server's as `***`. A setting
/// without a value is a comment.
#[must_use]
pub fn print(config: &Config) -> String {
    let mut page = Page(String::new());
    page.text("environment", config.environment.as_str());
    match config.preset {
        Some(preset) => page.text("preset", preset.as_str()),
        None => page.absent("preset", "the defaults are neutral"),
    }
    match &config.issuer {
        IssuerSetting::Fixed(issuer) => page.text("issuer", issuer),
        IssuerSetting::FromAddress => page.absent("issuer", "http:// and server.address"),
    }
    listeners_and_data(&mut page, config);
    tokens_and_keys(&mut page, config);
    limits(&mut page, config);
    http(&mut page, config);
    names_and_log(&mut page, config);
    page.0
}

fn listeners_and_data(page: &mut Page, config: &Config) {
    page.section("server");
    page.text("address", &config.server.address.to_string());
    page.text("private_address", &config.server.private_address.to_string());
    page.plain("workers", config.server.workers);
    page.plain("drain", config.server.drain);
    page.plain("allow_plain_http", config.server.allow_plain_http);
    page.section("database");
    page.text("url", &config.database.url.redacted());
    page.plain("pool_size", config.database.pool_size);
    page.plain("deadline_ms", config.database.deadline_ms);
    page.section("security");
    if config.security.master_key.is_some() {
        page.text("master_key", SET);
        page.absent("master_key_file", "the key itself is");
    } else {
        page.absent("master_key", "the key is in the file");
        page.text("master_key_file", &config.security.master_key_file.display().to_string());
    }
}

fn tokens_and_keys(page: &mut Page, config: &Config) {
    page.section("tokens");
    page.plain("access_lifetime", config.tokens.access_lifetime);
    match &config.tokens.audience {
        Some(audience) => page.text("audience", audience),
        None => page.absent("audience", "the issuer"),
    }
    page.text("signing_algorithm", &config.tokens.signing_algorithm);
    page.section("refresh");
    page.plain("idle_lifetime", config.refresh.idle_lifetime);
    page.plain("absolute_lifetime", config.refresh.absolute_lifetime);
    page.plain("reuse_window", config.refresh.reuse_window);
    page.section("keys");
    page.plain("publish_ahead", config.keys.publish_ahead);
    page.plain("rotation_interval", config.keys.rotation_interval.as_secs());
    page.section("grants.password");
    page.plain("enabled", config.grants.password.enabled);
    page.plain("people", config.grants.password.people);
    page.section("passwords");
    page.plain("bcrypt_cost", config.passwords.bcrypt_cost);
    page.plain("min_length", config.passwords.min_length);
}

fn limits(page: &mut Page, config: &Config) {
    let limits = &config.limits;
    page.section("limits");
    page.plain("enabled", limits.enabled);
    page.plain("body_bytes", limits.body_bytes);
    page.plain("header_timeout", limits.header_timeout);
    page.plain("body_timeout", limits.body_timeout);
    page.plain("keep_alive", limits.keep_alive);
    page.plain("max_connections", limits.max_connections);
    page.plain("account_network_failures", limits.account_network_failures);
    page.plain("network_failures", limits.network_failures);
    page.plain("account_failures", limits.account_failures);
    page.plain("client_failures", limits.client_failures);
    page.plain("window", limits.window);
}

fn http(page: &mut Page, config: &Config) {
    page.section("http");
    let paths = config
        .http
        .token_path
        .iter()
        .map(|one| format!("{{ path = {}, errors = {} }}", quoted(&one.path), quoted(one.errors.as_str())));
    page.list("token_path", paths);
    page.list("cors_origins", config.http.cors_origins.iter().map(|one| quoted(one)));
    page.list("trusted_proxies", config.http.trusted_proxies.iter().map(|one| quoted(&one.to_string())));
}

fn names_and_log(page: &mut Page, config: &Config) {
    let credentials = &config.credentials;
    page.section("credentials");
    page.text("programmatic_client_id", &credentials.programmatic_client_id);
    page.text("client_id_prefix", &credentials.client_id_prefix);
    page.text("client_secret_prefix", &credentials.client_secret_prefix);
    page.text("test_secret_prefix", &credentials.test_secret_prefix);
    page.list("new_client_grants", credentials.new_client_grants.iter().map(|grant| quoted(grant.as_str())));
    page.section("audit");
    page.plain("retention_days", config.audit.retention_days);
    page.section("retention");
    page.plain("usage_days", config.retention.usage_days);
    page.plain("mail_days", config.retention.mail_days);
    page.plain("replaced_secret_days", config.retention.replaced_secret_days);
    page.section("credentials.reveal");
    page.text("client_secret", credentials.reveal.client_secret.as_str());
    page.text("api_key", credentials.reveal.api_key.as_str());
    page.text("generated_password", RevealPolicy::Once.as_str());
    page.section("users");
    page.list("required_fields", config.users.required.iter().map(|field| quoted(field.as_str())));
    page.text("phone_pattern", config.users.phone.as_str());
    page.section("console.words");
    for word in ConsoleWord::ALL {
        page.text(word.as_str(), config.words.get(*word));
    }
    page.section("brand");
    page.text("name", &config.brand.name);
    match &config.brand.support_url {
        Some(url) => page.text("support_url", url),
        None => page.absent("support_url", "messages name no place to ask"),
    }
    match &config.brand.logo {
        Some(logo) => page.text("logo_file", &logo.file.display().to_string()),
        None => page.absent("logo_file", "pages bear Grantor's mark"),
    }
    match &config.brand.colour {
        Some([red, green, blue]) => page.text("colour", &format!("#{red:02x}{green:02x}{blue:02x}")),
        None => page.absent("colour", "pages have Grantor's colour"),
    }
    page.section("mail");
    match &config.mail.smtp_url {
        Some(url) => page.text("smtp_url", &url.redacted()),
        None => page.absent("smtp_url", "messages stay in the outbox"),
    }
    match &config.mail.from {
        Some(from) => page.text("from", from),
        None => page.absent("from", "it is needed with smtp_url"),
    }
    page.section("log");
    match config.log.format.map(LogFormat::as_str) {
        Some(format) => page.text("format", format),
        None => page.absent("format", "text on a terminal, else json"),
    }
    page.text("level", &config.log.level);
}

/// The text as it grows. To write to a string cannot fail, so the results are not looked at.
struct Page(String);

impl Page {
    fn section(&mut self, name: &str) {
        let _ = writeln!(self.0, "\n[{name}]");
    }

    fn text(&mut self, key: &str, text: &str) {
        self.plain(key, quoted(text));
    }

    fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn absent(&mut self, key: &str, meaning: &str) {
        let _ = writeln!(self.0, "# {key} is not set: {meaning}");
    }

    fn list(&mut self, key: &str, items: impl Iterator<Item = String>) {
        self.plain(key, format!("[{}]", items.collect::<Vec<_>>().join(", ")));
    }
}

/// The text in quotes, as TOML has them.
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
