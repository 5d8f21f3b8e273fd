//! Akeneo: an API user, a role, and an API connection or one command.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Caller, administrator, done, json_token, like, text, wrong_field};
use crate::harness::{Answer, Database, Installation, Server};

const PATH: &str = "/api/oauth/v1/token";
const CONNECTION: &str = "My very first API connection";

/// The document's API user, role and connection; answers client id and secret.
fn connected(server: &Server, admin: &Caller, grants: &[&str]) -> (String, String) {
    let user = json!({ "username": "myAPIuser", "kind": "api_user", "password": "myAPIuserPassword" });
    admin.made("/api/v1/users", &user);
    let client = admin.made("/api/v1/clients", &json!({ "label": CONNECTION, "grant_types": grants }));
    assert!(server.get("/health/live", &[]).status == 200);
    (text(&client, "client_id"), text(&client, "client_secret"))
}

fn sign_in(server: &Server, client: &(String, String)) -> Answer {
    let body = json!({ "grant_type": "password", "username": "myAPIuser", "password": "myAPIuserPassword" });
    json_token(server, PATH, (&client.0, &client.1), &body)
}

fn refresh(server: &Server, client: &(String, String), token: &str) -> Answer {
    json_token(server, PATH, (&client.0, &client.1), &json!({ "grant_type": "refresh_token", "refresh_token": token }))
}

#[rstest]
fn ak1_an_api_user_is_made_with_a_password_and_a_person_with_an_api_role_gives_a_warning(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "akeneo");
    let admin = administrator(&server);
    let user = json!({ "username": "myAPIuser", "kind": "api_user", "password": "myAPIuserPassword",
        "roles": ["api user"] });
    let answer = admin.post("/api/v1/users", &user);
    assert_eq!((answer.status, &answer.json()["warnings"]), (201, &json!([])), "{answer:?}");
    assert!(!answer.body.contains("myAPIuserPassword"));
    Caller::of(server.base(), "myAPIuser", "myAPIuserPassword").get("/api/v1/me").ok();
    let person = json!({ "username": "julia", "password": "a fine long passphrase", "roles": ["api user"] });
    let warned = admin.made("/api/v1/users", &person);
    assert!(warned["warnings"][0].as_str().unwrap().contains("an API role goes to a person"), "{warned}");
}

#[rstest]
fn ak2_a_role_has_permissions_and_users_and_a_name_of_its_own(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "akeneo");
    let admin = administrator(&server);
    let new = json!({ "name": "My API user role", "permissions": ["api:access"] });
    let role = admin.made("/api/v1/roles", &new);
    assert_eq!(role["permissions"], json!(["api:access"]));
    assert_eq!(admin.post("/api/v1/roles", &new).status, 409);
    assert_eq!(admin.post("/api/v1/roles", &json!({ "name": "administrator" })).status, 409, "a built-in one's");
    assert_eq!(wrong_field(&admin.post("/api/v1/roles", &json!({ "permissions": [] }))), "name");

    let user = admin.made("/api/v1/users", &json!({ "username": "myAPIuser", "kind": "api_user" }));
    let own = admin.get("/api/v1/me").ok().json()["organization_id"].as_str().unwrap().to_owned();
    let place = format!("/api/v1/users/myAPIuser/memberships/{own}");
    let holders = format!("/api/v1/roles/{}/users", text(&role, "id"));
    assert_eq!(admin.get(&holders).ok().json()["items"], json!([]));
    admin.put(&place, &json!({ "roles": ["My API user role"] })).ok();
    assert_eq!(admin.get(&holders).ok().json()["items"], json!([user["id"]]));
    admin.put(&place, &json!({ "roles": [] })).ok();
    assert_eq!(admin.get(&holders).ok().json()["items"], json!([]));
}

