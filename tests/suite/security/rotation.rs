//! The table *Rotation*.

use std::collections::HashSet;
use std::sync::Barrier;
use std::thread::ScopedJoinHandle;

use grantor::admin::maintenance;
use grantor::crypto::digest::DigestKey;
use grantor::model::family::Family;
use grantor::oauth::tokens::refresh_token::RefreshToken;
use grantor::store::audit::RecordedEvent;
use grantor::store::{audit, families, instance};
use rstest::rstest;

use crate::harness::{Answer, Database, Server, TestClient, times};
use crate::house::store::execute;

/// How often a race is run: short here, long by `GRANTOR_TEST_ROUNDS`.
pub fn rounds(short: usize) -> usize {
    usize::try_from(times("GRANTOR_TEST_ROUNDS", short as u64)).unwrap()
}

/// Runs a job on so many threads that start together.
pub fn in_parallel<T: Send>(count: usize, job: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (barrier, job) = (&Barrier::new(count), &job);
    std::thread::scope(|scope| {
        let run = |index| {
            scope.spawn(move || {
                barrier.wait();
                job(index)
            })
        };
        let threads: Vec<_> = (0..count).map(run).collect();
        let answers: Result<Vec<T>, _> = threads.into_iter().map(ScopedJoinHandle::join).collect();
        // With its own words.
        answers.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The id of the family behind an answer's tokens.
pub fn family_id(answer: &Answer) -> String {
    answer.claims("access_token")["sid"].as_str().expect("a family").to_owned()
}

/// The family behind an answer's tokens, as it is stored.
pub fn family(server: &Server, answer: &Answer) -> Family {
    let id = family_id(answer);
    server.run(async |context, _| context.store.read(move |db| families::find(db, &id)).await).unwrap().expect("a row")
}

/// The audit events about a family.
fn events(server: &Server, id: &str) -> Vec<RecordedEvent> {
    let id = id.to_owned();
    server.run(async |context, _| context.store.read(move |db| audit::about(db, "token_family", &id)).await).unwrap()
}

#[track_caller]
fn ended_once_because_of(server: &Server, family: &str, reason: &str) {
    let events = events(server, family);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].action, "token_family.revoked");
    assert!(events[0].details.contains(&format!("reason={reason}")), "{events:?}");
}

/// A client with the two grants, and the answer of a first sign-in.
fn signed_in(server: &Server) -> (TestClient<'_>, Answer) {
    let client = server.confidential_client().grants(["password", "refresh_token"]).may_introspect().create();
    let tokens = client.password_grant(&server.api_user().create()).ok();
    (client, tokens)
}

fn is_active(client: &TestClient<'_>, token: &str) -> bool {
    client.introspect(token).ok().json()["active"].as_bool().unwrap()
}

/// A generation of an answer's family that nobody was given.
fn generation(server: &Server, answer: &Answer, generation: i64) -> String {
    let key = &server.context().data_keys.refresh;
    RefreshToken::derive(&family(server, answer), generation, key).unwrap().expose().to_owned()
}

#[rstest]
fn of_200_parallel_uses_with_window_0_exactly_one_succeeds(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let user = server.api_user().create();
    for round in 0..rounds(3) {
        let token = client.password_grant(&user).ok().refresh_token();
        let answers = in_parallel(200, |_| client.refresh(&token));
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "round {round}");
        for answer in &lost {
            assert_eq!(answer.status, 400, "{answer:?}");
            answer.is_refused("invalid_grant");
        }
        // Every losing use was a replay.
        client.refresh(&won[0].refresh_token()).is_refused("invalid_grant");
        ended_once_because_of(&server, &family_id(&won[0]), "reuse");
    }
}

#[rstest]
fn of_200_parallel_uses_with_window_10_all_succeed_with_one_distinct_successor(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.reuse_window", 10).start();
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let user = server.api_user().create();
    for round in 0..rounds(3) {
        let token = client.password_grant(&user).ok().refresh_token();
        let answers = in_parallel(200, |_| client.refresh(&token).ok().refresh_token());
        let distinct: HashSet<_> = answers.into_iter().collect();
        assert_eq!(distinct.len(), 1, "round {round}");
        let next = client.refresh(distinct.iter().next().unwrap()).ok();
        assert_eq!(family(&server, &next).generation, 3, "round {round}");
    }
}

