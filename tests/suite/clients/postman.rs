//! The Postman collection, run by the npm package `newman`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rstest::rstest;
use serde_json::Value;

use super::installed::installed;
use crate::harness::{Database, Installation};

struct Newman(PathBuf);

impl Newman {
    fn find() -> Option<Self> {
        installed("node/node_modules/newman/bin/newman.js").map(Self)
    }

    /// Runs the collection of a folder; answers how it ended, and its report.
    fn run(&self, folder: &Path, further: &[&str]) -> (Output, Value) {
        let report = folder.join("report.json");
        let output = Command::new("node")
            .arg(&self.0)
            .args(["run", "grantor.postman_collection.json", "--environment", "grantor.postman_environment.json"])
            .args(["--color", "off", "--reporters", "cli,json", "--reporter-json-export"])
            .arg(&report)
            .args(further)
            .current_dir(folder)
            .env("no_proxy", "*")
            .env("NO_PROXY", "*")
            .output()
            .unwrap();
        let report = fs::read_to_string(&report).unwrap_or_default();
        (output, serde_json::from_str(&report).unwrap_or_default())
    }

    /// A green run; answers the number of requests and of assertions.
    #[track_caller]
    fn green(&self, folder: &Path) -> (u64, u64) {
        let (output, report) = self.run(folder, &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let stats = &report["run"]["stats"];
        assert_eq!((&stats["assertions"]["failed"], &stats["requests"]["failed"]), (&0.into(), &0.into()), "{stats}");
        (stats["requests"]["total"].as_u64().unwrap(), stats["assertions"]["total"].as_u64().unwrap())
    }
}

fn create_user(server: &Installation, username: &str, password: &str) {
    let create = ["user", "create", "--username", username, "--kind", "api_user", "--password-stdin"];
    assert!(server.run_with(&create, password).status.success());
}

/// The two files of a client, with its secret and the user's password in them.
fn write(server: &Installation, client: &Value, username: &str, password: &str) -> PathBuf {
    let folder = server.path().join(format!("postman of {}", client["label"].as_str().unwrap()));
    let arguments = ["client", "postman", client["client_id"].as_str().unwrap(), "--username", username];
    let further = ["--secrets-stdin", "--output", folder.to_str().unwrap()];
    let secrets = format!("{}\n{password}\n", client["client_secret"].as_str().unwrap());
    let output = server.run_with(&[&arguments[..], &further].concat(), &secrets);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("gr_") && !said.contains(password), "{said}");
    folder
}

#[rstest]
fn newman_is_green_for_a_client_with_every_grant(
    #[values("client_secret_basic", "client_secret_post")] method: &str,
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let Some(newman) = Newman::find() else { return };
    let mut server = Installation::new(db);
    let mut create = vec!["client", "create", "--label", "everything", "--token-endpoint-auth-method", method];
    for grant in ["password", "refresh_token", "client_credentials"] {
        create.extend(["--grant-type", grant]);
    }
    let client = server.json(&create);
    let password = "größer & 100% = sehr + \"gut\" \\ so";
    create_user(&server, "zoë+o'neil", password);
    server.start();
    let folder = write(&server, &client, "zoë+o'neil", password);
    assert_eq!(newman.green(&folder), (6, 12));
    // A second run starts from the files again, not from the tokens of the first.
    assert_eq!(newman.green(&folder), (6, 12));

    // The test scripts do test.
    let (output, report) = newman.run(&folder, &["--env-var", "password=another one"]);
    assert!(!output.status.success());
    assert!(report["run"]["stats"]["assertions"]["failed"].as_u64().unwrap() >= 2, "{}", report["run"]["stats"]);
}

#[rstest]
fn newman_is_green_for_the_user_of_akeneos_document(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(newman) = Newman::find() else { return };
    let mut server = Installation::new(db);
    server.set("preset", "akeneo");
    create_user(&server, "myAPIuser", "myAPIuserPassword");
    let create = ["client", "create", "--label=My very first API connection", "--grant_type=password"];
    let client = server.json(&[&create[..], &["--grant_type=refresh_token", "--env=prod"]].concat());
    server.start();
    let folder = write(&server, &client, "myAPIuser", "myAPIuserPassword");
    assert_eq!(newman.green(&folder), (4, 8));
    let (_, report) = newman.run(&folder, &[]);
    let request = &report["run"]["executions"][0]["request"];
    assert_eq!(request["url"]["path"], serde_json::json!(["api", "oauth", "v1", "token"]));
    let body: Value = serde_json::from_str(request["body"]["raw"].as_str().unwrap()).unwrap();
    assert_eq!(body["username"], "myAPIuser", "it is sent as JSON");
}

#[test]
fn the_two_files_hold_the_users_own_values_and_are_for_their_eyes() {
    let server = Installation::new(Database::Sqlite);
    let client = server.json(&["client", "create", "--label", "shop", "--grant-type", "password"]);
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let read = |path: &Path| -> Value { serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap() };
    let value = |file: &Value, key: &str| -> String {
        let values = file["values"].as_array().unwrap();
        values.iter().find(|one| one["key"] == key).unwrap()["value"].as_str().unwrap().to_owned()
    };

    // Without secrets: they are left to be filled in.
    let folder = server.path().join("without");
    let files = server.json(&["client", "postman", "shop", "--output", folder.to_str().unwrap()]);
    let (collection, environment) =
        (read(files["collection"].as_str().unwrap().as_ref()), read(files["environment"].as_str().unwrap().as_ref()));
    assert_eq!(collection["info"]["schema"], "https://schema.getpostman.com/json/collection/v2.1.0/collection.json");
    assert_eq!(collection["item"].as_array().unwrap().len(), 2, "no refresh without that grant");
    assert_eq!(value(&environment, "client_id"), id);
    assert_eq!(value(&environment, "base_url"), server.base());
    assert_eq!(value(&environment, "token_url"), format!("{}/oauth/token", server.base()));
    assert_eq!((value(&environment, "client_secret"), value(&environment, "password")), (String::new(), String::new()));

    let folder = write(&server, &client, "alice", "a fine long passphrase");
    let environment = folder.join("grantor.postman_environment.json");
    assert_eq!(fs::metadata(&environment).unwrap().permissions().mode() & 0o777, 0o600);
    let environment = read(&environment);
    assert_eq!(value(&environment, "client_secret"), secret);
    assert_eq!(value(&environment, "password"), "a fine long passphrase");
    let collection = fs::read_to_string(folder.join("grantor.postman_collection.json")).unwrap();
    assert!(!collection.contains(secret) && !collection.contains(id), "all values are in the environment");
    let again = server.run(&["client", "postman", "shop", "--output", folder.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8(again.stderr).unwrap().contains("is not overwritten"));
}