#[rstest]
fn ak3_without_overall_web_api_access_a_valid_token_gets_403_and_with_it_200_at_the_next_request(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "akeneo");
    let admin = administrator(&server);
    let role = text(&admin.made("/api/v1/roles", &json!({ "name": "My API user role" })), "id");
    let user = json!({ "username": "myAPIuser", "kind": "api_user", "password": "myAPIuserPassword",
        "roles": ["My API user role"] });
    admin.made("/api/v1/users", &user);
    let client = admin.made("/api/v1/clients", &json!({ "label": CONNECTION, "grant_types": ["password"] }));
    let client = (text(&client, "client_id"), text(&client, "client_secret"));
    let token = sign_in(&server, &client).ok().access_token();
    let refused = server.get_with_token("/api/v1/me", &token);
    assert_eq!(refused.status, 403);
    assert!(refused.text("detail").contains("not allowed to access the web API"), "{refused:?}");
    let path = format!("/api/v1/roles/{role}");
    admin.put(&path, &json!({ "name": "My API user role", "permissions": ["api:access"] })).ok();
    server.get_with_token("/api/v1/me", &token).ok();
    admin.put(&path, &json!({ "name": "My API user role", "permissions": [] })).ok();
    assert_eq!(server.get_with_token("/api/v1/me", &token).status, 403);
}

#[rstest]
fn ak4_a_connection_needs_a_label_and_its_row_has_id_and_secret(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "akeneo");
    let admin = administrator(&server);
    for body in [json!({}), json!({ "label": "" })] {
        assert_eq!(wrong_field(&admin.post("/api/v1/clients", &body)), "label", "{body}");
    }
    let (id, secret) = connected(&server, &admin, &["password", "refresh_token"]);
    let listed = admin.get("/api/v1/clients?label=My%20very%20first%20API%20connection").ok().json();
    let rows = listed["items"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["label"], &rows[0]["client_id"]), (1, &json!(CONNECTION), &json!(id)));
    // The table shows the secret: it is kept for that under this preset.
    let kept = &admin.get(&format!("/api/v1/clients/{id}/secrets")).ok().json()[0];
    let reveal = format!("/api/v1/clients/{id}/secrets/{}/reveal", text(kept, "id"));
    assert_eq!(admin.post(&reveal, &json!({})).ok().json()["client_secret"], secret.as_str());
}

#[rstest]
fn ak5_the_documents_json_request_gets_a_pair_that_is_renewed_until_the_secret_is_regenerated(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "akeneo");
    let admin = administrator(&server);
    let client = connected(&server, &admin, &["password", "refresh_token"]);
    let first = sign_in(&server, &client).ok();
    assert_eq!((&first.json()["expires_in"], &first.json()["token_type"]), (&json!(3600), &json!("Bearer")));
    let second = refresh(&server, &client, &first.refresh_token()).ok();
    assert!(second.access_token() != first.access_token() && second.refresh_token() != first.refresh_token());
    server.get_with_token("/api/v1/me", &second.access_token()).ok();

    let rotate = format!("/api/v1/clients/{}/secrets/rotate", client.0);
    let new = (client.0.clone(), text(&admin.post(&rotate, &json!({})).ok().json(), "client_secret"));
    assert_eq!(server.get_with_token("/api/v1/me", &second.access_token()).status, 401);
    for refused in [refresh(&server, &new, &second.refresh_token()), sign_in(&server, &client)] {
        assert_eq!((refused.status, &refused.json()["code"]), (422, &json!(422)), "{refused:?}");
        assert!(refused.json()["message"].is_string());
    }
    sign_in(&server, &new).ok();
}

