//! `grantor apply` and `grantor export`

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use crate::admin::Authority;
use crate::admin::declaration::{self, Action, Applied};
use crate::cli::session::Session;
use crate::cli::{Failure, output};

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The declaration, as grantor export writes it; - reads standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Say what would change and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Write the secrets of new clients to a new JSON file that only you can read, instead of the terminal
    #[arg(long, value_name = "FILE")]
    secrets_out: Option<PathBuf>,
}

impl Apply {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let text = self.read()?;
        // Before anything is made: a secret that cannot be written down is not made.
        let secrets_out = match &self.secrets_out {
            Some(path) if !self.dry_run => Some((path.as_path(), new_file(path)?)),
            _ => None,
        };
        let applied = session.run_or_init(async |desk| {
            let by = Authority::operator();
            Ok(declaration::apply(&desk.context, &by, &text, self.dry_run).await?)
        });
        let mut applied = match (applied, &secrets_out) {
            (Ok(applied), Some(_)) if !applied.secrets.is_empty() => applied,
            (other, Some((path, _))) => {
                // It is empty, and ours.
                let _ = std::fs::remove_file(path);
                other?
            }
            (other, None) => other?,
        };
        let secrets: Map<String, Value> =
            applied.secrets.drain(..).map(|(id, secret)| (id, secret.into_exposed().into())).collect();
        let shown = match secrets_out {
            Some((path, file)) if !secrets.is_empty() => {
                write(path, file, &secrets)?;
                None
            }
            _ => Some(secrets),
        };
        if session.json {
            return output::json(&json!({
                "dry_run": self.dry_run,
                "steps": applied.plan.steps,
                "unchanged": applied.plan.unchanged,
                "secrets": shown.unwrap_or_default(),
            }));
        }
        print(&applied);
        for (client_id, secret) in shown.unwrap_or_default() {
            output::line(&format!("secret of {client_id}: {}   (shown only now)", secret.as_str().unwrap_or_default()));
        }
        Ok(())
    }

    fn read(&self) -> Result<String, Failure> {
        let read = if self.file.as_os_str() == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(&self.file)
        };
        read.map_err(|cause| Failure::Refused(format!("{} cannot be read: {cause}", self.file.display())))
    }
}

fn print(applied: &Applied) {
    for step in &applied.plan.steps {
        match &step.action {
            Action::Create => output::line(&format!("+ create {} {}", step.noun, step.key)),
            Action::Change(changes) => {
                for change in changes {
                    let text = |text: &str| if text.is_empty() { "(none)".to_owned() } else { text.to_owned() };
                    let (from, to) = (text(&change.from), text(&change.to));
                    output::line(&format!("~ change {} {}: {}: {from} → {to}", step.noun, step.key, change.field));
                }
            }
        }
    }
    output::line(&format!("= {} unchanged", applied.plan.unchanged));
}

fn new_file(path: &Path) -> Result<std::fs::File, Failure> {
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|cause| {
        let path = path.display();
        Failure::Refused(match cause.kind() {
            std::io::ErrorKind::AlreadyExists => {
                format!("{path} exists already and is not overwritten: choose another name; nothing was changed")
            }
            _ => format!("{path} cannot be written ({cause}); nothing was changed"),
        })
    })
}

fn write(path: &Path, mut file: std::fs::File, secrets: &Map<String, Value>) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(secrets).unwrap_or_default() + "\n";
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|cause| {
        Failure::Refused(format!(
            "{} cannot be written ({cause}); the clients were made: give them new secrets with 'grantor client rotate-secret'",
            path.display()
        ))
    })?;
    output::note(&format!("secrets written to {}", path.display()));
    Ok(())
}

/// Prints the installation as a declaration.
///
/// # Errors
/// What the installation answers.
pub(super) fn export(session: &Session) -> Result<(), Failure> {
    let text = session.run(async |desk| Ok(declaration::export(&desk.context, &Authority::operator()).await?))?;
    if session.json {
        let value: toml::Value = toml::from_str(&text).map_err(|cause| Failure::Refused(cause.to_string()))?;
        return output::json(&value);
    }
    output::line(text.trim_end());
    Ok(())
}
