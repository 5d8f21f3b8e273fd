//! The administrators' further pages: organizations, sessions, the audit log, signing keys, the inspector.

use rstest::rstest;

use super::visitor::{Visitor, between};
use crate::harness::{Database, Server};

#[rstest]
fn organizations_are_made_renamed_and_stopped(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let admin = Visitor::administrator(&server);
    let path = "/console/organizations";
    admin.done(path, &[("name", "Elsewhere"), ("slug", "elsewhere")]);
    assert!(admin.refused(path, &[("name", "Again"), ("slug", "elsewhere")]).contains("Short name is taken"));
    assert!(admin.refused(path, &[("name", "Again"), ("slug", "No Slug")]).contains("id=\"e-slug\""));
    let made = server
        .run(async |context, by| grantor::admin::organizations::reached(context, by, Some("elsewhere")).await.unwrap());
    let own = format!("{path}/{}", made.id);
    admin.done(&format!("{own}/rename"), &[("name", "Somewhere")]);
    assert!(admin.page(path).contains("Somewhere"));
    admin.done(&format!("{own}/disable"), &[]);
    assert!(admin.page(path).contains("state-disabled"));
    admin.done(&format!("{own}/enable"), &[]);
    assert!(!admin.page(path).contains("state-disabled"));
    // Who administers another one governs nothing that all share.
    let change = |new: &mut grantor::admin::users::UserRequest| {
        (new.organization, new.roles) = (Some("elsewhere".to_owned()), vec!["administrator".to_owned()]);
    };
    let stranger = Visitor::signed_in(&server, &server.person().change(change).create());
    for path in [path, "/console/keys"] {
        assert_eq!(stranger.get(path).status, 403, "{path}");
    }
    assert_eq!(stranger.post("/console/audit/verify", &[]).status, 403);
    assert!(!stranger.page("/console/audit").contains("Check the chain"));
}

#[rstest]
fn an_administrator_sees_and_ends_sessions_of_others(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let admin = Visitor::administrator(&server);
    let user = server.person().create();
    let path = format!("/console/users/{}/sessions", user.id);
    assert!(admin.page(&path).contains("signed in nowhere"));
    let own = Visitor::signed_in(&server, &user);
    let page = admin.page(&path);
    let session = between(&page, &format!("{path}/"), "/end");
    admin.done(&format!("{path}/{session}/end"), &[]);
    assert_eq!(own.get("/console/profile").status, 303, "signed out");
    assert!(admin.page(&path).contains("signed in nowhere"));
}

#[rstest]
fn the_audit_log_is_filtered_taken_along_and_checked(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let admin = Visitor::administrator(&server);
    let user = server.api_user().create();
    let page = admin.page(&format!("/console/audit?target={}", user.id));
    assert!(page.matches("<th scope=\"row\">").count() == 1 && page.contains("user.created"), "{page}");
    assert!(page.contains("1 of 1") && page.contains("kind=api_user"), "{page}");
    assert!(admin.page("/console/audit?action=nothing").contains("0 of 0"));
    let wrong = admin.get("/console/audit?since=yesterday");
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("id=\"e-since\""), "{wrong:?}");
    let file = admin.get("/console/audit/export/csv?action=user.*").ok();
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"audit.csv\"");
    assert_eq!(file.header("cache-control"), "no-store");
    assert!(file.body.starts_with("time,action,") && file.body.contains(&user.id), "{file:?}");
    let file = admin.get(&format!("/console/audit/export/jsonl?target={}", user.id)).ok();
    let lines: Vec<&str> = file.body.lines().collect();
    let event: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!((lines.len(), event["action"].as_str()), (1, Some("user.created")));
    let checked = admin.post("/console/audit/verify", &[]).ok();
    assert!(checked.body.contains("The chain is whole"), "{checked:?}");
}

#[rstest]
fn signing_keys_are_rotated_and_revoked_by_whoever_says_who_they_are(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let admin = Visitor::administrator(&server);
    let page = admin.page("/console/keys");
    assert_eq!(page.matches("<th scope=\"row\">").count(), 2);
    assert!(page.contains("Signs no more") && page.contains("No token dies"), "{page}");
    admin.done("/console/keys/rotate", &[("algorithm", "ES256")]);
    let page = admin.page("/console/keys");
    assert!(page.matches("<th scope=\"row\">").count() == 3 && page.contains("state-published"), "{page}");
    let kid = between(&page, "<th scope=\"row\"><code>", "</code>");
    admin.done(&format!("/console/keys/{kid}/revoke"), &[]);
    assert!(admin.page("/console/keys").contains("state-removed"));
    assert_eq!(admin.post("/console/keys/rotate", &[("algorithm", "HS256")]).status, 409);
}

