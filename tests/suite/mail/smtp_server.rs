//! The Python package `aiosmtpd` as a mail server.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::clients::installed::{installed, source};
use crate::clients::program::{Running, free_port};

/// A mail server with a port of its own, which may be started later.
pub struct MailServer {
    pub port: u16,
    folder: TempDir,
    running: Option<Running>,
    variables: Vec<(String, String)>,
}

impl MailServer {
    /// One that does not run yet; none where the package is missing.
    pub fn stopped() -> Option<Self> {
        installed("venv/bin/aiosmtpd")?;
        let folder = tempfile::tempdir().unwrap();
        Some(Self { port: free_port(), folder, running: None, variables: Vec::new() })
    }

    pub fn started() -> Option<Self> {
        let mut server = Self::stopped()?;
        server.start();
        Some(server)
    }

    /// Offers STARTTLS, and insists on it and on this user's password.
    pub fn insists_on(mut self, certificate: &Path, key: &Path, name: &str, password: &str) -> Self {
        let text = |path: &Path| path.display().to_string();
        for (variable, value) in [
            ("CERTIFICATE", text(certificate)),
            ("KEY", text(key)),
            ("LOGIN_NAME", name.to_owned()),
            ("LOGIN_PASSWORD", password.to_owned()),
        ] {
            self.variables.push((variable.to_owned(), value));
        }
        self
    }

    pub fn start(&mut self) {
        let python = installed("venv/bin/python").expect("it was there before");
        let mut command = Command::new(python);
        command.arg(source("tests/clients/python/mail_server.py"));
        command.env("PORT", self.port.to_string()).env("FOLDER", self.folder.path()).env("PYTHONUTF8", "1");
        command.envs(self.variables.iter().cloned());
        let mut running = Running::start(&mut command);
        let ready = self.folder.path().join("ready");
        running.until("the mail server listens", || ready.exists());
        self.running = Some(running);
    }

    /// What it answers to every message, or how many seconds it takes (`answer`, `delay`); none takes that back.
    pub fn set(&self, what: &str, text: Option<&str>) {
        let file = self.folder.path().join(what);
        match text {
            Some(text) => std::fs::write(file, text).unwrap(),
            None => std::fs::remove_file(file).unwrap(),
        }
    }

    /// How many messages have begun to arrive.
    pub fn begun(&self) -> usize {
        self.lines("begun").len()
    }

    /// The messages that it has taken.
    pub fn messages(&self) -> Vec<Value> {
        self.lines("messages").iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits for so many messages, and answers the last of them.
    #[track_caller]
    pub fn nth(&self, number: usize) -> Value {
        let started = Instant::now();
        loop {
            let messages = self.messages();
            if messages.len() >= number {
                assert_eq!(messages.len(), number, "{messages:#?}");
                return messages.into_iter().next_back().unwrap();
            }
            assert!(started.elapsed() < Duration::from_secs(30), "message {number} did not come: {messages:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        // A line that is just being written has no end yet.
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(str::to_owned).collect()
    }
}

/// A header of a message; empty where it has none.
pub fn header(message: &Value, name: &str) -> String {
    let all = message["headers"].as_array().unwrap();
    let found: Vec<&str> = all.iter().filter(|one| one[0] == name).map(|one| one[1].as_str().unwrap()).collect();
    assert!(found.len() <= 1, "{name} comes twice: {message}");
    found.first().copied().unwrap_or_default().to_owned()
}
