//! The mistakes of a first day: each is one line that says what is wrong and how to mend it, within two seconds.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use insta::{allow_duplicates, assert_snapshot};
use rstest::rstest;

use super::{client_credentials, refused, text};
use crate::harness::{Database, Installation, Server};

/// What `grantor serve` says before it ends, with the places of this run taken out.
#[track_caller]
fn start_fails(installation: &Installation) -> String {
    let attempt = || {
        let started = Instant::now();
        (refused(&installation.run(&["serve"]), 1), started.elapsed())
    };
    // The quickest of a few: the machine may be busy with the rest of the suite.
    let (mut said, mut took) = attempt();
    for _ in 0..4 {
        if took < Duration::from_secs(2) {
            break;
        }
        (said, took) = attempt();
    }
    assert!(took < Duration::from_secs(2), "{took:?}: {said}");
    redacted(installation, &said)
}

fn redacted(installation: &Installation, said: &str) -> String {
    let folder = installation.path().display().to_string();
    let base = installation.base();
    let port = base.rsplit(':').next().unwrap();
    said.replace(&folder, "[folder]").replace(port, "[port]")
}

fn sqlite() -> Installation {
    Installation::new(Database::Sqlite)
}

#[test]
fn a_port_in_use() {
    let installation = sqlite();
    let _other = std::net::TcpListener::bind(installation.base().trim_start_matches("http://")).unwrap();
    assert_snapshot!(start_fails(&installation), @"cannot listen on 127.0.0.1:[port]: Address already in use (os error 98). Another program has the port, perhaps a grantor ('grantor doctor' tells): stop it, or choose others: export GRANTOR__SERVER__ADDRESS=127.0.0.1:8081 GRANTOR__SERVER__PRIVATE_ADDRESS=127.0.0.1:9081");
}

#[test]
fn a_folder_that_cannot_be_written() {
    let mut installation = sqlite();
    std::fs::write(installation.path().join("file"), "").unwrap();
    let file = installation.path().join("file/grantor.db");
    installation.set("database.url", format!("sqlite://{}", file.display()));
    assert_snapshot!(start_fails(&installation), @"the database is not available: cannot make the folder [folder]/file: File exists (os error 17). Let database.url name a file in a folder that the user that runs grantor can write.");
}

#[test]
fn a_folder_for_the_master_key_that_cannot_be_written() {
    let mut installation = sqlite();
    std::fs::write(installation.path().join("file"), "").unwrap();
    let file = installation.path().join("file/master.key");
    installation.set("security.master_key_file", file.display());
    assert_snapshot!(start_fails(&installation), @"cannot read [folder]/file/master.key: Not a directory (os error 20); security.master_key_file must be in a folder that the user that runs grantor can read and write");
}

#[rstest]
fn the_master_key_of_another_installation(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let (installation, other) = (Installation::new(db), sqlite());
    installation.json(&["init"]);
    other.json(&["init"]);
    std::fs::copy(other.path().join("master.key"), installation.path().join("master.key")).unwrap();
    let said = start_fails(&installation);
    // Fingerprints are sixteen digits or more of hexadecimal, of this run alone.
    let said: Vec<String> = said
        .split(' ')
        .map(|word| {
            let is_fingerprint =
                word.len() >= 16 && word.trim_end_matches([',', ';']).bytes().all(|b| b.is_ascii_hexdigit());
            if is_fingerprint {
                format!("[fingerprint]{}", &word[word.trim_end_matches([',', ';']).len()..])
            } else {
                word.to_owned()
            }
        })
        .collect();
    allow_duplicates! { assert_snapshot!(said.join(" "), @"the master key is not the one of this database: its fingerprint is [fingerprint], the database was made with [fingerprint]; set security.master_key_file (or security.master_key) to that key") };
}