#[rstest]
fn the_inspector_tells_what_a_text_is_and_echoes_no_secret(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let admin = Visitor::administrator(&server);
    let inspect = |text: &str| admin.post("/console/inspector", &[("token", text)]).ok().body;
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let page = inspect(&client.secret);
    assert!(page.contains("client secret") && page.contains("good"), "{page}");
    assert!(!page.contains(&client.secret), "never echoed");
    let cut = &client.secret[..client.secret.len() - 3];
    let page = inspect(cut);
    assert!(page.contains("mistyped or cut off") && !page.contains(cut), "{page}");
    assert!(inspect("what is this").contains("no token or secret of Grantor"));

    let token = client.client_credentials().ok().access_token();
    let page = inspect(&format!("Bearer {token}"));
    assert!(page.contains("access token") && page.contains("Valid until") && page.contains("nothing has ended it"));
    assert!(page.contains(&client.id), "{page}");
    client.revoke(&token).ok();
    assert!(inspect(&token).contains("it was ended before its time"));
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[2] = "AAAA";
    assert!(inspect(&parts.join(".")).contains("state-refused"));
}

#[rstest]
fn the_audit_log_names_whom_it_is_about(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let user = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let admin = Visitor::signed_in(&server, &user);
    admin.post("/console/applications", &[("label", "Order robot"), ("grant_types", "client_credentials")]).ok();
    admin.done("/console/roles/new", &[("name", "Pickers")]);
    let page = admin.page("/console/audit?action=client.created");
    assert!(page.contains(&format!("user {} <code>{}", user.username, user.id)), "{page}");
    assert!(page.contains("client Order robot <code>"), "{page}");
    assert!(admin.page("/console/audit?action=role.created").contains("role Pickers <code>"));
}

#[rstest]
fn roles_and_what_waits_are_shown_page_by_page(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let admin = Visitor::administrator(&server);
    let developer = server.person().change(|new| new.roles = vec!["developer".to_owned()]).create();
    let developer = Visitor::signed_in(&server, &developer);
    server.run(async |context, by| {
        for number in 0..60 {
            let name = format!("role {number:02}");
            let request = grantor::admin::roles::RoleRequest { name, ..Default::default() };
            grantor::admin::roles::create(context, by, None, &request).await.unwrap();
        }
    });
    for number in 0..60 {
        let label = format!("Robot {number:02}");
        developer.done("/console/applications", &[("label", &label), ("grant_types", "client_credentials")]);
    }
    for (path, name, count) in [("/console/roles", "role ", 60), ("/console/approvals", "Robot ", 60)] {
        let (mut seen, mut next) = (std::collections::BTreeSet::new(), path.to_owned());
        let mut pages = 0;
        loop {
            let page = admin.page(&next);
            let begins = format!(">{name}");
            let found = page.split(&begins).skip(1).filter_map(|rest| rest.get(..2));
            seen.extend(found.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned));
            pages += 1;
            let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
            assert!(page.contains("50 on this page"), "{path}");
            next = before.rsplit('"').next().unwrap().replace("&#38;", "&");
        }
        assert_eq!((seen.len(), pages), (count, 2), "{path}");
    }
    assert_eq!(admin.get("/console/approvals?applications=AAAA").status, 400);
}

#[rstest]
fn the_host_of_a_guest_sees_their_account_and_not_what_they_do(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let guest = server.api_user().create();
    server.run(async |context, by| {
        grantor::admin::organizations::create(context, by, "Elsewhere", "elsewhere").await.unwrap();
        let roles = ["api user".to_owned()];
        grantor::admin::memberships::set(context, by, &guest.id, Some("elsewhere"), &roles).await.unwrap();
    });
    let host = server.person().change(|new| {
        (new.organization, new.roles) = (Some("elsewhere".to_owned()), vec!["administrator".to_owned()]);
    });
    let host = Visitor::signed_in(&server, &host.create());
    let path = format!("/console/users/{}", guest.id);
    assert!(host.page(&path).contains(&guest.username));
    for tab in ["usage", "sessions"] {
        assert_eq!(host.get(&format!("{path}/{tab}")).status, 403, "{tab}");
    }
    Visitor::administrator(&server).page(&format!("{path}/usage"));
}
