//! The store: reads beside the writer, writes in a transaction, every wait with a deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::config::{Database, DatabaseUrl};
use crate::sabotage::{self, Defect};
use crate::store::connection::{Db, Use, open};
use crate::store::error::StoreError;
use crate::store::figures::StoreFigures;
use crate::store::migrations;
use crate::store::pool::{Pool, in_transaction};
use crate::store::sqlite::{Writer, with_reader};

/// A database that the program reads and writes.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
    url: DatabaseUrl,
    deadline: Duration,
    reads: Arc<AtomicU64>,
}

enum Backend {
    Sqlite(Writer),
    Postgres(Pool),
}

impl Store {
    /// Opens the database; the schema is not looked at (see `migrations`).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be reached.
    pub fn open(settings: &Database) -> Result<Self, StoreError> {
        let backend = match &settings.url {
            url @ DatabaseUrl::Sqlite(_) => Backend::Sqlite(Writer::start(url.clone())?),
            url @ DatabaseUrl::Postgres(_) => {
                Backend::Postgres(Pool::start(url.clone(), settings.pool_size, settings.deadline_ms)?)
            }
        };
        Ok(Self {
            backend: Arc::new(backend),
            url: settings.url.clone(),
            deadline: Duration::from_millis(settings.deadline_ms),
            reads: Arc::default(),
        })
    }

    /// A connection of the caller's own, outside the store's, for migrations.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be reached.
    pub fn connect(settings: &Database) -> Result<Db, StoreError> {
        // Migrations may take longer than a request may.
        open(&settings.url, Use::Write, settings.deadline_ms.max(600_000))
    }

    /// A connection for looking at a database that may not be there: none where it would have to be made first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database is there and cannot be reached.
    pub fn look(settings: &Database) -> Result<Option<Db>, StoreError> {
        if let DatabaseUrl::Sqlite(path) = &settings.url
            && matches!(path.try_exists(), Ok(false))
        {
            return Ok(None);
        }
        let mut db = open(&settings.url, Use::Read, settings.deadline_ms)?;
        Ok(if migrations::are_begun(&mut db)? { Some(db) } else { None })
    }

    /// Reads. On SQLite on the calling thread (a read by key takes microseconds), on PostgreSQL on a pool.
    ///
    /// # Errors
    /// What the closure answers, and [`StoreError::Unavailable`] when the database does not answer in time.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.reads.fetch_add(1, Ordering::Relaxed);
        match &*self.backend {
            Backend::Sqlite(_) => with_reader(&self.url, read),
            Backend::Postgres(pool) => self.in_time(pool.run(read)).await,
        }
    }

    /// Writes in one transaction; the answer follows the commit. A closure that answers `Err` changes nothing.
    /// On PostgreSQL a closure that lost against another writer runs again, hence `Fn`.
    ///
    /// # Errors
    /// What the closure answers, and [`StoreError::Unavailable`] when the commit failed or is not known in time.
    pub async fn write<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Db) -> Result<T, StoreError> + Send + 'static,
    {
        match &*self.backend {
            Backend::Sqlite(writer) => self.in_time(writer.run(write)).await,
            Backend::Postgres(pool) => {
                pool.count_write();
                self.in_time(pool.run(move |db| in_transaction(db, &write))).await
            }
        }
    }

    /// A write that is one statement: on PostgreSQL it commits by itself, without a round trip to begin and one
    /// to commit. On SQLite it is a write like any other.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_statement<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Db) -> Result<T, StoreError> + Send + 'static,
    {
        match &*self.backend {
            Backend::Sqlite(writer) => self.in_time(writer.run(write)).await,
            Backend::Postgres(pool) => {
                pool.count_write();
                self.in_time(pool.run(write)).await
            }
        }
    }

    /// Figures for the metrics page.
    #[must_use]
    pub fn figures(&self) -> StoreFigures {
        let figures = match &*self.backend {
            Backend::Sqlite(writer) => writer.figures(),
            Backend::Postgres(pool) => pool.figures(),
        };
        StoreFigures { reads: self.reads.load(Ordering::Relaxed), ..figures }
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn dialect(&self) -> &'static str {
        match &*self.backend {
            Backend::Sqlite(_) => "sqlite",
            Backend::Postgres(_) => "postgres",
        }
    }

    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if sabotage::is(Defect::EndlessWait) {
            return answer.await;
        }
        tokio::time::timeout(self.deadline, answer)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("no answer within the deadline".to_owned())))
    }
}
