//! From parsed to resolved: every value is checked, and gets the type the program uses.

use std::ops::RangeInclusive;
use std::path::Path;

use crate::config::choices::{Environment, LogFormat};
use crate::config::database::DatabaseUrl;
use crate::config::error::Refused;
use crate::config::settings::{
    Audit, Config, Credentials, Database, Grants, Keys, Limits, Log, PasswordGrant, Passwords, Refresh, Retention,
    Security, Tokens,
};
use crate::config::span::LONGEST;
use crate::config::{brand, dialect, http, level, listeners, mail, parsed, presets};
use crate::crypto::master_key::MasterKey;
use crate::crypto::secret::SecretString;
use crate::model::time::LONGEST_ACCESS_LIFETIME;

/// Checks everything.
///
/// # Errors
/// The first value that is refused.
pub(crate) fn resolve(parsed: parsed::Parsed) -> Result<Config, Refused> {
    let environment = Environment::parse(&parsed.environment)?;
    let server = listeners::server(&parsed.server)?;
    Ok(Config {
        environment,
        preset: parsed.preset.as_deref().map(presets::find).transpose()?,
        issuer: listeners::issuer(parsed.issuer, &server)?,
        server,
        database: database(parsed.database)?,
        security: security(parsed.security)?,
        tokens: tokens(parsed.tokens)?,
        refresh: refresh(&parsed.refresh)?,
        keys: keys(&parsed.keys)?,
        grants: Grants {
            password: PasswordGrant { enabled: parsed.grants.password.enabled, people: parsed.grants.password.people },
        },
        passwords: passwords(&parsed.passwords, environment)?,
        limits: limits(&parsed.limits)?,
        http: http::http(parsed.http)?,
        credentials: credentials(parsed.credentials)?,
        audit: Audit { retention_days: number("audit.retention_days", parsed.audit.retention_days, 1..=3650)? },
        retention: retention(&parsed.retention)?,
        users: dialect::users(&parsed.users)?,
        words: dialect::words(parsed.console)?,
        brand: brand::brand(parsed.brand)?,
        mail: mail::mail(parsed.mail)?,
        log: log(parsed.log)?,
    })
}

fn retention(parsed: &parsed::Retention) -> Result<Retention, Refused> {
    Ok(Retention {
        usage_days: number("retention.usage_days", parsed.usage_days, 1..=3650)?,
        mail_days: number("retention.mail_days", parsed.mail_days, 1..=3650)?,
        replaced_secret_days: number("retention.replaced_secret_days", parsed.replaced_secret_days, 1..=3650)?,
    })
}

/// The number, if it lies in the range; as the type the setting has.
pub(crate) fn number<T: TryFrom<u64>>(key: &str, value: u64, range: RangeInclusive<u64>) -> Result<T, Refused> {
    let fits = if range.contains(&value) { T::try_from(value).ok() } else { None };
    fits.ok_or_else(|| Refused::new(key, format!("is {value}; must be {} to {}", range.start(), range.end())))
}

/// Text that must say something, where it is given at all.
pub(crate) fn not_empty(key: &str, text: Option<String>) -> Result<Option<String>, Refused> {
    match text {
        // An empty variable is most often one that someone forgot to fill: to go on without the value would hide that.
        Some(text) if text.trim().is_empty() => Err(Refused::new(key, "is empty; give it a value or leave it out")),
        other => Ok(other),
    }
}

/// What a file holds that a setting points at.
pub(crate) fn secret_file(key: &str, path: &Path) -> Result<String, Refused> {
    std::fs::read_to_string(path).map_err(|error| {
        let why = format!("{} cannot be read: {error}; check the path and its permissions", path.display());
        Refused::new(key, why)
    })
}

fn database(parsed: parsed::Database) -> Result<Database, Refused> {
    let url = match (parsed.url_file, parsed.url) {
        (Some(path), _) => {
            let key = "database.url_file";
            let text = secret_file(key, &path)?;
            DatabaseUrl::parse(text.trim()).map_err(|fix| Refused::new(key, format!("the URL in that file: {fix}")))?
        }
        (None, url) => DatabaseUrl::parse(&url.unwrap_or_default()).map_err(|fix| Refused::new("database.url", fix))?,
    };
    Ok(Database {
        url,
        pool_size: number("database.pool_size", parsed.pool_size, 1..=1000)?,
        deadline_ms: number("database.deadline_ms", parsed.deadline_ms, 1..=600_000)?,
    })
}

fn security(parsed: parsed::Security) -> Result<Security, Refused> {
    if parsed.master_key_file.as_os_str().is_empty() {
        return Err(Refused::new("security.master_key_file", "is empty; give it a path or leave it out"));
    }
    let key = "security.master_key";
    let master_key = not_empty(key, parsed.master_key)?.map(SecretString::from);
    if master_key.as_ref().is_some_and(|text| MasterKey::from_text(text.expose()).is_err()) {
        let fix = "must be 43 characters of base64url or 64 hexadecimal digits, and is neither; \
                   for a new installation 'openssl rand -hex 32' makes one";
        return Err(Refused::new(key, fix));
    }
    Ok(Security { master_key, master_key_file: parsed.master_key_file })
}

fn tokens(parsed: parsed::Tokens) -> Result<Tokens, Refused> {
    if !matches!(parsed.signing_algorithm.as_str(), "ES256" | "RS256" | "PS256" | "EdDSA") {
        return Err(Refused::new("tokens.signing_algorithm", "must be \"ES256\", \"RS256\", \"PS256\" or \"EdDSA\""));
    }
    Ok(Tokens {
        access_lifetime: number(
            "tokens.access_lifetime",
            parsed.access_lifetime,
            30..=LONGEST_ACCESS_LIFETIME.unsigned_abs(),
        )?,
        audience: not_empty("tokens.audience", parsed.audience)?,
        signing_algorithm: parsed.signing_algorithm,
    })
}

