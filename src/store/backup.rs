//! SQLite's file: copied while a server writes to it, put in place of another while none does.
//!
//! What PostgreSQL needs of this its own programs do.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::config::DatabaseUrl;
use crate::model::time::Timestamp;
use crate::store::connection::{Db, Use, open};
use crate::store::error::StoreError;
use crate::store::instance::{self, Instance};
use crate::store::migrations::{self, SchemaState};

#[derive(QueryableByName)]
struct Checked {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What a sound database says of itself.
#[derive(Debug)]
pub struct Examined {
    /// Its schema.
    pub schema: SchemaState,
    /// Its installation.
    pub instance: Instance,
}

/// Reads a database from end to end.
///
/// # Errors
/// [`StoreError::Conflict`] if it is damaged or not one of ours.
pub fn examine(db: &mut Db) -> Result<Examined, StoreError> {
    if let Db::Sqlite(connection) = db {
        let damaged = |what: &dyn std::fmt::Display| {
            StoreError::Conflict(format!("it is damaged, or no database of SQLite at all: {what}"))
        };
        let check = diesel::sql_query("PRAGMA integrity_check(1)");
        let said: Checked = check.get_result(connection).map_err(|error| damaged(&error))?;
        if said.integrity_check != "ok" {
            return Err(damaged(&said.integrity_check.lines().last().unwrap_or_default()));
        }
        let table = diesel::sql_query("SELECT count(*) AS count FROM sqlite_master WHERE name = 'instance'");
        let tables: Count = table.get_result(connection).map_err(|error| damaged(&error))?;
        if tables.count == 0 {
            return Err(StoreError::Conflict("it is not a database of grantor".to_owned()));
        }
    }
    let schema = migrations::state(db)?;
    let instance = instance::find(db)?.ok_or_else(|| StoreError::Conflict("nothing was ever made in it".to_owned()))?;
    Ok(Examined { schema, instance })
}

/// Opens a database file for reading, as [`examine`] needs it.
///
/// # Errors
/// [`StoreError::Conflict`] if it cannot be opened.
pub fn open_copy(file: &Path) -> Result<Db, StoreError> {
    // Without any setting: those that read the file would hide what is wrong with it behind a hint about folders.
    let opened = SqliteConnection::establish(&file.to_string_lossy());
    opened.map(Db::Sqlite).map_err(|cause| StoreError::Conflict(format!("cannot open {}: {cause}", file.display())))
}

/// Writes what is committed now into a new file that its owner alone can read. Others go on reading and writing.
///
/// # Errors
/// [`StoreError::Conflict`] if the file is there or cannot be written.
pub fn copy_to(db: &mut Db, file: &Path) -> Result<(), StoreError> {
    let Db::Sqlite(connection) = db else {
        return Err(StoreError::Bug("PostgreSQL is copied by its own programs".to_owned()));
    };
    // SQLite fills a file that is there and empty, and leaves its mode as it is.
    let made = new_file(file)?;
    let copied = diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(file.to_string_lossy())
        .execute(connection)
        .map_err(StoreError::from)
        .and_then(|_| made.sync_all().and_then(|()| sync_folder(file)).map_err(|cause| unwritable(file, &cause)));
    drop(made);
    copied.inspect_err(|_| {
        // It is ours, and no backup.
        let _ = std::fs::remove_file(file);
    })
}

/// Copies a backup beside the database that it is to become.
///
/// # Errors
/// [`StoreError::Conflict`] if it is that database itself or cannot be copied.
pub fn stage(backup: &Path, database: &Path) -> Result<PathBuf, StoreError> {
    let unreadable = |cause: io::Error| StoreError::Conflict(format!("cannot read {}: {cause}", backup.display()));
    let real = std::fs::canonicalize(backup).map_err(unreadable)?;
    if std::fs::canonicalize(database).is_ok_and(|there| there == real) {
        return Err(StoreError::Conflict(format!("{} is the database itself", backup.display())));
    }
    let mut from = File::open(&real).map_err(unreadable)?;
    let staged = with_ending(database, ".restoring");
    discard(&staged);
    if let Some(folder) = database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|cause| unwritable(folder, &cause))?;
    }
    let mut to = new_file(&staged)?;
    let copied = io::copy(&mut from, &mut to).and_then(|_| to.sync_all());
    copied.map_err(|cause| unwritable(&staged, &cause))?;
    Ok(staged)
}

/// Removes a staged copy and what SQLite left beside it.
pub fn discard(staged: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with_ending(staged, ending));
    }
}

/// Whether some process has the database open. It must not be this one.
///
/// # Errors
/// [`StoreError::Conflict`] if it is so.
pub fn refuse_in_use(database: &Path) -> Result<(), StoreError> {
    lock(database).map(drop)
}

/// Puts a staged copy, which nobody has open, in the place of the database, which is kept beside it under the name
/// that is answered.
///
/// # Errors
/// [`StoreError::Conflict`] if a process has the database open.
pub fn replace(staged: &Path, database: &Path, now: Timestamp) -> Result<Option<PathBuf>, StoreError> {
    if with_ending(staged, "-wal").exists() {
        return Err(StoreError::Bug("the staged copy is still open".to_owned()));
    }
    refuse_in_use(database)?;
    if database.exists() {
        // Opened and closed by nobody else, SQLite brings the log into the file. A damaged one stays as it is.
        drop(open(&DatabaseUrl::Sqlite(database.to_owned()), Use::Write, 0));
    }
    // Held until the end: a server that starts meanwhile waits for it. SQLite has no connection in this process, so
    // there is none whose locks the end of this descriptor could drop.
    let held = lock(database)?;
    let kept = held.is_some().then(|| {
        let stamp: String = now.rfc3339().chars().filter(|c| !matches!(c, '-' | ':')).collect();
        with_ending(database, &format!(".before-{stamp}"))
    });
    let moved = || {
        if let Some(kept) = &kept {
            // The log first: a file must never be met by the log of another.
            for ending in ["-wal", "-shm", ""] {
                let from = with_ending(database, ending);
                if from.exists() {
                    std::fs::rename(&from, with_ending(kept, ending))?;
                }
            }
            sync_folder(database)?;
        }
        std::fs::rename(staged, database)?;
        sync_folder(database)
    };
    moved().map_err(|cause| unwritable(database, &cause))?;
    drop(held);
    Ok(kept)
}

/// SQLite holds a lock of POSIX on a file for as long as a connection is open.
fn lock(database: &Path) -> Result<Option<File>, StoreError> {
    let file = match OpenOptions::new().read(true).write(true).open(database) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unwritable(database, &cause)),
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(_) => Err(StoreError::Conflict(format!(
            "{} is in use: stop the server (and any other grantor) first",
            database.display()
        ))),
    }
}

fn new_file(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists => {
            StoreError::Conflict(format!("{} exists already and is not overwritten", path.display()))
        }
        _ => unwritable(path, &cause),
    })
}

fn unwritable(path: &Path, cause: &io::Error) -> StoreError {
    StoreError::Conflict(format!("{} cannot be written: {cause}", path.display()))
}

fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
