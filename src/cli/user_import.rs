//! `grantor user import`

use std::io::Read;
use std::path::PathBuf;

use clap::Args;

use crate::admin::Authority;
use crate::admin::import::{self, Imported};
use crate::cli::session::Session;
use crate::cli::{Failure, output};

/// The largest file that is read, in bytes: it is held in memory.
const LARGEST_FILE: u64 = 1 << 30;

/// Skipped users that are named one by one; `--json` names them all.
const NAMED: usize = 20;

#[derive(Debug, Args)]
pub(super) struct Import {
    /// JSON lines, a JSON array, or Keycloak's realm export; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Check everything and write nothing
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let file = self.read()?;
        let done = session.run_or_init(async |desk| {
            Ok(import::import(&desk.context, &Authority::operator(), &file, self.dry_run).await?)
        })?;
        if session.json {
            return output::json(&done);
        }
        print(&done, self.dry_run);
        Ok(())
    }

    fn read(&self) -> Result<Vec<u8>, Failure> {
        let shown = self.file.display();
        let mut bytes = Vec::new();
        let read = if self.file.as_os_str() == "-" {
            std::io::stdin().take(LARGEST_FILE + 1).read_to_end(&mut bytes)
        } else {
            std::fs::File::open(&self.file).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        };
        read.map_err(|cause| Failure::Refused(format!("{shown} cannot be read: {cause}")))?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(Failure::Refused(format!("{shown} is larger than 1 GiB: split it")));
        }
        Ok(bytes)
    }
}

fn print(done: &Imported, dry_run: bool) {
    output::line(&format!("{}: {}", if dry_run { "would import" } else { "imported" }, done.imported));
    if done.without_password > 0 {
        output::line(&format!("of them without a password: {}", done.without_password));
    }
    output::line(&format!("skipped: {}", done.skipped.len()));
    for skipped in done.skipped.iter().take(NAMED) {
        output::line(&format!("  line {}: {}: {}", skipped.line, skipped.username, skipped.reason));
    }
    if done.skipped.len() > NAMED {
        output::line(&format!("  and {} more", done.skipped.len() - NAMED));
    }
    if !done.roles_left_out.is_empty() {
        let names: Vec<&str> = done.roles_left_out.iter().map(String::as_str).collect();
        output::line(&format!("roles that are not here and were given to nobody: {}", names.join(", ")));
    }
}
