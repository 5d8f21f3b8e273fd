//! Settings with a few named values, of which one is chosen.

use std::net::SocketAddr;

use crate::config::error::Refused;

/// Where the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine.
    Development,
    /// Automatic tests.
    Test,
    /// Everywhere else.
    Production,
}

impl Environment {
    /// The name in the configuration: `development`, `test` or `production`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Production => "production",
        }
    }

    /// Reads the name.
    pub(crate) fn parse(name: &str) -> Result<Self, Refused> {
        match name {
            "development" => Ok(Self::Development),
            "test" => Ok(Self::Test),
            "production" => Ok(Self::Production),
            _ => Err(Refused::new("environment", "must be \"development\", \"test\" or \"production\"")),
        }
    }
}

/// The issuer, as far as it is known before the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerSetting {
    /// This URL, without a slash at the end.
    Fixed(String),
    /// `http://` and the loopback address that the public listener has bound.
    FromAddress,
}

impl IssuerSetting {
    /// The issuer of a server whose public listener has bound this address.
    #[must_use]
    pub fn with_address(&self, bound: SocketAddr) -> String {
        match self {
            Self::Fixed(issuer) => issuer.clone(),
            Self::FromAddress => format!("http://{bound}"),
        }
    }
}

/// The shape of a refusal at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorShape {
    /// As RFC 6749 section 5.2 says.
    Rfc6749,
    /// As Akeneo does: 422, with a code and a message.
    Akeneo,
}

impl ErrorShape {
    /// The name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rfc6749 => "rfc6749",
            Self::Akeneo => "akeneo",
        }
    }
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

impl LogFormat {
    /// The name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}
