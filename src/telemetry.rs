//! The log: started once, written to standard error, so that standard output belongs to the command's answer.

use std::io::IsTerminal;

use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LEVEL_FORMS, LogFormat, level_filter};

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The level is neither a level nor a filter.
    #[error("configuration: `log.level`: {reason}; {LEVEL_FORMS}")]
    Level {
        /// What the parser of filters said.
        reason: String,
    },
    /// A log was started before, in this process.
    #[error("the log was started twice; start it once")]
    Started,
}

/// Starts the log on standard error: in the format given, or else as text on a terminal and as JSON elsewhere. Colours are
/// for terminals only, and only where `NO_COLOR` does not ask for none.
///
/// # Errors
/// When `level` is neither a level (`info`) nor a filter (`info,grantor=debug`), or a log has been started before.
pub fn start(format: Option<LogFormat>, level: &str) -> Result<(), TelemetryError> {
    let filter = level_filter(level).map_err(|reason| TelemetryError::Level { reason })?;
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json }) {
        LogFormat::Text if terminal => builder.finish().try_init(),
        LogFormat::Text => builder.with_ansi(false).finish().try_init(),
        LogFormat::Json => builder.with_ansi(false).json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|_| TelemetryError::Started)
}
