//! The five platforms' journeys, as far as the API and the command line lead: each test is named after its row.

mod akeneo;
mod bandwidth;
mod biotz;
mod buymed;
mod kizen;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor::admin::audit::{Event, Filter, From, list};
use serde_json::Value;

use crate::harness::{Answer, Database, Installation, Server, TestUser, agent};

/// A server that speaks one platform's dialect.
fn like(db: Database, preset: &str) -> Server {
    Server::with(db).set("preset", preset).start()
}

/// A username and a password as RFC 7617 has them: nothing is escaped.
fn basic(username: &str, password: &str) -> (String, String) {
    ("Authorization".to_owned(), format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

/// Somebody who calls the API with these headers.
struct Caller {
    base: String,
    headers: Vec<(String, String)>,
}

impl Caller {
    fn with(base: &str, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { base: base.to_owned(), headers }
    }

    fn of(base: &str, username: &str, password: &str) -> Self {
        Self { base: base.to_owned(), headers: vec![basic(username, password)] }
    }

    fn user(server: &Server, user: &TestUser) -> Self {
        Self::of(server.base(), &user.username, &user.password)
    }

    fn bearer(server: &Server, token: &str) -> Self {
        Self::with(server.base(), &[("Authorization", &format!("Bearer {token}"))])
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if body.is_some() {
            request = request.header("Content-Type", "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        Answer::of(agent().run(request.body(body).unwrap()))
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body))
    }

    fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body))
    }

    fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(body))
    }

    fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    /// What a POST made.
    #[track_caller]
    fn made(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }
}

/// A person with a built-in role.
fn person(server: &Server, role: &str) -> (TestUser, Caller) {
    let user = server.person().change(|new| new.roles = vec![role.to_owned()]).create();
    let caller = Caller::user(server, &user);
    (user, caller)
}

/// An administrator, who signs in with each request.
fn administrator(server: &Server) -> Caller {
    person(server, "administrator").1
}

/// The events of an action, the newest first.
fn events(server: &Server, action: &str) -> Vec<Event> {
    let filter = Filter { action: Some(action.to_owned()), ..Filter::default() };
    server.run(async |context, by| list(context, by, &filter, From::Newest, 100).await.unwrap().events)
}

/// A string member.
#[track_caller]
fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member} in {value}")).to_owned()
}

/// The one field that a 422 complains of.
#[track_caller]
fn wrong_field(answer: &Answer) -> String {
    assert_eq!(answer.status, 422, "{answer:?}");
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    assert_eq!(errors.len(), 1, "{answer:?}");
    text(&errors[0], "field")
}

/// What a command that worked has printed.
#[track_caller]
fn done(installation: &Installation, arguments: &[&str], input: &str) -> String {
    let output = installation.run_with(arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Signs in at a token endpoint as API users of the documents do, with JSON.
fn json_token(server: &Server, path: &str, client: (&str, &str), body: &Value) -> Answer {
    let (id, secret) = client;
    let (name, value) = basic(id, secret);
    server.post_raw(path, "application/json", body.to_string().as_bytes(), &[(&name, &value)])
}
