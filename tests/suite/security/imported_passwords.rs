//! Accounts of another program: their passwords open them, and are ours from the first sign-in on.

use std::sync::atomic::{AtomicUsize, Ordering};

use grantor::admin::import::{Imported, import};
use grantor::admin::{AdminError, Authority, roles, users};
use rstest::rstest;
use serde_json::json;

use crate::harness::{Database, Server, TestUser};

const PASSWORD: &str = "correct horse battery staple";

/// Made by Python's bcrypt, argon2-cffi, hashlib and passlib of [`PASSWORD`].
const MADE_ELSEWHERE: [(&str, &str); 6] = [
    ("bcrypt", "$2b$05$dNx0l.zNJ6Se0kaJv4yPBexoFW.mu7YjKTUmQ6hv/KijBsVHrQnpm"),
    ("old-bcrypt", "$2a$04$r1LiZUPB9kxStNPOx19LYOBRHl7n7C0frZCyPvvlINCrsSy56tcWO"),
    ("argon2", "$argon2id$v=19$m=1024,t=2,p=2$FVWA3Nv9Y4djvaab5pgO/w$q82lSbTtdMgBeS7tS3NP+frRFirA4MaOMU+KNt6iQPw"),
    ("phc", "$pbkdf2-sha256$i=1000,l=32$AAECAwQFBgcICQoLDA0ODw$ppsXnjrdPB4KryJ6DrOqKqhkWrhv7PbKAMF1Eml8cZ4"),
    (
        "passlib-512",
        "$pbkdf2-sha512$1100$AYCQ8p5TihECAMB4j9E6Jw$08hLZXP8hkdhpWVFYBE2zbQZaNkM1vH4QQnpQjCpnGAz3XYaCMN/UlsBkzy4kGFAX.iWA5VZv0biM/ckJU38Ww",
    ),
    ("passlib-256", "$pbkdf2-sha256$1100$KOXcm/M.ZwwBgNCacw5ByA$Zqd1KkOBa9BYaXit8vi6zizuzkItlqs2s7oMDMd9Wls"),
];

fn imported(server: &Server, file: &str) -> Result<Imported, AdminError> {
    server.run(async |context, _| import(context, &Authority::operator(), file.as_bytes(), false).await)
}

fn lines(users: &[(&str, &str)]) -> String {
    users.iter().map(|(name, hash)| format!("{}\n", json!({ "username": name, "password_hash": hash }))).collect()
}

fn account(username: &str, password: &str) -> TestUser {
    TestUser { id: String::new(), username: username.to_owned(), password: password.to_owned() }
}

fn stored(server: &Server, username: &str) -> String {
    server.run(async |context, by| users::find(context, by, username).await.unwrap().password.unwrap().1)
}

#[rstest]
fn an_imported_hash_opens_the_account_and_is_renewed_at_the_first_sign_in(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    assert_eq!(imported(&server, &lines(&MADE_ELSEWHERE)).unwrap().imported, MADE_ELSEWHERE.len());
    for (name, hash) in MADE_ELSEWHERE {
        let sealed = stored(&server, name);
        assert!(sealed.starts_with("imported$1$") && !sealed.contains(&hash[20..]), "{sealed}");
        let before = server.context().login.pool().started();
        client.password_grant(&account(name, "correct horse battery stapl")).is_refused("invalid_grant");
        assert_eq!(server.context().login.pool().started() - before, 1, "one job in the pool, as for any account");
        assert_eq!(stored(&server, name), sealed, "a wrong password changes nothing");

        client.password_grant(&account(name, PASSWORD)).ok();
        let ours = stored(&server, name);
        assert!(ours.starts_with("grantor$1$p=1$$2b$04$"), "{ours}");
        client.password_grant(&account(name, PASSWORD)).ok();
        assert_eq!(stored(&server, name), ours);
        client.password_grant(&account(name, "wrong")).is_refused("invalid_grant");
    }
}

#[rstest]
fn what_was_cut_at_72_bytes_elsewhere_counts_as_a_whole_after_the_first_sign_in(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let cut = "$2b$04$SxiOG26JaplunybE7Fa02.N8rOTuYHcRehKztq/LqTkW7PUTNvpp.";
    imported(&server, &lines(&[("long", cut)])).unwrap();
    let own = format!("{} and a tail", "x".repeat(80));
    client.password_grant(&account("long", &"x".repeat(71))).is_refused("invalid_grant");
    client.password_grant(&account("long", &own)).ok();
    client.password_grant(&account("long", &own)).ok();
    client.password_grant(&account("long", &"x".repeat(80))).is_refused("invalid_grant");
}

#[rstest]
fn two_hundred_first_sign_ins_at_once_all_succeed(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    imported(&server, &lines(&MADE_ELSEWHERE[..1])).unwrap();
    let succeeded = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                client.password_grant(&account("bcrypt", PASSWORD)).ok();
                succeeded.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(succeeded.into_inner(), 200);
    assert!(stored(&server, "bcrypt").starts_with("grantor$1$"));
    client.password_grant(&account("bcrypt", "wrong")).is_refused("invalid_grant");
}

