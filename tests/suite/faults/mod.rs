//! What happens when things break: a process, a disk, a database.

mod clock_jumps;
pub mod database_away;
mod disk;
mod failover;
mod full_disk;
mod kill;
mod ledger;
mod log_stays;
mod newer_schema;
mod one_at_a_time;
mod outages;
mod power;
mod races;
mod rolling_restart;
mod stopping;
mod upgrade;
mod validators;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use grantor::sabotage::Defect;
use serde_json::Value;

use crate::harness::{Answer, Installation, post_form, sabotaged_program};
use crate::house::registry::within;

/// A trial of faults that finds nothing proves nothing: with its defect in the program it must fail, and in some of these words. What it
/// needs is made before: that it cannot be made is nothing found.
pub fn is_caught(defect: Defect, words: &[&str], trial: impl FnOnce(Option<Defect>)) {
    // Without it the trial would fail as well, and nothing would have been found.
    sabotaged_program();
    let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(|| trial(Some(defect)))) else {
        panic!("{defect:?} was in the program, and the trial did not find it")
    };
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let said = said.unwrap_or_default();
    assert!(words.iter().any(|word| said.contains(word)), "{defect:?} was not what the trial found: {said}");
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

/// A client of a real installation that gets tokens for itself: what it asks, a node answers from memory.
pub struct Machine {
    id: String,
    secret: String,
}

impl Machine {
    /// Makes it on the command line.
    pub fn create(installation: &Installation) -> Self {
        let made = installation.json(&["client", "create", "--label", "machine", "--grant-type", "client_credentials"]);
        let text = |member: &str| made[member].as_str().expect(member).to_owned();
        Self { id: text("client_id"), secret: text("client_secret") }
    }

    /// Its token, and whether `/verify` knows its secret.
    pub fn asks(&self, node: &Installation) -> [Answer; 2] {
        let token = node.post("/oauth/token", (&self.id, &self.secret), &[("grant_type", "client_credentials")]);
        let headers = [("Client-ID", self.id.as_str()), ("Client-Secret", self.secret.as_str())];
        [token.expect("an answer"), node.get("/verify", &headers)]
    }

    /// Whether it is answered 200.
    pub fn is_served(&self, node: &Installation) -> bool {
        self.asks(node).iter().all(|answer| answer.status == 200)
    }

    /// A node without its database says so within this time, and goes on saying so.
    #[track_caller]
    pub fn is_refused_within(&self, most: Duration, node: &Installation) {
        within(most, || self.asks(node).iter().all(|answer| answer.status == 503));
        for _ in 0..20 {
            self.asks(node).iter().for_each(is_unavailable);
            std::thread::sleep(Duration::from_millis(25));
        }
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
