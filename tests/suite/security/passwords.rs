//! The table *Passwords*.

use std::time::Instant;

use grantor::admin::users::{self, UserRequest};
use grantor::crypto::secret::SecretString;
use grantor::model::user::UserStatus;
use rstest::rstest;

use crate::harness::{Database, Server, TestClient, TestUser};

fn hashes(server: &Server) -> u64 {
    server.context().login.pool().started()
}

fn stored_hash(server: &Server, user: &TestUser) -> String {
    server.run(async |context, by| users::find(context, by, &user.username).await.unwrap().password.unwrap().1)
}

#[rstest]
fn two_ways_of_writing_one_character_are_one_password(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let (composed, decomposed) = ("Z\u{fc}rich im Fr\u{fc}hling", "Zu\u{308}rich im Fru\u{308}hling");
    for (set, typed) in [(composed, decomposed), (decomposed, composed)] {
        let user = server.person().password(set).create();
        client.password_grant(&user.with_password(typed)).ok();
        client.password_grant(&user).ok();
        client.password_grant(&user.with_password("Zurich im Fruhling")).is_refused("invalid_grant");
    }
}

#[rstest]
fn what_stands_after_72_bytes_counts(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let start: String = ('a'..='z').cycle().take(72).collect();
    let user = server.person().password(&format!("{start} one")).create();
    client.password_grant(&user).ok();
    for other in [format!("{start} two"), start.clone(), format!("{start} one more")] {
        client.password_grant(&user.with_password(&other)).is_refused("invalid_grant");
    }
}

#[rstest]
fn a_password_with_nul_is_no_parameter_and_costs_nothing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    let before = hashes(&server);
    for text in [format!("{}\0", user.password), format!("{0}\0{0}", user.password), "\0".to_owned()] {
        let answer = client.password_grant(&user.with_password(&text));
        answer.is_refused("invalid_request");
        assert_eq!(answer.status, 400);
    }
    assert_eq!(hashes(&server), before);
}

#[rstest]
fn empty_and_over_long_passwords_are_refused_as_wrong_ones_are(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    let wrong = client.password_grant(&user.with_password("a wrong passphrase"));
    for text in [String::new(), "ü".repeat(300), "x".repeat(257)] {
        let before = hashes(&server);
        let answer = client.password_grant(&user.with_password(&text));
        assert_eq!((answer.status, answer.without_request_id()), (400, wrong.without_request_id()));
        assert_eq!(hashes(&server) - before, 1, "it costs what a wrong one costs");
    }
    let longest = "ü".repeat(256);
    let other = server.person().password(&longest).create();
    client.password_grant(&other).ok();
}

#[rstest]
fn a_mebibyte_of_password_is_refused_without_hashing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    let before = hashes(&server);
    let answer = client.password_grant(&user.with_password(&"x".repeat(1 << 20)));
    assert_eq!(answer.status, 413);
    answer.is_refused("invalid_request");
    assert_eq!(hashes(&server), before);
    client.password_grant(&user).ok();
}

#[rstest]
fn after_the_first_start_no_password_and_no_secret_opens_anything(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("limits.enabled", false).start();
    let (users, clients) = server.run(async |context, by| {
        let users = users::page(context, by, Default::default(), "", 100).await.unwrap();
        (users, grantor::admin::clients::page(context, by, Default::default(), "", 100).await.unwrap())
    });
    assert_eq!(users.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["admin"]);
    let admin = server.run(async |context, by| users::find(context, by, "admin").await.unwrap());
    assert_eq!((admin.status, admin.password), (UserStatus::Invited, None));
    assert_eq!(clients.iter().map(|client| client.client_id.as_str()).collect::<Vec<_>>(), ["programmatic-users"]);
    assert!(clients[0].secrets.is_empty());

    let confidential = server.confidential_client().grants(["password"]).create();
    let programmatic = TestClient { server: &server, id: "programmatic-users".into(), secret: String::new() };
    for password in ["", "admin", "password", "grantor", "changeme", "changeit", "secret", "root", "123456", "null"] {
        let user = TestUser { id: admin.id.clone(), username: "admin".into(), password: password.into() };
        confidential.password_grant(&user).is_refused("invalid_grant");
        programmatic.password_grant(&user).is_refused("invalid_grant");
    }
}

