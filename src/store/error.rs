//! What can go wrong in the database, by what the caller can do about it.

use diesel::result::{DatabaseErrorKind, Error};

/// Why a read or a write did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is full or does not answer in time: try again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Another writer was quicker (SQLSTATE 40001, 40P01): the write is tried again by the store.
    #[error("another write came first")]
    Serialization,
    /// Something of that name is there already, or is still in use.
    #[error("{0}")]
    Conflict(String),
    /// A row that no version of this program writes, or a statement that the database refuses: a defect.
    #[error("defect in the store: {0}")]
    Bug(String),
}

impl StoreError {
    /// A row holds something that this program never writes.
    pub fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Bug(format!("unreadable row: {what}"))
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            Error::DatabaseError(kind, info) => {
                let message = info.message();
                match kind {
                    DatabaseErrorKind::UniqueViolation => Self::Conflict("it exists already".to_owned()),
                    DatabaseErrorKind::ForeignKeyViolation => {
                        Self::Conflict("something that it refers to is missing, or it is still in use".to_owned())
                    }
                    DatabaseErrorKind::SerializationFailure => Self::Serialization,
                    _ if message.contains("deadlock detected") => Self::Serialization,
                    DatabaseErrorKind::NotNullViolation | DatabaseErrorKind::CheckViolation => {
                        Self::Bug(message.to_owned())
                    }
                    // Full disk, I/O error, closed connection, statement time-out, locked database.
                    _ => Self::Unavailable(message.to_owned()),
                }
            }
            Error::BrokenTransactionManager
            | Error::RollbackErrorOnCommit { .. }
            | Error::NotInTransaction
            | Error::AlreadyInTransaction => Self::Unavailable(error.to_string()),
            _ => Self::Bug(error.to_string()),
        }
    }
}