fn refresh(parsed: &parsed::Refresh) -> Result<Refresh, Refused> {
    let absolute_lifetime = number("refresh.absolute_lifetime", parsed.absolute_lifetime, 1..=LONGEST)?;
    let idle_lifetime = number("refresh.idle_lifetime", parsed.idle_lifetime, 1..=LONGEST)?;
    if idle_lifetime > absolute_lifetime {
        let fix = format!("is {idle_lifetime}; must not be more than `refresh.absolute_lifetime`, {absolute_lifetime}");
        return Err(Refused::new("refresh.idle_lifetime", fix));
    }
    let reuse_window = number("refresh.reuse_window", parsed.reuse_window, 0..=60)?;
    Ok(Refresh { idle_lifetime, absolute_lifetime, reuse_window })
}

fn keys(parsed: &parsed::Keys) -> Result<Keys, Refused> {
    let publish_ahead = number("keys.publish_ahead", parsed.publish_ahead, 0..=LONGEST)?;
    // A key that is replaced before it may sign would leave a server that never signs with a new key.
    if parsed.rotation_interval.as_secs() <= publish_ahead {
        let fix =
            format!("must be more than `keys.publish_ahead`, {publish_ahead} seconds; write for instance \"90d\"");
        return Err(Refused::new("keys.rotation_interval", fix));
    }
    Ok(Keys { publish_ahead, rotation_interval: parsed.rotation_interval })
}

fn passwords(parsed: &parsed::Passwords, environment: Environment) -> Result<Passwords, Refused> {
    let key = "passwords.bcrypt_cost";
    let bcrypt_cost = number(key, parsed.bcrypt_cost, 4..=15)?;
    if bcrypt_cost < 10 && environment == Environment::Production {
        let fix = format!("is {bcrypt_cost}; under 10 only with `environment` \"development\" or \"test\"; write 12");
        return Err(Refused::new(key, fix));
    }
    Ok(Passwords { bcrypt_cost, min_length: number("passwords.min_length", parsed.min_length, 8..=256)? })
}

fn limits(parsed: &parsed::Limits) -> Result<Limits, Refused> {
    let failures = |name: &str, value| number(&format!("limits.{name}"), value, 1..=1_000_000_000);
    let seconds = |name: &str, value| number(&format!("limits.{name}"), value, 1..=3600);
    Ok(Limits {
        enabled: parsed.enabled,
        body_bytes: number("limits.body_bytes", parsed.body_bytes, 1024..=16 * 1024 * 1024)?,
        header_timeout: seconds("header_timeout", parsed.header_timeout)?,
        body_timeout: seconds("body_timeout", parsed.body_timeout)?,
        keep_alive: seconds("keep_alive", parsed.keep_alive)?,
        max_connections: number("limits.max_connections", parsed.max_connections, 1..=10_000_000)?,
        account_network_failures: failures("account_network_failures", parsed.account_network_failures)?,
        network_failures: failures("network_failures", parsed.network_failures)?,
        account_failures: failures("account_failures", parsed.account_failures)?,
        client_failures: failures("client_failures", parsed.client_failures)?,
        window: number("limits.window", parsed.window, 1..=86_400)?,
    })
}

fn credentials(parsed: parsed::Credentials) -> Result<Credentials, Refused> {
    // Ids and secrets travel in Basic credentials, forms and URLs: these characters mean themselves in all of them.
    let plain = |name: &str, text: String, longest: usize| {
        let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        if clean && (1..=longest).contains(&text.len()) {
            return Ok(text);
        }
        let fix = format!("must be 1 to {longest} of the characters a-z, A-Z, 0-9, '_', '-', '.'");
        Err(Refused::new(format!("credentials.{name}"), fix))
    };
    let credentials = Credentials {
        programmatic_client_id: plain("programmatic_client_id", parsed.programmatic_client_id, 128)?,
        client_id_prefix: plain("client_id_prefix", parsed.client_id_prefix, 32)?,
        client_secret_prefix: plain("client_secret_prefix", parsed.client_secret_prefix, 32)?,
        test_secret_prefix: plain("test_secret_prefix", parsed.test_secret_prefix, 32)?,
        new_client_grants: dialect::new_client_grants(&parsed.new_client_grants)?,
        reveal: dialect::reveal(&parsed.reveal)?,
    };
    if credentials.client_secret_prefix == credentials.test_secret_prefix {
        let fix =
            "is the same as `credentials.client_secret_prefix`; write another, so that test secrets can be told apart";
        return Err(Refused::new("credentials.test_secret_prefix", fix));
    }
    Ok(credentials)
}

fn log(parsed: parsed::Log) -> Result<Log, Refused> {
    let format = match parsed.format.as_deref() {
        None => None,
        Some("text") => Some(LogFormat::Text),
        Some("json") => Some(LogFormat::Json),
        Some(_) => {
            return Err(Refused::new(
                "log.format",
                "must be \"text\" or \"json\"; leave it out to choose by the terminal",
            ));
        }
    };
    let level = not_empty("log.level", Some(parsed.level))?.unwrap_or_default();
    level::filter(&level).map_err(|reason| Refused::new("log.level", format!("{reason}; {}", level::FORMS)))?;
    Ok(Log { format, level })
}
