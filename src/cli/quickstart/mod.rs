//! `grantor quickstart`: from an empty folder to a first token, on a platform's own path where one is named.

mod demo;
mod demo_usage;
mod made;
mod platforms;

use clap::Args;
use serde_json::json;

use crate::admin::setup::ADMIN_USERNAME;
use crate::admin::{Authority, links};
use crate::app::{self, StartError};
use crate::cli::session::Session;
use crate::cli::setup_link::GOOD_FOR;
use crate::cli::{Failure, output};
use crate::config::{Config, Preset};
use crate::crypto::secret::SecretString;
use crate::developer::call::Site;
use crate::oauth::Context;
use crate::telemetry;

use made::{Path, Workshop};

#[derive(Debug, Args)]
pub(super) struct Quickstart {
    /// Follow the path of a platform: biotz, buymed, kizen, akeneo or bandwidth
    #[arg(long, value_name = "PLATFORM")]
    like: Option<Preset>,
    /// Fill it as if it had been in use for a month: a second organization, users, applications in each state, usage
    #[arg(long)]
    demo: bool,
}

impl Quickstart {
    pub(super) fn run(self, session: &Session) -> Result<(), Failure> {
        let config = session.config_like(self.like)?;
        let (as_json, demo) = (session.json, self.demo);
        telemetry::start(config.log.format, "warn").map_err(|cause| Failure::Refused(cause.to_string()))?;
        // The ports are bound before anything is made or printed: what is shown once is shown by a server that runs.
        let made_for = config.clone();
        let printed = async move |app: &app::App| -> Result<(), StartError> {
            let refused = |failure: Failure| StartError::Setting(failure.to_string());
            let made = if app.is_new() { Some(set_up(&made_for, app.context(), demo).await) } else { None };
            let made = made.transpose().map_err(refused)?;
            if as_json {
                return print_json(made, &made_for, app.context()).map_err(refused);
            }
            match made {
                Some(made) => output::line(&lines(&made, &made_for, app.context())),
                None => output::line(&format!(
                    "It is set up already: nothing was made. The console is at {}/console/.\n\
                     'grantor init --recover-admin' makes a link to set the administrator's password, \
                     'grantor client rotate-secret' another secret,\n'grantor client create' another client, \
                     'grantor credentials create' other credentials.",
                    app.context().settings.issuer
                )),
            }
            output::line(&format!("Serving on http://{} until Ctrl-C.", app.address()?));
            Ok(())
        };
        Ok(app::serve(config, printed)?)
    }
}

/// What a quickstart made; shown this once.
struct SetUp {
    setup_link: SecretString,
    path: Path,
}

async fn set_up(config: &Config, context: &Context, demo: bool) -> Result<SetUp, Failure> {
    let by = Authority::operator();
    let setup_link = links::set_up(context, &by, ADMIN_USERNAME).await?;
    let workshop = Workshop { config, context, by };
    let mut path = match config.preset {
        None => platforms::neutral(&workshop).await?,
        Some(Preset::Biotz) => platforms::biotz(&workshop).await?,
        Some(Preset::Buymed) => platforms::buymed(&workshop).await?,
        Some(Preset::Kizen) => platforms::kizen(&workshop).await?,
        Some(Preset::Akeneo) => platforms::akeneo(&workshop).await?,
        Some(Preset::Bandwidth) => platforms::bandwidth(&workshop).await?,
    };
    if demo {
        let filled = demo::fill(&workshop).await?;
        path.lines.insert_str(0, &filled.lines);
        path.made.extend(filled.made);
    }
    Ok(SetUp { setup_link, path })
}

/// One object, also where nothing was made.
fn print_json(made: Option<SetUp>, config: &Config, context: &Context) -> Result<(), Failure> {
    let issuer = &context.settings.issuer;
    let endpoint = Site::new(issuer, &config.http.token_path).token_url;
    let mut answer = json!({ "is_new": made.is_some(), "issuer": issuer, "token_endpoint": endpoint });
    if let (Some(SetUp { setup_link, path }), Some(members)) = (made, answer.as_object_mut()) {
        members.insert("admin_username".to_owned(), ADMIN_USERNAME.into());
        members.insert("setup_link".to_owned(), setup_link.into_exposed().into());
        members.extend(path.made.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
    }
    output::json(&answer)
}

/// What is made, and what to paste.
fn lines(made: &SetUp, config: &Config, context: &Context) -> String {
    let (setup_link, body) = (made.setup_link.expose(), &made.path.lines);
    let issuer = &context.settings.issuer;
    let keep = config.preset.map(|preset| {
        format!(
            "\nThis is the dialect of {preset}, for this run. To keep it: `preset = \"{preset}\"` in the configuration file, \
             or --preset {preset}\nwith every command, or GRANTOR__PRESET={preset} in the environment.\n"
        )
    });
    format!(
        "Grantor is ready. Everything is in ./data; keep data/master.key safe, the database is useless without it.\n\n\
         Console         {issuer}/console/\n\
         Administrator   {ADMIN_USERNAME}, who sets a password here ({GOOD_FOR}):\n\
         \x20               {setup_link}\n\
         {body}{}\n\
         Where next: {issuer}/.well-known/openid-configuration, 'grantor --help', 'grantor doctor'.\n",
        keep.unwrap_or_default()
    )
}
