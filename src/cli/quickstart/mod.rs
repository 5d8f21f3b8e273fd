//! `grantor quickstart`: from an empty folder to a first token, on a platform's own path where one is named.

mod made;
mod platforms;

use clap::Args;

use crate::admin::setup::ADMIN_USERNAME;
use crate::admin::{Authority, passwords};
use crate::app::{self, StartError};
use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::config::{Config, Preset};
use crate::oauth::Context;
use crate::telemetry;

use made::Workshop;

#[derive(Debug, Args)]
pub(super) struct Quickstart {
    /// Follow the path of a platform: biotz, buymed, kizen, akeneo or bandwidth
    #[arg(long, value_name = "PLATFORM")]
    like: Option<Preset>,
}

impl Quickstart {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let config = session.config_like(self.like)?;
        telemetry::start(config.log.format, "warn").map_err(|cause| Failure::Refused(cause.to_string()))?;
        // The ports are bound before anything is made or printed: what is shown once is shown by a server that runs.
        let made_for = config.clone();
        let printed = async move |app: &app::App| -> Result<(), StartError> {
            let address = app.address()?;
            if app.is_new() {
                let lines = set_up(&made_for, app.context()).await;
                output::line(&lines.map_err(|failure| StartError::Setting(failure.to_string()))?);
            } else {
                output::line(
                    "It is set up already: nothing was made. \
                     'grantor client create --help' makes another client, 'grantor credentials create --help' other credentials.",
                );
            }
            output::line(&format!("Serving on http://{address} until Ctrl-C."));
            Ok(())
        };
        Ok(app::serve(config, printed)?)
    }
}

async fn set_up(config: &Config, context: &Context) -> Result<String, Failure> {
    let by = Authority::operator();
    let (_, admin_password) = passwords::rotate(context, &by, ADMIN_USERNAME).await?;
    let admin_password = admin_password.into_exposed();
    let workshop = Workshop { config, context, by };
    let body = match config.preset {
        None => platforms::neutral(&workshop).await?,
        Some(Preset::Biotz) => platforms::biotz(&workshop).await?,
        Some(Preset::Buymed) => platforms::buymed(&workshop).await?,
        Some(Preset::Kizen) => platforms::kizen(&workshop).await?,
        Some(Preset::Akeneo) => platforms::akeneo(&workshop).await?,
        Some(Preset::Bandwidth) => platforms::bandwidth(&workshop).await?,
    };
    let issuer = &context.settings.issuer;
    let keep = config.preset.map(|preset| {
        format!(
            "\nThis is the dialect of {preset}, for this run. To keep it: `preset = \"{preset}\"` in the configuration file, \
             or --preset {preset}\nwith every command, or GRANTOR__PRESET={preset} in the environment.\n"
        )
    });
    Ok(format!(
        "Grantor is ready. Everything is in ./data; keep data/master.key safe, the database is useless without it.\n\n\
         Administrator   {ADMIN_USERNAME}   password {admin_password}   (shown only now)\n\
         {body}{}\n\
         Where next: {issuer}/.well-known/openid-configuration, 'grantor --help', 'grantor doctor'.\n",
        keep.unwrap_or_default()
    ))
}
