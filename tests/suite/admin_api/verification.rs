//! `…/users/{user}/verification`: what an invited user waits for, sent again.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Caller, id_of, made, refused};
use crate::harness::{Database, Server};
use crate::mail::{is_refused_link, newest_token, outbox, redeem};

#[rstest]
fn what_an_invited_user_waits_for_is_told_and_sent_again(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let user = json!({ "username": "zoe", "email": "zoe@example.org" });
    let path = format!("users/{}/verification", id_of(&made(&administrator.post("users", &user))));
    let state = || administrator.get(&path).ok().json();
    let told = |state: &Value| (state["verified"].clone(), state["waits_for"].clone());
    assert_eq!((state()["status"].clone(), state()["email"].clone()), (json!("invited"), json!("zoe@example.org")));
    assert_eq!(told(&state()), (json!(false), json!("verify_email")));
    let send = || administrator.post(&path, &json!({}));
    let first = newest_token(&server);
    let sent = send();
    assert_eq!((sent.status, told(&sent.json())), (202, told(&state())));
    assert_eq!(outbox(&server).len(), 2);
    // The older link opens nothing any more.
    is_refused_link(&redeem(&server, &json!({ "token": first })));
    redeem(&server, &json!({ "token": newest_token(&server) })).ok();
    assert_eq!(told(&state()), (json!(true), json!("set_password")));
    assert_eq!(send().status, 202);
    redeem(&server, &json!({ "token": newest_token(&server), "password": "correct-horse-battery-staple" })).ok();
    assert_eq!(told(&state()), (json!(true), Value::Null));
    let before = outbox(&server).len();
    assert!(refused(&send(), 409).contains("waits for no message"));
    assert_eq!(outbox(&server).len(), before);
}

#[rstest]
fn one_message_is_sent_for_each_idempotency_key(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let administrator = Caller::administrator(&server);
    let user = json!({ "username": "zoe", "email": "zoe@example.org" });
    let path = format!("users/{}/verification", id_of(&made(&administrator.post("users", &user))));
    for _ in 0..3 {
        assert_eq!(administrator.send("POST", &path, None, &[("Idempotency-Key", "once")]).status, 202);
    }
    assert_eq!(outbox(&server).len(), 2);
}

#[rstest]
fn everybody_sees_their_own_and_whoever_manages_users_that_of_others(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (own, other) = (Caller::developer(&server), Caller::developer(&server));
    let path = format!("users/{}/verification", own.user.id);
    let seen = own.get(&path).ok().json();
    assert_eq!((&seen["email"], &seen["verified"], &seen["waits_for"]), (&Value::Null, &json!(false), &Value::Null));
    for answer in [other.get(&path), other.post(&path, &json!({})), own.post(&path, &json!({}))] {
        refused(&answer, 403);
    }
    let administrator = Caller::administrator(&server);
    assert!(refused(&administrator.post(&path, &json!({})), 409).contains("no e-mail address"));
    refused(&administrator.get("users/nobody/verification"), 404);
    administrator.post(&format!("users/{}/disable", own.user.id), &json!({})).ok();
    assert!(refused(&administrator.post(&path, &json!({})), 409).contains("disabled"));
}
