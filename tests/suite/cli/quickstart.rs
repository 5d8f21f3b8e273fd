//! `grantor quickstart`: every line that it prints can be pasted.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::Value;

use super::misused;
use crate::harness::{Database, Installation, missing, program};

/// A quickstart that runs until this is dropped, and what it has printed.
struct Quickstart {
    child: Child,
    said: String,
}

impl Quickstart {
    fn start(installation: &Installation, arguments: &[&str]) -> Self {
        let file = installation.path().join("quickstart.out");
        let mut child = installation
            .command(&[&["quickstart"], arguments].concat())
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&file).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        loop {
            let said = std::fs::read_to_string(&file).unwrap();
            if said.contains("until Ctrl-C.") && installation.get("/health/ready", &[]).status == 200 {
                return Self { child, said };
            }
            assert!(child.try_wait().unwrap().is_none(), "it ended: {said}");
            assert!(started.elapsed() < Duration::from_secs(30), "not ready: {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The lines to paste, each as one.
    fn lines(&self) -> Vec<String> {
        let joined = self.said.replace(" \\\n    ", " ");
        joined.lines().map(str::trim).filter(|line| line.starts_with("curl ")).map(str::to_owned).collect()
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a pasted line answers.
fn paste(line: &str) -> Value {
    let line = line.replacen("curl ", "curl -s ", 1);
    let done = Command::new("bash").args(["-c", &line]).env("no_proxy", "*").output().unwrap();
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{line}: {}", String::from_utf8_lossy(&done.stdout)))
}

fn people(installation: &Installation) -> usize {
    let count = |noun: &str| installation.json(&[noun, "list"]).as_array().unwrap().len();
    count("user") + count("client") + count("credentials")
}

#[rstest]
fn what_a_platforms_document_leads_to_can_be_pasted(
    #[values("", "biotz", "buymed", "kizen", "akeneo", "bandwidth")] platform: &str,
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    for needed in ["bash", "curl", "sed"] {
        if program(needed).is_none() {
            return missing(needed);
        }
    }
    let installation = Installation::new(db);
    let arguments: Vec<&str> = if platform.is_empty() { vec![] } else { vec!["--like", platform] };
    let quickstart = Quickstart::start(&installation, &arguments);
    let base = installation.base();
    let lines = quickstart.lines();
    let has = |part: &str| lines.iter().any(|line| line.contains(part));
    let (count, own) = match platform {
        "" => (4, "'programmatic-users:'".to_owned()),
        "biotz" => {
            (2, "curl -u 'biotz-platform-programmatic-users:' -d grant_type=password -d scope=openid".to_owned())
        }
        "buymed" => (2, "curl -H 'Client-ID: buymed_app_".to_owned()),
        "kizen" => (2, "-d username=integration ".to_owned()),
        "akeneo" => (3, format!("}}' {base}/api/oauth/v1/token")),
        _ => (2, "curl -u jdoe:gr_pw_".to_owned()),
    };
    assert_eq!(lines.len(), count, "{}", quickstart.said);
    assert!(has(&own), "{own}: {}", quickstart.said);
    assert!(has(&format!("{base}/api/v1/me")), "{}", quickstart.said);
    let keep = quickstart.said.contains(&format!("`preset = \"{platform}\"`"));
    assert_eq!(keep, !platform.is_empty(), "{}", quickstart.said);
    for line in &lines {
        // Credentials themselves, in place of a token: GET /api/v1/me takes tokens only, so far.
        let direct = line.starts_with("curl -H 'Client-ID:") || line.starts_with("curl -u jdoe:");
        let answer = paste(line);
        if direct {
            assert!(answer["status"] == 401 || answer["sub"].is_string(), "{line}: {answer}");
        } else {
            assert!(answer["access_token"].is_string() || answer["sub"].is_string(), "{line}: {answer}");
        }
    }
}

#[rstest]
fn a_second_quickstart_makes_nothing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    drop(Quickstart::start(&installation, &["--like", "akeneo"]));
    let before = people(&installation);
    for arguments in [&["--like", "akeneo"][..], &["--like", "biotz"], &[]] {
        let again = Quickstart::start(&installation, arguments);
        assert!(again.said.contains("It is set up already: nothing was made."), "{}", again.said);
        assert!(again.lines().is_empty() && !again.said.contains("gr_"), "{}", again.said);
        drop(again);
        assert_eq!(people(&installation), before);
    }
}

#[test]
fn a_platform_that_is_none_is_a_wrong_use() {
    let installation = Installation::new(Database::Sqlite);
    assert!(misused(&installation.run(&["quickstart", "--like", "salesforce"])).contains("biotz, buymed, kizen"));
    let said = misused(&installation.run(&["quickstart", "--like", "kizen", "--preset", "biotz"]));
    assert!(said.contains("keep one of the two"), "{said}");
}
