//! Bandwidth: Account → Users, as its document walks it.

use grantor::admin::{mail, organizations};
use rstest::rstest;

use super::visitor::{Visitor, between, opens, role_id, user_id};
use crate::harness::{Database, Server};

const PASSWORD: &str = "correct-horse-battery-staple";

/// The document's form.
const FORM: [(&str, &str); 9] = [
    ("username", "jdoe"),
    ("first_name", "Jay"),
    ("last_name", "Doe"),
    ("email", "jdoe@example.com"),
    ("phone", "9195551234"),
    ("kind", "person"),
    ("administration", "basic"),
    ("access", "api"),
    ("description", ""),
];

fn form_with<'a>(change: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = FORM.iter().filter(|(name, _)| !change.iter().any(|(changed, _)| changed == name));
    kept.chain(change).copied().filter(|(_, value)| !value.is_empty()).collect()
}

fn bandwidth(db: Database) -> Server {
    Server::with(db).set("preset", "bandwidth").start()
}

/// An account for a program, made on the page; it works at once.
fn program(admin: &Visitor<'_>, change: &[(&'static str, &'static str)]) -> String {
    let own = [("kind", "api_user"), ("password", PASSWORD), ("repeated", PASSWORD)];
    admin.done("/console/users/new", &form_with(&[&own, change].concat()))
}

/// The secret of the newest link of a kind that was sent.
pub fn link(server: &Server, kind: &str) -> String {
    server.run(async |context, by| {
        let all = mail::list(context, by).await.unwrap();
        let newest = all.iter().filter(|one| one.kind.as_str() == kind).max_by_key(|one| one.created_at);
        let shown = mail::show(context, by, &newest.unwrap_or_else(|| panic!("no {kind}")).id).await.unwrap();
        shown.link.unwrap().expose().split_once('#').unwrap().1.to_owned()
    })
}

#[rstest]
fn bw1_account_users_add_asks_field_by_field(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = bandwidth(db);
    let admin = Visitor::administrator(&server);
    let home = admin.page("/console/");
    assert!(home.contains(">Account</p>") && home.contains(">Users</a>"), "{home}");
    let list = admin.page("/console/users");
    assert!(list.contains("<a class=\"button\" href=\"/console/users/new\">Add</a>"), "{list}");
    let form = admin.page("/console/users/new");
    for label in ["Username", "First name", "Last name", "E-mail", "Work phone", "Administration level"] {
        assert!(form.contains(&format!("{label}</label>")), "{label}: {form}");
    }
    assert!(form.contains("User access methods") && form.contains("Ten digits") && form.contains(">Save Changes<"));

    for field in ["username", "first_name", "last_name", "email", "phone"] {
        let page = admin.refused("/console/users/new", &form_with(&[(field, "")]));
        assert!(page.contains(&format!("id=\"e-{field}\"")), "{field}: {page}");
        assert_eq!(page.matches("class=\"error\"").count(), 1, "{field}: {page}");
        assert!(field == "last_name" || page.contains("value=\"Doe\""), "what was typed is kept");
    }
    for phone in ["919555123", "91955512345", "+19195551234", "(919) 555-1234"] {
        let page = admin.refused("/console/users/new", &form_with(&[("phone", phone)]));
        assert!(page.contains("id=\"e-phone\""), "{phone}");
    }
    admin.refused("/console/users/new", &form_with(&[("password", PASSWORD), ("repeated", "another one")]));

    let page = program(&admin, &[]);
    assert!(page.starts_with("/console/users/") && page.ends_with("?notice=created"), "{page}");
    let taken = form_with(&[("username", "other"), ("email", "JDOE@example.com")]);
    assert!(admin.refused("/console/users/new", &taken).contains("E-mail is used already"));
    let taken = form_with(&[("email", "other@example.com")]);
    assert!(admin.refused("/console/users/new", &taken).contains("Username is taken"));
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);
}

#[rstest]
fn bw2_the_username_stands_there_and_cannot_be_changed(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = bandwidth(db);
    let admin = Visitor::administrator(&server);
    program(&admin, &[]);
    let path = format!("/console/users/{}", user_id(&server, "jdoe"));
    let page = admin.page(&path);
    assert!(page.contains("A username never changes") && !page.contains("name=\"username\""), "{page}");
    admin.done(&path, &form_with(&[("username", "other"), ("name", "Jay the First")]));
    let page = admin.page(&path);
    assert!(page.contains("<h1>jdoe ") && page.contains("Jay the First"), "{page}");
    let page = admin.refused(&path, &form_with(&[("phone", "12")]));
    assert!(page.contains("id=\"e-phone\""), "{page}");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);
}

