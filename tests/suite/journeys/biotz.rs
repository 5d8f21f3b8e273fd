//! Biotz: a generated username and password, a public client, Swagger UI.

use std::os::unix::fs::PermissionsExt;

use rstest::rstest;
use serde_json::{Value, json};

use super::{Caller, done, events, like, person, text, wrong_field};
use crate::harness::{Answer, Database, Installation, Server};
use crate::security::canaries::{database_bytes, finds};

const CLIENT: &str = "biotz-platform-programmatic-users";

/// The document's `curl -u 'biotz-platform-programmatic-users:'`.
fn token(server: &Server, made: &Value, further: &[(&str, &str)]) -> Answer {
    let (username, password) = (text(made, "username"), text(made, "password"));
    let mut pairs = vec![("grant_type", "password"), ("username", &*username), ("password", &*password)];
    pairs.extend_from_slice(further);
    let (name, value) = super::basic(CLIENT, "");
    server.post("/oauth/token", &pairs, &[(&name, &value)])
}

/// Every `$ref` in a document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(to)) => found.push(to.clone()),
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[rstest]
fn bz1_the_docs_are_a_page_over_a_document_whose_parts_are_all_there(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "biotz");
    let page = server.get("/docs/", &[]).ok();
    assert!(page.header("content-type").starts_with("text/html") && page.body.contains("swagger-ui"), "{page:?}");
    let document = server.get("/api/openapi.json", &[]).ok().json();
    assert!(text(&document, "openapi").starts_with("3.1."));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(!operation["responses"].as_object().unwrap().is_empty(), "{method} {path}");
            let named = path.matches('{').count();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            assert_eq!(parameters.iter().filter(|one| one["in"] == "path").count(), named, "{method} {path}");
        }
    }
    let flows: Vec<&Value> = document["components"]["securitySchemes"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(|scheme| scheme.pointer("/flows/password"))
        .collect();
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0]["tokenUrl"], format!("{}/oauth/token", server.base()));
}

#[rstest]
fn bz2_the_list_has_name_description_username_and_when_it_was_made(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "biotz");
    let (_, caller) = person(&server, "developer");
    assert_eq!(caller.get("/api/v1/credentials").ok().json()["items"], json!([]));
    let new = json!({ "name": "warehouse", "description": "Nightly stock report" });
    let made = caller.made("/api/v1/credentials", &new);
    caller.made("/api/v1/credentials", &json!({ "name": "shop" }));
    let listed = caller.get("/api/v1/credentials?limit=1").ok().json();
    let row = &listed["items"][0];
    assert_eq!((&row["name"], &row["description"]), (&new["name"], &new["description"]));
    assert_eq!(row["username"], made["username"]);
    chrono::DateTime::parse_from_rfc3339(&text(row, "created_at")).unwrap();
    let next = format!("/api/v1/credentials?limit=1&cursor={}", text(&listed, "next_cursor"));
    assert_eq!(caller.get(&next).ok().json()["items"][0]["name"], "shop");
}

#[rstest]
fn bz3_without_a_name_the_field_is_wrong_and_nothing_is_made(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "biotz");
    let (_, caller) = person(&server, "developer");
    for body in [json!({}), json!({ "name": "" }), json!({ "name": "  " }), json!({ "description": "no name" })] {
        assert_eq!(wrong_field(&caller.post("/api/v1/credentials", &body)), "name", "{body}");
    }
    assert_eq!(caller.get("/api/v1/credentials").ok().json()["items"], json!([]));
}

#[rstest]
fn bz4_a_username_with_a_uuid_and_the_host_and_a_password_of_128_bits_and_more(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("preset", "biotz").set("issuer", "https://id.example.com").start();
    let (_, caller) = person(&server, "developer");
    let answer = caller.post("/api/v1/credentials", &json!({ "name": "warehouse" }));
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"));
    let made = answer.json();
    let username = text(&made, "username");
    let (uuid, host) = username.split_once('@').unwrap();
    assert!(uuid::Uuid::parse_str(uuid).is_ok(), "{username}");
    assert_eq!(host, "programmatic-users.id.example.com");
    let password = text(&made, "password");
    let random = password.strip_prefix("gr_pw_").unwrap().split('_').next().unwrap();
    assert!(random.len() == 43 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "62^43 is over 2^256");
    assert_eq!((&made["client_id"], &made["scope"]), (&json!(CLIENT), &json!("openid")));
    assert_eq!(made["token_endpoint"], "https://id.example.com/oauth/token");
    let other = caller.made("/api/v1/credentials", &json!({ "name": "another" }));
    assert!(other["password"] != made["password"] && other["username"] != made["username"]);
}

#[rstest]
fn bz5_the_password_is_shown_once_and_stands_nowhere(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut server = Installation::new(db);
    server.set("preset", "biotz");
    server.set("log.level", "debug");
    let create = ["user", "create", "--username", "dev", "--role", "developer", "--password-stdin"];
    done(&server, &create, "a fine long passphrase");
    server.start();
    let caller = Caller::of(&server.base(), "dev", "a fine long passphrase");
    let keyed =
        Caller { headers: [caller.headers.clone(), vec![("Idempotency-Key".into(), "1".into())]].concat(), ..caller };
    let made = keyed.made("/api/v1/credentials", &json!({ "name": "warehouse" }));
    let (id, password) = (text(&made, "id"), text(&made, "password"));
    let again = keyed.post("/api/v1/credentials", &json!({ "name": "warehouse" }));
    assert_eq!(again.status, 409, "{again:?}");
    assert!(again.body.contains(&id));
    let mut seen = vec![again.body];
    for path in [format!("/api/v1/credentials/{id}"), "/api/v1/credentials".to_owned(), format!("/api/v1/users/{id}")] {
        seen.push(keyed.get(&path).body);
    }
    for arguments in [&["credentials", "list"][..], &["credentials", "list", "--json"], &["audit", "export"]] {
        seen.push(done(&server, arguments, ""));
    }
    assert_eq!(server.stop(), Some(0));
    seen.push(server.log());
    let bytes = database_bytes(&server, &server.database_url());
    assert!(finds(&bytes, id.as_bytes()), "the database was read");
    assert!(!finds(&bytes, password.as_bytes()));
    assert!(seen.iter().all(|text| !text.contains(&password)));
}

