//! `grantor master-key …`

use std::io::IsTerminal;

use clap::Subcommand;
use serde_json::json;

use crate::admin::master_key;
use crate::admin::setup::ADMIN_USERNAME;
use crate::cli::session::{Session, block_on, must_be_installed, open};
use crate::cli::{Failure, output};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a new master key and seal the database's keys under it; tokens and secrets stay good
    Rotate {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Print the master key, for a safe place that is not the database's
    Export {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Verb {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let config = session.config()?;
        must_be_installed(&config)?;
        match self {
            Self::Rotate { yes } => {
                if config.security.master_key.is_some() {
                    return Err(Failure::Refused(
                        "the master key is a setting here (security.master_key): put it into a file (security.master_key_file) to rotate it"
                            .to_owned(),
                    ));
                }
                output::confirm(
                    "Replace the master key? Other nodes and later backups need the new one; backups made before need the old one, so keep a copy of it.",
                    yes,
                )?;
                let file = config.security.master_key_file.clone();
                let new = block_on(async move {
                    let (_, opened) = open(config, ADMIN_USERNAME).await?;
                    let context = opened.context;
                    let actor = crate::model::audit::Actor::command_line();
                    let now = context.clock.now();
                    let old = &opened.master_key;
                    Ok(master_key::rotate(&context.store, &actor, old, &file, &context.random, now).await?)
                })?;
                if session.json {
                    return output::json(&json!({ "fingerprint": new.fingerprint() }));
                }
                output::line(&format!("the master key has the fingerprint {}", new.fingerprint()));
                output::line("copy its file to every other node before that node starts again");
                Ok(())
            }
            Self::Export { yes } => {
                if std::io::stdout().is_terminal() {
                    output::confirm("Print the master key on this terminal?", yes)?;
                }
                let (_, opened) = block_on(open(config, ADMIN_USERNAME))?;
                let text = opened.master_key.to_text().into_exposed();
                if session.json {
                    return output::json(
                        &json!({ "master_key": text, "fingerprint": opened.master_key.fingerprint() }),
                    );
                }
                output::line(&text);
                Ok(())
            }
        }
    }
}
