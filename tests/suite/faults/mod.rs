//! What happens when things break: a process, a disk, a database.

pub mod database_away;
mod disk;
mod full_disk;
mod kill;
mod ledger;
mod log_stays;
mod power;
mod stopping;
mod two_processes;
mod upgrade;

use std::panic::AssertUnwindSafe;

use grantor::sabotage::Defect;
use serde_json::Value;

use crate::harness::{Answer, Installation, sabotaged_program};

/// How often a trial is made: more often where this variable says so.
pub fn times(variable: &str, in_the_suite: u64) -> u64 {
    std::env::var(variable).map_or(in_the_suite, |text| text.parse().expect("a number"))
}

/// A trial of faults that finds nothing proves nothing: with its defect in the program it must fail.
pub fn is_caught(defect: Defect, trial: impl FnOnce(Option<Defect>)) {
    // Or its absence would be taken for what the trial found.
    sabotaged_program();
    let found = std::panic::catch_unwind(AssertUnwindSafe(|| trial(Some(defect))));
    assert!(found.is_err(), "{defect:?} was in the program, and the trial did not find it");
}

/// A client and an API user of a real installation.
#[derive(Clone)]
pub struct Account {
    pub client_id: String,
    pub client_secret: String,
    pub username: String,
    pub password: String,
}

impl Account {
    /// Makes both on the command line.
    pub fn create(installation: &Installation, reuse_window: u32) -> Self {
        let window = reuse_window.to_string();
        let client = installation.json(&[
            "client",
            "create",
            "--label",
            &format!("window {window}"),
            "--grant-type",
            "password",
            "--grant-type",
            "refresh_token",
            "--may-introspect",
            "--reuse-window",
            &window,
        ]);
        let username = format!("program{window}");
        let user = installation.json(&["user", "create", "--username", &username, "--kind", "api_user"]);
        let text = |of: &Value, member: &str| of[member].as_str().expect(member).to_owned();
        Self {
            client_id: text(&client, "client_id"),
            client_secret: text(&client, "client_secret"),
            password: text(&user, "password"),
            username,
        }
    }

    pub fn post(&self, node: &Installation, path: &str, pairs: &[(&str, &str)]) -> Result<Answer, String> {
        node.post(path, (&self.client_id, &self.client_secret), pairs)
    }

    pub fn sign_in(&self, node: &Installation) -> Result<Answer, String> {
        let pairs = [("grant_type", "password"), ("username", &self.username), ("password", &self.password)];
        self.post(node, "/oauth/token", &pairs)
    }

    pub fn refresh(&self, node: &Installation, token: &str) -> Result<Answer, String> {
        self.post(node, "/oauth/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
    }
}

/// Not now, and not a word more.
#[track_caller]
pub fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    answer.is_refused("temporarily_unavailable");
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{answer:?}");
    // A request's id may hold any word without its quotes.
    assert!(!answer.body.contains(r#""active""#) && !answer.body.contains(r#""sub""#), "{answer:?}");
}