#[rstest]
fn ak6_the_documents_own_options_print_the_four_lines_and_the_connection_is_in_the_list(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.set("preset", "akeneo");
    let label = format!("--label={CONNECTION}");
    let options = ["--grant_type=password", "--grant_type=refresh_token", "--env=prod"];
    let printed = done(&server, &[&["client", "create", &label][..], &options].concat(), "");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 4, "{printed}");
    assert_eq!(lines[0], "A new client has been added:");
    let id = lines[1].strip_prefix("client_id: ").unwrap();
    let secret = lines[2].strip_prefix("secret: ").unwrap();
    assert_eq!(lines[3], format!("label: {CONNECTION}"));
    let without = server.run(&[&["client", "create"][..], &options].concat());
    assert_eq!(without.status.code(), Some(2));
    assert!(String::from_utf8(without.stderr).unwrap().contains("--label"));

    let create = ["user", "create", "--username", "ada", "--role", "administrator", "--password-stdin"];
    done(&server, &create, "a fine long passphrase");
    let create = ["user", "create", "--username", "myAPIuser", "--kind", "api_user", "--password-stdin"];
    done(&server, &create, "myAPIuserPassword");
    server.start();
    let listed = Caller::of(&server.base(), "ada", "a fine long passphrase").get("/api/v1/clients").ok().json();
    let rows: &Vec<Value> = listed["items"].as_array().unwrap();
    let row = rows.iter().find(|row| row["label"] == CONNECTION).expect("its row");
    assert_eq!((&row["client_id"], &row["grant_types"]), (&json!(id), &json!(["password", "refresh_token"])));
    let pairs = [("grant_type", "password"), ("username", "myAPIuser"), ("password", "myAPIuserPassword")];
    server.post(PATH, (id, secret), &pairs).unwrap().ok();
}

#[rstest]
fn ak7_a_connection_without_the_grant_of_refresh_gets_no_refresh_token_and_may_use_none(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "akeneo");
    let admin = administrator(&server);
    let client = connected(&server, &admin, &["password"]);
    assert_eq!(sign_in(&server, &client).ok().json()["refresh_token"], json!(null));
    let both = json!({ "label": "Another", "grant_types": ["password", "refresh_token"] });
    let both = admin.made("/api/v1/clients", &both);
    let both = (text(&both, "client_id"), text(&both, "client_secret"));
    let token = sign_in(&server, &both).ok().refresh_token();
    assert_eq!(refresh(&server, &client, &token).status, 422);
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
    let (name, value) = super::basic(&client.0, &client.1);
    server.post("/oauth/token", &pairs, &[(&name, &value)]).is_refused("unauthorized_client");
    refresh(&server, &both, &token).ok();
}

#[rstest]
fn ak9_the_postman_files_hold_the_values_of_the_documents_own_user(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    // That newman runs them green: clients::postman.
    let server = Installation::new(db);
    let server = {
        let mut server = server;
        server.set("preset", "akeneo");
        server
    };
    let create = ["user", "create", "--username", "myAPIuser", "--kind", "api_user", "--password-stdin"];
    done(&server, &create, "myAPIuserPassword");
    let made = server.json(&["client", "create", "--label", CONNECTION, "--grant-type", "password"]);
    let secrets = format!("{}\nmyAPIuserPassword\n", text(&made, "client_secret"));
    let postman =
        ["client", "postman", CONNECTION, "--username", "myAPIuser", "--secrets-stdin", "--output", "postman"];
    done(&server, &postman, &secrets);
    let read = |name: &str| std::fs::read_to_string(server.path().join("postman").join(name)).unwrap();
    let environment: Value = serde_json::from_str(&read("grantor.postman_environment.json")).unwrap();
    let value = |key: &str| {
        let values = environment["values"].as_array().unwrap();
        values.iter().find(|one| one["key"] == key).unwrap_or_else(|| panic!("no {key}"))["value"].clone()
    };
    assert_eq!(
        (value("client_id"), value("client_secret")),
        (made["client_id"].clone(), made["client_secret"].clone())
    );
    assert_eq!((value("username"), value("password")), (json!("myAPIuser"), json!("myAPIuserPassword")));
    assert_eq!(value("token_url"), format!("{}{PATH}", server.base()));
}
