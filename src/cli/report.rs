//! `grantor report …`

use clap::{Args, ValueEnum};

use crate::admin::Authority;
use crate::admin::reports::{self, IDLE_DAYS, IdleRow, UserRow};
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::model::time::Timestamp;

/// Which report.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// Clients, secrets and API users that nobody uses
    Idle,
    /// Scopes that clients are approved for and are not given
    UnusedScopes,
    /// Who still uses the password grant, and the command that moves them to client credentials
    PasswordGrant,
    /// Who still sends username and password in HTTP Basic, and the command that moves them to client credentials
    Basic,
}

#[derive(Debug, Args)]
pub(super) struct Report {
    /// Which report
    #[arg(value_enum)]
    which: Which,
    /// How many days to look back
    #[arg(long, default_value_t = IDLE_DAYS, value_parser = clap::value_parser!(i64).range(1..=3650))]
    days: i64,
}

impl Report {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let by = Authority::operator();
        let Self { which, days } = self;
        match which {
            Which::Idle => {
                let rows = session.run(async |desk| Ok(reports::idle(&desk.context, &by, days).await?))?;
                idle(session, &rows)
            }
            Which::UnusedScopes => {
                let rows = session.run(async |desk| Ok(reports::unused_scopes(&desk.context, &by, days).await?))?;
                idle(session, &rows)
            }
            Which::PasswordGrant => {
                let rows = session.run(async |desk| Ok(reports::password_grant(&desk.context, &by, days).await?))?;
                users(session, &rows)
            }
            Which::Basic => {
                let rows = session.run(async |desk| Ok(reports::basic(&desk.context, &by, days).await?))?;
                users(session, &rows)
            }
        }
    }
}

fn idle(session: &Session, rows: &[IdleRow]) -> Result<(), Failure> {
    if session.json {
        return output::json(&rows);
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.kind.to_owned(),
                row.id.clone(),
                row.name.clone(),
                row.part.clone().unwrap_or_default(),
                row.last_used_at.map_or_else(|| "never".to_owned(), Timestamp::rfc3339),
                row.command.clone().unwrap_or_default(),
            ]
        })
        .collect();
    output::table(&["KIND", "ID", "NAME", "PART", "LAST USED", "COMMAND"], &lines);
    Ok(())
}

fn users(session: &Session, rows: &[UserRow]) -> Result<(), Failure> {
    if session.json {
        return output::json(&rows);
    }
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                row.kind.to_string(),
                row.name.clone(),
                row.count.to_string(),
                row.last_hour.rfc3339(),
                row.command.clone(),
            ]
        })
        .collect();
    output::table(&["KIND", "NAME", "TIMES", "LAST HOUR", "COMMAND"], &lines);
    Ok(())
}
