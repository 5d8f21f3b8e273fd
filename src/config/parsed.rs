//! The merged layers as plain structs: the shape of the file, nothing checked but the types. Absent from an error by now:
//! unknown keys and wrong kinds, which `layers` refuses with the place where they stand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// The whole file. The sections and keys are described in `config/default.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parsed {
    pub(crate) environment: String,
    pub(crate) preset: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) server: Server,
    pub(crate) database: Database,
    pub(crate) security: Security,
    pub(crate) tokens: Tokens,
    pub(crate) refresh: Refresh,
    pub(crate) keys: Keys,
    pub(crate) grants: Grants,
    pub(crate) passwords: Passwords,
    pub(crate) limits: Limits,
    pub(crate) http: Http,
    pub(crate) credentials: Credentials,
    pub(crate) audit: Audit,
    pub(crate) retention: Retention,
    pub(crate) users: Users,
    pub(crate) console: Console,
    pub(crate) brand: Brand,
    #[serde(default)]
    pub(crate) mail: Mail,
    pub(crate) log: Log,
}

/// `[server]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) private_address: String,
    pub(crate) workers: u64,
    pub(crate) drain: u64,
    pub(crate) allow_plain_http: bool,
}

/// `[database]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    pub(crate) url: Option<String>,
    pub(crate) url_file: Option<PathBuf>,
    pub(crate) pool_size: u64,
    pub(crate) deadline_ms: u64,
}

/// `[security]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Security {
    pub(crate) master_key: Option<String>,
    pub(crate) master_key_file: PathBuf,
}

/// `[tokens]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tokens {
    pub(crate) access_lifetime: u64,
    pub(crate) audience: Option<String>,
    pub(crate) signing_algorithm: String,
}

/// `[refresh]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    pub(crate) idle_lifetime: u64,
    pub(crate) absolute_lifetime: u64,
    pub(crate) reuse_window: u64,
}

/// `[keys]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    pub(crate) publish_ahead: u64,
    #[serde(deserialize_with = "crate::config::span::deserialize")]
    pub(crate) rotation_interval: Duration,
}

/// `[grants]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grants {
    pub(crate) password: PasswordGrant,
}

/// `[grants.password]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordGrant {
    pub(crate) enabled: bool,
    pub(crate) people: bool,
}

/// `[passwords]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passwords {
    pub(crate) bcrypt_cost: u64,
    pub(crate) min_length: u64,
}

/// `[limits]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) enabled: bool,
    pub(crate) body_bytes: u64,
    pub(crate) header_timeout: u64,
    pub(crate) body_timeout: u64,
    pub(crate) keep_alive: u64,
    pub(crate) max_connections: u64,
    pub(crate) account_network_failures: u64,
    pub(crate) network_failures: u64,
    pub(crate) account_failures: u64,
    pub(crate) client_failures: u64,
    pub(crate) window: u64,
}

/// `[http]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) token_path: Vec<TokenPath>,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) trusted_proxies: Vec<String>,
}

/// One of `[[http.token_path]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenPath {
    pub(crate) path: String,
    pub(crate) errors: Option<String>,
}

/// `[credentials]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    pub(crate) programmatic_client_id: String,
    pub(crate) client_id_prefix: String,
    pub(crate) client_secret_prefix: String,
    pub(crate) test_secret_prefix: String,
    pub(crate) new_client_grants: Vec<String>,
    pub(crate) reveal: Reveal,
}

/// `[credentials.reveal]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reveal {
    pub(crate) client_secret: String,
    pub(crate) api_key: String,
    pub(crate) generated_password: String,
}

/// `[users]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Users {
    pub(crate) required_fields: Vec<String>,
    pub(crate) phone_pattern: String,
}

/// `[console]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Console {
    pub(crate) words: BTreeMap<String, String>,
}

/// `[audit]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audit {
    pub(crate) retention_days: u64,
}

/// `[retention]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retention {
    pub(crate) usage_days: u64,
    pub(crate) mail_days: u64,
    pub(crate) replaced_secret_days: u64,
}

/// `[brand]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Brand {
    pub(crate) name: String,
    pub(crate) support_url: Option<String>,
    pub(crate) logo_file: Option<PathBuf>,
    pub(crate) colour: Option<String>,
}

/// `[mail]`: nothing in it has a default.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    pub(crate) smtp_url: Option<String>,
    pub(crate) smtp_url_file: Option<PathBuf>,
    pub(crate) from: Option<String>,
}

/// `[log]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) format: Option<String>,
    pub(crate) level: String,
}
