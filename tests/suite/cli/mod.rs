//! The command line, by real processes: one file per noun.

mod api_key;
mod audit;
mod backup;
mod client;
mod configuration;
mod credentials;
mod declaration;
mod doctor;
mod init;
mod keys;
mod master_key;
mod newcomer_errors;
mod nouns;
mod patterns;
mod presets;
mod printing;
pub mod quickstart;
mod token;
mod user;
mod user_import;

use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::Installation;

/// Standard output of a command that must have succeeded.
#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The one line of a command that must have been refused with this exit code, and have printed nothing.
#[track_caller]
fn refused(output: &Output, code: i32) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(said.lines().count(), 1, "{said}");
    said.strip_prefix("grantor: ").unwrap_or_else(|| panic!("{said}")).trim_end().to_owned()
}

/// A usage message of the parser: exit code 2, nothing on standard output.
#[track_caller]
fn misused(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty());
    said
}

/// The names of an object's members, in alphabetical order.
#[track_caller]
fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[track_caller]
fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}

/// A running server must say yes within a second: what the command line changed is seen. A second one is the
/// machine's, which runs the whole suite at once.
#[track_caller]
fn within_a_second(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(2), "{what}: not within a second");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `error`, or nothing where a token came.
fn client_credentials(server: &Installation, id: &str, secret: &str) -> Option<String> {
    let answer = server.post("/oauth/token", (id, secret), &[("grant_type", "client_credentials")]).unwrap();
    answer.json()["error"].as_str().map(str::to_owned)
}

fn password_grant(server: &Installation, client: (&str, &str), username: &str, password: &str) -> Option<String> {
    let pairs = [("grant_type", "password"), ("username", username), ("password", password)];
    server.post("/oauth/token", client, &pairs).unwrap().json()["error"].as_str().map(str::to_owned)
}
