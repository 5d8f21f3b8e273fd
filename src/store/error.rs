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

/// What is there already. PostgreSQL names the table; SQLite has it in its message, as `scopes.name`.
fn taken(table: Option<&str>, message: &str) -> &'static str {
    let in_message = message.rsplit(": ").next().and_then(|column| column.split('.').next());
    match table.or(in_message) {
        Some("scopes") => "there is a scope of that name already",
        Some("roles") => "there is a role of that name already",
        Some("organizations") => "there is an organization of that slug already",
        Some("users") => "another user has that username or e-mail address",
        _ => "something of that name is there already",
    }
}

/// Whether SQLite says that a file is no database, or no longer one (`SQLITE_NOTADB`, `SQLITE_CORRUPT`).
pub(crate) fn is_damaged(message: &str) -> bool {
    ["file is not a database", "database disk image is malformed"].iter().any(|words| message.contains(words))
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            Error::DatabaseError(kind, info) => {
                let message = info.message();
                match kind {
                    DatabaseErrorKind::UniqueViolation => Self::Conflict(taken(info.table_name(), message).to_owned()),
                    DatabaseErrorKind::ForeignKeyViolation => {
                        Self::Conflict("something that it refers to is missing, or it is still in use".to_owned())
                    }
                    DatabaseErrorKind::SerializationFailure => Self::Serialization,
                    _ if message.contains("deadlock detected") => Self::Serialization,
                    DatabaseErrorKind::NotNullViolation | DatabaseErrorKind::CheckViolation => {
                        Self::Bug(message.to_owned())
                    }
                    // A NUL: it is looked up in vain, and the connection is as good as before.
                    _ if message.contains("invalid byte sequence for encoding") => {
                        Self::Conflict("a text has a character that cannot be stored".to_owned())
                    }
                    _ if is_damaged(message) => {
                        Self::Unavailable("its file is not a SQLite database, or damaged: restore a backup".to_owned())
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