#[rstest]
fn a_replay_inside_the_window_gets_the_same_successor_and_one_after_it_ends_the_family(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.reuse_window", 10).start();
    let (client, first) = signed_in(&server);
    let second = client.refresh(&first.refresh_token()).ok();
    server.clock.advance(8);
    let again = client.refresh(&first.refresh_token()).ok();
    assert_eq!(again.refresh_token(), second.refresh_token());
    assert_ne!(again.access_token(), second.access_token());
    server.clock.advance(3);

    client.refresh(&first.refresh_token()).is_refused("invalid_grant");

    client.refresh(&second.refresh_token()).is_refused("invalid_grant");
    for answer in [&first, &second, &again] {
        assert!(!is_active(&client, &answer.access_token()), "the family's access tokens die with it");
    }
    ended_once_because_of(&server, &family_id(&first), "reuse");
}

#[rstest]
fn a_repeated_use_does_not_lengthen_the_window(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("refresh.reuse_window", 10).start();
    let (client, first) = signed_in(&server);
    client.refresh(&first.refresh_token()).ok();
    server.clock.advance(7);
    client.refresh(&first.refresh_token()).ok();
    server.clock.advance(4);
    client.refresh(&first.refresh_token()).is_refused("invalid_grant");
}

#[rstest]
fn once_the_successor_was_used_a_replay_ends_the_family_inside_the_window_too(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.reuse_window", 60).start();
    let (client, first) = signed_in(&server);
    let second = client.refresh(&first.refresh_token()).ok();
    let third = client.refresh(&second.refresh_token()).ok();

    client.refresh(&first.refresh_token()).is_refused("invalid_grant");

    client.refresh(&third.refresh_token()).is_refused("invalid_grant");
    ended_once_because_of(&server, &family_id(&first), "reuse");
}

#[rstest]
fn the_window_is_the_clients_own_where_it_has_one(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("refresh.reuse_window", 60).start();
    let strict = server
        .confidential_client()
        .grants(["password", "refresh_token"])
        .change(|client| client.reuse_window = Some(0))
        .create();
    let first = strict.password_grant(&server.api_user().create()).ok();
    strict.refresh(&first.refresh_token()).ok();
    strict.refresh(&first.refresh_token()).is_refused("invalid_grant");
}

#[rstest]
fn a_replay_by_another_client_or_with_a_bad_mac_revokes_nothing(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let (client, first) = signed_in(&server);
    let other = server.confidential_client().grants(["password", "refresh_token"]).create();
    let second = client.refresh(&first.refresh_token()).ok();

    other.refresh(&first.refresh_token()).is_refused("invalid_grant");
    let stored = family(&server, &first);
    for generation in [1, 2, 3, 1_000_000] {
        let forged = RefreshToken::derive(&stored, generation, &DigestKey::new([7; 32])).unwrap();
        client.refresh(forged.expose()).is_refused("invalid_grant");
    }
    let salted = Family { salt: "another".to_owned(), ..stored };
    let forged = RefreshToken::derive(&salted, 2, &server.context().data_keys.refresh).unwrap();
    client.refresh(forged.expose()).is_refused("invalid_grant");

    assert!(events(&server, &family_id(&first)).is_empty());
    client.refresh(&second.refresh_token()).ok();
}

#[rstest]
fn a_public_client_that_names_itself_counts_as_the_familys_client(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let client = server.public_client().grants(["password", "refresh_token"]).create();
    let first = client.password_grant(&server.api_user().create()).ok();
    let second = client.refresh(&first.refresh_token()).ok();
    client.refresh(&first.refresh_token()).is_refused("invalid_grant");
    client.refresh(&second.refresh_token()).is_refused("invalid_grant");
    ended_once_because_of(&server, &family_id(&first), "reuse");
}

#[rstest]
fn a_replay_on_a_dead_family_writes_nothing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let (client, first) = signed_in(&server);
    client.refresh(&first.refresh_token()).ok();
    client.refresh(&first.refresh_token()).is_refused("invalid_grant");
    let changes = || server.run(async |context, _| context.store.read(instance::changes).await).unwrap();
    let (before, ended) = (changes(), family(&server, &first).revoked_at);

    server.clock.advance(1);
    for _ in 0..3 {
        client.refresh(&first.refresh_token()).is_refused("invalid_grant");
    }

    assert_eq!((changes(), family(&server, &first).revoked_at), (before, ended));
    ended_once_because_of(&server, &family_id(&first), "reuse");
}

