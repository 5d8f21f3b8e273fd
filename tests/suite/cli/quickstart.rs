//! `grantor quickstart`: every line that it prints can be pasted.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::Value;

use super::misused;
use crate::harness::{Database, Installation, missing, program};

/// A quickstart that runs until this is dropped, and what it has printed.
pub struct Quickstart {
    child: Child,
    said: String,
}

impl Quickstart {
    pub fn start(installation: &Installation, arguments: &[&str]) -> Self {
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
        "kizen" => (2, "curl -H 'X-API-Key: gr_ak_".to_owned()),
        "akeneo" => (3, format!("}}' {base}/api/oauth/v1/token")),
        _ => (2, "curl -u jdoe:gr_pw_".to_owned()),
    };
    assert_eq!(lines.len(), count, "{}", quickstart.said);
    assert!(has(&own), "{own}: {}", quickstart.said);
    assert!(has(&format!("{base}/api/v1/me")), "{}", quickstart.said);
    let keep = quickstart.said.contains(&format!("`preset = \"{platform}\"`"));
    assert_eq!(keep, !platform.is_empty(), "{}", quickstart.said);
    for line in &lines {
        let answer = paste(line);
        assert!(answer["access_token"].is_string() || answer["sub"].is_string(), "{line}: {answer}");
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

/// What a demonstration must have for each page of the console to show something.
fn is_filled(installation: &Installation) {
    let rows = |arguments: &[&str]| installation.json(arguments).as_array().unwrap().clone();
    let count = |rows: &[Value], member: &str, value: &str| rows.iter().filter(|row| row[member] == value).count();
    let clients = rows(&["client", "list"]);
    for (status, least) in [("pending", 2), ("active", 6), ("disabled", 1)] {
        assert!(count(&clients, "status", status) >= least, "{status}: {clients:?}");
    }
    let users = rows(&["user", "list"]);
    for status in ["invited", "active", "disabled", "locked"] {
        assert!(count(&users, "status", status) >= 1, "{status}: {users:?}");
    }
    let keys = rows(&["api-key", "list"]);
    assert!(count(&keys, "status", "active") >= 4 && count(&keys, "status", "disabled") == 1, "{keys:?}");
    assert!(rows(&["credentials", "list"]).len() >= 3);
    assert_eq!(rows(&["organization", "list"]).len(), 2);
    // The second organization's own, and those of the two beside it.
    let elsewhere = ["--organization", "harbour-foods"];
    assert_eq!(rows(&[&["client", "list"], &elsewhere[..]].concat()).len(), 1);
    assert_eq!(rows(&[&["user", "list"], &elsewhere[..]].concat()).len(), 3);
    assert!(rows(&[&["credentials", "list"], &elsewhere[..]].concat()).is_empty());
    let said = installation.run(&["credentials", "list", "--organization", "nowhere"]);
    assert!(super::refused(&said, 1).starts_with("there is no organization `nowhere`"));
    assert!(!rows(&["mail", "list"]).is_empty());
    assert!(installation.run(&["audit", "verify"]).status.success());
}

#[rstest]
fn a_demonstration_has_something_in_each_state_and_a_month_of_usage(
    #[values("", "biotz", "buymed", "kizen", "akeneo", "bandwidth")] platform: &str,
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let installation = Installation::new(db);
    let like: Vec<&str> = if platform.is_empty() { vec![] } else { vec!["--like", platform] };
    let quickstart = Quickstart::start(&installation, &[&["--demo"], &like[..]].concat());
    let line = quickstart.said.lines().find(|line| line.starts_with("Developer")).unwrap().to_owned();
    let words: Vec<&str> = line.split_whitespace().collect();
    let developer = (words[1], words[3]);
    is_filled(&installation);
    // Whoever signs in as the developer sees the applications that they registered, and requests in each state.
    let get = |path: &str| {
        let authorization = crate::security::verify::basic(developer.0, developer.1);
        installation.get(&format!("/api/v1/{path}"), &[("Authorization", &authorization)]).ok().json()
    };
    let own = get("clients")["items"].as_array().unwrap().clone();
    assert_eq!(own.len(), 3, "{own:?}");
    let report = own.iter().find(|client| client["label"] == "Nightly report").unwrap()["id"].as_str().unwrap();
    let requests = get(&format!("clients/{report}/scope-requests"))["items"].as_array().unwrap().clone();
    for status in ["pending", "approved", "denied"] {
        assert!(requests.iter().any(|request| request["status"] == status), "{status}: {requests:?}");
    }
    // Working days of thirty, whichever day today is.
    let usage = get(&format!("clients/{report}/usage"));
    assert!(usage["issued"].as_i64().unwrap() > 100 && usage["steps"].as_array().unwrap().len() >= 19, "{usage}");
    // The lines of the platform are there as ever, and still can be pasted.
    assert!(quickstart.lines().len() >= 2, "{}", quickstart.said);
    drop(quickstart);
    let before = people(&installation);
    let again = Quickstart::start(&installation, &["--demo"]);
    assert!(again.said.contains("nothing was made") && !again.said.contains("gr_"), "{}", again.said);
    assert_eq!(people(&installation), before);
}

#[test]
fn a_platform_that_is_none_is_a_wrong_use() {
    let installation = Installation::new(Database::Sqlite);
    assert!(misused(&installation.run(&["quickstart", "--like", "salesforce"])).contains("biotz, buymed, kizen"));
    let said = misused(&installation.run(&["quickstart", "--like", "kizen", "--preset", "biotz"]));
    assert!(said.contains("keep one of the two"), "{said}");
}