#[rstest]
fn bz6_what_a_download_holds_gets_a_token(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut server = Installation::new(db);
    server.set("preset", "biotz");
    server.start();
    for name in ["warehouse.json", "warehouse.env"] {
        let said = done(&server, &["credentials", "create", "--name", name, "--output", name], "");
        assert!(!said.contains("gr_pw_"), "{said}");
        let file = server.path().join(name);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let held = std::fs::read_to_string(&file).unwrap();
        let (username, password, endpoint) = if name.ends_with("json") {
            let held: Value = serde_json::from_str(&held).unwrap();
            (text(&held, "username"), text(&held, "password"), text(&held, "token_endpoint"))
        } else {
            let script = ". ./warehouse.env; printf '%s\\n' \"$GRANTOR_USERNAME\" \"$GRANTOR_PASSWORD\" \"$GRANTOR_TOKEN_ENDPOINT\"";
            let read =
                std::process::Command::new("sh").args(["-c", script]).current_dir(server.path()).output().unwrap();
            let lines: Vec<String> = String::from_utf8(read.stdout).unwrap().lines().map(str::to_owned).collect();
            (lines[0].clone(), lines[1].clone(), lines[2].clone())
        };
        assert_eq!(endpoint, format!("{}/oauth/token", server.base()));
        let pairs = [("grant_type", "password"), ("username", &*username), ("password", &*password)];
        server.post("/oauth/token", (CLIENT, ""), &pairs).unwrap().ok().access_token();
    }
}

#[rstest]
fn bz7_the_documents_curl_line_gets_tokens_with_an_empty_secret(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "biotz");
    let (_, caller) = person(&server, "developer");
    let made = caller.made("/api/v1/credentials", &json!({ "name": "warehouse" }));
    let by_header = token(&server, &made, &[("scope", "openid")]).ok();
    let (username, password) = (text(&made, "username"), text(&made, "password"));
    let in_body = |further: &[(&str, &str)]| {
        let mut pairs = vec![("grant_type", "password"), ("username", &*username), ("password", &*password)];
        pairs.extend([("scope", "openid"), ("client_id", CLIENT)]);
        pairs.extend_from_slice(further);
        server.post("/oauth/token", &pairs, &[])
    };
    for answer in [by_header, in_body(&[]).ok(), in_body(&[("client_secret", "")]).ok()] {
        assert_eq!(answer.claims("id_token")["sub"], made["id"]);
        assert!(answer.refresh_token().starts_with("gr_rt_"));
        let who = server.get_with_token("/api/v1/me", &answer.access_token()).ok().json();
        assert_eq!(who["username"], made["username"]);
    }
    in_body(&[("client_secret", "something")]).is_refused("invalid_client");
}

#[rstest]
fn bz8_no_id_token_unasked_and_one_refusal_for_a_wrong_password_and_an_unknown_user(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "biotz");
    let (_, caller) = person(&server, "developer");
    let made = caller.made("/api/v1/credentials", &json!({ "name": "warehouse" }));
    assert_eq!(token(&server, &made, &[]).ok().json()["id_token"], json!(null));
    let other = caller.made("/api/v1/credentials", &json!({ "name": "other" }));
    let wrong = json!({ "username": made["username"], "password": other["password"] });
    let unknown = json!({ "username": format!("{}x", text(&made, "username")), "password": other["password"] });
    let (wrong, unknown) = (token(&server, &wrong, &[]), token(&server, &unknown, &[]));
    wrong.is_refused("invalid_grant");
    assert_eq!(wrong.status, unknown.status);
    assert_eq!(wrong.without_request_id(), unknown.without_request_id());
}

#[rstest]
fn bz10_deleting_the_credentials_kills_grant_and_tokens_at_once(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "biotz");
    let (_, caller) = person(&server, "developer");
    let made = caller.made("/api/v1/credentials", &json!({ "name": "warehouse" }));
    let tokens = token(&server, &made, &[("scope", "openid")]).ok();
    server.get_with_token("/api/v1/me", &tokens.access_token()).ok();
    let path = format!("/api/v1/credentials/{}", text(&made, "id"));
    assert_eq!(caller.delete(&path).status, 204);
    assert_eq!(server.get_with_token("/api/v1/me", &tokens.access_token()).status, 401);
    token(&server, &made, &[]).is_refused("invalid_grant");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh_token())];
    let (name, value) = super::basic(CLIENT, "");
    server.post("/oauth/token", &refresh, &[(&name, &value)]).is_refused("invalid_grant");
    assert_eq!(caller.get(&path).status, 404);
    assert_eq!(events(&server, "user.status_changed").len() + events(&server, "credentials.deleted").len(), 1);
}
