//! Counting.

use std::time::Duration;

use grantor::admin::reports::unused_scopes;
use grantor::admin::usage::{CredentialUsage, Step, Window, of_credential};
use grantor::admin::{AdminError, Authority, clients};
use grantor::login::Network;
use grantor::model::audit::Actor;
use grantor::model::usage::{Counters, Credential, CredentialKind, LastUsed, Tally, UsageDetail};
use grantor::store::usage::{hours_of_all, last_used, last_used_secrets};
use grantor::store::usage_tallies;
use grantor::usage::Usage;
use rstest::rstest;

use crate::harness::{Database, Server, TestClient};
use crate::house::registry::within;
use crate::house::store::execute;
use crate::security::rotation::in_parallel;

fn used(server: &Server, kind: CredentialKind, id: &str, step: Step) -> CredentialUsage {
    let now = server.clock.now();
    let window = Window { since: now.plus_seconds(-30 * 86_400), until: now.plus_seconds(86_400) };
    server.run(async |context, _| of_credential(context, &Authority::operator(), kind, id, window, step).await.unwrap())
}

fn detail(usage: &CredentialUsage, detail: &str, name: &str) -> i64 {
    usage.details.iter().find(|one| one.detail == detail && one.name == name).map_or(0, |one| one.count)
}

#[rstest]
fn counters_are_exact_to_the_request_after_a_clean_stop(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let other = server.second_node();
    let client = server.confidential_client().grants(["client_credentials", "password"]).may_introspect().create();
    let user = server.api_user().create();
    within(Duration::from_secs(2), || client.at(&other).introspect("x").status == 200);
    other.run(async |context, _| context.store_collected(true).await.unwrap());
    let warm = used(&server, CredentialKind::Client, &client.id, Step::Hour).total;

    let wrong = TestClient { secret: "wrong".to_owned(), ..client.clone() };
    in_parallel(8, |n| {
        let node = if n % 2 == 0 { &server } else { &other };
        for _ in 0..50 {
            client.at(node).client_credentials().ok();
        }
        for _ in 0..10 {
            wrong.at(node).client_credentials().is_refused("invalid_client");
            client
                .at(node)
                .token(&[("grant_type", "client_credentials"), ("scope", "no:such")])
                .is_refused("invalid_scope");
            client.at(node).password_grant(&user).ok();
        }
        for _ in 0..5 {
            client.at(node).introspect("x").ok();
        }
    });
    let id = client.id.clone();
    drop(other);
    let server = server.restart();

    let usage = used(&server, CredentialKind::Client, &id, Step::Hour);
    let expected = Counters { issued: 8 * 60, verified: 8 * 5, refused: 8 * 20 };
    assert_eq!(usage.total, expected.plus(warm), "{usage:?}");
    assert_eq!(detail(&usage, "refused", "invalid_client"), 80 + warm.refused);
    assert_eq!(detail(&usage, "refused", "invalid_scope"), 80);
    assert_eq!((detail(&usage, "grant", "client_credentials"), detail(&usage, "grant", "password")), (400, 80));
    assert_eq!(usage.last_used.unwrap().ip, "127.0.0.1");

    let secret = server.run(async |context, by| clients::find(context, by, &id).await.unwrap().secrets.remove(0).id);
    let of_secret = used(&server, CredentialKind::ClientSecret, &secret, Step::Hour).total;
    assert_eq!((of_secret.issued, of_secret.refused), (480, 0));
    let of_user = used(&server, CredentialKind::User, &user.id, Step::Hour);
    assert_eq!(of_user.total, Counters { issued: 80, ..Counters::default() });
    let last = server.run(async |context, _| context.store.read(move |db| last_used_secrets(db, &id)).await.unwrap());
    assert_eq!(last[&secret].ip, "127.0.0.1");
}

#[rstest]
fn hundreds_of_requests_cost_a_handful_of_writes(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).scopes(["orders:read"]).create();
    let wrong = TestClient { secret: "wrong".to_owned(), ..client.clone() };
    let before = server.context().store.figures();
    let started = std::time::Instant::now();
    for _ in 0..300 {
        client.client_credentials().ok();
        wrong.client_credentials().is_refused("invalid_client");
    }
    // One that was due just before may come late.
    let rounds = started.elapsed().as_secs() / 2 + 2;
    let after = server.context().store.figures();
    // In each round of two seconds: counters, scopes, refusals, a seal; and the sealing of what came before.
    let writes = after.writes - before.writes;
    assert!(writes <= rounds * 4 + 4, "{writes} writes in {rounds} rounds");
    assert!(after.batches - before.batches <= writes);
    // Nothing that happens costs nothing.
    server.run(async |context, _| {
        context.store_collected(true).await.unwrap();
        grantor::audit::seal(&context.store, &context.data_keys.audit).await.unwrap();
    });
    let idle = server.context().store.figures().writes;
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(server.context().store.figures().writes, idle);
}

