//! `grantor init`: what `serve` does on an empty database, and a set-up link or a password for the administrator.

use clap::Args;
use serde::Serialize;

use crate::admin::setup::ADMIN_USERNAME;
use crate::admin::{AdminError, Authority, organizations, passwords, users};
use crate::cli::session::{block_on, open, read_password};
use crate::cli::{Failure, output, session::Session, setup_link};
use crate::config::LogFormat;
use crate::model::role::{ADMINISTRATOR, Role};
use crate::model::user::{User, UserStatus};
use crate::oauth::Context;
use crate::telemetry;

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Username of the administrator
    #[arg(long, default_value = ADMIN_USERNAME)]
    admin_username: String,
    /// Read the administrator's password from standard input; without it there is a set-up link, with --json a
    /// generated password
    #[arg(long)]
    admin_password_stdin: bool,
    /// Give the administrator a new set-up link, or a new password as above
    #[arg(long)]
    recover_admin: bool,
}

#[derive(Serialize)]
struct Answer {
    username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    organization_id: String,
    organization_number: i64,
}

/// The user of this name, who must be an administrator: the one that the installation was made with, or a later one.
async fn administrator(context: &Context, by: &Authority, username: &str) -> Result<User, Failure> {
    let user = match users::find(context, by, username).await {
        Err(AdminError::NotFound { .. }) => {
            return Err(Failure::Refused(format!(
                "it is installed already, without an administrator {username}: \
                 'grantor user create --username {username} --role {ADMINISTRATOR}' makes one"
            )));
        }
        found => found?,
    };
    let snapshot = context.registry.snapshot();
    let is_built_in = |role: &Role| role.name == ADMINISTRATOR && role.organization_id.is_none();
    if user.role_ids.iter().filter_map(|id| snapshot.role(id)).any(|role| is_built_in(role)) {
        return Ok(user);
    }
    Err(Failure::Refused(format!(
        "it is installed already, and {username} is no administrator: \
         'grantor user grant-role {username} {ADMINISTRATOR}' makes them one"
    )))
}

impl Init {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let config = session.config()?;
        let _ = telemetry::start(Some(LogFormat::Text), "warn");
        let chosen =
            if self.admin_password_stdin { Some(read_password(true, "Password of the administrator")?) } else { None };
        let as_json = session.json;
        let (answer, linked) = block_on(async move {
            let (config, opened) = open(config, &self.admin_username).await?;
            let (context, by) = (opened.context, Authority::operator());
            let administrator = administrator(&context, &by, &self.admin_username).await?;
            let (mut password, mut linked) = (None, false);
            if administrator.status == UserStatus::Invited || self.recover_admin {
                if let Some(chosen) = &chosen {
                    passwords::set(&context, &by, &administrator.id, chosen).await?;
                } else if !as_json {
                    setup_link::hand_over(&context, &config, &administrator.username).await?;
                    linked = true;
                } else {
                    let (_, generated) = passwords::rotate(&context, &by, &administrator.id).await?;
                    password = Some(generated.into_exposed());
                }
            }
            let organization = organizations::reached(&context, &by, Some(&administrator.organization_id)).await?;
            let answer = Answer {
                username: administrator.username,
                password,
                organization_id: organization.id,
                organization_number: organization.number,
            };
            Ok((answer, linked))
        })?;
        if session.json {
            return output::json(&answer);
        }
        output::line(&format!("administrator: {}", answer.username));
        if !linked {
            output::line("password: as it was set (grantor init --recover-admin makes a link that sets a new one)");
        }
        output::line(&format!("organization: {} ({})", answer.organization_number, answer.organization_id));
        Ok(())
    }
}
