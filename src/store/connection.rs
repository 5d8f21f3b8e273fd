//! One connection, to whichever database the URL names.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};

use crate::config::DatabaseUrl;
use crate::sabotage::{self, Defect};
use crate::store::error::{StoreError, is_damaged};

pub use multi::Db;

mod multi {
    // The derive writes items without documentation.
    #![allow(missing_docs)]

    use diesel::{MultiConnection, PgConnection, SqliteConnection};

    /// A connection to SQLite or to PostgreSQL: each query is written once for both.
    #[derive(MultiConnection)]
    pub enum Db {
        /// An embedded database in one file.
        Sqlite(SqliteConnection),
        /// A database server that many nodes share.
        Postgres(PgConnection),
    }
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Reads, beside the writer.
    Read,
    /// Reads and writes.
    Write,
}

/// How long a connection waits for others that open the same new file: as long as any wait for a lock.
const WAL_PATIENCE: Duration = Duration::from_secs(5);

/// Opens a connection. The derived `establish` tries each database in turn and hides the error, so the URL's
/// scheme decides here.
pub(crate) fn open(url: &DatabaseUrl, purpose: Use, deadline_ms: u64) -> Result<Db, StoreError> {
    match url {
        DatabaseUrl::Sqlite(path) => open_sqlite(path, purpose).map(Db::Sqlite),
        DatabaseUrl::Postgres(url) => open_postgres(url, deadline_ms).map(Db::Postgres),
    }
}

/// What SQLite answers to the settings that a commit's durability hangs on.
#[derive(diesel::QueryableByName)]
struct Durability {
    #[diesel(sql_type = diesel::sql_types::Text)]
    mode: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    level: i64,
}

fn open_sqlite(path: &Path, purpose: Use) -> Result<SqliteConnection, StoreError> {
    let unavailable = |cause: &dyn std::fmt::Display| {
        let cause = cause.to_string();
        let file = path.display();
        StoreError::Unavailable(if is_damaged(&cause) {
            format!("{file} is not a SQLite database, or damaged: restore a backup")
        } else {
            format!(
                "cannot open the SQLite file {file}: {cause}. \
                 Its folder must exist and be writable by the user that runs grantor."
            )
        })
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|cause| {
            StoreError::Unavailable(format!(
                "cannot make the folder {}: {cause}. Let database.url name a file in a folder that the user that runs grantor can write.",
                folder.display()
            ))
        })?;
    }
    // SQLite makes the log beside the file with the file's own mode. A file that is there must not be opened here:
    // POSIX drops every lock that a process has on a file when any descriptor of it is closed.
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(unavailable(&cause)),
    }
    let mut connection = SqliteConnection::establish(&path.to_string_lossy()).map_err(|cause| unavailable(&cause))?;
    // A write of ours queues in our own writer; this wait is for another process (the command line).
    // Checkpoints run off the writer's path (`sqlite.rs`), so the automatic one is raised out of the way.
    connection
        .batch_execute(
            "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
             PRAGMA cache_size = -4096; PRAGMA wal_autocheckpoint = 64000;",
        )
        .map_err(|cause| unavailable(&cause))?;
    if purpose == Use::Write {
        write_ahead(&mut connection).map_err(|cause| unavailable(&cause))?;
        // SQLite answers with another mode, and no error, where it cannot have this one (a network file system).
        let mode = diesel::sql_query(
            "SELECT journal_mode AS mode, synchronous AS level FROM pragma_journal_mode, pragma_synchronous",
        )
        .get_result::<Durability>(&mut connection)
        .map_err(|cause| unavailable(&cause))?;
        let level = if sabotage::is(Defect::UnsyncedCommit) { 0 } else { 2 };
        if mode.mode != "wal" || mode.level != level {
            return Err(unavailable(&format!(
                "its folder does not allow a write-ahead log (journal_mode {})",
                mode.mode
            )));
        }
    } else {
        connection.batch_execute("PRAGMA query_only = ON;").map_err(|cause| unavailable(&cause))?;
    }
    Ok(connection)
}

/// Turns the write-ahead log on. Where several open a new file at once, SQLite answers "locked" at once and leaves
/// `busy_timeout` out of it: all of them hold a lock to read, and would wait for each other. So the wait is ours.
fn write_ahead(connection: &mut SqliteConnection) -> Result<(), diesel::result::Error> {
    let give_up = Instant::now() + WAL_PATIENCE;
    loop {
        let durable = if sabotage::is(Defect::UnsyncedCommit) { "OFF" } else { "FULL" };
        match connection.batch_execute(&format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {durable};")) {
            Err(cause) if cause.to_string().contains("database is locked") && Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(5));
            }
            outcome => return outcome,
        }
    }
}

fn open_postgres(url: &str, deadline_ms: u64) -> Result<PgConnection, StoreError> {
    // libpq has no time-out of its own for a query: the server's bounds a slow statement, TCP's a dead network.
    let url = with_parameters(
        url,
        &[
            ("connect_timeout", "3"),
            ("tcp_user_timeout", &deadline_ms.to_string()),
            // A host that is gone while a thread waits for its answer sends nothing that could time out.
            ("keepalives_idle", "5"),
            ("keepalives_interval", "2"),
            ("keepalives_count", "3"),
            ("application_name", "grantor"),
        ],
    );
    let mut connection = PgConnection::establish(&url).map_err(|cause| {
        let reason = reason_of(&cause.to_string());
        StoreError::Unavailable(format!(
            "PostgreSQL: {reason}. Check that it runs there and that database.url is right."
        ))
    })?;
    connection
        .batch_execute(&format!(
            "SET statement_timeout = {deadline_ms}; SET idle_in_transaction_session_timeout = {};",
            deadline_ms.saturating_mul(2)
        ))
        .map_err(StoreError::from)?;
    if sabotage::is(Defect::UnsyncedCommit) {
        connection.batch_execute("SET synchronous_commit = off;").map_err(StoreError::from)?;
    }
    Ok(connection)
}

