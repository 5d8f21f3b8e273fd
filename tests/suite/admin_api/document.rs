//! The OpenAPI document and its pages, and Schemathesis, which asks what the document says.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use rstest::rstest;
use serde_json::{Value, json};

use super::{Caller, made};
use crate::clients::installed::{installed, source};
use crate::clients::program::output_of;
use crate::harness::{Database, Server};

fn document(server: &Server) -> Value {
    let answer = server.get("/api/openapi.json", &[]).ok();
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

#[test]
fn the_document_is_openapi_3_1() {
    let Some(python) = installed("venv/bin/python") else { return };
    let server = Server::start(Database::Sqlite);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, document(&server).to_string()).unwrap();
    let mut command = Command::new(python);
    command.arg(source("tests/clients/python/check_openapi.py")).arg(&file).stdin(Stdio::null());
    assert_eq!(output_of(&mut command), "all good\n");
}

#[test]
fn every_operation_of_the_document_is_told_in_full() {
    let server = Server::start(Database::Sqlite);
    let document = document(&server);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["servers"][0]["url"], server.base());
    let flows = document["components"]["securitySchemes"]["oauth2"]["flows"].as_object().unwrap();
    assert_eq!(flows.keys().collect::<Vec<_>>(), ["clientCredentials", "password"]);
    for (name, flow) in flows {
        assert_eq!(flow["tokenUrl"], format!("{}/oauth/token", server.base()), "{name}");
    }
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            assert!(!operation["tags"].as_array().unwrap().is_empty(), "{what}");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{what}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{what}");
            assert!(responses.keys().any(|status| status.starts_with('4')), "{what}");
            let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
            assert!(!name.is_empty() && names.insert(name), "{what}: no operationId of its own");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let in_path: BTreeSet<String> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
                .collect();
            let wanted: BTreeSet<String> =
                path.split('/').filter(|part| part.starts_with('{')).map(str::to_owned).collect();
            assert_eq!(in_path, wanted, "{what}");
        }
    }
}

#[test]
fn the_document_tells_a_scope_that_is_new_and_caches_may_ask_whether_it_changed() {
    let server = Server::start(Database::Sqlite);
    let administrator = Caller::administrator(&server);
    let ask = |etag: &str| server.get("/api/openapi.json", &[("if-none-match", etag)]);
    let before = server.get("/api/openapi.json", &[]).ok();
    assert_eq!(before.header("cache-control"), "no-cache");
    let etag = before.header("etag").to_owned();
    let unchanged = ask(&etag);
    assert_eq!((unchanged.status, &*unchanged.body, unchanged.header("etag")), (304, "", &*etag));

    assert!(!before.body.contains("orders:read"));
    made(&administrator.post("scopes", &json!({ "name": "orders:read" })));
    let after = ask(&etag).ok();
    assert_ne!(after.header("etag"), etag);
    for flow in ["clientCredentials", "password"] {
        let scopes = &after.json()["components"]["securitySchemes"]["oauth2"]["flows"][flow]["scopes"];
        assert!(scopes.get("orders:read").is_some(), "{flow}: {scopes}");
    }
}

#[test]
fn swagger_ui_loads_under_its_own_policy() {
    let server = Server::start(Database::Sqlite);
    let redirected = server.get("/docs", &[]);
    assert_eq!((redirected.status, redirected.header("location")), (308, "/docs/"));
    let page = server.get("/docs/", &[]).ok();
    assert!(page.header("content-type").starts_with("text/html"), "{:?}", page.headers);
    assert!(page.body.contains("swagger-ui"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'self'") && !policy.contains("script-src"), "{policy}");
    let mut scripts = 0;
    for script in page.body.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(rest.starts_with("</script>") || rest.trim_start().starts_with("</script>"), "inline: {script}");
        let file = tag.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
        let file = file.trim_start_matches("./").trim_start_matches("/docs/");
        let answer = server.get(&format!("/docs/{file}"), &[]).ok();
        assert!(answer.header("content-type").contains("javascript"), "{file}: {:?}", answer.headers);
        scripts += 1;
    }
    assert!(scripts >= 2, "{}", page.body);
    assert!(!page.body.contains(" onload=") && !page.body.contains("http://") && !page.body.contains("https://"));
    let initializer = server.get("/docs/swagger-initializer.js", &[]).ok();
    assert!(initializer.body.contains("/api/openapi.json"), "{}", initializer.body);
    assert_eq!(server.get("/docs/no-such-file", &[]).status, 404);
}

#[rstest]
fn schemathesis_finds_nothing_that_the_document_does_not_say(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let Some(schemathesis) = installed("venv/bin/schemathesis") else { return };
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let folder = tempfile::tempdir().unwrap();
    // `just long-schema` asks for more.
    let examples = std::env::var("GRANTOR_TEST_EXAMPLES").unwrap_or_else(|_| "20".to_owned());
    let said = output_of(
        Command::new(schemathesis)
            .current_dir(folder.path())
            .args(["run", &format!("{}/api/openapi.json", server.base())])
            .args(["--header", &format!("Authorization: {}", administrator.authorization)])
            .args(["--checks", "not_a_server_error,response_schema_conformance"])
            .args(["--checks", "content_type_conformance,status_code_conformance"])
            .args(["--max-examples", &examples, "--seed", "1", "--workers", "2", "--no-color"])
            // What it makes up is no id of the caller's own account, so nothing is left out for its sake. Signing keys
            // can be rotated as often as it likes.
            .args(["--generation-database", "none"])
            // A credential of its own invention beside ours is refused at the door, and tests nothing behind it.
            .args(["--generation-with-security-parameters", "false"]),
    );
    // It succeeds too if it is let in nowhere. Its warning counts operations that it met with refusals alone, of its own
    // requests without a credential too, so some are always there; without a good one it is more than half.
    let refused = said.split("Authentication failed: ").nth(1).and_then(|rest| rest.split(' ').next());
    let refused: usize = refused.map_or(0, |number| number.parse().unwrap());
    assert!(refused < document(&server)["paths"].as_object().unwrap().len() / 2, "{said}");
    // What it was given still opens the API.
    let authorization = [("Authorization", administrator.authorization.as_str())];
    assert_eq!(server.get("/api/v1/users", &authorization).status, 200, "{said}");
    let document = document(&server);
    let operations = document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len());
    assert!(said.contains(&format!("Tested: {}", operations.sum::<usize>())), "{said}");
    println!("{said}");
}
