//! The configuration: what an operator can set, read in two steps.
//!
//! *Parsed*: the layers (the built-in `config/default.toml`, a preset if one is named, one file, `GRANTOR__SECTION__KEY` variables) are checked
//! against the table of keys in `keys`, merged, and read into the plain structs of `parsed`. *Resolved*: `resolve` checks
//! every value and makes the [`Config`] that the rest of the program uses. An error is one line that names the key, the
//! place where it stands, and the fix.

mod brand;
mod choices;
mod database;
mod dialect;
mod error;
mod http;
mod keys;
mod layers;
mod level;
mod listeners;
mod load;
mod mail;
mod parsed;
mod presets;
mod print;
mod resolve;
mod settings;
mod span;
mod variables;

pub use brand::{Brand, Logo};
pub use choices::{Environment, ErrorShape, IssuerSetting, LogFormat};
pub use database::DatabaseUrl;
pub use error::{ConfigError, Place};
pub use level::{FORMS as LEVEL_FORMS, filter as level_filter};
pub use load::{LoadOptions, load, process_environment};
pub use mail::{Mail, SmtpUrl};
pub use presets::Preset;
pub use print::print;
pub use settings::{
    Config, Credentials, Database, Grants, Http, Keys, Limits, Log, PasswordGrant, Passwords, Refresh, Reveal,
    Security, Server, TokenPath, Tokens,
};
