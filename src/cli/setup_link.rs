//! The administrator's one-time set-up link: shown on a terminal, and otherwise in a file that its owner alone reads.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::admin::{AdminError, Authority, links};
use crate::cli::output;
use crate::config::Config;
use crate::crypto::secret::SecretString;
use crate::oauth::Context;

/// The file, beside that of the master key.
const FILE: &str = "setup-link";

/// What is said of the time that it is good for.
pub(super) const GOOD_FOR: &str = "good for 30 minutes, once";

/// Makes a link and brings it to the operator. Where it can be shown to nobody the log has its path alone.
///
/// # Errors
/// [`AdminError`] if no link can be made.
pub(super) async fn hand_over(context: &Context, config: &Config, username: &str) -> Result<(), AdminError> {
    let link = links::set_up(context, &Authority::operator(), username).await?;
    if std::io::stdout().is_terminal() {
        output::line(&format!("set-up link of {username}, {GOOD_FOR}: {}", link.expose()));
        return Ok(());
    }
    let path = place(config);
    match write(&path, &link) {
        Ok(()) => output::note(&format!("set-up link of {username}, {GOOD_FOR}: in {}", path.display())),
        // The installation stands all the same.
        Err(cause) => output::note(&format!(
            "the set-up link cannot be written to {}: {cause}; 'grantor init --recover-admin' on a terminal shows a new one",
            path.display()
        )),
    }
    Ok(())
}

fn place(config: &Config) -> PathBuf {
    config.security.master_key_file.with_file_name(FILE)
}

/// An older link opens nothing any more, so its file is replaced.
fn write(path: &Path, link: &SecretString) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{}", link.expose())
}
