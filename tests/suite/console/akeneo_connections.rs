//! Akeneo's document, walked in a browser: System, API connections, Create; and the next step, Postman.

use std::process::Command;

use rstest::rstest;
use serde_json::{Value, json};

use crate::clients::installed::installed;
use crate::harness::{Browser, Database, Looks, Server, TestUser, basic};

const LABEL: &str = "My very first API connection";

fn akeneo(script: bool) -> Option<(Server, TestUser, Browser)> {
    let server = Server::with(Database::Sqlite).set("preset", "akeneo").start();
    let administrator = server.person().change(|user| user.roles = vec!["administrator".to_owned()]).create();
    let browser = Browser::signed_in(&server, &administrator, Looks { script, ..Looks::default() })?;
    Some((server, administrator, browser))
}

fn create(browser: &Browser) -> (String, String) {
    browser.sees("System");
    browser.press("API connections");
    browser.press("Create");
    browser.fill("Label", LABEL);
    browser.press("Save");
    browser.sees(&format!("{LABEL} is made"));
    let shown = (browser.value("Client ID"), browser.value("Client secret"));
    browser.press("API connections");
    shown
}

#[rstest]
fn ak4_a_label_makes_a_connection_whose_row_has_its_id_and_secret(#[values(true, false)] script: bool) {
    let Some((server, _, browser)) = akeneo(script) else { return };
    let user = server.api_user().create();
    let (id, secret) = create(&browser);
    browser.sees(LABEL);
    browser.sees(&id);
    browser.press(&format!("View the secret of {LABEL}"));
    assert_eq!(browser.value("Client secret"), secret);

    // AK5, with what the page has shown.
    let body = json!({ "grant_type": "password", "username": user.username, "password": user.password });
    let headers = [("Authorization", basic(&id, &secret))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let path = "/api/oauth/v1/token";
    let answer = server.post_raw(path, "application/json", body.to_string().as_bytes(), &headers).ok();
    assert_eq!(answer.json()["expires_in"], 3600);
    let refreshed = json!({ "grant_type": "refresh_token", "refresh_token": answer.refresh_token() });
    server.post_raw(path, "application/json", refreshed.to_string().as_bytes(), &headers).ok();
    server.get_with_token("/api/v1/me", &answer.access_token()).ok();
}

#[rstest]
fn ak4_cancel_makes_nothing_and_a_missing_label_is_said_at_its_field(#[values(true, false)] script: bool) {
    let Some((server, _, browser)) = akeneo(script) else { return };
    browser.press("API connections");
    browser.press("Create");
    browser.press("Cancel");
    browser.wait_for_path("/console/applications");
    browser.does_not_see(LABEL);
    let (id, _) = create(&browser);
    browser.press(LABEL);
    browser.press("Disable");
    browser.sees("Its credentials and tokens open nothing from the next request on.");
    browser.press("Disable it");
    browser.sees("Disabled.");
    browser.press("Enable");
    browser.sees("Enabled.");
    browser.press("Delete");
    browser.press("Delete it for ever");
    browser.sees("Deleted.");
    browser.does_not_see(&id);
    drop(server);
}

#[rstest]
fn ak9_the_collection_and_the_environment_are_downloaded_and_newman_runs_them_green(
    #[values(true, false)] script: bool,
) {
    let Some((server, _, browser)) = akeneo(script) else { return };
    let user = server.api_user().username("myAPIuser").create();
    let (id, secret) = create(&browser);
    browser.press(LABEL);
    browser.fill("Username of an API user", "myAPIuser");
    browser.tick("Put the client secret into the environment");
    browser.press("Download the environment");
    let environment = browser.downloaded("api.postman_environment.json");
    browser.press("Download the collection");
    let collection = browser.downloaded("api.postman_collection.json");
    let values: Value = serde_json::from_slice(&environment).unwrap();
    let value = |key: &str| {
        let found = values["values"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap();
        found["value"].as_str().unwrap().to_owned()
    };
    assert_eq!((value("client_id"), value("client_secret"), value("username")), (id, secret, "myAPIuser".to_owned()));
    assert_eq!(
        (value("password"), value("token_url")),
        (String::new(), format!("{}/api/oauth/v1/token", server.base()))
    );

    let Some(newman) = installed("node/node_modules/newman/bin/newman.js") else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("environment.json"), environment).unwrap();
    std::fs::write(folder.path().join("collection.json"), collection).unwrap();
    let output = Command::new("node")
        .arg(newman)
        .args(["run", "collection.json", "--environment", "environment.json", "--color", "off"])
        .args(["--env-var", &format!("password={}", user.password)])
        .current_dir(folder.path())
        .env("no_proxy", "*")
        .env("NO_PROXY", "*")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("Who am I"), "{said}");
}