#[rstest]
fn hours_and_days_add_up(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).create();
    // From the beginning of a day on.
    server.clock.advance(86_400 - server.clock.now().seconds().rem_euclid(86_400));
    for (requests, hours) in [(3, 1), (2, 1), (4, 23)] {
        for _ in 0..requests {
            client.client_credentials().ok();
        }
        server.clock.advance(hours * 3600);
    }
    client.client_credentials().ok();
    server.run(async |context, _| context.store_collected(false).await.unwrap());
    let issued = |step| -> Vec<i64> {
        used(&server, CredentialKind::Client, &client.id, step).steps.iter().map(|step| step.counters.issued).collect()
    };
    assert_eq!(issued(Step::Hour), [3, 2, 4, 1]);
    assert_eq!(issued(Step::Day), [9, 1]);
}

#[rstest]
fn the_last_use_of_any_kind_of_credential_is_known_and_never_goes_back(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (usage, key) = (&server.context().usage, Credential::api_key("key-1"));
    let from = |text: &str| Network::of(text.parse().unwrap());
    let last = || {
        let read = |db: &mut grantor::store::Db| last_used(db, CredentialKind::ApiKey, "key-1");
        server.run(async |context, _| {
            context.store_collected(false).await.unwrap();
            context.store.read(read).await.unwrap()
        })
    };
    assert!(last().is_none());
    usage.refused(key, "disabled", from("192.0.2.9"));
    assert!(last().is_none(), "a refusal is no use");
    usage.verified(key, from("192.0.2.1"));
    assert_eq!(last().unwrap().ip, "192.0.2.1");
    server.clock.advance(7200);
    usage.verified(key, from("2001:db8:1:2::5"));
    let newest = last().unwrap();
    assert_eq!(newest.ip, "2001:db8:1:2::/64");
    server.clock.advance(-3600);
    usage.verified(key, from("192.0.2.1"));
    assert_eq!(last(), Some(newest), "a node whose clock is behind");
    assert_eq!(used(&server, CredentialKind::ApiKey, "key-1", Step::Hour).total.verified, 3);
}

#[rstest]
fn a_batch_may_count_a_credential_twice_and_its_latest_use_is_the_one_that_stays(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().create();
    let now = server.clock.now();
    let secret =
        server.run(async |context, by| clients::find(context, by, &client.id).await.unwrap().secrets.remove(0).id);
    let tally = |kind, id: &str, verified, refused, used_before: Option<i64>| Tally {
        kind,
        id: id.to_owned(),
        hour: now.hour(),
        counters: Counters { issued: 0, verified, refused },
        details: vec![(UsageDetail::Refused, "expired", refused)],
        last_used: used_before
            .map(|seconds| LastUsed { at: now.plus_seconds(-seconds), ip: format!("192.0.2.{seconds}") }),
    };
    let (of_secret, of_user) = (CredentialKind::ClientSecret, CredentialKind::User);
    let store = |tallies: Vec<Tally>| {
        let write = move |db: &mut grantor::store::Db| usage_tallies::add(db, &tallies);
        server.run(async |context, _| context.store.write(write).await.unwrap());
    };
    // What a failure has put back is there a second time.
    store(vec![
        tally(of_user, "user-1", 1, 1, None),
        tally(of_secret, &secret, 2, 0, Some(6)),
        tally(of_secret, &secret, 0, 0, Some(5)),
        tally(of_user, "user-1", 3, 4, Some(7)),
        tally(of_secret, &secret, 3, 1, Some(9)),
    ]);
    let noted = || {
        let read = {
            let id = client.id.clone();
            move |db: &mut grantor::store::Db| last_used_secrets(db, &id)
        };
        server.run(async |context, _| context.store.read(read).await.unwrap())[&secret].ip.clone()
    };
    let of_the_hour = |kind, id: &str| {
        let id = id.to_owned();
        let read = move |db: &mut grantor::store::Db| last_used(db, kind, &id);
        server.run(async |context, _| context.store.read(read).await.unwrap()).unwrap().ip
    };
    assert_eq!((noted(), of_the_hour(of_secret, &secret)), ("192.0.2.5".to_owned(), "192.0.2.5".to_owned()));
    store(vec![tally(of_secret, &secret, 10, 0, Some(8)), tally(of_user, "user-1", 10, 0, None)]);
    let older = "an older use changes nothing";
    assert_eq!((noted(), of_the_hour(of_secret, &secret)), ("192.0.2.5".to_owned(), "192.0.2.5".to_owned()), "{older}");
    store(vec![tally(of_secret, &secret, 0, 0, Some(1))]);
    assert_eq!((noted(), of_the_hour(of_secret, &secret)), ("192.0.2.1".to_owned(), "192.0.2.1".to_owned()));

    let secrets = used(&server, of_secret, &secret, Step::Hour);
    assert_eq!(secrets.total, Counters { issued: 0, verified: 15, refused: 1 });
    assert_eq!(detail(&secrets, "refused", "expired"), 1);
    let users = used(&server, of_user, "user-1", Step::Hour);
    assert_eq!(users.total, Counters { issued: 0, verified: 14, refused: 5 });
    assert_eq!(detail(&users, "refused", "expired"), 5);
    assert_eq!(of_the_hour(of_user, "user-1"), "192.0.2.7", "a tally without a use changes nothing");
}

