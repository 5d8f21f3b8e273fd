//! `grantor token …`: what a text is, without the database.

use std::io::Read;

use clap::Subcommand;
use serde_json::Value;

use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::developer::{inspection, secret_formats};

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
    let (answer, doubt) = inspection::inspect(&text);
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