#[rstest]
fn a_generation_above_the_stored_one_proves_that_the_database_went_back_and_ends_the_family(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.reuse_window", 60).start();
    let (client, first) = signed_in(&server);
    let ahead = generation(&server, &first, 2);

    client.refresh(&ahead).is_refused("invalid_grant");

    client.refresh(&first.refresh_token()).is_refused("invalid_grant");
    ended_once_because_of(&server, &family_id(&first), "restored");
}

#[rstest]
fn a_replay_is_detected_after_a_restart(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("refresh.reuse_window", 10).start();
    let (client, first) = signed_in(&server);
    let (id, secret) = (client.id.clone(), client.secret.clone());
    let second = client.refresh(&first.refresh_token()).ok();
    server.clock.advance(11);

    let server = server.restart();
    let client = TestClient { server: &server, id, secret };
    client.refresh(&first.refresh_token()).is_refused("invalid_grant");

    client.refresh(&second.refresh_token()).is_refused("invalid_grant");
    assert!(!is_active(&client, &second.access_token()));
    ended_once_because_of(&server, &family_id(&first), "reuse");
}

#[rstest]
fn a_replay_is_detected_after_the_sweeper(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("refresh.reuse_window", 10).start();
    let (client, first) = signed_in(&server);
    let mut token = first.refresh_token();
    // Three months of a life that is used every ten days, to its end.
    for _ in 0..8 {
        token = client.refresh(&token).ok().refresh_token();
        server.clock.advance(10 * 86_400);
        server.run(async |context, _| maintenance::round(context).await).unwrap();
    }
    client.refresh(&first.refresh_token()).is_refused("invalid_grant");
    client.refresh(&token).is_refused("invalid_grant");
    ended_once_because_of(&server, &family_id(&first), "reuse");
}

#[rstest]
fn the_sweeper_drops_a_family_only_when_no_access_token_of_it_can_be_alive(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.absolute_lifetime", 86_400).set("refresh.idle_lifetime", 86_400).start();
    let (_, first) = signed_in(&server);
    let id = family_id(&first);
    let sweep = || server.run(async |context, _| maintenance::round(context).await).unwrap();
    let is_there = || {
        let id = id.clone();
        server.run(async |context, _| context.store.read(move |db| families::find(db, &id)).await).unwrap().is_some()
    };
    server.clock.advance(2 * 86_400 - 10);
    sweep();
    assert!(is_there());
    server.clock.advance(20);
    sweep();
    assert!(!is_there());
}

#[rstest]
fn a_refused_refresh_does_not_spend_the_token(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let (client, first) = signed_in(&server);
    let token = first.refresh_token();
    let refresh =
        |further: (&str, &str)| client.token(&[("grant_type", "refresh_token"), ("refresh_token", &token), further]);
    refresh(("scope", "more")).is_refused("invalid_scope");
    refresh(("scope", "a \" quote")).is_refused("invalid_scope");
    refresh(("resource", "https://elsewhere.example")).is_refused("invalid_target");
    let wrong = TestClient { secret: "wrong".to_owned(), ..client.clone() };
    wrong.refresh(&token).is_refused("invalid_client");
    let api_access = |on: i64| {
        let statement = format!("UPDATE users SET access_api = {on} WHERE kind = 'api_user'");
        server.run(async |context, _| context.store.write(move |db| execute(db, &statement)).await).unwrap();
    };
    api_access(0);
    client.refresh(&token).is_refused("invalid_grant");
    api_access(1);

    assert_eq!(family(&server, &first).generation, 1);
    client.refresh(&token).ok();
}

#[rstest]
fn a_failed_commit_leaves_the_old_token_good(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let (client, first) = signed_in(&server);
    let (break_it, mend_it) = match db {
        Database::Sqlite => (
            "CREATE TRIGGER broken AFTER UPDATE ON families BEGIN SELECT RAISE(ROLLBACK, 'disk I/O error'); END",
            "DROP TRIGGER broken",
        ),
        // Refuses at the commit, as a broken disk would.
        Database::Postgres => (
            "CREATE FUNCTION broken() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'disk'; END $$ LANGUAGE plpgsql;
             CREATE CONSTRAINT TRIGGER broken AFTER UPDATE ON families DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION broken()",
            "DROP TRIGGER broken ON families",
        ),
    };
    let run = |statement: &'static str| {
        server.run(async |context, _| context.store.write(move |db| execute(db, statement)).await).unwrap();
    };
    run(break_it);
    for _ in 0..3 {
        let answer = client.refresh(&first.refresh_token());
        assert!(answer.status >= 500, "{answer:?}");
        assert!(!answer.body.contains("refresh_token"), "{answer:?}");
    }
    run(mend_it);

    client.refresh(&first.refresh_token()).ok();
}

