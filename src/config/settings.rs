//! The configuration as the program uses it: every value checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::config::brand::Brand;
use crate::config::choices::{Environment, ErrorShape, IssuerSetting, LogFormat};
use crate::config::database::DatabaseUrl;
use crate::config::mail::Mail;
use crate::config::presets::Preset;
use crate::crypto::secret::SecretString;
use crate::model::grant_type::GrantType;
use crate::model::profile::ProfileRules;
use crate::model::reveal::RevealPolicy;
use crate::model::wording::ConsoleWords;

/// The whole configuration. Its `Debug` hides secrets.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server runs.
    pub environment: Environment,
    /// The platform whose dialect is spoken, if one was named.
    pub preset: Option<Preset>,
    /// The issuer, or that it follows from the bound address.
    pub issuer: IssuerSetting,
    /// The listeners.
    pub server: Server,
    /// The database.
    pub database: Database,
    /// The master key.
    pub security: Security,
    /// Access tokens.
    pub tokens: Tokens,
    /// Refresh tokens.
    pub refresh: Refresh,
    /// Signing keys.
    pub keys: Keys,
    /// Grants that can be switched off.
    pub grants: Grants,
    /// Passwords and their hashes.
    pub passwords: Passwords,
    /// Limits on requests and attempts.
    pub limits: Limits,
    /// Paths, origins and proxies.
    pub http: Http,
    /// Names of what this server gives out.
    pub credentials: Credentials,
    /// The audit log.
    pub audit: Audit,
    /// How long rows are kept that nothing needs any more.
    pub retention: Retention,
    /// `[users]`: what a new user's profile must hold.
    pub users: ProfileRules,
    /// `[console.words]`: what the console calls its sections and buttons.
    pub words: ConsoleWords,
    /// What this installation is called.
    pub brand: Brand,
    /// Outgoing mail.
    pub mail: Mail,
    /// The log.
    pub log: Log,
}

/// `[server]`: the listeners.
#[derive(Debug, Clone)]
pub struct Server {
    /// The public listener; port 0 takes a free one.
    pub address: SocketAddr,
    /// The listener for metrics and full health; port 0 takes a free one.
    pub private_address: SocketAddr,
    /// Worker threads; 0 means one for each core.
    pub workers: usize,
    /// Seconds between the signal to stop and the end of the listener; meanwhile the node is not ready.
    pub drain: u64,
    /// Whether the issuer may be plain http on an address that is not loopback.
    pub allow_plain_http: bool,
}

/// `[database]`: where the data is.
#[derive(Debug, Clone)]
pub struct Database {
    /// Which database.
    pub url: DatabaseUrl,
    /// Connections, at least 1.
    pub pool_size: usize,
    /// Milliseconds that a caller waits.
    pub deadline_ms: u64,
}

/// `[security]`: the master key. Its `Debug` hides the key.
#[derive(Debug, Clone)]
pub struct Security {
    /// The key itself, as it was given; it goes before the file.
    pub master_key: Option<SecretString>,
    /// The file that holds the key, or will hold it after the first start.
    pub master_key_file: PathBuf,
}

/// `[tokens]`: access tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Seconds that a token lives, 30 to 86400.
    pub access_lifetime: u64,
    /// The audience where nothing else names one; none means the issuer.
    pub audience: Option<String>,
    /// `ES256`, `RS256`, `PS256` or `EdDSA`.
    pub signing_algorithm: String,
}

/// `[refresh]`: refresh tokens.
#[derive(Debug, Clone)]
pub struct Refresh {
    /// Seconds after which an unused token expires.
    pub idle_lifetime: u64,
    /// Seconds after which a chain of tokens ends; not less than `idle_lifetime`.
    pub absolute_lifetime: u64,
    /// Seconds in which a used token may come once more, 0 to 60.
    pub reuse_window: u64,
}

/// `[keys]`: signing keys.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Seconds that a new key is published before it signs; less than the rotation interval.
    pub publish_ahead: u64,
    /// How often the signing key is changed.
    pub rotation_interval: Duration,
}

/// `[grants]`: grants that can be switched off.
#[derive(Debug, Clone)]
pub struct Grants {
    /// The password grant.
    pub password: PasswordGrant,
}

/// `[grants.password]`
#[derive(Debug, Clone)]
pub struct PasswordGrant {
    /// Whether there is a password grant at all.
    pub enabled: bool,
    /// Whether it takes a person's password.
    pub people: bool,
}

/// `[passwords]`: passwords and their hashes.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// The cost of a hash, 4 to 15; at least 10 in production.
    pub bcrypt_cost: u32,
    /// The fewest characters of a new password, 8 to 256.
    pub min_length: usize,
}

/// `[limits]`: limits on requests and attempts.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Whether failed attempts are limited. Sizes, times and connections always are.
    pub enabled: bool,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Seconds for the header to arrive.
    pub header_timeout: u64,
    /// Seconds for the body to arrive.
    pub body_timeout: u64,
    /// Seconds that an idle connection stays open.
    pub keep_alive: u64,
    /// Connections at the same time.
    pub max_connections: usize,
    /// Failures within the window for one account from one network.
    pub account_network_failures: u32,
    /// Failures within the window from one network.
    pub network_failures: u32,
    /// Failures within the window for one account.
    pub account_failures: u32,
    /// Failures within the window for one client.
    pub client_failures: u32,
    /// Seconds of the window.
    pub window: u64,
}

/// `[http]`: paths, origins and proxies.
#[derive(Debug, Clone)]
pub struct Http {
    /// Further paths of the token endpoint.
    pub token_path: Vec<TokenPath>,
    /// Origins that browsers may call from, each as a browser writes it.
    pub cors_origins: Vec<String>,
    /// Networks whose forwarded addresses are believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// One further path of the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPath {
    /// The path, from its first slash; `{any}` is one segment of any text.
    pub path: String,
    /// The shape of its refusals.
    pub errors: ErrorShape,
}

/// `[credentials]`: names of what this server gives out.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id of the public client of programmatic users.
    pub programmatic_client_id: String,
    /// What a client id starts with, without the underscore.
    pub client_id_prefix: String,
    /// What a client secret starts with.
    pub client_secret_prefix: String,
    /// What a client secret of an application in test mode starts with; another than the one above.
    pub test_secret_prefix: String,
    /// The grants that are ticked for a new client on the console's pages.
    pub new_client_grants: Vec<GrantType>,
    /// Whether secrets can be seen again.
    pub reveal: Reveal,
}

/// `[credentials.reveal]`. Generated passwords are not in it: they are always shown once.
#[derive(Debug, Clone, Copy)]
pub struct Reveal {
    /// Of client secrets.
    pub client_secret: RevealPolicy,
    /// Of API keys.
    pub api_key: RevealPolicy,
}

/// `[audit]`: the audit log.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Days that an event is kept, 1 to 3650.
    pub retention_days: u64,
}

/// `[retention]`: how long rows are kept that nothing needs any more, each 1 to 3650 days.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Days that the hourly counters of use are kept.
    pub usage_days: u64,
    /// Days that messages that were sent or have failed, and one-time links that are over, can be looked up.
    pub mail_days: u64,
    /// Days that a client secret is still recognised, and refused, after it was replaced or has expired.
    pub replaced_secret_days: u64,
}

/// `[log]`: the log.
#[derive(Debug, Clone)]
pub struct Log {
    /// The format; none means text on a terminal, else JSON.
    pub format: Option<LogFormat>,
    /// A level, or a filter such as `info,grantor=debug`.
    pub level: String,
}
