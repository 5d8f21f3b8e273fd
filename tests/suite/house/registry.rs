//! The registry: what a node holds in memory, and when it says that it cannot tell.

use std::time::{Duration, Instant};

use grantor::admin::{clients, maintenance};
use grantor::clock::Clock;
use grantor::model::client::ClientStatus;
use grantor::registry::{Registry, STALE_AFTER};
use grantor::store::{Store, denied_tokens, instance};
use rstest::rstest;

use crate::harness::{Database, Server, TestClient};

/// Waits for something that must become true, and answers how long it took.
#[track_caller]
pub fn within(most: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < most, "not within {most:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    started.elapsed()
}

#[rstest]
fn a_registry_that_was_not_read_for_two_seconds_is_stale_until_it_is_read_again(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let clock = Clock::shifted();
    server.run(async |_, _| {
        let store = Store::open(&server.config().database).unwrap();
        let registry = Registry::load(&store, &clock).await.unwrap();
        assert!(registry.is_fresh());
        // The protocol's clock has no say in this.
        clock.advance(1_000_000);
        assert!(registry.is_fresh());
        std::thread::sleep(STALE_AFTER + Duration::from_millis(50));
        assert!(!registry.is_fresh());
        registry.refresh(&store, &clock).await.unwrap();
        assert!(registry.is_fresh());
    });
    assert_eq!(STALE_AFTER, Duration::from_secs(2));
}

#[rstest]
fn a_change_is_seen_at_the_next_request_of_its_node_and_elsewhere_within_a_second(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let other = server.second_node();
    let client = server.confidential_client().grants(["client_credentials"]).create();
    within(Duration::from_secs(1), || client.at(&other).client_credentials().status == 200);

    server.run(async |context, by| {
        clients::set_status(context, by, &client.id, ClientStatus::Disabled).await.unwrap();
    });
    client.client_credentials().is_refused("invalid_client");
    within(Duration::from_secs(1), || client.at(&other).client_credentials().status == 401);
}

/// Documents that tell the scopes are made anew for a scope, and not for what any client may do.
#[rstest]
fn a_revocation_leaves_the_catalogue_of_scopes_as_it_was(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let seen = || {
        server.run(async |context, _| (context.registry.snapshot().change, context.registry.snapshot().scopes_change))
    };
    let (change, scopes) = seen();
    assert!(scopes > 0 && scopes <= change);

    let token = client.client_credentials().text("access_token");
    client.post("/oauth/revoke", &[("token", &token)]).ok();
    within(Duration::from_secs(1), || seen().0 > change);
    assert_eq!(seen().1, scopes);

    server.confidential_client().scopes(["orders:read"]).create();
    within(Duration::from_secs(1), || seen().1 > change);
}

#[rstest]
fn every_change_raises_the_counter_and_a_reader_misses_none_of_many_writers(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let expires_at = server.clock.now().plus_seconds(3600);
    let before = server.run(async |context, _| context.store.read(instance::changes).await).unwrap();
    let registry = server.run(async |context, _| Registry::load(&context.store, &context.clock).await).unwrap();
    let seen = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let server = &server;
                scope.spawn(move || {
                    server.run(async |context, _| {
                        for number in 0..25 {
                            let jti = format!("{writer}-{number}");
                            context.store.write(move |db| denied_tokens::deny(db, &jti, expires_at)).await.unwrap();
                        }
                    });
                })
            })
            .collect();
        server.run(async |context, _| {
            while writers.iter().any(|writer| !writer.is_finished()) {
                registry.refresh(&context.store, &context.clock).await.unwrap();
            }
            registry.refresh(&context.store, &context.clock).await.unwrap();
        });
        registry.snapshot().clone()
    });
    assert_eq!(seen.change - before, 200);
    for writer in 0..8 {
        for number in 0..25 {
            assert!(seen.is_denied(&format!("{writer}-{number}")), "{writer}-{number}");
        }
    }
}

#[rstest]
fn what_no_living_token_can_meet_is_forgotten(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).create();
    let answer = client.client_credentials().ok();
    let jti = answer.claims("access_token")["jti"].as_str().unwrap().to_owned();
    client.revoke(&answer.access_token()).ok();
    let is_denied = || server.context().registry.snapshot().is_denied(&jti);
    assert!(is_denied());
    server.clock.advance(3601 + 86_400);
    server.run(async |context, _| maintenance::round(context).await).unwrap();
    // Memory is swept with the next change.
    server.confidential_client().create();
    assert!(!is_denied());
}

#[rstest]
fn what_was_revoked_stays_so_when_the_clock_was_ahead_of_its_expiry_for_a_while(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["client_credentials"]).may_introspect().create();
    let token = client.client_credentials().ok().access_token();
    client.revoke(&token).ok();
    server.clock.advance(3601);
    server.run(async |context, _| maintenance::round(context).await).unwrap();
    server.confidential_client().create();
    server.clock.advance(-3601);
    assert_eq!(client.introspect(&token).ok().body, r#"{"active":false}"#);
    // In the table it stands, too.
    let (id, secret) = (client.id, client.secret);
    let server = server.restart();
    let client = TestClient { server: &server, id, secret };
    assert_eq!(client.introspect(&token).ok().body, r#"{"active":false}"#);
}
