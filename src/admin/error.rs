//! Why a verb was refused.

use crate::crypto::hash_pool::HashPoolError;
use crate::crypto::password::PasswordHashError;
use crate::model::states::UnknownWord;
use crate::store::StoreError;

/// Why a verb did nothing.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// What was asked for cannot be: the text says what to do instead.
    #[error("{0}")]
    Refused(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The database does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// A defect.
    #[error("{0}")]
    Bug(String),
}

impl AdminError {
    /// There is no `noun` called `key`.
    #[must_use]
    pub fn not_found(noun: &str, key: &str) -> Self {
        Self::NotFound(format!(
            "there is no {noun} `{key}` (grantor {} list shows what there is)",
            noun.replace(' ', "-")
        ))
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
