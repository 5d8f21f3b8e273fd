//! What happens when things break: a process, a disk, a database.

pub mod database_away;
mod full_disk;
mod kill;
mod log_stays;
mod newer_schema;
mod one_at_a_time;
mod races;
mod rolling_restart;
mod stopping;
mod validators;

use std::panic::AssertUnwindSafe;

use grantor::sabotage::Defect;
use serde_json::Value;

use crate::harness::{Answer, Installation, post_form, sabotaged_program};

/// A trial of faults that finds nothing proves nothing: with its defect in the program it must fail.
pub fn is_caught(defect: Defect, trial: impl FnOnce(Option<Defect>)) {
    // Without it the trial would fail as well, and nothing would have been found.
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
            "--grant-type",
            "client_credentials",
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

    /// Posts to a node, or to what stands in front of nodes.
    pub fn post_to(&self, base: &str, path: &str, pairs: &[(&str, &str)]) -> Result<Answer, String> {
        post_form(&format!("{base}{path}"), (&self.client_id, &self.client_secret), pairs)
    }

    pub fn post(&self, node: &Installation, path: &str, pairs: &[(&str, &str)]) -> Result<Answer, String> {
        self.post_to(&node.base(), path, pairs)
    }

    pub fn password_grant(&self) -> [(&str, &str); 3] {
        [("grant_type", "password"), ("username", &self.username), ("password", &self.password)]
    }

    pub fn sign_in(&self, node: &Installation) -> Result<Answer, String> {
        self.post(node, "/oauth/token", &self.password_grant())
    }

    pub fn refresh(&self, node: &Installation, token: &str) -> Result<Answer, String> {
        self.post(node, "/oauth/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
    }
}