#[rstest]
fn bw3_a_basic_user_has_their_own_page_and_no_other(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = bandwidth(db);
    let user = server.person().create();
    let basic = Visitor::signed_in(&server, &user);
    let profile = basic.page("/console/profile");
    assert!(!profile.contains("/console/users"), "no entry of the menu leads there: {profile}");
    basic.done("/console/profile", &[("name", "Myself"), ("first_name", "My"), ("last_name", "Self")]);
    let own = format!("/console/users/{}", user.id);
    for path in
        ["/console/users", "/console/users/new", &own, "/console/roles", "/console/audit", "/console/organizations"]
    {
        assert_eq!(basic.get(path).status, 403, "{path}");
    }
    assert_eq!(basic.post("/console/users/new", &FORM).status, 403);
    assert_eq!(basic.post(&format!("{own}/delete"), &[]).status, 403);

    // The level makes the difference, whatever the roles.
    let admin = Visitor::administrator(&server);
    let level = [("administration", "admin"), ("access", "console"), ("access", "api")];
    admin.done(&own, &level);
    assert!(Visitor::signed_in(&server, &user).page("/console/users").contains(&user.username));
    assert_eq!(opens(&server, &user.username, &user.password), 200);
}

#[rstest]
fn bw4_access_methods_open_what_they_say_and_both_together_are_warned_of(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = bandwidth(db);
    let admin = Visitor::administrator(&server);
    program(&admin, &[]);
    let path = format!("/console/users/{}", user_id(&server, "jdoe"));
    let sign_in = || {
        let sent = [("username", "jdoe"), ("password", PASSWORD)];
        Visitor::new(&server).post("/console/sign-in", &sent).status == 303
    };
    assert_eq!((sign_in(), opens(&server, "jdoe", PASSWORD)), (false, 200), "API only");
    assert!(!admin.page(&path).contains("Think about this"));

    admin.done(&path, &form_with(&[("access", "console")]));
    assert_eq!((sign_in(), opens(&server, "jdoe", PASSWORD)), (true, 401), "console only");

    let both = [form_with(&[]), vec![("access", "console")]].concat();
    admin.done(&path, &both);
    assert_eq!((sign_in(), opens(&server, "jdoe", PASSWORD)), (true, 200), "both");
    assert!(admin.page(&path).contains("Think about this"), "a warning");
    let none = form_with(&[("access", "")]);
    assert!(admin.refused(&path, &none).contains("User access methods need at least one tick"));
}

#[rstest]
fn bw5_a_program_keeps_its_password_until_somebody_rotates_it(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = bandwidth(db);
    let admin = Visitor::administrator(&server);
    // Left empty, it is generated and shown this once.
    let made = admin.post("/console/users/new", &form_with(&[("kind", "api_user")]));
    assert_eq!(made.status, 200, "{made:?}");
    let first = between(&made.body, "<code class=\"clear\">", "</code>");
    assert!(first.starts_with("gr_pw_") && made.body.contains("only now"), "{made:?}");
    assert_eq!(opens(&server, "jdoe", &first), 200);
    let path = format!("/console/users/{}/password", user_id(&server, "jdoe"));
    for page in [&path, &path.replace("/password", ""), "/console/users"] {
        assert!(!admin.page(page).contains(&first), "{page}");
    }
    let rotated = admin.post(&format!("{path}/generate"), &[]).ok();
    let second = between(&rotated.body, "<code class=\"clear\">", "</code>");
    assert_eq!((opens(&server, "jdoe", &first), opens(&server, "jdoe", &second)), (401, 200));
    let weak = admin.refused(&path, &[("password", "short"), ("repeated", "short")]);
    assert!(weak.contains("id=\"e-password\"") && !weak.contains("value=\"short\""), "{weak}");
    admin.done(&path, &[("password", PASSWORD), ("repeated", PASSWORD)]);
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);
}

