//! `grantor config …`

use clap::Subcommand;
use serde_json::json;

use crate::admin::setup;
use crate::app;
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::config;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Say whether the configuration is good
    Check,
    /// Print the configuration in force, secrets redacted
    Print,
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let config = session.config()?;
        if matches!(self, Self::Check) {
            setup::check_master_key(&config.security).map_err(|cause| Failure::Refused(cause.to_string()))?;
            app::check_paths(&config).map_err(|cause| Failure::Refused(cause.to_string()))?;
        }
        match self {
            Self::Check if session.json => output::json(&json!({ "ok": true })),
            Self::Check => {
                output::line("the configuration is good");
                Ok(())
            }
            Self::Print => {
                let text = config::print(&config);
                if session.json {
                    let value: toml::Value =
                        toml::from_str(&text).map_err(|cause| Failure::Refused(cause.to_string()))?;
                    return output::json(&value);
                }
                output::line(text.trim_end());
                Ok(())
            }
        }
    }
}
