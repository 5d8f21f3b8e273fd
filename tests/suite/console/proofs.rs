//! Which acts ask for one's own password once more, over every form of the route table; and that the page that asks
//! loses nothing of a form and writes no password into itself.

use grantor::admin::api_keys::NewApiKey;
use grantor::admin::{api_keys, client_secrets, credentials, memberships, organizations, roles};
use grantor::http::console::TABLE;
use grantor::model::reveal::RevealPolicy;
use rstest::rstest;

use super::visitor::{Visitor, between, hidden, opens};
use crate::harness::{Database, Server, TestUser};

/// Longer ago than a password counts.
const LONG: i64 = 301;

/// Acts that ask, of an administrator, on what belongs to others.
const ASK: &[&str] = &[
    "/console/profile/api-keys/{key}/view",
    "/console/users/{user}/api-keys",
    "/console/users/{user}/api-keys/{key}/view",
    "/console/users/{user}/api-keys/{key}/disable",
    "/console/users/{user}/api-keys/{key}/enable",
    "/console/users/{user}/api-keys/{key}/delete",
    "/console/credentials/{credentials}/delete",
    "/console/applications",
    "/console/applications/{client}",
    "/console/applications/{client}/disable",
    "/console/applications/{client}/enable",
    "/console/applications/{client}/delete",
    "/console/applications/{client}/rotate",
    "/console/applications/{client}/secrets",
    "/console/applications/{client}/secrets/{secret}/reveal",
    "/console/applications/{client}/secrets/{secret}/end",
    "/console/applications/{client}/scopes",
    "/console/applications/{client}/postman",
    "/console/scopes",
    "/console/scopes/{scope}",
    "/console/approvals/applications/{client}/approve",
    "/console/approvals/scopes/{request}/approve",
    "/console/reports/successor",
    "/console/users/new",
    "/console/users/{user}",
    "/console/users/{user}/disable",
    "/console/users/{user}/enable",
    "/console/users/{user}/unlock",
    "/console/users/{user}/delete",
    "/console/users/{user}/roles",
    "/console/users/{user}/organizations",
    "/console/users/{user}/organizations/{organization}/end",
    "/console/users/{user}/password",
    "/console/users/{user}/password/generate",
    "/console/users/{user}/password/link",
    "/console/roles/{role}/delete",
    "/console/roles/{role}/permissions",
    "/console/roles/{role}/users",
    "/console/organizations",
    "/console/organizations/{organization}/disable",
    "/console/organizations/{organization}/enable",
    "/console/keys/rotate",
    "/console/keys/{kid}/revoke",
];

/// Acts that do not: one's own affairs, what takes nothing and gives nothing, and what only ends something.
const DO_NOT_ASK: &[&str] = &[
    "/console/sign-in",
    "/console/forgot-password",
    "/console/link",
    "/console/organization",
    "/console/profile",
    // It asks for the present password in any case.
    "/console/profile/password",
    "/console/profile/sessions/{session}/end",
    "/console/credentials",
    "/console/profile/api-keys",
    "/console/profile/api-keys/{key}/disable",
    "/console/profile/api-keys/{key}/enable",
    "/console/profile/api-keys/{key}/delete",
    "/console/approvals/applications/{client}/deny",
    "/console/approvals/scopes/{request}/deny",
    "/console/users/{user}/resend",
    "/console/users/{user}/sessions/{session}/end",
    "/console/roles/new",
    "/console/roles/{role}",
    "/console/organizations/{organization}/rename",
    "/console/audit/verify",
    "/console/inspector",
    "/console/download",
    "/console/sign-out",
];

