//! Why a configuration was refused.

use std::fmt;
use std::path::PathBuf;

/// Where a setting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: the key is not set.
    Unset,
    /// In the defaults that are built into the program.
    Defaults,
    /// In the preset of this name, which is built into the program.
    Preset(&'static str),
    /// In this file.
    File(PathBuf),
    /// In the environment variable of this name.
    Variable(String),
    /// In this option of the command line.
    Option(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => formatter.write_str("(not set)"),
            Self::Defaults => formatter.write_str("in the defaults"),
            Self::Preset(name) => write!(formatter, "in the preset {name}"),
            Self::File(path) => write!(formatter, "in {}", one_line(&path.display().to_string())),
            Self::Variable(name) => write!(formatter, "in the variable {}", one_line(name)),
            Self::Option(name) => write!(formatter, "in the option {name}"),
        }
    }
}

/// A refused configuration. Its text is one line that names the key, where it stands, and the fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key that no setting has.
    #[error("configuration: unknown key `{}` {place}; {advice}", one_line(.key))]
    UnknownKey {
        /// The key as it was written, sections joined by dots.
        key: String,
        /// Where it stands.
        place: Place,
        /// The nearest key there is, as a question, or where all of them are listed.
        advice: String,
    },
    /// A value that the key cannot have.
    #[error("configuration: `{key}` {place}: {}", one_line(.fix))]
    BadValue {
        /// The key, sections joined by dots.
        key: String,
        /// Where the refused value stands.
        place: Place,
        /// What is wrong, and what to write instead.
        fix: String,
    },
    /// A configuration file that cannot be read.
    #[error("configuration: {} cannot be read: {}; check the path and its permissions", one_line(&.path.display().to_string()), one_line(.reason))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A configuration file that is not TOML.
    #[error("configuration: {place}, line {line}: not valid TOML: {}", one_line(.reason))]
    Syntax {
        /// The file.
        place: Place,
        /// The line, counted from 1.
        line: usize,
        /// What the parser said.
        reason: String,
    },
}

/// A refused value, before it is known where the value stands.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The key, sections joined by dots.
    pub(crate) key: String,
    /// What is wrong, and what to write instead.
    pub(crate) fix: String,
}

impl Refused {
    /// Refuses the value of `key`, saying what to write instead.
    pub(crate) fn new(key: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { key: key.into(), fix: fix.into() }
    }
}

/// The text without line breaks and control characters: names and values come from outside, and an error is one line.
fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_stays_on_one_line_whatever_the_input() {
        let error = ConfigError::UnknownKey {
            key: "a\nb".into(),
            place: Place::File("x\ny".into()),
            advice: "remove it".into(),
        };
        assert_eq!(error.to_string(), "configuration: unknown key `a b` in x y; remove it");
    }
}
