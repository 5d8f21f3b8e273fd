//! Nobody grants more than they hold.

use rstest::rstest;
use serde_json::json;

use super::{Caller, id_of, made, refused};
use crate::harness::{Database, Server};

#[rstest]
fn nobody_gives_a_role_more_than_they_hold(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let keeper = Caller::with(&server, ["roles:manage"]);
    for beyond in ["users:manage", "keys:manage", "secrets:reveal", "profile"] {
        let body = json!({ "name": "beyond", "permissions": ["roles:manage", beyond] });
        refused(&keeper.post("roles", &body), 403);
    }
    let mine = id_of(&made(&keeper.post("roles", &json!({ "name": "mine", "permissions": ["roles:manage"] }))));
    let grown = json!({ "name": "mine", "permissions": ["roles:manage", "users:manage"] });
    refused(&keeper.put(&format!("roles/{mine}"), &grown), 403);
    // Nor is what stands above them changed or removed by them; what is built in is nobody's.
    let above = json!({ "name": "above", "permissions": ["users:manage"] });
    let above = id_of(&made(&administrator.post("roles", &above)));
    refused(&keeper.put(&format!("roles/{above}"), &json!({ "name": "above", "permissions": [] })), 403);
    refused(&keeper.delete(&format!("roles/{above}")), 403);
    refused(&administrator.delete("roles/administrator"), 409);
    refused(&administrator.put("roles/developer", &json!({ "name": "developer", "permissions": [] })), 409);
}

#[rstest]
fn nobody_gives_anybody_a_role_that_holds_more_than_they_do(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let keeper = Caller::with(&server, ["users:manage", "credentials:manage"]);
    let other = server.api_user().permissions(["api:access"]).create();
    for role in ["administrator", "developer"] {
        let user = json!({ "username": "new", "kind": "api_user", "roles": [role] });
        refused(&keeper.post("users", &user), 403);
        refused(&keeper.post("credentials", &json!({ "name": "new", "roles": [role] })), 403);
        for id in [&other.id, &keeper.user.id] {
            refused(&keeper.put(&format!("users/{id}/memberships/default"), &json!({ "roles": [role] })), 403);
        }
    }
    let plain = Caller::in_role(&server, "api user");
    for caller in [&plain, &Caller::developer(&server)] {
        let own = format!("users/{}/memberships/default", caller.user.id);
        refused(&caller.put(&own, &json!({ "roles": ["administrator"] })), 403);
        for change in
            [json!({ "administration": "admin" }), json!({ "access": ["api"] }), json!({ "email": "a@b.example" })]
        {
            refused(&caller.patch(&format!("users/{}", caller.user.id), &change), 403);
        }
        caller.patch(&format!("users/{}", caller.user.id), &json!({ "first_name": "Zoë" })).ok();
    }
}

#[rstest]
fn who_manages_credentials_makes_them_no_administrator(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let developer = Caller::developer(&server);
    let set = id_of(&made(&developer.post("credentials", &json!({ "name": "mine" }))));
    let path = format!("users/{set}");
    for change in [
        json!({ "administration": "admin" }),
        json!({ "access": ["console", "api"] }),
        json!({ "email": "mine@example.org" }),
    ] {
        refused(&developer.patch(&path, &change), 403);
    }
    developer.patch(&path, &json!({ "description": "the scanners" })).ok();
}

#[rstest]
fn a_username_and_the_name_of_a_role_are_nobodys_id(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let id = &administrator.user.id;
    super::names(&administrator.post("users", &json!({ "username": id, "kind": "api_user" })), "username");
    super::names(&administrator.post("roles", &json!({ "name": id })), "name");
    // Nor is a client's that of a password, which tokens for upstreams name in the place of a client.
    let client_id = format!("password:{id}");
    let body = json!({ "label": "decoy", "client_id": client_id, "grant_types": ["client_credentials"] });
    super::names(&administrator.post("clients", &body), "client_id");
}

#[rstest]
fn who_manages_users_does_not_get_into_the_account_of_who_holds_more(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let keeper = Caller::with(&server, ["users:manage", "api_keys:manage"]);
    let administrator = Caller::administrator(&server);
    let program = json!({ "username": "program", "kind": "api_user", "roles": ["administrator"] });
    let program = id_of(&made(&administrator.post("users", &program)));
    for id in [&administrator.user.id, &program] {
        for body in [json!({}), json!({ "password": "a password that is fine enough" })] {
            refused(&keeper.post(&format!("users/{id}/password"), &body), 403);
        }
        refused(&keeper.patch(&format!("users/{id}"), &json!({ "email": "mine@example.org" })), 403);
        refused(&keeper.patch(&format!("users/{id}"), &json!({ "name": "Mine" })), 403);
        for verb in ["disable", "enable", "unlock"] {
            refused(&keeper.post(&format!("users/{id}/{verb}"), &json!({})), 403);
        }
        refused(&keeper.delete(&format!("users/{id}")), 403);
        refused(&keeper.put(&format!("users/{id}/memberships/default"), &json!({ "roles": [] })), 403);
        refused(&keeper.post("api-keys", &json!({ "user": id })), 403);
    }
    let below = server.api_user().permissions(["api:access"]).create();
    keeper.post(&format!("users/{}/password", below.id), &json!({})).ok();
    // A key is lent no more than its maker holds.
    let bounded = json!({ "user": program, "scopes": ["users:manage", "api_keys:manage", "keys:manage"] });
    refused(&keeper.post("api-keys", &bounded), 403);
    made(&keeper.post("api-keys", &json!({ "user": below.id })));
    refused(&administrator.post("api-keys", &json!({ "user": keeper.user.id })), 403);
}

#[rstest]
fn who_approves_applications_does_not_see_the_secret_of_one_that_may_more(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("credentials.reveal.client_secret", "always").start();
    let administrator = Caller::administrator(&server);
    let approver = Caller::with(&server, ["applications:manage", "scopes:manage"]);
    let body = json!({ "label": "powerful", "grant_types": ["client_credentials"], "roles": ["administrator"] });
    refused(&approver.post("clients", &body), 403);
    let client = id_of(&made(&administrator.post("clients", &body)));
    let path = format!("clients/{client}");
    for change in [json!({ "roles": ["administrator"] }), json!({ "roles": [] }), json!({ "access_lifetime": 60 })] {
        refused(&approver.patch(&path, &change), 403);
    }
    refused(&approver.post(&format!("{path}/secrets"), &json!({})), 403);
    refused(&approver.post(&format!("{path}/secrets/rotate"), &json!({})), 403);
    let secrets = approver.get(&format!("{path}/secrets")).ok().json();
    let secret = secrets[0]["id"].as_str().unwrap();
    refused(&approver.post(&format!("{path}/secrets/{secret}/reveal"), &json!({})), 403);
    administrator.post(&format!("{path}/secrets/{secret}/reveal"), &json!({})).ok();
}