/// Makes a person with this password, by the verb that every face shares.
fn made(server: &Server, username: &str, password: &str) -> Result<(), String> {
    let request = UserRequest {
        username: username.to_owned(),
        password: Some(SecretString::from(password)),
        ..UserRequest::default()
    };
    server.run(async |context, by| {
        users::create(context, by, &request).await.map(|_| ()).map_err(|error| error.to_string())
    })
}

#[rstest]
fn common_short_and_generated_looking_passwords_cannot_be_chosen(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let generated = server.api_user().create().password;
    for (password, why) in [
        ("passwordpassword", "common"),
        ("PasswordPassword", "common"),
        ("123456789012345", "common"),
        ("aaaaaaaaaaaaaaa", "common"),
        ("fourteen chars", "at least 15"),
        ("", "empty"),
        (&"x y".repeat(100), "256"),
        (&generated, "generated"),
    ] {
        let refusal = made(&server, "somebody", password).unwrap_err();
        assert!(refusal.contains(why), "{password:?}: {refusal}");
        assert!(password.is_empty() || !refusal.contains(password), "{refusal}");
    }
    made(&server, "somebody", "violet trombone 7").unwrap();
    let refusal = server.run(async |context, by| {
        let common = SecretString::from("passwordpassword");
        grantor::admin::passwords::set(context, by, "somebody", &common).await.unwrap_err().to_string()
    });
    assert!(refusal.contains("common"), "{refusal}");
}

#[rstest]
#[case("correct-horse-battery-staple")]
#[case("myAPIuserPassword-42 long")]
fn documented_passwords_are_accepted(
    #[case] password: &str,
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    made(&server, "somebody", password).unwrap();
    let client = server.confidential_client().grants(["password"]).create();
    let user = TestUser { id: String::new(), username: "somebody".into(), password: password.into() };
    client.password_grant(&user).ok();
}

#[rstest]
fn a_sign_in_after_the_cost_was_raised_renews_the_hash_and_ends_nobodys_tokens(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let user = server.person().create();
    let tokens = client.password_grant(&user).ok();
    let old = stored_hash(&server, &user);
    assert!(old.contains("$2b$04$"), "{old}");
    let costly = server.second_node_with(&[("passwords.bcrypt_cost", "6")]);
    let there = client.at(&costly);

    there.password_grant(&user.with_password("a wrong passphrase")).is_refused("invalid_grant");
    assert_eq!(stored_hash(&server, &user), old, "a wrong password renews nothing");
    there.password_grant(&user).ok();

    let new = stored_hash(&server, &user);
    assert!(new.contains("$2b$06$"), "{new}");
    server.get_with_token("/api/v1/me", &tokens.access_token()).ok();
    client.refresh(&tokens.refresh_token()).ok();
    there.password_grant(&user).ok();
    client.password_grant(&user).ok();
    assert_eq!(stored_hash(&server, &user), new, "neither twice, nor back to a lower cost");
    client.password_grant(&user.with_password("a wrong passphrase")).is_refused("invalid_grant");
}

#[rstest]
fn a_hash_of_a_lower_cost_takes_no_less_time_than_an_unknown_account(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("limits.enabled", false).start();
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    let costly = server.second_node_with(&[("passwords.bcrypt_cost", "9")]);
    let fastest = |work: &dyn Fn()| {
        (0..5)
            .map(|_| {
                let started = Instant::now();
                work();
                started.elapsed()
            })
            .min()
            .unwrap()
    };
    let hasher = costly.context().login.hasher();
    let one_hash = fastest(&|| hasher.burn());
    let there = client.at(&costly);
    let wrong = user.with_password("a wrong passphrase");
    let took = fastest(&|| there.password_grant(&wrong).is_refused("invalid_grant"));
    assert!(took >= one_hash.mul_f64(0.7), "{took:?}, and one hash is {one_hash:?}");
}
