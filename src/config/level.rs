//! `log.level`: a level, or a filter.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// What to write instead of a level that is none.
pub const FORMS: &str = "write \"info\", or a filter such as \"info,grantor=debug\"";

/// The filter that a level (`info`) or a filter (`info,grantor=debug`) means.
///
/// # Errors
/// What is wrong with it, on one line.
pub fn filter(level: &str) -> Result<EnvFilter, String> {
    // Fields of a span, in brackets, have commas and spaces of their own: such a filter is left to the parser.
    let parts: Vec<&str> = if level.contains('[') { vec![level] } else { level.split(',').map(str::trim).collect() };
    // The parser takes an unknown word for the name of a target, and would log nothing: "inof" must be an error.
    let unknown = parts.iter().find(|part| {
        let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        part.is_empty() || plain && part.parse::<LevelFilter>().is_err()
    });
    if let Some(part) = unknown {
        return Err(format!("{part:?} is not a level"));
    }
    EnvFilter::try_new(parts.join(",")).map_err(|error| error.to_string().replace(char::is_control, " "))
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
            let reason = filter(wrong).unwrap_err();
            assert_eq!(reason.lines().count(), 1, "{reason}");
        }
    }
}