#[rstest]
fn a_master_key_that_is_gone(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    installation.json(&["init"]);
    std::fs::remove_file(installation.path().join("master.key")).unwrap();
    let said = start_fails(&installation);
    let (before, rest) = said.split_once("(fingerprint ").unwrap();
    let said = format!("{before}(fingerprint [fingerprint]){}", rest.split_once(')').unwrap().1);
    allow_duplicates! { assert_snapshot!(said, @"the master key file [folder]/master.key is missing, but the database was made with one (fingerprint [fingerprint]): put it back, or point security.master_key_file at it") };
    assert!(!installation.path().join("master.key").exists(), "no new key takes its place");
}

#[test]
fn a_master_key_that_everybody_can_read() {
    let installation = sqlite();
    installation.json(&["init"]);
    let key = installation.path().join("master.key");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    assert_snapshot!(start_fails(&installation), @"other users can read the master key; run: chmod 600 [folder]/master.key");
}

#[test]
fn a_master_key_file_with_something_else_in_it() {
    let installation = sqlite();
    std::fs::write(installation.path().join("master.key"), "correct horse").unwrap();
    std::fs::set_permissions(installation.path().join("master.key"), PermissionsExt::from_mode(0o600)).unwrap();
    assert_snapshot!(start_fails(&installation), @"[folder]/master.key does not hold a master key (43 characters of base64url or 64 hexadecimal digits); put the right file back from your backup");
}

