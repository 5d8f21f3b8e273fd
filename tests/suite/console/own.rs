//! Credentials, API keys and the first page, by HTTP: lists, refusals, errors at fields, files.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor::admin::api_keys::{self, NewApiKey};
use grantor::admin::users::UserRequest;
use grantor::admin::{clients, credentials, organizations};
use grantor::model::api_key::ApiKeyStatus;
use grantor::model::reveal::RevealPolicy;
use rstest::rstest;

use crate::harness::{Answer, Database, Pages, Server, TestUser};

const SETS: &str = "/console/credentials";
const KEYS: &str = "/console/profile/api-keys";

fn with_role(server: &Server, role: &str) -> TestUser {
    server.person().change(|new: &mut UserRequest| new.roles = vec![role.to_owned()]).create()
}

/// What follows `before` in a page, each time, up to a quotation mark.
fn each(page: &str, before: &str) -> Vec<String> {
    page.split(before).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// The names in the rows of the list of credentials, in their order.
fn names(page: &str) -> Vec<String> {
    let rows = page.split("<th scope=\"row\"><a href=\"").skip(1);
    rows.map(|rest| rest.split_once("\">").unwrap().1.split("</a>").next().unwrap().to_owned()).collect()
}

/// Every name of a list, page by page.
fn walk(pages: &Pages, query: &str) -> Vec<String> {
    let mut path = format!("{SETS}{query}");
    let mut found = Vec::new();
    loop {
        let page = pages.get(&path).ok().body;
        assert!(page.len() < 60_000, "{}", page.len());
        found.extend(names(&page));
        match page.split_once("\" rel=\"next\"") {
            Some((before, _)) => path = before.rsplit('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&"),
            None => return found,
        }
    }
}

/// An application of a user's own, approved.
fn register(server: &Server, owner: &TestUser, label: &str) {
    let body = serde_json::json!({ "label": label, "purpose": "A test" }).to_string();
    // RFC 7617: nothing is escaped.
    let pair = STANDARD.encode(format!("{}:{}", owner.username, owner.password));
    let headers = [("Authorization", &*format!("Basic {pair}"))];
    let made = server.post_raw("/api/v1/clients", "application/json", body.as_bytes(), &headers);
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.text("id");
    server.run(async |context, by| clients::approve(context, by, &id).await.unwrap());
}

fn make_set(server: &Server, name: &str) -> String {
    server.run(async |context, by| credentials::create(context, by, name, "", &[]).await.unwrap().user.id)
}

#[rstest]
fn the_list_of_credentials_is_walked_in_each_order_and_searched_to_the_letter(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let pages = Pages::signed_in(&server, &with_role(&server, "developer"));
    let mut made = Vec::new();
    for number in 0..120 {
        // Two of each name, in two cases: the id decides between them.
        let name = format!("{} {:02}", if number % 2 == 0 { "Set" } else { "set" }, (number * 7 % 120) / 2);
        make_set(&server, &name);
        made.push(name);
    }
    make_set(&server, "100%_done");
    made.push("100%_done".to_owned());
    assert_eq!(walk(&pages, "?sort=oldest"), made);
    made.reverse();
    assert_eq!(walk(&pages, ""), made);
    let by_name = walk(&pages, "?sort=name");
    let folded: Vec<String> = by_name.iter().map(|name| name.to_lowercase()).collect();
    assert!(folded.is_sorted() && folded.len() == 121, "{folded:?}");
    let mut down = walk(&pages, "?sort=name-down");
    down.reverse();
    assert_eq!(down, by_name);
    assert_eq!(walk(&pages, "?q=SET+0&sort=name").len(), 20);
    assert_eq!(walk(&pages, "?q=SET").len(), 120);
    for text in ["%25", "_", "100%25_d"] {
        assert_eq!(walk(&pages, &format!("?q={text}")), ["100%_done"], "{text}");
    }
    let none = pages.get(&format!("{SETS}?q=no+such+thing")).ok().body;
    assert!(none.contains("0 of 0") && none.contains("no such thing"), "{none}");

    let page = pages.get(&format!("{SETS}?sort=name")).ok().body;
    let cursor = each(&page, "cursor=").remove(0);
    for other in [format!("cursor={cursor}"), format!("sort=name&q=set&cursor={cursor}"), "cursor=AAAA".to_owned()] {
        assert_eq!(pages.get(&format!("{SETS}?{other}")).status, 400, "{other}");
    }
}

#[rstest]
fn credentials_of_another_organization_are_not_there_and_without_the_permission_there_is_no_page(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let developer = with_role(&server, "developer");
    server.run(async |context, by| organizations::create(context, by, "Other", "other").await.unwrap());
    let stranger = server
        .person()
        .change(|new| (new.roles, new.organization) = (vec!["developer".to_owned()], Some("other".to_owned())))
        .create();
    let id = make_set(&server, "Warehouse");
    let pages = Pages::signed_in(&server, &developer);
    assert_eq!(names(&pages.get(SETS).ok().body), ["Warehouse"]);
    pages.get(&format!("{SETS}/{id}")).ok();
    let other = Pages::signed_in(&server, &stranger);
    assert_eq!(names(&other.get(SETS).ok().body), [""; 0]);
    assert_eq!(other.get(&format!("{SETS}/{id}")).status, 404);
    assert_eq!(other.send("/console/profile", &format!("{SETS}/{id}/delete"), &[]).status, 404);

    let without = Pages::signed_in(&server, &with_role(&server, "api user"));
    for path in [SETS, "/console/credentials/new", KEYS] {
        assert_eq!(without.get(path).status, 403, "{path}");
    }
    for (path, field) in [(SETS, "name"), (KEYS, "name")] {
        assert_eq!(without.send("/console/profile", path, &[(field, "x")]).status, 403, "{path}");
    }
    let menu = without.get("/console/").ok().body;
    assert!(!menu.contains("href=\"/console/credentials\"") && !menu.contains(KEYS), "{menu}");
}

#[rstest]
fn ending_what_somebody_else_made_asks_for_the_password_and_ending_ones_own_does_not(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let user = with_role(&server, "developer");
    let pages = Pages::signed_in(&server, &user);
    let other = make_set(&server, "Another");
    let made = pages.send("/console/credentials/new", SETS, &[("name", "Mine"), ("description", "")]).ok();
    assert!(made.body.contains("Credentials created: Mine"), "{}", made.body);
    let list = pages.get(SETS).ok().body;
    let own = each(&list, "<th scope=\"row\"><a href=\"").remove(0);
    server.clock.advance(301);
    let delete = format!("{SETS}/{other}/delete");
    let asked = pages.send("/console/profile", &delete, &[]);
    assert_eq!(asked.status, 403);
    assert!(asked.body.contains("Is it you?"), "{}", asked.body);
    let answer = pages.send("/console/profile", &format!("{own}/delete"), &[]);
    assert_eq!((answer.status, answer.header("location")), (303, "/console/credentials?notice=deleted"));
    assert_eq!(names(&pages.get(SETS).ok().body), ["Another"]);
    assert_eq!(pages.send("/console/profile", &delete, &[("confirm_password", &user.password)]).status, 303);
    assert_eq!(names(&pages.get(SETS).ok().body), [""; 0]);
}

#[rstest]
fn what_is_shown_once_is_taken_along_as_a_file_that_nobody_keeps() {
    let server = Server::start(Database::Sqlite);
    let pages = Pages::signed_in(&server, &with_role(&server, "developer"));
    let download = |further: &[(&str, &str)]| -> Answer {
        let mut pairs = vec![("file_name", "credentials\"\r\n../x")];
        pairs.extend_from_slice(further);
        pages.send("/console/profile", "/console/download", &pairs)
    };
    let members = [("member:username", "a@b"), ("member:password", "it's \"so\" $HOME")];
    let json = download(&[&[("format", "json")][..], &members].concat()).ok();
    assert_eq!(json.header("content-disposition"), "attachment; filename=\"credentialsx.json\"");
    assert_eq!((json.header("cache-control"), json.header("content-type")), ("no-store", "application/json"));
    assert_eq!(json.json(), serde_json::json!({ "username": "a@b", "password": "it's \"so\" $HOME" }));
    let env = download(&[&[("format", "env")][..], &members].concat()).ok();
    assert_eq!(env.header("content-disposition"), "attachment; filename=\"credentialsx.env\"");
    assert_eq!(env.body, "GRANTOR_USERNAME='a@b'\nGRANTOR_PASSWORD='it'\\''s \"so\" $HOME'\n");
    for wrong in [&[("format", "json")][..], &[("member:", "x")], &[("member:a b", "x")], &[("member:a$(id)", "x")]] {
        assert_eq!(download(wrong).status, 400, "{wrong:?}");
    }
}

#[rstest]
fn a_key_with_options_has_them_and_what_is_wrong_with_them_stands_at_the_field(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let user = with_role(&server, "developer");
    let pages = Pages::signed_in(&server, &user);
    let wrong = [("name", "Stock"), ("expires_at", "2020-01-01"), ("networks", "all"), ("scopes", "users:manage")];
    let answer = pages.send(KEYS, KEYS, &wrong);
    assert_eq!(answer.status, 422);
    for text in ["Last day lies in the past", "Networks must be addresses", "which the user may not", "value=\"Stock\""]
    {
        assert!(answer.body.contains(text), "{text}: {}", answer.body);
    }
    assert_eq!(pages.send(KEYS, KEYS, &[("expires_at", "tomorrow")]).status, 422);
    let day = server.clock.now().plus_seconds(2 * 86_400).rfc3339()[..10].to_owned();
    let right =
        [("name", "Stock"), ("expires_at", &*day), ("networks", "192.0.2.0/24\r\n127.0.0.1"), ("scopes", "api:access")];
    let made = pages.send(KEYS, KEYS, &right).ok().body;
    assert!(made.contains("shown only now"), "{made}");
    let shown = |member: &str| each(&made, &format!("name=\"member:{member}\" value=\"")).remove(0);
    let (key, user_id, business_id) = (shown("api_key"), shown("user_id"), shown("business_id"));
    let headers = [("X-API-Key", &*key), ("X-User-ID", &*user_id), ("X-Business-ID", &*business_id)];
    server.get("/api/v1/me", &headers).ok();
    let list = pages.get(KEYS).ok().body;
    for text in ["Stock", "192.0.2.0/24", "127.0.0.1/32", "<code>api:access</code>", "1 of 1", "state-active"] {
        assert!(list.contains(text), "{text}: {list}");
    }
    assert!(!list.contains(&key) && !list.contains("/view\""), "{list}");
    server.clock.advance(4 * 86_400);
    assert_eq!(server.get("/api/v1/me", &headers).status, 401);
    let pages = Pages::signed_in(&server, &user);
    let list = pages.get(KEYS).ok().body;
    assert!(list.contains("state-expired"), "{list}");
}

#[rstest]
fn keys_are_handled_at_their_owners_page_alone(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("credentials.reveal.api_key", "always").start();
    let (admin, developer) = (with_role(&server, "administrator"), with_role(&server, "developer"));
    let program = server.api_user().create();
    let (boss, other) = (Pages::signed_in(&server, &admin), Pages::signed_in(&server, &developer));
    let panel = format!("/console/users/{}/api-keys", program.id);
    let made = boss.send(&panel, &panel, &[]).ok();
    assert!(made.body.contains("can be viewed again"), "{}", made.body);
    let list = boss.get(&panel).ok().body;
    let id = each(&list, &format!("action=\"{panel}/")).remove(0).split('/').next().unwrap().to_owned();
    for action in ["view", "disable", "enable", "delete"] {
        assert_eq!(boss.send(KEYS, &format!("{KEYS}/{id}/{action}"), &[]).status, 404, "{action}");
        assert_eq!(other.send(KEYS, &format!("{KEYS}/{id}/{action}"), &[]).status, 404, "{action}");
        assert_eq!(other.send(KEYS, &format!("{panel}/{id}/{action}"), &[]).status, 403, "{action}");
    }
    assert_eq!(other.get(&panel).status, 403);
    assert_eq!(boss.get("/console/users/nobody/api-keys").status, 404);
    let seen = boss.send(&panel, &format!("{panel}/{id}/view"), &[]).ok();
    assert!(seen.body.contains("gr_ak_") && seen.header("cache-control") == "no-store");
    assert_eq!(boss.send(&panel, &format!("{panel}/{id}/disable"), &[]).status, 303);
    assert!(boss.get(&panel).ok().body.contains("state-disabled"));
    assert_eq!(boss.send(&panel, &format!("{panel}/{id}/delete"), &[]).status, 303);
    assert!(boss.get(&panel).ok().body.contains("There are no keys yet."));
    let foreign = format!("/console/users/{}/api-keys", developer.id);
    assert_eq!(boss.send(&panel, &foreign, &[]).status, 403, "people make their own");
}

#[rstest]
fn the_first_page_says_what_to_do_first_and_then_what_is_there(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let nobody = Pages::signed_in(&server, &with_role(&server, "api user")).get("/console/").ok().body;
    assert!(nobody.contains("There is nothing for you to make here yet."), "{nobody}");
    let user = with_role(&server, "developer");
    let pages = Pages::signed_in(&server, &user);
    let new = pages.get("/console/").ok().body;
    assert!(new.contains("Begin here") && new.contains("/console/credentials/new"), "{new}");
    let set = make_set(&server, "Warehouse");
    let page = pages.get("/console/").ok().body;
    assert!(!page.contains("Begin here") && page.contains("Credentials</a>: <strong>1</strong>"), "{page}");
    let username = server.run(async |context, by| credentials::find(context, by, &set).await.unwrap().username);
    assert!(page.contains(&username) && page.contains("/oauth/token"), "the guide has what is known: {page}");
}

#[rstest]
fn the_first_page_tells_what_ends_what_is_idle_and_what_was_refused(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("preset", "kizen").start();
    let user = with_role(&server, "developer");
    let another = with_role(&server, "developer");
    let key = |name: &str, days: Option<i64>| {
        server.run(async |context, by| {
            let new = NewApiKey {
                user: Some(user.id.clone()),
                name: Some(name.to_owned()),
                organization: None,
                scopes: None,
                expires_at: days.map(|days| server.clock.now().plus_seconds(days * 86_400)),
                networks: Vec::new(),
                reveal: RevealPolicy::Once,
            };
            api_keys::create(context, by, &new).await.unwrap()
        })
    };
    key("Old one", None);
    make_set(&server, "Old set");
    register(&server, &user, "Old app");
    server.clock.advance(91 * 86_400);
    let pages = Pages::signed_in(&server, &user);
    key("Soon gone", Some(20));
    key("Far away", Some(200));
    let used = key("Used", None);
    let headers = [
        ("X-API-Key", used.secret.expose()),
        ("X-User-ID", user.id.as_str()),
        ("X-Business-ID", used.key.organization_id.as_str()),
    ];
    server.run(async |context, by| {
        api_keys::set_status(context, by, &used.key.id, ApiKeyStatus::Disabled).await.unwrap();
    });
    for _ in 0..3 {
        assert_eq!(server.get("/api/v1/me", &headers).status, 401);
    }
    server.run(async |context, _| context.store_collected(true).await.unwrap());
    let page = pages.get("/console/").ok().body;
    let part = |from: &str| {
        page.split_once(from).unwrap_or_else(|| panic!("{from}: {page}")).1.split("</section>").next().unwrap()
    };
    let idle = part("<h2 id=\"idle\">");
    for text in ["Old one", "Old set", "Old app"] {
        assert!(idle.contains(text), "{text}: {idle}");
    }
    assert!(!idle.contains("Used"), "{idle}");
    let ending = part("<h2 id=\"ending\">");
    assert!(ending.contains("Soon gone") && !ending.contains("Far away"), "{ending}");
    let refused = part("<h2 id=\"refused\">");
    assert!(refused.contains("Used") && refused.contains("<td>3</td>"), "{refused}");
    let guide = part("<h2 id=\"guide\">");
    assert!(guide.contains(&user.id) && guide.contains(&used.key.organization_id), "{guide}");
    let ids: Vec<String> = each(&page, " id=\"");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    // Of others nothing is told.
    let other = Pages::signed_in(&server, &another).get("/console/").ok().body;
    assert!(!other.contains("Soon gone") && !other.contains("Old app") && !other.contains("Used"), "{other}");
}

#[rstest]
fn the_guide_of_the_first_page_names_credentials_that_work(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (works, stopped) = server.run(async |context, by| {
        let works = grantor::admin::credentials::create(context, by, "works", "", &[]).await.unwrap().user;
        let stopped = grantor::admin::credentials::create(context, by, "stopped", "", &[]).await.unwrap().user;
        let status = grantor::model::user::UserStatus::Disabled;
        grantor::admin::users::set_status(context, by, &stopped.id, status).await.unwrap();
        (works.username, stopped.username)
    });
    let home = Pages::signed_in(&server, &with_role(&server, "developer")).get("/console/").ok().body;
    assert!(home.contains(&works) && !home.contains(&stopped), "{home}");
}