#[rstest]
fn bw6_and_bw7_two_messages_lead_from_an_invitation_to_a_password_of_ones_own(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = bandwidth(db);
    let admin = Visitor::administrator(&server);
    let page = admin.done("/console/users/new", &form_with(&[]));
    assert!(page.ends_with("?notice=invited"), "{page}");
    let path = page.split('?').next().unwrap().to_owned();
    let shown = admin.page(&path);
    assert!(shown.contains("not verified yet") && shown.contains("state-invited"), "{shown}");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 401, "not usable before");
    let old = link(&server, "verify_email");
    admin.done(&format!("{path}/resend"), &[]);
    let verify = link(&server, "verify_email");
    assert_ne!(old, verify);

    // The account has no access to the console; its links work all the same.
    let jdoe = Visitor::new(&server);
    assert_eq!(jdoe.post("/console/link", &[("token", &old)]).status, 400, "taken back");
    let asked = jdoe.post("/console/link", &[("token", &verify)]).ok();
    assert!(asked.body.contains("jdoe") && asked.body.contains("name=\"phone\""), "{asked:?}");
    let redeem = [("token", verify.as_str()), ("step", "redeem")];
    let other_form = [&redeem[..], &[("phone", "919-555-1234")]].concat();
    assert_eq!(jdoe.post("/console/link", &other_form).status, 422, "in the same form");
    jdoe.done("/console/link", &[&redeem[..], &[("phone", "9195551234")]].concat());
    assert!(admin.page(&path).contains("state-verified"));

    let set = link(&server, "set_password");
    let chosen = [("token", set.as_str()), ("step", "redeem"), ("password", PASSWORD), ("repeated", PASSWORD)];
    jdoe.done("/console/link", &chosen);
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);

    admin.done(&format!("{path}/password/link"), &[]);
    link(&server, "reset_password");
}

#[rstest]
fn bw8_roles_are_boxes_with_their_definitions_and_count_at_the_next_call(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = bandwidth(db);
    let admin = Visitor::administrator(&server);
    program(&admin, &[]);
    let path = format!("/console/users/{}/roles", user_id(&server, "jdoe"));
    let page = admin.page(&path);
    assert!(page.contains("Registers applications and makes credentials"), "definitions: {page}");
    assert!(page.contains("permits api:access"), "{page}");
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);
    admin.done(&path, &[]);
    assert_eq!(opens(&server, "jdoe", PASSWORD), 403, "at the next call");
    admin.done(&path, &[("roles", &role_id(&server, "api user"))]);
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);
}

#[rstest]
fn bw9_an_account_is_added_to_other_organizations_and_taken_out_of_them(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = bandwidth(db);
    let (granted, other) = server.run(async |context, by| {
        let granted = organizations::create(context, by, "Granted", "granted").await.unwrap();
        (granted, organizations::create(context, by, "Other", "other").await.unwrap())
    });
    let admin = Visitor::administrator(&server);
    program(&admin, &[]);
    let path = format!("/console/users/{}/organizations", user_id(&server, "jdoe"));
    let page = admin.page(&path);
    assert!(page.contains(">Accounts</a>") && page.contains("Granted") && page.contains("made here"), "{page}");
    admin.done(&path, &[("organization", &granted.id)]);
    let status = |number: i64| {
        use base64::Engine;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("jdoe:{PASSWORD}"));
        let headers = [("Authorization", format!("Basic {pair}"))];
        server
            .get(&format!("/api/v1/organizations/{number}"), &headers.each_ref().map(|(n, v)| (*n, v.as_str())))
            .status
    };
    assert_eq!((status(granted.number), status(other.number)), (200, 404));
    admin.done(&format!("{path}/{}/end", granted.id), &[]);
    assert_eq!(status(granted.number), 404);
    assert_eq!(opens(&server, "jdoe", PASSWORD), 200);
}

#[rstest]
fn the_table_of_users_is_searched_filtered_and_paged_on_the_server(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let admin = Visitor::administrator(&server);
    for number in 0..60 {
        server
            .api_user()
            .username(&format!("robot{number:02}"))
            .change(|new| (new.first_name, new.email) = ("R2_D2".to_owned(), Some(format!("r{number}@Example.com"))))
            .create();
    }
    let rows = |page: &str| page.matches("<th scope=\"row\">").count();
    let first = admin.page("/console/users");
    assert!(rows(&first) == 50 && first.contains("50 on this page"), "{first}");
    let next = between(&first, "<a href=\"/console/users?", "\" rel=\"next\">").replace("&#38;", "&");
    let last = admin.page(&format!("/console/users?{next}"));
    // And the two administrators.
    assert!(rows(&last) == 12 && last.contains("First page"), "{last}");
    assert!(first.len() < 60 * 1024, "{}", first.len());
    for (query, count) in [
        ("q=ROBOT07", 1),
        ("q=r7%40example", 1),
        ("q=2_d", 50),
        ("q=2%25d", 0),
        ("q=%5C", 0),
        ("kind=person", 2),
        ("status=invited", 1),
        ("kind=person&q=robot", 0),
    ] {
        let page = admin.page(&format!("/console/users?{query}"));
        assert_eq!(rows(&page), count, "{query}: {page}");
        assert!(count > 0 || page.contains("0 of 0"), "{query}");
    }
}
