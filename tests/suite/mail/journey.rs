//! BW7: mail one with the username and a verification, mail two with a link that sets the password.

use rstest::rstest;
use serde_json::json;

use super::smtp_server::{MailServer, header};
use super::{invited, is_refused_link, outbox, redeem, sends_through, statement, token_of};
use crate::harness::{Database, Server, TestUser};

#[rstest]
fn an_invited_user_verifies_the_address_then_sets_the_password_and_then_gets_a_token(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let Some(mail) = MailServer::started() else { return };
    let server = sends_through(Server::with(db), mail.port).start();
    let client = server.confidential_client().grants(["password"]).create();
    let id = invited(&server, "jdoe", "jdoe@example.org");
    statement(&server, format!("UPDATE users SET phone = '9195551234' WHERE id = '{id}'"));
    let password = "correct-horse-battery-staple";
    let user = TestUser { id, username: "jdoe".to_owned(), password: password.to_owned() };

    let first = mail.nth(1);
    assert_eq!((&first["from"], &first["to"]), (&json!("no-reply@example.com"), &json!(["jdoe@example.org"])));
    assert_eq!(header(&first, "from"), "Example <no-reply@example.com>");
    assert_eq!(header(&first, "to"), "jdoe@example.org");
    assert_eq!(header(&first, "subject"), "Example: confirm your e-mail address");
    assert_eq!(header(&first, "auto-submitted"), "auto-generated");
    assert!(header(&first, "content-type").starts_with("text/plain"));
    assert!(!header(&first, "date").is_empty() && header(&first, "message-id").ends_with("@127.0.0.1>"));
    let text = first["text"].as_str().unwrap();
    assert!(text.contains("Username: jdoe\n") && text.contains("https://help.example.com"), "{text}");
    // The secret stands in the fragment, which no server is sent.
    assert!(text.contains(&format!("{}/console/link#gr_ot_", server.base())), "{text}");
    let verification = token_of(text);
    client.password_grant(&user).is_refused("invalid_grant");

    // The telephone number, in the same format as it was entered.
    for phone in [json!(null), json!("919-555-1234"), json!("+19195551234")] {
        let answer = redeem(&server, &json!({ "token": verification, "phone": phone }));
        assert_eq!(answer.status, 422, "{answer:?}");
        assert_eq!(answer.json()["errors"][0]["field"], "phone");
    }
    let verified = redeem(&server, &json!({ "token": verification, "phone": "9195551234" })).ok();
    assert_eq!(verified.json(), json!({ "purpose": "verify_email", "status": "invited", "password_link_sent": true }));
    assert_eq!(verified.header("cache-control"), "no-store");
    client.password_grant(&user).is_refused("invalid_grant");
    is_refused_link(&redeem(&server, &json!({ "token": verification, "phone": "9195551234" })));

    let second = mail.nth(2);
    assert_eq!(header(&second, "subject"), "Example: set your password");
    let setting = token_of(second["text"].as_str().unwrap());
    assert_ne!(setting, verification);
    // What is too weak, or missing, does not use the link up.
    for body in [json!({ "token": setting }), json!({ "token": setting, "password": "too short" })] {
        let answer = redeem(&server, &body);
        assert_eq!((answer.status, &answer.json()["errors"][0]["field"]), (422, &json!("password")), "{answer:?}");
        assert!(!answer.body.contains("too short"));
    }
    let set = redeem(&server, &json!({ "token": setting, "password": password })).ok();
    assert_eq!(set.json(), json!({ "purpose": "set_password", "status": "active", "password_link_sent": false }));
    client.password_grant(&user).ok();
    is_refused_link(&redeem(&server, &json!({ "token": setting, "password": "another fine long passphrase" })));
    client.password_grant(&user).ok();
    assert_eq!((mail.messages().len(), outbox(&server).len()), (2, 2));
}

#[rstest]
fn an_invited_user_with_a_password_may_sign_in_once_the_address_is_verified(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).start();
    let client = server.confidential_client().grants(["password"]).create();
    let other = server.person().create();
    let id = invited(&server, "jdoe", "jdoe@example.org");
    let token = super::newest_token(&server);
    statement(
        &server,
        format!(
            "UPDATE users SET password_kind = 'human', password_hash = (SELECT password_hash FROM users WHERE id = \
             '{}') WHERE id = '{id}'",
            other.id
        ),
    );
    let user = TestUser { id, username: "jdoe".to_owned(), password: other.password };
    client.password_grant(&user).is_refused("invalid_grant");
    let verified = redeem(&server, &json!({ "token": token })).ok().json();
    assert_eq!((&verified["status"], &verified["password_link_sent"]), (&json!("active"), &json!(false)));
    client.password_grant(&user).ok();
    assert_eq!(outbox(&server).len(), 1);
}

#[rstest]
fn a_new_password_ends_what_was_signed_in_and_is_told_of(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let Some(mail) = MailServer::started() else { return };
    let server = sends_through(Server::with(db), mail.port).start();
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let user = server.person().change(|new| new.email = Some("zoe@example.org".to_owned())).create();
    let before = client.password_grant(&user).ok();
    let asked = super::post_json(&server, "/api/v1/password-resets", &json!({ "username": "ZOE@example.org" }));
    assert_eq!(asked.status, 202, "{asked:?}");
    let message = mail.nth(1);
    assert_eq!(header(&message, "subject"), "Example: set a new password");
    let token = token_of(message["text"].as_str().unwrap());
    let password = "größer als alles andere, und länger";
    redeem(&server, &json!({ "token": token, "password": password })).ok();
    client.refresh(&before.refresh_token()).is_refused("invalid_grant");
    assert_eq!(server.get_with_token("/api/v1/me", &before.access_token()).status, 401);
    client.password_grant(&user).is_refused("invalid_grant");
    client.password_grant(&user.with_password(password)).ok();
    let notice = mail.nth(2);
    assert_eq!(header(&notice, "subject"), "Example: your password was changed");
    assert!(!notice["text"].as_str().unwrap().contains("gr_ot_"));
}
