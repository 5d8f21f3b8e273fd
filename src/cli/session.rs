//! What every command has: the configuration, a runtime, the opened installation.

use std::future::Future;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;

use crate::admin::setup::ADMIN_USERNAME;
use crate::admin::{AdminError, Authority, organizations};
use crate::app::{self, Opened, Surroundings};
use crate::audit;
use crate::cli::Failure;
use crate::config::{self, Config, DatabaseUrl, LoadOptions, LogFormat, Preset};
use crate::crypto::secret::SecretString;
use crate::oauth::Context;
use crate::store::{Store, instance};
use crate::telemetry;

/// One run of the command line.
pub struct Session {
    config_file: Option<PathBuf>,
    preset: Option<String>,
    /// Whether to print JSON.
    pub json: bool,
}

/// An opened installation, on a runtime of the command's own.
pub struct Desk {
    /// The configuration.
    pub config: Config,
    /// The parts.
    pub context: Arc<Context>,
    /// The operator.
    pub by: Authority,
}

impl Desk {
    /// The id of an organization that a command names; none where it names none.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] for one that is not there.
    pub async fn organization(&self, named: Option<&str>) -> Result<Option<String>, Failure> {
        match named {
            Some(key) => Ok(Some(organizations::reached(&self.context, &self.by, Some(key)).await?.id)),
            None => Ok(None),
        }
    }
}

impl Session {
    pub(super) fn new(config_file: Option<PathBuf>, preset: Option<String>, json: bool) -> Self {
        Self { config_file, preset, json }
    }

    /// The configuration in force.
    ///
    /// # Errors
    /// One line that names the key and the fix.
    pub fn config(&self) -> Result<Config, Failure> {
        self.config_like(None)
    }

    /// The same under a preset that the command names itself.
    ///
    /// # Errors
    /// As [`Session::config`]; [`Failure::Usage`] if `--preset` names another.
    pub fn config_like(&self, like: Option<Preset>) -> Result<Config, Failure> {
        if let (Some(like), Some(preset)) = (like, &self.preset)
            && like.as_str() != preset
        {
            return Err(Failure::Usage(format!("--like {like} and --preset {preset} differ: keep one of the two")));
        }
        let options = LoadOptions {
            config_file: self.config_file.clone(),
            preset: like.map(|like| like.as_str().to_owned()).or_else(|| self.preset.clone()),
            environment: config::process_environment(),
        };
        Ok(config::load(&options)?)
    }

    /// Runs an asynchronous command on the installation, which must be there.
    ///
    /// # Errors
    /// What the installation or the command answers.
    pub fn run<T>(&self, command: impl AsyncFnOnce(Desk) -> Result<T, Failure>) -> Result<T, Failure> {
        let config = self.config()?;
        must_be_installed(&config)?;
        Self::run_on(config, command)
    }

    /// Runs an asynchronous command that makes something; the installation too, where there is none yet.
    ///
    /// # Errors
    /// What the installation or the command answers.
    pub fn run_or_init<T>(&self, command: impl AsyncFnOnce(Desk) -> Result<T, Failure>) -> Result<T, Failure> {
        Self::run_on(self.config()?, command)
    }

    fn run_on<T>(config: Config, command: impl AsyncFnOnce(Desk) -> Result<T, Failure>) -> Result<T, Failure> {
        // Only what goes wrong: the command says the rest itself.
        let _ = telemetry::start(Some(LogFormat::Text), "warn");
        block_on(async move {
            let (config, opened) = open(config, ADMIN_USERNAME).await?;
            let context = Arc::clone(&opened.context);
            let answer = command(Desk { config, context: opened.context, by: Authority::operator() }).await?;
            // Where a server runs it seals as well; where none does, what was done here must not wait for one.
            if let Err(error) = audit::seal(&context.store, &context.data_keys.audit).await {
                tracing::warn!(%error, "done, but the audit events are not sealed");
            }
            Ok(answer)
        })
    }
}

/// That the configured database holds an installation. It is looked at, and nothing is made.
///
/// # Errors
/// [`Failure::Refused`] with what makes one, [`Failure::Store`] if the database cannot be read.
pub fn must_be_installed(config: &Config) -> Result<(), Failure> {
    let found = match Store::look(&config.database)? {
        Some(mut db) => instance::find(&mut db)?.is_some(),
        None => false,
    };
    if found { Ok(()) } else { Err(Failure::Refused(no_installation(config))) }
}

/// What is said where there is nothing yet.
#[must_use]
pub fn no_installation(config: &Config) -> String {
    let place = match &config.database.url {
        DatabaseUrl::Sqlite(path) => match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => folder.display().to_string(),
            None => "this folder".to_owned(),
        },
        url @ DatabaseUrl::Postgres(_) => url.redacted(),
    };
    format!("no installation in {place}: grantor init makes one")
}

/// Opens the installation of a configuration.
///
/// # Errors
/// One line for the operator.
pub async fn open(config: Config, admin_username: &str) -> Result<(Config, Opened), Failure> {
    let issuer = config.issuer.with_address(config.server.address);
    let opened = Box::pin(app::open(&config, &issuer, admin_username, &Surroundings::system())).await?;
    Ok((config, opened))
}

/// Runs a future on a runtime of this thread.
///
/// # Errors
/// What the future answers.
pub fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// Rows of a list that are read at once.
const PAGE: i64 = 1000;

/// Everything that a list has, read page by page. `id` is what the list is ordered by.
///
/// # Errors
/// What the verb answers.
pub async fn everything<T>(
    page: impl AsyncFn(&str, i64) -> Result<Vec<T>, AdminError>,
    id: impl Fn(&T) -> &str,
) -> Result<Vec<T>, Failure> {
    let mut all: Vec<T> = Vec::new();
    loop {
        let after = all.last().map(&id).unwrap_or_default().to_owned();
        let next = page(&after, PAGE).await?;
        let ended = i64::try_from(next.len()).is_ok_and(|rows| rows < PAGE);
        all.extend(next);
        if ended {
            return Ok(all);
        }
    }
}

/// A password: from standard input, or asked for on the terminal.
///
/// # Errors
/// [`Failure::Usage`] if there is neither.
pub fn read_password(from_stdin: bool, prompt: &str) -> Result<SecretString, Failure> {
    // At a terminal it is asked for without showing it: what is typed there would be echoed.
    if from_stdin && !std::io::stdin().is_terminal() {
        let mut text = String::new();
        std::io::stdin().take(4096).read_to_string(&mut text)?;
        let line = text.strip_suffix('\n').unwrap_or(&text);
        return Ok(SecretString::from(line.strip_suffix('\r').unwrap_or(line)));
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "nobody is there to type the password: pipe it in, with --password-stdin".to_owned(),
        ));
    }
    let first = rpassword::prompt_password(format!("{prompt}: "))?;
    let again = rpassword::prompt_password("The same again: ")?;
    if first == again {
        Ok(SecretString::from(first))
    } else {
        Err(Failure::Refused("the two passwords differ; nothing was changed".to_owned()))
    }
}

/// Seconds of `90s`, `30m`, `24h`, `7d`. A plain number says too little: hours, most likely, and never seconds.
///
/// # Errors
/// A text for the usage message.
pub fn parse_seconds(text: &str) -> Result<i64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], 86_400),
        _ => ("", 1),
    };
    let forms = || "write it with its unit, s, m, h or d: 90s, 30m, 24h, 7d".to_owned();
    let number: i64 = digits.parse().map_err(|_| forms())?;
    number.checked_mul(unit).filter(|seconds| *seconds >= 0).ok_or_else(|| "a duration is not negative".to_owned())
}
