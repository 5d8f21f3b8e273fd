//! Grantor's own API: who may do what, pages, writes, and its document.

mod document;
mod families;
mod grants;
mod guests;
mod idempotency;
mod matrix;
mod pages;
mod principals;
mod registrations;
mod reveal;
mod revocations;
mod scopes;
mod secrets;
mod verification;
mod writes;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Answer, Server, TestUser, agent};

/// Sends a request, with a JSON body if there is one.
fn send(server: &Server, method: &str, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Answer {
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.base()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(match body {
        Some(body) => {
            let request = request.header("Content-Type", "application/json").body(body.to_string()).unwrap();
            agent().run(request)
        }
        None => agent().run(request.body(()).unwrap()),
    })
}

/// HTTP Basic as RFC 7617 has it: only OAuth's own endpoints read the parts as a form's.
fn basic(user: &TestUser) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", user.username, user.password)))
}

/// Somebody who calls with username and password.
struct Caller<'a> {
    server: &'a Server,
    user: TestUser,
    authorization: String,
}

impl<'a> Caller<'a> {
    fn new(server: &'a Server, user: TestUser) -> Self {
        let authorization = basic(&user);
        Self { server, user, authorization }
    }

    /// With a built-in role.
    fn in_role(server: &'a Server, role: &str) -> Self {
        Self::new(server, server.person().change(|new| new.roles = vec![role.to_owned()]).create())
    }

    /// With a role of these permissions, and [`api:access`](grantor::model::role::API_ACCESS).
    fn with<const N: usize>(server: &'a Server, permissions: [&str; N]) -> Self {
        let all = permissions.iter().copied().chain(["api:access"]).map(str::to_owned).collect::<Vec<_>>();
        let name = format!("role {}", uuid::Uuid::now_v7());
        made(&Self::in_role(server, "administrator").post("roles", &json!({ "name": name, "permissions": all })));
        Self::in_role(server, &name)
    }

    fn administrator(server: &'a Server) -> Self {
        Self::in_role(server, "administrator")
    }

    fn developer(server: &'a Server) -> Self {
        Self::in_role(server, "developer")
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![("Authorization", self.authorization.as_str())];
        all.extend_from_slice(headers);
        send(self.server, method, &format!("/api/v1/{path}"), body, &all)
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, &[])
    }

    fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, &[])
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body), &[])
    }

    fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(body), &[])
    }

    fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body), &[])
    }

    fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body), &[("Idempotency-Key", key)])
    }
}

/// The answer to a POST that made something.
#[track_caller]
fn made(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

/// It must be a problem (RFC 9457) with this status.
#[track_caller]
fn refused(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], status, "{answer:?}");
    assert!(problem["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{answer:?}");
    problem["detail"].as_str().unwrap().to_owned()
}

/// It must be a 422 that names this member.
#[track_caller]
fn names(answer: &Answer, field: &str) {
    refused(answer, 422);
    let errors = answer.json()["errors"].clone();
    assert!(errors.as_array().unwrap().iter().any(|error| error["field"] == field), "{field}: {answer:?}");
}

/// The `id` of what an answer tells of.
fn id_of(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id: {value}")).to_owned()
}
