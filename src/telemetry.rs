//! The log: started once, written to standard error, so that standard output belongs to the command's answer.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The level is neither a level nor a filter.
    #[error("configuration: `log.level`: {reason}; write \"info\", or a filter such as \"info,grantor=debug\"")]
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
    let filter = filter(level)?;
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json }) {
        LogFormat::Text if terminal => builder.finish().try_init(),
        LogFormat::Text => builder.with_ansi(false).finish().try_init(),
        LogFormat::Json => builder.with_ansi(false).json().flatten_event(true).finish().try_init(),
    };
    started.map_err(|_| TelemetryError::Started)
}

/// The filter that the setting means.
fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    // Fields of a span, in brackets, have commas and spaces of their own: such a filter is left to the parser.
    let parts: Vec<&str> = if level.contains('[') { vec![level] } else { level.split(',').map(str::trim).collect() };
    // The parser takes an unknown word for the name of a target, and would log nothing: "inof" must be an error.
    let unknown = parts.iter().find(|part| {
        let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        part.is_empty() || plain && part.parse::<tracing_subscriber::filter::LevelFilter>().is_err()
    });
    if let Some(part) = unknown {
        return Err(TelemetryError::Level { reason: format!("{part:?} is not a level") });
    }
    EnvFilter::try_new(parts.join(","))
        .map_err(|error| TelemetryError::Level { reason: error.to_string().replace(char::is_control, " ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_word_or_a_filter() {
        for right in
            ["info", "WARN", "off", "info,grantor=debug", "warn, grantor::http=trace", "info,[request{id=7}]=debug"]
        {
            assert!(filter(right).is_ok(), "{right}");
        }
        for wrong in ["inof", "", "info,", "info,grantor=loud", "verbose,grantor=debug"] {
            let error = filter(wrong).unwrap_err().to_string();
            assert!(error.contains("`log.level`") && error.lines().count() == 1, "{error}");
        }
    }
}
