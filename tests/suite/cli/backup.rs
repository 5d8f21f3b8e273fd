//! `grantor backup`, `grantor restore`

use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{client_credentials, done, misused, password_grant, refused, text};
use crate::harness::{Answer, Database, Installation};

const CHOSEN: &str = "correct-horse-battery-staple";

/// An installation with a client that may do all, and a user.
struct Site {
    server: Installation,
    client: (String, String),
}

impl Site {
    fn new(db: Database) -> Self {
        let server = Installation::new(db);
        let grants = ["password", "refresh_token", "client_credentials"];
        let mut arguments = vec!["client", "create", "--label", "app", "--reuse-window", "0", "--may-introspect"];
        arguments.extend(grants.iter().flat_map(|grant| ["--grant-type", grant]));
        let made = server.json(&arguments);
        done(&server.run_with(&["user", "create", "--username", "alice", "--password-stdin"], CHOSEN));
        Self { client: (text(&made, "client_id"), text(&made, "client_secret")), server }
    }

    fn client(&self) -> (&str, &str) {
        (&self.client.0, &self.client.1)
    }

    fn sign_in(&self) -> Answer {
        let pairs = [("grant_type", "password"), ("username", "alice"), ("password", CHOSEN)];
        self.server.post("/oauth/token", self.client(), &pairs).unwrap().ok()
    }
}

fn refresh(at: &Installation, client: (&str, &str), token: &str) -> Answer {
    at.post("/oauth/token", client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).unwrap()
}

fn is_active(at: &Installation, client: (&str, &str), token: &str) -> bool {
    at.post("/oauth/introspect", client, &[("token", token)]).unwrap().ok().json()["active"] == true
}

fn backup(server: &Installation, name: &str) -> (PathBuf, String) {
    let file = server.path().join(name);
    let made = server.json(&["backup", file.to_str().unwrap()]);
    (file, text(&made, "master_key_fingerprint"))
}

/// Another machine, to which the master key was brought.
fn elsewhere(server: &Installation) -> Installation {
    let other = Installation::new(Database::Sqlite);
    std::fs::copy(server.path().join("master.key"), other.path().join("master.key")).unwrap();
    other
}

fn files_of(folder: &Path, beginning: &str) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(beginning)).collect()
}

#[test]
fn a_backup_made_under_load_is_restored_elsewhere_and_every_token_of_before_is_refused() {
    let mut site = Site::new(Database::Sqlite);
    site.server.start();
    let stop = AtomicBool::new(false);
    let rotations = AtomicUsize::new(0);
    let before = site.sign_in();
    let mut latest = Vec::new();
    let (file, _) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut token = site.sign_in().refresh_token();
                    while !stop.load(Ordering::Relaxed) {
                        token = refresh(&site.server, site.client(), &token).ok().refresh_token();
                        rotations.fetch_add(1, Ordering::Relaxed);
                    }
                    token
                })
            })
            .collect();
        let until = |count: usize| {
            let waiting = Instant::now();
            while rotations.load(Ordering::Relaxed) < count && waiting.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        until(20);
        // Told to stop before anything is asserted: a panic here would wait for the clients for ever.
        let made = catch_unwind(AssertUnwindSafe(|| backup(&site.server, "copy.db")));
        let at_backup = rotations.load(Ordering::Relaxed);
        until(at_backup + 20);
        stop.store(true, Ordering::Relaxed);
        assert!(at_backup >= 20 && rotations.load(Ordering::Relaxed) >= at_backup + 20, "the clients stood still");
        latest.extend(clients.into_iter().map(|client| client.join().unwrap()));
        made.unwrap_or_else(|panic| resume_unwind(panic))
    });
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let after = site.sign_in();
    site.server.stop();

    let mut other = elsewhere(&site.server);
    // The same issuer, as after the loss of a machine: only the restore may refuse the tokens.
    other.set("issuer", site.server.base());
    let restored = other.json(&["restore", file.to_str().unwrap(), "--yes"]);
    assert_eq!(restored["ended_sign_ins"], 5);
    assert!(restored["kept"].is_null());
    assert_eq!(files_of(other.path(), "grantor.db"), ["grantor.db"], "nothing is left beside it");
    let database = other.path().join("grantor.db");
    assert_eq!(database.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    other.start();

    assert_eq!(client_credentials(&other, &site.client.0, &site.client.1), None);
    assert_eq!(password_grant(&other, site.client(), "alice", CHOSEN), None);
    for token in latest.iter().chain([&before.refresh_token(), &after.refresh_token()]) {
        refresh(&other, site.client(), token).is_refused("invalid_grant");
    }
    assert!(!other.log().contains("gone back in time"), "{}", other.log());
    for token in [before.access_token(), after.access_token()] {
        assert!(!is_active(&other, site.client(), &token));
    }
    let fresh = other.post("/oauth/token", site.client(), &[("grant_type", "client_credentials")]).unwrap().ok();
    assert!(is_active(&other, site.client(), &fresh.access_token()));
}