#[rstest]
fn the_users_of_a_keycloak_realm_sign_in_with_the_passwords_that_they_have(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    server.run(async |context, by| {
        roles::create(
            context,
            by,
            None,
            &grantor::admin::roles::RoleRequest { name: "buyer".to_owned(), ..Default::default() },
        )
        .await
        .unwrap()
    });
    let export = include_str!("keycloak-realm.json");

    let done = imported(&server, export).unwrap();

    assert_eq!((done.format, done.imported, done.without_password), ("keycloak", 5, 1));
    let accounts_of_clients: Vec<_> = done.skipped.iter().map(|skipped| skipped.reason).collect();
    assert_eq!(accounts_of_clients, ["it is the account of a client"]);
    // A foreign role called `administrator` makes nobody an administrator here.
    let left_out: Vec<&str> = done.roles_left_out.iter().map(String::as_str).collect();
    assert_eq!(left_out, ["administrator", "default-roles-shop"]);
    for name in ["amelie", "bruno", "chen"] {
        client.password_grant(&account(name, "wrong")).is_refused("invalid_grant");
        client.password_grant(&account(name, PASSWORD)).ok();
        assert!(stored(&server, name).starts_with("grantor$1$"));
    }
    client.password_grant(&account("dana", PASSWORD)).is_refused("invalid_grant");
    client.password_grant(&account("erin", PASSWORD)).is_refused("invalid_grant");
    let (amelie, buyer) = server.run(async |context, by| {
        let user = users::find(context, by, "amelie").await.unwrap();
        let buyer = roles::find(context, by, &user.organization_id, "buyer").await.unwrap();
        (user, buyer)
    });
    assert_eq!((amelie.first_name.as_str(), amelie.last_name.as_str()), ("Amélie", "Dupont"));
    assert_eq!((amelie.email.as_deref(), amelie.role_ids), (Some("amelie@example.com"), vec![buyer.id]));

    let again = imported(&server, export).unwrap();
    assert_eq!((again.imported, again.skipped.len()), (0, 6));
    client.password_grant(&account("amelie", PASSWORD)).ok();
}

#[rstest]
fn everything_is_checked_before_anything_is_written(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    server.person().username("there").change(|new| new.email = Some("taken@example.com".to_owned())).create();
    let good = r#"{"username":"good"}"#;
    let costly = r#"{"username":"b","password_hash":"$pbkdf2-sha256$i=5000001,l=32$AAECAwQFBgcICQoLDA0ODw$ppsXnjrdPB4KryJ6DrOqKqhkWrhv7PbKAMF1Eml8cZ4"}"#;
    for (line, wanted) in [
        (r#"{"username":"a:b"}"#, "line 2: username: has no colon"),
        (r#"{"kind":"person"}"#, "line 2: username: has 1 to 255 bytes"),
        (r#"{"username":"b","kind":"robot"}"#, "line 2: kind: `robot` is not one of: person, api_user"),
        (r#"{"username":"b","email":"nowhere"}"#, "line 2: email: is no e-mail address"),
        (r#"{"username":"b","email":"TAKEN@example.com"}"#, "line 2: email: is another user's already"),
        (r#"{"username":"b","emial":"b@example.com"}"#, "line 2: emial: is not a field"),
        (r#"{"username":"b","roles":"buyer"}"#, "line 2: roles: is not a list of texts"),
        (r#"{"username":"b","roles":["king"]}"#, "line 2: roles: there is no role `king`"),
        (r#"{"username":"b","organization":"elsewhere"}"#, "line 2: organization: is not here"),
        (r#"{"username":"b","password_hash":"hunter2hunter2"}"#, "line 2: password_hash: is none of the known formats"),
        (costly, "line 2: password_hash: asks for too much work: PBKDF2 has 5000000 iterations at most, not 5000001"),
        (r#"{"username":"good"}"#, "line 2: username: is that of line 1 already"),
        (r#"{"username":"#, "line 2: record: is not JSON"),
    ] {
        let error = imported(&server, &format!("{good}\n{line}\n")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("nothing was imported: {wanted}")), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        assert!(server.run(async |context, by| users::find(context, by, "good").await.is_err()), "{line}");
    }
}

#[rstest]
fn an_import_of_many_users_leaves_an_event_for_each(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let names: Vec<String> = (0..250).map(|n| format!("person{n}")).collect();
    let users: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), MADE_ELSEWHERE[0].1)).collect();
    assert_eq!(imported(&server, &lines(&users)).unwrap().imported, 250);
    let last = server.run(async |context, by| users::find(context, by, "person249").await.unwrap());
    let events = audit_events_of(&server, &last.id);
    assert_eq!(events, ["user.imported kind=person password_hash=bcrypt"]);
}

fn audit_events_of(server: &Server, user_id: &str) -> Vec<String> {
    let id = user_id.to_owned();
    let events = server.run(async |context, _| {
        context.store.read(move |db| grantor::store::audit::about(db, "user", &id)).await.unwrap()
    });
    events.into_iter().map(|event| format!("{} {}", event.action, event.details)).collect()
}
