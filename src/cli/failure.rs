//! Why a command ended without doing what it was told.

use crate::admin::AdminError;
use crate::app::StartError;
use crate::config::ConfigError;
use crate::crypto::master_key::MasterKeyError;
use crate::store::StoreError;

/// One line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The installation or the server.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A verb.
    #[error(transparent)]
    Admin(AdminError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// Reading or writing.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Anything else that was refused.
    #[error("{0}")]
    Refused(String),
    /// The command was used wrongly.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// 2 for a wrong use, 1 for a refusal.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::NotFound { noun, .. } => {
                Self::Refused(format!("{error} (grantor {} list shows what there is)", noun.replace(' ', "-")))
            }
            other => Self::Admin(other),
        }
    }
}
