//! `grantor migrate`

use clap::Subcommand;

use crate::cli::session::{Session, no_installation};
use crate::cli::{Failure, output};
use crate::store::{Store, migrations};

#[derive(Debug, Clone, Copy, Default, Subcommand)]
pub(super) enum Verb {
    /// What is applied, what is pending
    #[default]
    Status,
    /// Apply what is pending
    Run,
}

pub(super) fn run(session: &Session, verb: Verb) -> Result<(), Failure> {
    let config = session.config()?;
    if matches!(verb, Verb::Status) && Store::look(&config.database)?.is_none() {
        return Err(Failure::Refused(no_installation(&config)));
    }
    let mut db = Store::connect(&config.database)?;
    let state = match verb {
        Verb::Status => migrations::state(&mut db)?,
        Verb::Run => migrations::run(&mut db)?,
    };
    if session.json {
        return output::json(&state);
    }
    for (word, versions) in [("applied", &state.applied), ("pending", &state.pending), ("unknown", &state.unknown)] {
        for version in versions {
            output::line(&format!("{word}  {version}"));
        }
    }
    if state.pending.is_empty() && state.unknown.is_empty() {
        output::line("the schema is current");
    }
    Ok(())
}