/// A server with one of everything, and the ids of it.
pub struct Place {
    pub server: Server,
    pub administrator: TestUser,
    pub developer: TestUser,
    ids: Vec<(&'static str, String)>,
}

impl Place {
    pub fn with_one_of_everything() -> Self {
        let server = Server::with(Database::Sqlite)
            .set("credentials.reveal.client_secret", "always")
            .set("credentials.reveal.api_key", "always")
            .start();
        let of_role = |role: &str| server.person().change(|new| new.roles = vec![role.to_owned()]).create();
        let (administrator, developer) = (of_role("administrator"), of_role("developer"));
        let program = server.api_user().create();
        let client = server.confidential_client().grants(["client_credentials"]).scopes(["orders:read"]).create();
        let key = |user: &str| NewApiKey {
            user: Some(user.to_owned()),
            name: Some("A key".to_owned()),
            organization: None,
            scopes: None,
            expires_at: None,
            networks: Vec::new(),
            reveal: RevealPolicy::Always,
        };
        let mut ids = server.run(async |context, by| {
            let secret = client_secrets::list(context, by, &client.id).await.unwrap().remove(0).id;
            let set = credentials::create(context, by, "A set", "", &[]).await.unwrap().user.id;
            let elsewhere = organizations::create(context, by, "Elsewhere", "elsewhere").await.unwrap().id;
            memberships::set(context, by, &program.id, Some(&elsewhere), &["api user".to_owned()]).await.unwrap();
            let request =
                roles::RoleRequest { name: "A role".to_owned(), description: String::new(), permissions: vec![] };
            let role = roles::create(context, by, None, &request).await.unwrap().id;
            let own_key = api_keys::create(context, by, &key(&administrator.id)).await.unwrap().key.id;
            let key = api_keys::create(context, by, &key(&program.id)).await.unwrap().key.id;
            vec![
                ("{client}", client.id.clone()),
                ("{secret}", secret),
                ("{credentials}", set),
                ("{organization}", elsewhere),
                ("{role}", role),
                ("{key}", key),
                ("{own key}", own_key),
                ("{user}", program.id.clone()),
                ("{scope}", "orders:read".to_owned()),
                ("{session}", "0".to_owned()),
            ]
        });
        let admin = Visitor::signed_in(&server, &administrator);
        let scope = [("name", "orders:write"), ("requires_approval", "yes")];
        admin.done("/console/scopes", &scope);
        let own = Visitor::signed_in(&server, &developer);
        let asked = [("label", "Waiting"), ("grant_types", "client_credentials"), ("scopes", "orders:write")];
        let made = own.done("/console/applications", &[&asked[..], &[("justification", "Because")]].concat());
        let waiting = made.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
        let mine = [("label", "Approved"), ("grant_types", "client_credentials")];
        let made = own.done("/console/applications", &mine).split('?').next().unwrap().to_owned();
        let approved = made.rsplit('/').next().unwrap().to_owned();
        admin.post(&format!("/console/approvals/applications/{approved}/approve"), &[]).ok();
        own.done(&format!("{made}/scopes"), &[("scope", "orders:write"), ("justification", "Because")]);
        let approvals = admin.page("/console/approvals");
        ids.push(("{request}", between(&approvals, "/console/approvals/scopes/", "/")));
        ids.push(("{waiting}", waiting));
        ids.push(("{approved}", approved));
        ids.push(("{kid}", between(&admin.page("/console/keys"), "<th scope=\"row\"><code>", "</code>")));
        Self { server, administrator, developer, ids }
    }

    pub fn id(&self, name: &str) -> &str {
        self.ids.iter().find(|(known, _)| *known == name).map_or_else(|| panic!("no {name}"), |(_, id)| id)
    }