#[test]
fn an_access_token_that_was_revoked_after_the_backup_stays_dead_however_often_it_is_restored() {
    let mut site = Site::new(Database::Sqlite);
    let (file, _) = backup(&site.server, "copy.db");
    let file = file.to_str().unwrap().to_owned();
    let mut dead = Vec::new();
    for _ in 0..3 {
        site.server.start();
        let tokens = site.sign_in();
        assert!(is_active(&site.server, site.client(), &tokens.access_token()));
        site.server.post("/oauth/revoke", site.client(), &[("token", &tokens.access_token())]).unwrap().ok();
        dead.push(tokens.access_token());
        dead.push(site.sign_in().access_token());
        site.server.stop();
        site.server.json(&["restore", &file, "--yes"]);
        site.server.start();
        for token in &dead {
            assert!(!is_active(&site.server, site.client(), token));
        }
        site.server.stop();
    }
    assert_eq!(files_of(site.server.path(), "grantor.db.before-").len(), 3);
}

#[test]
fn a_restore_is_refused_while_a_server_runs_and_keeps_the_database_of_before() {
    let mut site = Site::new(Database::Sqlite);
    let (file, fingerprint) = backup(&site.server, "copy.db");
    let file = file.to_str().unwrap().to_owned();
    let doctor = done(&site.server.run(&["doctor"]));
    assert!(doctor.contains(&fingerprint), "{doctor}");
    site.server.json(&["user", "create", "--username", "newer"]);
    site.server.start();
    let said = refused(&site.server.run(&["restore", &file, "--yes"]), 1);
    assert!(said.contains("is in use: stop the server"), "{said}");
    assert_eq!(password_grant(&site.server, site.client(), "alice", CHOSEN), None);
    site.server.stop();
    assert!(refused(&site.server.run(&["restore", &file]), 1).contains("--yes"));
    site.server.json(&["user", "show", "newer"]);

    let kept = text(&site.server.json(&["restore", &file, "--yes"]), "kept");

    assert!(refused(&site.server.run(&["user", "show", "newer"]), 1).contains("there is no user"));
    let database = site.server.database_url();
    site.server.set("database.url", format!("sqlite://{kept}"));
    site.server.json(&["user", "show", "newer"]);
    site.server.set("database.url", database);
}

#[test]
fn a_wrong_master_key_or_a_damaged_file_is_refused_and_nothing_changes() {
    let site = Site::new(Database::Sqlite);
    let (file, fingerprint) = backup(&site.server, "copy.db");
    let folder = site.server.path();
    let (key, database) = (folder.join("master.key"), folder.join("grantor.db"));
    let right = std::fs::read(&key).unwrap();
    let untouched = std::fs::read(&database).unwrap();
    let restore = |file: &Path, wanted: &str| {
        let said = refused(&site.server.run(&["restore", file.to_str().unwrap(), "--yes"]), 1);
        assert!(said.contains(wanted) && said.contains("nothing was changed"), "{said}");
        assert!(files_of(folder, "grantor.db.").is_empty(), "{:?}", files_of(folder, "grantor.db"));
        assert!(std::fs::read(&database).unwrap() == untouched);
    };
    let stranger = Installation::new(Database::Sqlite);
    stranger.json(&["init"]);
    std::fs::copy(stranger.path().join("master.key"), &key).unwrap();
    restore(&file, &fingerprint);
    std::fs::remove_file(&key).unwrap();
    restore(&file, &fingerprint);
    std::fs::write(&key, &right).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    let good = std::fs::read(&file).unwrap();
    let damaged = folder.join("damaged.db");
    let mut holed = good.clone();
    let middle = good.len() / 2;
    holed[middle..middle + 4096].fill(0xa5);
    for bytes in [&holed[..], &good[..good.len() / 2], b"not a database", b""] {
        std::fs::write(&damaged, bytes).unwrap();
        restore(&damaged, "cannot be restored: it is");
    }
    restore(&database, "is the database itself");
    restore(&folder.join("nowhere.db"), "nowhere.db");
    std::fs::remove_file(&damaged).unwrap();
    site.server.json(&["restore", file.to_str().unwrap(), "--yes"]);
}

