//! Links that work once: one winner, one purpose, one end.

use std::sync::Barrier;

use grantor::admin::redemption::{RedemptionError, redeem_set_password, redeem_verification};
use grantor::admin::{Authority, links, users};
use grantor::crypto::secret::SecretString;
use grantor::crypto::token_format::{ONE_TIME_PREFIX, mint};
use grantor::model::audit::Actor;
use grantor::model::mail::LinkPurpose;
use grantor::model::user::UserStatus;
use grantor::store::{audit, one_time_links};
use rstest::rstest;
use serde_json::{Value, json};

use super::{invited, is_refused_link, newest_token, outbox, post_json, redeem, statement, token_of};
use crate::harness::{Answer, Database, Server};

const PASSWORD: &str = "correct-horse-battery-staple";

/// Redeems fifty times at once.
fn fifty(server: &Server, body: &Value) -> Vec<Answer> {
    let barrier = Barrier::new(50);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    redeem(server, body)
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

#[rstest]
fn of_fifty_that_redeem_a_link_at_once_one_wins(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).start();
    let id = invited(&server, "jdoe", "jdoe@example.org");
    for purpose in ["verify_email", "set_password"] {
        let answers = fifty(&server, &json!({ "token": newest_token(&server), "password": PASSWORD }));
        let (won, lost): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 49), "{answers:#?}");
        assert_eq!(won[0].json()["purpose"], purpose);
        lost.into_iter().for_each(is_refused_link);
    }
    // Mail one and mail two: the losers have sent nothing.
    assert_eq!(outbox(&server).len(), 2);
    let events = server.run(async |context, _| context.store.read(move |db| audit::about(db, "user", &id)).await);
    let actions: Vec<String> = events.unwrap().into_iter().map(|event| event.action).collect();
    assert_eq!(actions, ["user.email_verified", "user.password_changed"]);
}

#[rstest]
fn an_unknown_a_used_an_expired_and_a_malformed_link_get_one_refusal(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).start();
    invited(&server, "one", "one@example.org");
    let used = newest_token(&server);
    redeem(&server, &json!({ "token": used })).ok();
    invited(&server, "two", "two@example.org");
    let expired = newest_token(&server);
    server.clock.advance(7 * 86_400);
    invited(&server, "three", "three@example.org");
    let good = newest_token(&server);
    let unknown = mint(ONE_TIME_PREFIX, &server.context().random).into_exposed();
    let mut texts = Vec::new();
    for token in [used.as_str(), &expired, &unknown, &format!("{good}x"), &good[..good.len() - 7], "", "gr_ot_"] {
        for further in [json!({}), json!({ "password": PASSWORD }), json!({ "phone": "1" })] {
            let mut body = further;
            body["token"] = token.into();
            let answer = redeem(&server, &body);
            is_refused_link(&answer);
            texts.push(answer.without_request_id());
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    redeem(&server, &json!({ "token": good })).ok();
}

#[rstest]
fn a_link_of_one_purpose_does_nothing_else(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).start();
    invited(&server, "jdoe", "jdoe@example.org");
    let origin = Actor::server();
    let password = SecretString::from(PASSWORD);
    let verification = newest_token(&server);
    server.run(async |context, _| {
        let refused = redeem_set_password(context, &origin, &verification, &password).await;
        assert!(matches!(refused, Err(RedemptionError::Refused)), "{refused:?}");
        redeem_verification(context, &origin, &verification, None).await.expect("it was not used up");
    });
    let setting = newest_token(&server);
    server.run(async |context, _| {
        let refused = redeem_verification(context, &origin, &setting, None).await;
        assert!(matches!(refused, Err(RedemptionError::Refused)), "{refused:?}");
        redeem_set_password(context, &origin, &setting, &password).await.expect("it was not used up");
    });
    // Nor is it a credential of another kind.
    assert_eq!(server.get_with_token("/api/v1/me", &setting).status, 401);
}

#[rstest]
fn a_set_up_link_lives_for_half_an_hour_and_activates(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).start();
    let admin = server.run(async |context, by| users::find(context, by, "admin").await.unwrap());
    let link = || {
        server.run(async |context, _| {
            let made = links::make(context, LinkPurpose::SetUp, &admin.id, None);
            let stored = made.clone();
            context.store.write(move |db| links::store(db, &stored)).await.unwrap();
            token_of(links::url(context, &made).expose())
        })
    };
    let late = link();
    server.clock.advance(30 * 60);
    is_refused_link(&redeem(&server, &json!({ "token": late, "password": PASSWORD })));
    let (first, second) = (link(), link());
    let answer = redeem(&server, &json!({ "token": first, "password": PASSWORD })).ok();
    assert_eq!(answer.json(), json!({ "purpose": "set_up", "status": "active", "password_link_sent": false }));
    // A password that was set takes back every link that would set another one.
    is_refused_link(&redeem(&server, &json!({ "token": second, "password": "another fine long passphrase" })));
}