    /// A path of the table with what is there in its places.
    pub fn filled(&self, path: &str) -> String {
        let path = match path {
            _ if path.starts_with("/console/approvals/applications/") => path.replace("{client}", "{waiting}"),
            _ if path.starts_with("/console/profile/api-keys/") => path.replace("{key}", "{own key}"),
            _ => path.to_owned(),
        };
        let part = |part: &str| if part.starts_with('{') { self.id(part).to_owned() } else { part.to_owned() };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

#[rstest]
fn every_act_either_asks_for_the_password_or_is_known_not_to() {
    let place = Place::with_one_of_everything();
    let posts: Vec<&str> =
        TABLE.iter().filter(|(_, methods, _)| methods.contains("POST")).map(|(path, ..)| *path).collect();
    for path in &posts {
        let declared = [ASK, DO_NOT_ASK].into_iter().filter(|list| list.contains(path)).count();
        assert_eq!(declared, 1, "{path} is declared once");
    }
    assert_eq!(ASK.len() + DO_NOT_ASK.len(), posts.len());
    let admin = Visitor::signed_in(&place.server, &place.administrator);
    place.server.clock.advance(LONG);
    // What a careless page would write back.
    let secret = "never-written-back-17";
    let fields = [("secret", "yes"), ("file", "environment"), ("password", secret), ("repeated", secret)];
    let further = [("kind", "user"), ("id", place.id("{user}")), ("email", "other@example.org"), ("step", "redeem")];
    for path in ASK.iter().chain(DO_NOT_ASK) {
        let answer = admin.post(&place.filled(path), &[&fields[..], &further].concat());
        let asks = answer.body.contains("name=\"confirm_password\"");
        assert_eq!(asks, ASK.contains(path), "{path}: {} {}", answer.status, answer.body);
        assert!(!answer.body.contains(secret), "{path} writes a password back");
    }
    let admin = Visitor::signed_in(&place.server, &place.administrator);
    assert!(admin.page("/console/approvals").contains("Approve"), "nothing was done without the password");
    assert_eq!(admin.get(&place.filled("/console/users/{user}")).status, 200);
}

#[rstest]
fn ones_own_application_is_changed_without_the_password_and_deleted_with_it() {
    let place = Place::with_one_of_everything();
    let own = Visitor::signed_in(&place.server, &place.developer);
    place.server.clock.advance(LONG);
    let path = format!("/console/applications/{}", place.id("{approved}"));
    own.done(&path, &[("label", "Renamed")]);
    own.done("/console/applications", &[("label", "Another"), ("grant_types", "client_credentials")]);
    assert!(own.post(&format!("{path}/rotate"), &[]).body.contains("Is it you?"));
    assert!(own.post(&format!("{path}/delete"), &[]).body.contains("Is it you?"));
    own.done(&format!("{path}/disable"), &[]);
}

#[rstest]
fn the_page_that_asks_sends_every_field_of_the_form_again(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("credentials.reveal.client_secret", "always").start();
    let user = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let client = server.confidential_client().grants(["password"]).create();
    let admin = Visitor::signed_in(&server, &user);
    server.clock.advance(LONG);
    let path = format!("/console/applications/{}/postman", client.id);
    let sent = [("username", "myAPIuser"), ("secret", "yes"), ("file", "environment")];
    let asked = admin.post(&path, &sent);
    assert_eq!(asked.status, 403);
    let kept = hidden(&asked.body);
    let mut kept: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert!(sent.iter().all(|field| kept.contains(field)), "{kept:?}");
    kept.push(("confirm_password", &user.password));
    let file = admin.post(&path, &kept).ok();
    let values = file.json();
    let value = |key: &str| values["values"].as_array().unwrap().iter().find(|one| one["key"] == key).unwrap().clone();
    assert_eq!(value("username")["value"], "myAPIuser");
    assert_eq!(value("client_secret")["value"], *client.secret);
}

#[rstest]
fn a_form_with_a_password_asks_for_ones_own_in_itself(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let user = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let admin = Visitor::signed_in(&server, &user);
    assert!(!admin.page("/console/users/new").contains("Your own password"), "it was given a moment ago");
    server.clock.advance(LONG);
    assert!(admin.page("/console/users/new").contains("Your own password"));
    let password = "correct-horse-battery-staple";
    let form = [("username", "myAPIuser"), ("kind", "api_user"), ("administration", "basic"), ("access", "api")];
    let form = [&form[..], &[("password", password), ("repeated", password)]].concat();
    let page = admin.refused("/console/users/new", &form);
    assert!(page.contains("id=\"e-confirm_password\"") && page.contains("value=\"myAPIuser\""), "{page}");
    assert!(!page.contains(password), "never written back");
    let wrong = [&form[..], &[("confirm_password", "not mine")]].concat();
    assert!(admin.refused("/console/users/new", &wrong).contains("is not yours"));
    assert_eq!(opens(&server, "myAPIuser", password), 401);
    let right = [&form[..], &[("confirm_password", user.password.as_str())]].concat();
    let made = admin.done("/console/users/new", &right);
    assert_eq!(opens(&server, "myAPIuser", password), 200, "the username is the form's own");

    server.clock.advance(LONG);
    let path = format!("{}/password", made.split('?').next().unwrap());
    assert!(admin.page(&path).contains("Your own password"));
    let other = "another-horse-battery-staple";
    let form = [("password", other), ("repeated", other)];
    let page = admin.refused(&path, &form);
    assert!(page.contains("id=\"e-confirm_password\"") && !page.contains(other), "{page}");
    admin.done(&path, &[&form[..], &[("confirm_password", user.password.as_str())]].concat());
    assert_eq!(opens(&server, "myAPIuser", other), 200);
}

#[rstest]
fn an_unattended_session_moves_no_account_to_another_address(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let admin = Visitor::administrator(&server);
    let victim = server.person().change(|new| new.email = Some("own@example.org".to_owned())).create();
    server.clock.advance(LONG);
    let path = format!("/console/users/{}", victim.id);
    let with = |email, level, access: &[&'static str]| {
        let mut form = vec![("name", "x"), ("email", email), ("administration", level)];
        form.extend(access.iter().map(|one| ("access", *one)));
        form
    };
    let both: &[&str] = &["console", "api"];
    for (form, asks) in [
        (with("other@example.org", "basic", both), true),
        (with("own@example.org", "admin", both), true),
        (with("own@example.org", "basic", &["console"]), true),
        (with("own@example.org", "basic", both), false),
    ] {
        let answer = admin.post(&path, &form);
        assert_eq!(answer.body.contains("Is it you?"), asks, "{form:?}: {answer:?}");
    }
    assert!(admin.page(&path).contains("value=\"own@example.org\""));
}

#[rstest]
fn a_reload_of_what_shows_a_secret_makes_no_second_one(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let admin = Visitor::administrator(&server);
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let sent = |page: &str, fields: &[(&'static str, &'static str)]| {
        let id = between(&admin.page(page), "name=\"form_id\" value=\"", "\"");
        [fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(), vec![("form_id", id)]].concat()
    };
    let post = |path: &str, form: &[(&'static str, String)]| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        admin.post(path, &form)
    };
    let settings = format!("/console/applications/{}/settings", client.id);
    let rotate = format!("/console/applications/{}/rotate", client.id);
    let generate = format!("/console/users/{}/password/generate", server.api_user().create().id);
    let of_user = generate.replace("/generate", "");
    for (page, path, fields, list) in [
        ("/console/credentials/new", "/console/credentials", &[("name", "A set")][..], "/console/credentials"),
        ("/console/profile/api-keys", "/console/profile/api-keys", &[], "/console/profile/api-keys"),
        (&settings, &rotate, &[("overlap", "0")], &settings),
        (&of_user, &generate, &[], &of_user),
    ] {
        let mut form = sent(page, fields);
        let first = post(path, &form).ok();
        assert!(first.body.contains("data-secret"), "{path}");
        let again = post(path, &form);
        assert_eq!((again.status, again.header("location")), (303, format!("{list}?notice=sent-before").as_str()));
        assert!(admin.page(again.header("location")).contains("This form was sent before"), "{path}");
        // Another form is another act.
        form = sent(page, fields);
        post(path, &form).ok();
    }
    // What was refused can be corrected and sent again.
    let mut wrong = sent("/console/credentials/new", &[("name", ""), ("description", "")]);
    assert_eq!(post("/console/credentials", &wrong).status, 422);
    assert_eq!(post("/console/credentials", &wrong).status, 422);
    wrong[0].1 = "Named".to_owned();
    post("/console/credentials", &wrong).ok();
}