#[test]
fn a_damaged_database_is_replaced_and_kept_too() {
    let site = Site::new(Database::Sqlite);
    let (file, _) = backup(&site.server, "copy.db");
    let database = site.server.path().join("grantor.db");
    std::fs::write(&database, b"the disk has eaten it").unwrap();
    let kept = text(&site.server.json(&["restore", file.to_str().unwrap(), "--yes"]), "kept");
    assert_eq!(std::fs::read(kept).unwrap(), b"the disk has eaten it");
    site.server.json(&["user", "show", "alice"]);
}

#[test]
fn a_backup_overwrites_nothing_and_holds_no_master_key() {
    let site = Site::new(Database::Sqlite);
    let (file, fingerprint) = backup(&site.server, "copy.db");
    let bytes = std::fs::read(&file).unwrap();
    let key = std::fs::read_to_string(site.server.path().join("master.key")).unwrap();
    assert!(!bytes.windows(key.trim().len()).any(|window| window == key.trim().as_bytes()));
    let said = refused(&site.server.run(&["backup", file.to_str().unwrap()]), 1);
    assert!(said.contains("exists already and is not overwritten"), "{said}");
    assert!(std::fs::read(&file).unwrap() == bytes);
    let second = site.server.path().join("second.db");
    let said = done(&site.server.run(&["backup", second.to_str().unwrap()]));
    assert!(said.contains("the master key is not in it") && said.contains(&fingerprint), "{said}");
    let nowhere = site.server.path().join("no/such/folder/copy.db");
    assert!(refused(&site.server.run(&["backup", nowhere.to_str().unwrap()]), 1).contains("cannot be written"));
    let empty = Installation::new(Database::Sqlite);
    assert!(refused(&empty.run(&["backup", "copy.db"]), 1).contains("there is no database"));
    assert!(files_of(empty.path(), "grantor.db").is_empty());
}

#[test]
fn on_postgres_both_name_the_programs_to_use_and_do_nothing() {
    let mut site = Site::new(Database::Postgres);
    if !site.server.database_url().starts_with("postgres") {
        return;
    }
    let said = refused(&site.server.run(&["backup", "copy.dump"]), 1);
    assert!(said.contains("pg_dump --format=custom --file='copy.dump'"), "{said}");
    let said = refused(&site.server.run(&["restore", "copy.dump"]), 1);
    assert!(said.contains("pg_restore") && said.contains("grantor restore --after-pg-restore"), "{said}");
    misused(&site.server.run(&["restore"]));
    misused(&site.server.run(&["restore", "copy.dump", "--after-pg-restore"]));

    site.server.start();
    let tokens = site.sign_in();
    assert!(refused(&site.server.run(&["restore", "--after-pg-restore", "--yes"]), 1).contains("stop every node"));
    refresh(&site.server, site.client(), &tokens.refresh_token()).ok();
    let tokens = site.sign_in();
    site.server.stop();
    let ended = site.server.json(&["restore", "--after-pg-restore", "--yes"])["ended_sign_ins"].clone();
    assert_eq!(ended, 2);
    site.server.start();
    refresh(&site.server, site.client(), &tokens.refresh_token()).is_refused("invalid_grant");
    assert!(!is_active(&site.server, site.client(), &tokens.access_token()));
    assert_eq!(password_grant(&site.server, site.client(), "alice", CHOSEN), None);
}
