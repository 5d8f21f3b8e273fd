//! `grantor backup` and `grantor restore`: before anything of the installation is opened.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::admin::{Authority, backup};
use crate::app::Surroundings;
use crate::cli::session::Session;
use crate::cli::{Failure, output};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// A new file, which only you can read
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let config = session.config()?;
        let now = Surroundings::system().clock.now();
        let made = backup::make(&Authority::operator(), &config.database, &self.file, now)?;
        if session.json {
            return output::json(&json!({
                "file": self.file,
                "bytes": made.bytes,
                "master_key_fingerprint": made.master_key_fingerprint,
            }));
        }
        output::line(&format!("written to {} ({} bytes), and read back: it is sound", self.file.display(), made.bytes));
        output::line(&format!(
            "the master key is not in it: keep the one with the fingerprint {} elsewhere, the backup is useless without",
            made.master_key_fingerprint
        ));
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// What grantor backup wrote
    #[arg(value_name = "FILE", required_unless_present = "pg_restored", conflicts_with = "pg_restored")]
    file: Option<PathBuf>,
    /// Only end the tokens of before, once pg_restore has put a database of PostgreSQL back
    #[arg(long = "after-pg-restore")]
    pg_restored: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Restore {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let config = session.config()?;
        let question = match &self.file {
            Some(file) => format!("Put {} in the place of the database? Everybody must sign in again.", file.display()),
            None => "End every token of this database? Everybody must sign in again.".to_owned(),
        };
        // What only says which program to use needs no answer.
        if self.file.is_none() || matches!(config.database.url, crate::config::DatabaseUrl::Sqlite(_)) {
            output::confirm(&question, self.yes)?;
        }
        let Surroundings { clock, random } = Surroundings::system();
        let (by, now) = (Authority::operator(), clock.now());
        let done = match &self.file {
            Some(file) => backup::restore(&by, &config.database, &config.security, file, &random, now)?,
            None => backup::after_pg_restore(&by, &config.database, &config.security, &random, now)?,
        };
        if session.json {
            return output::json(&json!({ "kept": done.kept, "ended_sign_ins": done.ended }));
        }
        output::line(&format!("restored; {} sign-ins ended, and every token of before is refused", done.ended));
        if let Some(kept) = &done.kept {
            output::line(&format!("the database of before is kept in {}", kept.display()));
        }
        output::line("what was revoked since the backup works again: see 'Restoring' in docs/operations.md");
        Ok(())
    }
}
