//! A copy of the database, and its way back.

use std::path::{Path, PathBuf};

use crate::admin::setup;
use crate::admin::{AdminError, Authority};
use crate::config::{Database, DatabaseUrl, Security};
use crate::crypto::random::Random;
use crate::model::audit::AuditEvent;
use crate::model::time::Timestamp;
use crate::store::backup::{self, Examined};
use crate::store::{Db, Store, audit, in_transaction, instance, migrations, restored};

/// A backup that was made.
#[derive(Debug)]
pub struct Backup {
    /// Of the master key without which it is useless, and which is not in it.
    pub master_key_fingerprint: String,
    /// Its size.
    pub bytes: u64,
}

/// A database that was put back.
#[derive(Debug)]
pub struct Restored {
    /// Where the database of before is kept.
    pub kept: Option<PathBuf>,
    /// Sign-ins that ended.
    pub ended: usize,
}

/// Copies an embedded database into a new file while others use it, and reads the copy from end to end.
///
/// # Errors
/// [`AdminError::Refused`] if there is no database, or the file is there already.
pub fn make(by: &Authority, database: &Database, file: &Path, now: Timestamp) -> Result<Backup, AdminError> {
    let path = embedded(database, || {
        format!(
            "PostgreSQL is backed up by its own program: pg_dump --format=custom --file='{}' \"$DATABASE_URL\"; nothing was done",
            file.display()
        )
    })?;
    if !path.exists() {
        return Err(AdminError::Refused(format!("there is no database {}", path.display())));
    }
    let mut db = Store::connect(database)?;
    let known = instance::find(&mut db)
        .ok()
        .flatten()
        .ok_or_else(|| AdminError::Refused(format!("{} holds no installation", path.display())))?;
    // Before an upgrade the new program backs up the old schema, whose tables it may not know how to write.
    if migrations::state(&mut db)?.pending.is_empty() {
        let event = event("instance.backed_up", &known.master_key_fingerprint, format!("file={}", file.display()));
        in_transaction(&mut db, &|db: &mut Db| audit::record(db, &by.actor, &event, now))?;
    }
    backup::copy_to(&mut db, file)?;
    drop(db);
    let mut copy = backup::open_copy(file)?;
    backup::examine(&mut copy)?;
    let bytes = std::fs::metadata(file).map_or(0, |file| file.len());
    Ok(Backup { master_key_fingerprint: known.master_key_fingerprint, bytes })
}

/// Puts a backup in the place of an embedded database that nobody uses. Everything is checked and changed in a copy
/// beside it; the database of before is kept.
///
/// # Errors
/// [`AdminError::Refused`]; then everything is as it was.
pub fn restore(
    by: &Authority,
    database: &Database,
    security: &Security,
    file: &Path,
    random: &Random,
    now: Timestamp,
) -> Result<Restored, AdminError> {
    let path = embedded(database, || {
        format!(
            "PostgreSQL is restored by its own program: stop every node, then \
             pg_restore --clean --if-exists --no-owner --dbname=\"$DATABASE_URL\" '{}', then grantor restore --after-pg-restore; \
             nothing was done",
            file.display()
        )
    })?;
    backup::refuse_in_use(path)?;
    let done = backup::stage(file, path).map_err(AdminError::from).and_then(|staged| {
        let settings = Database { url: DatabaseUrl::Sqlite(staged.clone()), ..database.clone() };
        let prepared = prepare(by, &settings, security, random, now);
        let done = prepared.and_then(|ended| Ok(Restored { kept: backup::replace(&staged, path, now)?, ended }));
        done.inspect_err(|_| backup::discard(&staged))
    });
    done.map_err(|error| match error {
        AdminError::Refused(why) | AdminError::Unavailable(why) => {
            AdminError::Refused(format!("{} cannot be restored: {why}; nothing was changed", file.display()))
        }
        other => other,
    })
}

/// What `restore` does after the copying, for a database that PostgreSQL's own program has put back.
///
/// # Errors
/// [`AdminError::Refused`] on SQLite, while nodes are connected, and if the master key is another one.
pub fn after_pg_restore(
    by: &Authority,
    database: &Database,
    security: &Security,
    random: &Random,
    now: Timestamp,
) -> Result<Restored, AdminError> {
    if matches!(database.url, DatabaseUrl::Sqlite(_)) {
        return Err(AdminError::Refused(
            "--after-pg-restore is for PostgreSQL: grantor restore FILE does it all".to_owned(),
        ));
    }
    let mut db = Store::connect(database)?;
    let others = restored::other_connections(&mut db)?;
    drop(db);
    if others > 0 {
        return Err(AdminError::Refused(format!(
            "{others} connections of other grantors are open to this database: stop every node first"
        )));
    }
    Ok(Restored { kept: None, ended: prepare(by, database, security, random, now)? })
}

/// Checks a database that went back in time, and ends every token of before.
fn prepare(
    by: &Authority,
    database: &Database,
    security: &Security,
    random: &Random,
    now: Timestamp,
) -> Result<usize, AdminError> {
    let examined = match &database.url {
        DatabaseUrl::Sqlite(path) => backup::examine(&mut backup::open_copy(path)?)?,
        DatabaseUrl::Postgres(_) => backup::examine(&mut Store::connect(database)?)?,
    };
    let Examined { schema, instance } = examined;
    schema.refuse_newer()?;
    setup::match_master_key(security, &instance).map_err(|error| AdminError::Refused(error.to_string()))?;
    let mut db = Store::connect(database)?;
    if !schema.pending.is_empty() {
        migrations::run(&mut db)?;
    }
    let salt = random.base62(22);
    let ended = in_transaction(&mut db, &|db: &mut Db| {
        let ended = restored::end_all_tokens(db, &salt, now)?;
        let event = event("instance.restored", &instance.master_key_fingerprint, format!("ended_sign_ins={ended}"));
        audit::record(db, &by.actor, &event, now)?;
        Ok(ended)
    })?;
    Ok(ended)
}

fn embedded(database: &Database, otherwise: impl FnOnce() -> String) -> Result<&Path, AdminError> {
    match &database.url {
        DatabaseUrl::Sqlite(path) => Ok(path),
        DatabaseUrl::Postgres(_) => Err(AdminError::Refused(otherwise())),
    }
}

fn event(action: &'static str, fingerprint: &str, details: String) -> AuditEvent {
    AuditEvent { action, target_kind: "instance", target_id: fingerprint.to_owned(), organization_id: None, details }
}
