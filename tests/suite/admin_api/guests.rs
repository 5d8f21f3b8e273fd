//! Users in several organizations: whoever manages one of them neither acts as the user in another nor sees what they do there.

use grantor::admin::{memberships, organizations};
use rstest::rstest;
use serde_json::json;

use super::{Caller, id_of, made, refused};
use crate::harness::{Database, Server};

/// An administrator of an organization of their own.
fn administrator_of<'a>(server: &'a Server, organization: &str) -> Caller<'a> {
    let user = server.person().change(|new| {
        new.organization = Some(organization.to_owned());
        new.roles = vec!["administrator".to_owned()];
    });
    Caller::new(server, user.create())
}

fn with_organization(server: &Server, slug: &str) -> String {
    server.run(async |context, by| organizations::create(context, by, slug, slug).await.unwrap().id)
}

#[rstest]
fn who_changes_the_way_in_of_an_account_holds_as_much_wherever_it_has_roles(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    with_organization(&server, "acme");
    let acme = administrator_of(&server, "acme");
    let program = json!({ "username": "program", "kind": "api_user", "email": "program@example.org" });
    let program = id_of(&made(&acme.post("users", &program)));
    let path = format!("users/{program}");
    acme.post(&format!("{path}/password"), &json!({})).ok();
    acme.patch(&path, &json!({ "access": ["api"] })).ok();

    server.run(async |context, by| {
        memberships::set(context, by, &program, Some("default"), &["administrator".to_owned()]).await.unwrap();
    });
    for body in [json!({}), json!({ "password": "a password that is fine enough" })] {
        assert!(refused(&acme.post(&format!("{path}/password"), &body), 403).contains("another organization"));
    }
    for change in [json!({ "email": "mine@example.org" }), json!({ "access": ["console", "api"] })] {
        refused(&acme.patch(&path, &change), 403);
    }
    // It is still theirs to name and to stop.
    acme.patch(&path, &json!({ "description": "theirs" })).ok();
    acme.post(&format!("{path}/disable"), &json!({})).ok();
}

#[rstest]
fn the_host_of_a_guest_sees_and_ends_none_of_their_sign_ins(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    with_organization(&server, "acme");
    let host = administrator_of(&server, "acme");
    let guest = server.api_user().create();
    let portal = server.confidential_client().grants(["password", "refresh_token"]).create();
    let tokens = portal.password_grant(&guest).ok();
    let family = tokens.claims("access_token")["sid"].as_str().unwrap().to_owned();
    server.run(async |context, by| {
        memberships::set(context, by, &guest.id, Some("acme"), &["api user".to_owned()]).await.unwrap();
    });
    host.get(&format!("users/{}", guest.id)).ok();
    refused(&host.get(&format!("tokens/families?user={}", guest.id)), 403);
    refused(&host.get(&format!("users/{}/sessions", guest.id)), 403);
    refused(&host.delete(&format!("tokens/families/{family}")), 404);
    portal.refresh(&tokens.refresh_token()).ok();
}

#[rstest]
fn a_label_is_looked_up_in_ones_own_organization(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    with_organization(&server, "acme");
    let (acme, other) = (administrator_of(&server, "acme"), Caller::administrator(&server));
    let body = json!({ "label": "robot", "grant_types": ["client_credentials"] });
    let ids = [&acme, &other].map(|caller| id_of(&made(&caller.post("clients", &body))));
    for (caller, id) in [&acme, &other].into_iter().zip(&ids) {
        assert_eq!(id_of(&caller.get("clients/robot").ok().json()), *id);
    }
    refused(&acme.get(&format!("clients/{}", ids[1])), 404);
}
