//! Akeneo: an API user, and System → Roles.

use rstest::rstest;

use super::visitor::{Visitor, opens, role_id, user_id};
use crate::harness::{Database, Server};

const PASSWORD: &str = "myAPIuserPassword-42 long";
const ROLE: &str = "My API user role";

fn akeneo(db: Database) -> Server {
    Server::with(db).set("preset", "akeneo").start()
}

fn make_user(admin: &Visitor<'_>, username: &str, kind: &str, role: &str) -> String {
    let form = [("username", username), ("kind", kind), ("administration", "basic"), ("access", "api")];
    let secret = [("password", PASSWORD), ("repeated", PASSWORD), ("roles", role)];
    let page = admin.done("/console/users/new", &[&form[..], &secret].concat());
    page.split('?').next().unwrap().to_owned()
}

#[rstest]
fn ak1_an_api_user_has_a_password_and_an_api_role_for_a_person_is_warned_of(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = akeneo(db);
    let admin = Visitor::administrator(&server);
    assert!(admin.page("/console/users").contains(">Create user</a>"));
    let role = role_id(&server, "api user");
    let program = make_user(&admin, "myAPIuser", "api_user", &role);
    assert!(!admin.page(&program).contains("Think about this"));
    assert_eq!(opens(&server, "myAPIuser", PASSWORD), 200);
    let person = make_user(&admin, "julia", "person", &role);
    assert!(admin.page(&person).contains("an API role goes to a person"));
}

#[rstest]
fn ak2_a_role_is_created_given_the_web_api_and_its_users(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = akeneo(db);
    let admin = Visitor::administrator(&server);
    let home = admin.page("/console/");
    assert!(home.contains(">System</p>") && home.contains("href=\"/console/roles\""), "{home}");
    assert!(admin.page("/console/roles").contains(">Create role</a>"));
    make_user(&admin, "myAPIuser", "api_user", &role_id(&server, "api user"));
    admin.done(&format!("/console/users/{}/roles", user_id(&server, "myAPIuser")), &[]);
    assert_eq!(opens(&server, "myAPIuser", PASSWORD), 403);

    let next = admin.done("/console/roles/new", &[("name", ROLE)]);
    let again = admin.refused("/console/roles/new", &[("name", ROLE)]);
    assert!(again.contains("id=\"e-name\"") && again.contains("Name is taken"), "{again}");
    assert!(admin.refused("/console/roles/new", &[("name", "")]).contains("id=\"e-name\""));
    let path = next.split('?').next().unwrap();
    let page = admin.page(path);
    assert!(page.contains(">Web API permissions</a>") && page.contains(">Users</button>"), "{page}");
    let first = page.find("type=\"checkbox\"").unwrap();
    assert!(page[first..].find("Overall Web API access").unwrap() < page[first..].find("api_keys:manage").unwrap());
    admin.done(path, &[("permissions", "api:access")]);

    let users = path.replace("/permissions", "/users");
    let id = user_id(&server, "myAPIuser");
    assert!(admin.page(&users).contains("myAPIuser</label>"));
    assert!(admin.page(&format!("{users}?q=nobody")).contains("Nobody here is called that"));
    admin.done(&users, &[("shown", &id), ("holder", &id)]);
    assert!(admin.page(&users).contains("checked"));
    assert_eq!(opens(&server, "myAPIuser", PASSWORD), 200);
    admin.done(&users, &[("shown", &id)]);
    assert_eq!(opens(&server, "myAPIuser", PASSWORD), 403);

    let role = path.replace("/permissions", "");
    admin.done(&role, &[("name", "Renamed"), ("description", "for robots")]);
    assert!(admin.page("/console/roles").contains("for robots"));
    admin.done(&users, &[("shown", &id), ("holder", &id)]);
    admin.done(&format!("{role}/delete"), &[]);
    assert_eq!((admin.get(&role).status, opens(&server, "myAPIuser", PASSWORD)), (404, 403));
}

#[rstest]
fn ak3_the_permission_counts_at_the_next_request(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = akeneo(db);
    let admin = Visitor::administrator(&server);
    let next = admin.done("/console/roles/new", &[("name", ROLE)]);
    let path = next.split('?').next().unwrap();
    make_user(&admin, "myAPIuser", "api_user", &role_id(&server, ROLE));
    let portal = server.confidential_client().grants(["password"]).create();
    let sign_in = [("grant_type", "password"), ("username", "myAPIuser"), ("password", PASSWORD)];
    let token = portal.token(&sign_in).ok().access_token();
    let refused = server.get_with_token("/api/v1/me", &token);
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("not allowed to access the web API"), "{refused:?}");
    admin.done(path, &[("permissions", "api:access")]);
    assert_eq!(server.get_with_token("/api/v1/me", &token).status, 200, "no new sign-in");
    admin.done(path, &[]);
    assert_eq!(server.get_with_token("/api/v1/me", &token).status, 403);
}