#[test]
fn a_typo_in_the_database_url() {
    let mut installation = sqlite();
    installation.set("database.url", "sqllite://data/grantor.db");
    assert_snapshot!(start_fails(&installation), @r#"configuration: `database.url` in the variable GRANTOR__DATABASE__URL: `sqllite://` is no database this server knows; write "sqlite://data/grantor.db" or "postgres://user:password@host/database""#);
}

#[test]
fn postgresql_is_down() {
    let mut installation = sqlite();
    installation.set("database.url", "postgres://grantor:hunter2@127.0.0.1:1/grantor");
    let said = start_fails(&installation);
    assert!(!said.contains("hunter2"), "{said}");
    assert_snapshot!(said, @r#"the database is not available: PostgreSQL: connection to server at "127.0.0.1", port 1 failed: Connection refused. Check that it runs there and that database.url is right."#);
}

#[test]
fn a_database_that_postgresql_does_not_have() {
    let Some(url) = crate::harness::fresh_postgres_url() else { return crate::harness::missing("PostgreSQL") };
    let mut installation = sqlite();
    let (server, _) = url.rsplit_once('/').unwrap();
    let port = server.rsplit(':').next().unwrap();
    installation.set("database.url", format!("{server}/nowhere"));
    assert_snapshot!(start_fails(&installation).replace(port, "[port]"), @r#"the database is not available: PostgreSQL: connection to server at "127.0.0.1", port [port] failed: FATAL: database "nowhere" does not exist. Check that it runs there and that database.url is right."#);
}

#[test]
fn an_unknown_key() {
    let mut installation = sqlite();
    installation.set("passwords.bcryptcost", "12");
    assert_snapshot!(start_fails(&installation), @"configuration: unknown key `passwords.bcryptcost` in the variable GRANTOR__PASSWORDS__BCRYPTCOST; did you mean `passwords.bcrypt_cost`?");
}

#[test]
fn an_unknown_key_in_a_file() {
    let installation = sqlite();
    std::fs::write(installation.path().join("own.toml"), "[tokens]\nacess_lifetime = 60\n").unwrap();
    let said = refused(&installation.run(&["--config", "own.toml", "serve"]), 1);
    assert_snapshot!(said, @"configuration: unknown key `tokens.acess_lifetime` in own.toml; did you mean `tokens.access_lifetime`?");
}

#[test]
fn a_file_that_is_not_toml() {
    let installation = sqlite();
    std::fs::write(installation.path().join("own.toml"), "[tokens]\naccess_lifetime: 60\n").unwrap();
    let said = refused(&installation.run(&["--config", "own.toml", "serve"]), 1);
    assert_snapshot!(said, @"configuration: in own.toml, line 2: not valid TOML: expected `.`, `=`");
}

#[test]
fn a_configuration_file_that_is_not_there() {
    let installation = sqlite();
    assert_snapshot!(refused(&installation.run(&["--config", "no.toml", "serve"]), 1), @"configuration: no.toml cannot be read: No such file or directory (os error 2); check the path and its permissions");
}

#[test]
fn plain_http_off_loopback() {
    let mut installation = sqlite();
    installation.set("issuer", "http://id.example.com");
    assert_snapshot!(start_fails(&installation), @"configuration: `issuer` in the variable GRANTOR__ISSUER: is plain http off loopback, where anyone on the way reads passwords and tokens; write https, or set `server.allow_plain_http` = true");
    installation.unset("issuer");
    installation.set("server.address", "0.0.0.0:8080");
    assert_snapshot!(start_fails(&installation), @r#"configuration: `issuer` (not set): is required because `server.address` is 0.0.0.0:8080, not loopback; write the URL that clients use, such as "https://id.example.com""#);
}

#[test]
fn a_cheap_password_hash_in_production() {
    let mut installation = sqlite();
    installation.unset("environment");
    installation.set("passwords.bcrypt_cost", "8");
    assert_snapshot!(start_fails(&installation), @r#"configuration: `passwords.bcrypt_cost` in the variable GRANTOR__PASSWORDS__BCRYPT_COST: is 8; under 10 only with `environment` "development" or "test"; write 12"#);
}

#[test]
fn a_log_level_that_is_none() {
    let mut installation = sqlite();
    installation.set("log.level", "verbose");
    assert_snapshot!(start_fails(&installation), @r#"configuration: `log.level` in the variable GRANTOR__LOG__LEVEL: "verbose" is not a level; write "info", or a filter such as "info,grantor=debug""#);
}

#[rstest]
fn a_database_of_a_newer_program(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    installation.json(&["init"]);
    let url = installation.database_url();
    let insert = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')";
    match grantor::store::Store::connect(&database(&url)).unwrap() {
        grantor::store::Db::Sqlite(mut db) => diesel::connection::SimpleConnection::batch_execute(&mut db, insert),
        grantor::store::Db::Postgres(mut db) => diesel::connection::SimpleConnection::batch_execute(&mut db, insert),
    }
    .unwrap();
    allow_duplicates! { assert_snapshot!(start_fails(&installation), @"the database's schema (29990101000000) is newer than this grantor knows; run the newer grantor, or restore the backup made before the upgrade") };
}

fn database(url: &str) -> grantor::config::Database {
    let environment = [("GRANTOR__DATABASE__URL".to_owned(), url.to_owned())].into();
    let options = grantor::config::LoadOptions { environment, ..Default::default() };
    grantor::config::load(&options).unwrap().database
}

#[test]
fn the_wrong_media_type_is_shown_the_right_curl() {
    let server = Server::with(Database::Sqlite).set("issuer", "https://id.example.com").start();
    let answer = server.post_raw("/oauth/token", "text/plain", b"grant_type=client_credentials", &[]);
    assert_eq!(answer.status, 415);
    assert_snapshot!(answer.text("error_description"), @"send application/x-www-form-urlencoded (or a JSON object of strings), in UTF-8: curl -u CLIENT_ID:CLIENT_SECRET -d grant_type=client_credentials https://id.example.com/oauth/token");
}

#[test]
fn a_grant_that_the_client_lacks_names_the_command() {
    let server = Server::start(Database::Sqlite);
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let answer = client.password_grant(&server.person().create());
    answer.is_refused("unauthorized_client");
    assert_snapshot!(answer.text("error_description"), @"the client may not use the grant password: create it with 'grantor client create --grant-type password'");
}

#[test]
fn a_path_that_is_none_lists_the_token_endpoint() {
    let server = Server::with(Database::Sqlite).set("issuer", "https://id.example.com").start();
    for path in ["/tokens", "/token", "/oauth/token/"] {
        let answer = server.get(path, &[]);
        assert_eq!((answer.status, answer.header("content-type")), (404, "application/problem+json"));
        allow_duplicates! { assert_snapshot!(answer.text("detail"), @"there is nothing here. The token endpoint is POST https://id.example.com/oauth/token; https://id.example.com/.well-known/openid-configuration lists the others") };
    }
}

#[test]
fn a_wrong_method_names_the_right_one() {
    let server = Server::start(Database::Sqlite);
    let answer = server.get("/oauth/token", &[]);
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    assert_eq!(
        (answer.text("error"), answer.text("request_id")),
        ("invalid_request".to_owned(), answer.header("x-request-id").to_owned())
    );
    assert_snapshot!(answer.text("error_description"), @"the method here is POST");
}

#[test]
fn a_file_that_is_no_database() {
    let installation = sqlite();
    std::fs::write(installation.path().join("grantor.db"), "correct horse battery staple".repeat(200)).unwrap();
    assert_snapshot!(start_fails(&installation), @"the database is not available: [folder]/grantor.db is not a SQLite database, or damaged: restore a backup");
    let said = refused(&installation.run(&["client", "list"]), 1);
    assert!(said.contains("is not a SQLite database, or damaged: restore a backup"), "{said}");
}

#[test]
fn a_request_at_the_wrong_endpoint_or_without_what_it_needs_is_told_what_to_send() {
    let server = Server::with(Database::Sqlite).set("issuer", "https://id.example.com").start();
    let form = "application/x-www-form-urlencoded";
    let body = br#"{"grant_type": "client_credentials"}"#;
    let json_as_form = server.post_raw("/oauth/token", form, body, &[]);
    json_as_form.is_refused("invalid_request");
    assert_snapshot!(json_as_form.text("error_description"), @"the body looks like JSON: add -H 'Content-Type: application/json'");
    let nobody = server.post("/oauth/token", &[("grant_type", "client_credentials")], &[]);
    nobody.is_refused("invalid_client");
    assert_eq!(nobody.status, 401);
    assert_snapshot!(nobody.text("error_description"), @"the request has no client credentials: send them as curl -u CLIENT_ID:CLIENT_SECRET does");
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let answer = server.post_raw(path, "text/plain", b"token=x", &[]);
        let example = format!("curl -u CLIENT_ID:CLIENT_SECRET -d token=TOKEN https://id.example.com{path}");
        assert!(answer.text("error_description").ends_with(&example), "{answer:?}");
    }
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let answer = server.post("/oauth/introspect", &[("token", "x")], &[("Authorization", &client.authorization())]);
    assert_eq!(answer.status, 403);
    assert!(answer.text("error_description").contains("--may-introspect"), "{answer:?}");
    let me = server.get("/api/v1/me", &[]);
    assert_eq!(me.status, 401);
    assert_snapshot!(me.text("detail"), @"the request has no credential: send Authorization: Bearer TOKEN, or Basic, or the headers Client-ID and Client-Secret, or X-API-Key");
    let public = server.public_client().grants(["password"]).create().client_credentials();
    public.is_refused("unauthorized_client");
    assert_snapshot!(public.text("error_description"), @"the client may not use the grant client_credentials: a public client cannot have it. Make another client: 'grantor client create --label NAME --grant-type client_credentials'");
}

#[test]
fn the_four_lines_make_a_client_that_works_at_once() {
    // What a newcomer does first: nothing configured but the folder, and the printed values used as they stand.
    let mut server = sqlite();
    server.start();
    let made = server.json(&["client", "create", "--label", "first", "--grant-type", "client_credentials"]);
    super::within_a_second("created", || {
        client_credentials(&server, &text(&made, "client_id"), &text(&made, "client_secret")).is_none()
    });
}