/// The URL with those of these parameters that it does not have itself. It is taken as text: libpq takes several hosts
/// (`a:5432,b:5432`), and no standard of URLs does.
fn with_parameters(url: &str, wanted: &[(&str, &str)]) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (authority, place) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // libpq ends a password at the first `@`, people at the last.
    let authority = match authority.rsplit_once('@') {
        Some((user, hosts)) => format!("{}@{hosts}", user.replace('@', "%40")),
        None => authority.to_owned(),
    };
    let query = place.split_once('?').map(|(_, query)| query);
    let is_given = |wanted: &str| {
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == wanted)
    };
    let mut complete = format!("{scheme}://{authority}{place}");
    let mut joint = match query {
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    for (name, value) in wanted.iter().filter(|(name, _)| !is_given(name)) {
        complete.extend([joint, name, "=", value]);
        joint = "&";
    }
    complete
}

/// How libpq's reasons begin once it has read the URL.
const TRIED: [&str; 2] = ["connection to server ", "could not translate host name "];

/// What libpq says, on one line: one reason for each address that it tried, without the indented questions. Before it
/// tried one, it quotes what it could not read, which can be a password or the whole URL: that is left out, from the
/// first quotation mark to the last, as there can be others and line breaks in it.
fn reason_of(text: &str) -> String {
    let (before, after) = match text.split_once('"') {
        Some((before, quoted)) if !TRIED.iter().any(|begin| text.starts_with(begin)) => {
            (format!("{before}\"…\""), quoted.rsplit_once('"').map_or("", |(_, after)| after))
        }
        _ => (String::new(), text),
    };
    let text = before + after;
    let reasons = text.lines().filter(|line| !line.is_empty() && !line.starts_with(char::is_whitespace));
    reasons.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_what_it_says_and_gets_what_it_does_not() {
        let wanted = [("connect_timeout", "3"), ("application_name", "grantor")];
        for (url, complete) in [
            ("postgres://h/d", "postgres://h/d?connect_timeout=3&application_name=grantor"),
            ("postgres://h", "postgres://h?connect_timeout=3&application_name=grantor"),
            ("postgresql://h/d?", "postgresql://h/d?connect_timeout=3&application_name=grantor"),
            ("postgres://h/d?connect_timeout=9", "postgres://h/d?connect_timeout=9&application_name=grantor"),
            (
                "postgres://h/d?application_name=a&connect%5Ftimeout=9",
                "postgres://h/d?application_name=a&connect%5Ftimeout=9",
            ),
            (
                "postgres://me:se%2Fcret@[::1]:5432,b:5433/d?target_session_attrs=read-write",
                "postgres://me:se%2Fcret@[::1]:5432,b:5433/d?target_session_attrs=read-write&connect_timeout=3&application_name=grantor",
            ),
            ("postgres://me:p@ss@h/d", "postgres://me:p%40ss@h/d?connect_timeout=3&application_name=grantor"),
            (
                "postgres:///d?host=/run/postgresql",
                "postgres:///d?host=/run/postgresql&connect_timeout=3&application_name=grantor",
            ),
        ] {
            assert_eq!(with_parameters(url, &wanted), complete);
        }
    }

    #[test]
    fn what_libpq_could_not_read_is_not_repeated() {
        for (url, reason) in [
            ("postgres://me:100%hunter2@h/d", "invalid percent-encoded token: \"…\""),
            ("postgres://me:hunter2%00@h/d", "forbidden value %00 in percent-encoded value: \"…\""),
            ("postgres://me:hunter2/hunter2@h/d", "invalid integer value \"…\""),
            ("postgres://h/d?port=%22%0Ahunter2%22", "invalid integer value \"…\""),
            ("postgres://me:hunter2@h:99999/d", "invalid port number: \"…\""),
            ("postgres://me:\"hunter2@[::1/d", "end of string reached when looking for matching \"…\""),
            ("postgres://me:hunter2@[]/d", "IPv6 host address may not be empty in URI: \"…\""),
            ("postgres://me:hunter2@[::1]x/d", "unexpected character \"…\""),
            ("postgres://h/d?hunter2", "missing key/value separator \"…\""),
            ("postgres://h/d?hunter2=1", "invalid URI query parameter: \"…\""),
            (
                "postgres://h/d?password=a hunter2",
                "unexpected spaces found in \"…\", use percent-encoded spaces (%20) instead",
            ),
        ] {
            let error = open_postgres(url, 100).map(drop).unwrap_err();
            for said in [error.to_string(), format!("{error:?}")] {
                assert!(!said.contains("hunter2"), "{said}");
            }
            assert!(error.to_string().contains(&format!("PostgreSQL: {reason}. Check")), "{error}");
        }
    }

    #[test]
    fn what_libpq_says_of_each_server_is_passed_on() {
        let said = "could not translate host name \"a\" to address: Name or service not known\n\
                    connection to server at \"b\", port 5432 failed: Connection refused\n\tIs the server running?\n";
        let reasons = "could not translate host name \"a\" to address: Name or service not known; \
                       connection to server at \"b\", port 5432 failed: Connection refused";
        assert_eq!(reason_of(said), reasons);
    }
}