#[rstest]
fn a_link_ends_with_the_address_the_account_or_the_password_that_it_was_for(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).start();
    let by = Authority::operator();
    let link_of = |name: &str| {
        let email = format!("{name}@example.org");
        let user = server.person().change(|new| new.email = Some(email.clone())).username(name).create();
        server.run(async |context, _| links::send_reset(context, &by, name).await.unwrap());
        (user, newest_token(&server))
    };
    let set = |token: &str| redeem(&server, &json!({ "token": token, "password": PASSWORD }));

    let (moved, token) = link_of("moved");
    statement(&server, format!("UPDATE users SET email = 'new@example.org' WHERE id = '{}'", moved.id));
    is_refused_link(&set(&token));

    let (disabled, token) = link_of("disabled");
    server.run(async |context, by| {
        users::set_status(context, by, &disabled.id, UserStatus::Disabled).await.unwrap();
    });
    is_refused_link(&set(&token));

    let (changed, token) = link_of("changed");
    server.run(async |context, by| {
        let chosen = SecretString::from("set by an administrator meanwhile");
        grantor::admin::passwords::set(context, by, &changed.id, &chosen).await.unwrap();
    });
    is_refused_link(&set(&token));

    // A lock does not keep its owner out for ever.
    let (locked, token) = link_of("locked");
    statement(&server, format!("UPDATE users SET status = 'locked' WHERE id = '{}'", locked.id));
    assert_eq!(set(&token).ok().json()["status"], "active");
}

#[rstest]
fn a_link_bears_five_wrong_telephone_numbers(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).start();
    let id = invited(&server, "jdoe", "jdoe@example.org");
    statement(&server, format!("UPDATE users SET phone = '9195551234' WHERE id = '{id}'"));
    let token = newest_token(&server);
    for number in 0..5 {
        let wrong = format!("919555000{number}");
        assert_eq!(redeem(&server, &json!({ "token": token, "phone": wrong })).status, 422);
    }
    let blocked = redeem(&server, &json!({ "token": token, "phone": "9195551234" }));
    assert_eq!((blocked.status, blocked.header("retry-after")), (429, "3600"), "{blocked:?}");
    server.clock.advance(3601);
    redeem(&server, &json!({ "token": token, "phone": "9195551234" })).ok();
}

#[rstest]
fn the_body_is_read_strictly_and_nothing_of_it_comes_back(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).start();
    for (path, good) in [("/api/v1/links/redeem", "token"), ("/api/v1/password-resets", "username")] {
        let with = |member: &str| format!("{{\"{good}\":\"canary\",{member}}}");
        for (body, status) in [
            (with("\"admin\":\"canary\""), 422),
            (with(&format!("\"{good}\":\"canary\"")), 422),
            (format!("{{\"{good}\":[\"canary\"]}}"), 422),
            (format!("{{\"{good}\":\"canary\"}} canary"), 400),
            ("\"canary\"".to_owned(), 422),
            ("{}".to_owned(), 422),
        ] {
            let answer = server.post_raw(path, "application/json", body.as_bytes(), &[]);
            assert_eq!(answer.status, status, "{body}: {answer:?}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert!(!answer.body.contains("canary"), "{answer:?}");
        }
        let form = server.post(path, &[(good, "canary")], &[]);
        assert_eq!(form.status, 415, "{form:?}");
        let long = post_json(&server, path, &json!({ good: "x".repeat(20_000) }));
        assert_eq!(long.status, 413, "{long:?}");
    }
}

#[rstest]
fn what_is_stored_of_a_link_is_no_link(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).start();
    invited(&server, "jdoe", "jdoe@example.org");
    let message = outbox(&server).remove(0);
    let id = message.link_id.clone().unwrap();
    let link = server.run(async |context, _| context.store.read(move |db| one_time_links::find(db, &id)).await);
    let link = link.unwrap().unwrap();
    for text in [&link.id, &link.digest, &message.id] {
        let body: String = text.chars().filter(char::is_ascii_alphanumeric).cycle().take(43).collect();
        let minted = grantor::crypto::token_format::seal_checksum(&format!("{ONE_TIME_PREFIX}_{body}"));
        is_refused_link(&redeem(&server, &json!({ "token": text })));
        is_refused_link(&redeem(&server, &json!({ "token": minted })));
    }
    redeem(&server, &json!({ "token": newest_token(&server) })).ok();
}