#[rstest]
fn of_many_credentials_in_use_a_flush_stores_a_part_and_the_fourth_the_last_and_of_few_it_stores_all(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    // A collector of the test's own: the server's task empties the server's.
    let usage = Usage::new(server.clock.clone());
    let network = Network::of("192.0.2.1".parse().unwrap());
    let count = |credentials: std::ops::Range<i32>| {
        credentials.for_each(|n| usage.verified(Credential::api_key(&format!("key-{n:04}")), network));
    };
    let stored_after_a_flush = |all| {
        let hour = server.clock.now().hour();
        let read = move |db: &mut grantor::store::Db| {
            hours_of_all(db, CredentialKind::ApiKey, None, hour.plus_seconds(-3600), hour.plus_seconds(3600))
        };
        let hours = server.run(async |context, _| {
            usage.flush(&context.store, all).await.unwrap();
            context.store.read(read).await.unwrap()
        });
        hours.iter().map(|hour| hour.counters.verified).sum::<i64>()
    };
    count(0..150);
    assert_eq!(stored_after_a_flush(false), 150);
    count(0..2000);
    let stored = [(); 4].map(|()| stored_after_a_flush(false) - 150);
    assert!((200..=800).contains(&stored[0]) && stored.windows(2).all(|two| two[1] - two[0] <= 800), "{stored:?}");
    assert_eq!(stored[3], 2000);
    count(0..2000);
    assert!(stored_after_a_flush(false) < 4150);
    assert_eq!(stored_after_a_flush(true), 4150, "at the end of a node");
}

#[rstest]
fn counters_and_scopes_are_kept_while_the_database_refuses_and_belong_to_the_client_of_theirs(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = || server.confidential_client().grants(["client_credentials"]).scopes(["a:read", "a:write"]).create();
    let (reader, writer) = (client(), client());
    server.clock.advance(91 * 86_400);
    let usage = Usage::new(server.clock.clone());
    usage.scopes_given(&reader.id, ["a:read"].into_iter());
    usage.scopes_given(&writer.id, ["a:write"].into_iter());
    let unused = || {
        let rows = server.run(async |context, by| unused_scopes(context, by, 90).await.unwrap());
        let of = |client: &TestClient| -> Vec<String> {
            rows.iter().filter(|row| row.id == client.id).filter_map(|row| row.part.clone()).collect()
        };
        (of(&reader), of(&writer))
    };
    let set = |words: String| {
        let write = move |db: &mut grantor::store::Db| execute(db, &words);
        server.run(async |context, _| context.store.write(write).await.unwrap());
    };
    let network = Network::of("192.0.2.1".parse().unwrap());
    (0..150).for_each(|n| usage.verified(Credential::client(&format!("client-{n}")), network));
    usage.verified(Credential::client(&reader.id), network);
    for (table, away) in [("usage_hours", "hours_away"), ("client_scopes", "scopes_away")] {
        set(format!("ALTER TABLE {table} RENAME TO {away}"));
        server.run(async |context, _| usage.flush(&context.store, true).await.unwrap_err());
        set(format!("ALTER TABLE {away} RENAME TO {table}"));
    }
    assert_eq!(used(&server, CredentialKind::Client, &reader.id, Step::Hour).total.verified, 1);
    let both = || vec!["a:read".to_owned(), "a:write".to_owned()];
    assert_eq!(unused(), (both(), both()));
    server.run(async |context, _| usage.flush(&context.store, true).await.unwrap());
    assert_eq!(unused(), (vec!["a:write".to_owned()], vec!["a:read".to_owned()]));
}

#[rstest]
fn another_organization_sees_no_usage(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().create();
    let now = server.clock.now();
    let window = Window { since: now, until: now.plus_seconds(3600) };
    server.run(async |context, by| {
        let other = grantor::admin::organizations::create(context, by, "Other", "other").await.unwrap();
        let by = |permission: &str| {
            let permissions = [permission.to_owned()].into();
            Authority::in_organization(Actor::command_line(), other.id.clone(), None, permissions)
        };
        let kind = CredentialKind::Client;
        let seen = of_credential(context, &by("audit:read"), kind, &client.id, window, Step::Day).await;
        assert!(matches!(seen, Err(AdminError::NotFound { .. })), "{seen:?}");
        let seen = of_credential(context, &by("users:manage"), kind, &client.id, window, Step::Day).await;
        assert!(matches!(seen, Err(AdminError::Forbidden(_))), "{seen:?}");
    });
}
