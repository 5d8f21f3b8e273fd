//! Why a verb was refused.

use crate::crypto::hash_pool::HashPoolError;
use crate::crypto::password::PasswordHashError;
use crate::model::states::UnknownWord;
use crate::store::StoreError;

/// A field of a request, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// The member of the request.
    pub field: &'static str,
    /// What it must be.
    pub message: String,
}

/// Why a verb did nothing.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// What was asked for cannot be: the text says what to do instead.
    #[error("{0}")]
    Refused(String),
    /// Fields that cannot be what they are.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// What was sent says nothing: nobody made it so that it could be read.
    #[error("{0}")]
    Unreadable(String),
    /// Whoever asks may not.
    #[error("{0}")]
    Forbidden(String),
    /// Too many wrong passwords came before; seconds to wait.
    #[error("too many failed attempts: try again in {0} seconds")]
    Limited(u64),
    /// There is no such thing, or it is another organization's.
    #[error("{} {noun} `{key}`", none_of(.noun))]
    NotFound {
        /// What was looked for.
        noun: &'static str,
        /// The name or id that it was looked for by.
        key: String,
    },
    /// The database does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// A defect.
    #[error("{0}")]
    Bug(String),
}

/// Credentials are many even where they are one set.
fn none_of(noun: &str) -> &'static str {
    if noun == "credentials" { "there are no" } else { "there is no" }
}

impl AdminError {
    /// There is no `noun` called `key`.
    #[must_use]
    pub fn not_found(noun: &'static str, key: &str) -> Self {
        Self::NotFound { noun, key: key.to_owned() }
    }

    /// One field that cannot be what it is.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field, message: message.into() }])
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(what) => Self::Refused(what),
            StoreError::Bug(what) => Self::Bug(what),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<UnknownWord> for AdminError {
    fn from(error: UnknownWord) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<HashPoolError> for AdminError {
    fn from(error: HashPoolError) -> Self {
        Self::Unavailable(format!("{error:?}"))
    }
}

impl From<PasswordHashError> for AdminError {
    fn from(error: PasswordHashError) -> Self {
        Self::Bug(error.to_string())
    }
}
