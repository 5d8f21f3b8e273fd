//! Migrations: in the binary, one folder per database, the same names in both; applied under a lock.

use std::collections::BTreeSet;

use diesel::backend::Backend;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::migration::MigrationSource;
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::sabotage::{self, Defect};
use crate::store::connection::Db;
use crate::store::error::StoreError;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number that no other program on the same database server is likely to lock.
const ADVISORY_LOCK: i64 = 0x0047_5241_4e54_4f52;

/// Where a database's schema stands against this program's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SchemaState {
    /// Versions that are applied, oldest first.
    pub applied: Vec<String>,
    /// Versions that this program has and the database has not.
    pub pending: Vec<String>,
    /// Versions that the database has and this program does not know.
    pub unknown: Vec<String>,
}

impl SchemaState {
    /// An old program on a newer schema must not run.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] names the newest version that this program does not know.
    pub fn refuse_newer(&self) -> Result<(), StoreError> {
        match self.unknown.last() {
            None => Ok(()),
            Some(_) if sabotage::is(Defect::AnySchema) => Ok(()),
            Some(newest) => Err(StoreError::Conflict(format!(
                "the database's schema ({newest}) is newer than this grantor knows; run the newer grantor, or restore the backup made before the upgrade"
            ))),
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Tables {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// Whether the first migration has been applied. Unlike [`state`] it makes nothing in an empty database.
///
/// # Errors
/// [`StoreError::Unavailable`] if the database cannot be read.
pub fn are_begun(db: &mut Db) -> Result<bool, StoreError> {
    let found: Tables = match db {
        Db::Sqlite(connection) => {
            sql_query("SELECT count(*) AS count FROM sqlite_master WHERE type = 'table' AND name = 'instance'")
                .get_result(connection)?
        }
        Db::Postgres(connection) => {
            sql_query("SELECT count(to_regclass('instance')) AS count").get_result(connection)?
        }
    };
    Ok(found.count == 1)
}

/// Reads the state; changes nothing.
///
/// # Errors
/// [`StoreError::Unavailable`] if the database cannot be read.
pub fn state(db: &mut Db) -> Result<SchemaState, StoreError> {
    match db {
        Db::Sqlite(connection) => state_of(connection, &SQLITE),
        // Diesel makes its table of versions where there is none, which two nodes must not do at once.
        Db::Postgres(connection) => connection.transaction(|connection| {
            lock(connection)?;
            state_of(connection, &POSTGRES)
        }),
    }
}

fn lock(connection: &mut PgConnection) -> Result<(), StoreError> {
    if sabotage::is(Defect::NoLock) {
        return Ok(());
    }
    connection.batch_execute(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")).map_err(StoreError::from)
}

/// Applies what is pending, under a lock that every node takes: whichever comes first does the work.
///
/// # Errors
/// [`StoreError::Conflict`] on a newer schema, [`StoreError::Unavailable`] if the database refuses.
pub fn run(db: &mut Db) -> Result<SchemaState, StoreError> {
    match db {
        Db::Sqlite(connection) => {
            // Each migration is a savepoint inside: all of them or none.
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")?;
            let applied = apply(connection, || SQLITE);
            if applied.is_ok() {
                AnsiTransactionManager::commit_transaction(connection)?;
            } else {
                AnsiTransactionManager::rollback_transaction(connection)?;
            }
            applied
        }
        Db::Postgres(connection) => connection.transaction(|connection| {
            lock(connection)?;
            apply(connection, || POSTGRES)
        }),
    }
}

fn apply<B: Backend>(
    connection: &mut impl MigrationHarness<B>,
    source: impl Fn() -> EmbeddedMigrations,
) -> Result<SchemaState, StoreError>
where
    EmbeddedMigrations: MigrationSource<B>,
{
    state_of(connection, &source())?.refuse_newer()?;
    connection
        .run_pending_migrations(source())
        .map_err(|cause| StoreError::Unavailable(format!("a migration failed: {cause}")))?;
    state_of(connection, &source())
}

fn state_of<B: Backend>(
    connection: &mut impl MigrationHarness<B>,
    source: &impl MigrationSource<B>,
) -> Result<SchemaState, StoreError> {
    let unreadable = |cause: Box<dyn std::error::Error + Send + Sync>| {
        StoreError::Unavailable(format!("the schema's version cannot be read: {cause}"))
    };
    let known: BTreeSet<String> =
        source.migrations().map_err(unreadable)?.iter().map(|m| m.name().version().to_string()).collect();
    let applied: BTreeSet<String> =
        connection.applied_migrations().map_err(unreadable)?.iter().map(ToString::to_string).collect();
    Ok(SchemaState {
        pending: known.difference(&applied).cloned().collect(),
        unknown: applied.difference(&known).cloned().collect(),
        applied: applied.into_iter().collect(),
    })
}

/// Takes the lock of the first start until the end of the transaction. SQLite has one writer anyway.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn lock_installation(db: &mut Db) -> Result<(), StoreError> {
    if let Db::Postgres(connection) = db {
        lock(connection)?;
    }
    Ok(())
}