#[rstest]
fn a_revocation_that_races_a_refresh_leaves_nothing_alive(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values(0, 10)] window: i64,
) {
    let server = Server::with(db).set("refresh.reuse_window", window).start();
    let client = server.confidential_client().grants(["password", "refresh_token"]).may_introspect().create();
    let user = server.api_user().create();
    for _ in 0..rounds(15) {
        let first = client.password_grant(&user).ok();
        let answers = in_parallel(8, |index| {
            let token = first.refresh_token();
            if index % 4 == 0 { client.revoke(&token).ok() } else { client.refresh(&token) }
        });
        client.refresh(&first.refresh_token()).is_refused("invalid_grant");
        assert!(!is_active(&client, &first.access_token()));
        for won in answers.iter().filter(|answer| answer.body.contains("access_token")) {
            client.refresh(&won.refresh_token()).is_refused("invalid_grant");
            assert!(!is_active(&client, &won.access_token()));
            assert!(!is_active(&client, &won.refresh_token()));
        }
        assert_eq!(events(&server, &family_id(&first)).len(), 1);
    }
}

#[rstest]
fn the_101st_family_of_a_user_and_client_takes_the_place_of_the_oldest(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (client, _) = signed_in(&server);
    let (user, other) = (server.api_user().create(), server.api_user().create());
    let others = client.password_grant(&other).ok();
    let mut signed_in: Vec<Answer> = (0..100).map(|_| client.password_grant(&user).ok()).collect();
    signed_in[0] = client.refresh(&signed_in[0].refresh_token()).ok();
    let oldest = signed_in[0].clone();

    let newest = client.password_grant(&user).ok();

    client.refresh(&oldest.refresh_token()).is_refused("invalid_grant");
    client.refresh(&signed_in[1].refresh_token()).ok();
    client.refresh(&newest.refresh_token()).ok();
    client.refresh(&others.refresh_token()).ok();
}

#[rstest]
fn a_family_ends_when_it_is_idle_and_in_any_case_at_its_absolute_end(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.idle_lifetime", 1000).set("refresh.absolute_lifetime", 2500).start();
    let (client, idle) = signed_in(&server);
    let used = client.password_grant(&server.api_user().create()).ok();
    server.clock.advance(990);
    let used = client.refresh(&used.refresh_token()).ok();
    server.clock.advance(15);
    client.refresh(&idle.refresh_token()).is_refused("invalid_grant");
    server.clock.advance(980);
    let used = client.refresh(&used.refresh_token()).ok();
    let expiry = client.introspect(&used.refresh_token()).ok().json()["exp"].as_i64().unwrap();
    let end = family(&server, &used).absolute_expires_at.seconds();
    assert_eq!(expiry, end, "the earlier of the two ends");
    server.clock.advance(530);
    client.refresh(&used.refresh_token()).is_refused("invalid_grant");
    assert!(events(&server, &family_id(&used)).is_empty(), "expiry is no event");
}

#[rstest]
fn introspection_calls_every_generation_but_the_current_one_inactive(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.reuse_window", 60).start();
    let (client, first) = signed_in(&server);
    let second = client.refresh(&first.refresh_token()).ok();
    let third = client.refresh(&second.refresh_token()).ok();
    let ahead = generation(&server, &first, 4);

    assert!(is_active(&client, &third.refresh_token()));
    for token in [first.refresh_token(), second.refresh_token(), ahead] {
        assert_eq!(client.introspect(&token).ok().body, r#"{"active":false}"#);
    }
    // A question is no use.
    client.refresh(&third.refresh_token()).ok();
}

#[rstest]
fn a_replay_that_asks_for_a_wider_scope_ends_the_family_too(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let (client, first) = signed_in(&server);
    let second = client.refresh(&first.refresh_token()).ok();
    let old = first.refresh_token();
    let wide = [("grant_type", "refresh_token"), ("refresh_token", old.as_str()), ("scope", "everything")];
    client.token(&wide).is_refused("invalid_grant");
    client.refresh(&second.refresh_token()).is_refused("invalid_grant");
    ended_once_because_of(&server, &family_id(&first), "reuse");
}
