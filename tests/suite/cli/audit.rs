//! `grantor audit …` and `grantor report …`

use grantor::store::Store;
use rstest::rstest;
use serde_json::Value;

use super::{done, refused};
use crate::harness::{Database, Installation};
use crate::house::migrations::installation_settings;
use crate::house::store::execute;

#[rstest]
fn the_log_is_verified_and_a_changed_event_is_named(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    installation.json(&["init"]);
    installation.json(&["client", "create", "--label", "a"]);
    let verdict = installation.json(&["audit", "verify"]);
    assert_eq!((&verdict["findings"], &verdict["unsealed"]), (&Value::Array(Vec::new()), &0.into()), "{verdict}");
    assert!(verdict["checked"].as_i64().unwrap() >= 2);
    assert!(done(&installation.run(&["audit", "verify"])).contains("are as they were sealed"));

    let mut db = Store::connect(&installation_settings(&installation)).unwrap();
    execute(&mut db, "UPDATE audit_events SET actor_id = 'nobody' WHERE action = 'client.created'").unwrap();
    let output = installation.run(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("the event ") && said.contains("was edited"), "{said}");
    let output = installation.run(&["audit", "verify", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdict["findings"][0]["kind"], "edited");
}

#[rstest]
fn events_are_exported_as_lines_of_json_and_as_csv(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let installation = Installation::new(db);
    installation.json(&["init"]);
    let client = installation.json(&["client", "create", "--label", "a"]);
    let id = client["client_id"].as_str().unwrap();
    let lines = done(&installation.run(&["audit", "export"]));
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.len() >= 2 && events.iter().all(|event| event["time"].is_string()), "{lines}");
    assert_eq!(installation.json(&["audit", "export"]).as_array().unwrap().len(), events.len());

    let one = installation.json(&["audit", "export", "--target", id, "--action", "client.*", "--since", "1h"]);
    assert_eq!(one[0]["action"], "client.created");
    assert_eq!(one.as_array().unwrap().len(), 1);
    let none = ["audit", "export", "--until", "2020-01-01"];
    assert!(installation.json(&none).as_array().unwrap().is_empty());
    let organization = installation.json(&["audit", "export", "--organization", "default", "--actor", "cli"]);
    assert!(!organization.as_array().unwrap().is_empty());

    let csv = done(&installation.run(&["audit", "export", "--format", "csv", "--target", id]));
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("seq,time,actor_kind,actor,action") && lines.len() == 2, "{csv}");
    assert!(lines[1].contains(",client.created,client,"), "{csv}");
    assert!(refused(&installation.run(&["audit", "export", "--since", "yesterday"]), 2).contains("is no time"));
    assert!(refused(&installation.run(&["audit", "export", "--organization", "none"]), 1).contains("organization"));
}

#[rstest]
fn every_report_is_printed(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut installation = Installation::new(db);
    let client = installation.json(&["client", "create", "--label", "it's", "--grant-type", "password"]);
    let made = installation.json(&["user", "create", "--username", "robot", "--kind", "api_user"]);
    installation.start();
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let pair = (text(&client, "client_id"), text(&client, "client_secret"));
    let password = text(&made, "password");
    let grant = [("grant_type", "password"), ("username", "robot"), ("password", password.as_str())];
    installation.post("/oauth/token", (&pair.0, &pair.1), &grant).unwrap().ok();
    // A clean stop stores what was counted.
    assert_eq!(installation.stop(), Some(0));
    let rows = installation.json(&["report", "password-grant"]);
    assert_eq!(rows.as_array().unwrap().len(), 2, "{rows}");
    assert_eq!((&rows[0]["count"], &rows[1]["name"]), (&1.into(), &"robot".into()));
    let said = done(&installation.run(&["report", "password-grant"]));
    assert!(said.contains(r"--label 'it'\''s (client credentials)'"), "{said}");
    for which in ["idle", "unused-scopes", "basic"] {
        assert!(installation.json(&["report", which]).is_array(), "{which}");
        assert!(done(&installation.run(&["report", which, "--days", "1"])).contains("KIND"));
    }
    assert_eq!(installation.run(&["report", "everything"]).status.code(), Some(2));
}
