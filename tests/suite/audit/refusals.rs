//! Refusals: seen within seconds, counted by the minute, and no way to flood the log.

use std::time::Duration;

use grantor::admin::clients;
use grantor::admin::maintenance;
use grantor::audit::Refusals;
use grantor::login::Network;
use grantor::model::audit::Refusal;
use rstest::rstest;

use super::{events, of_action};
use crate::harness::{Database, Server, TestClient};
use crate::house::registry::within;

/// A refusal is in the log within five seconds.
const SEEN: Duration = Duration::from_secs(5);

fn rotate(client: &TestClient<'_>, overlap: Option<i64>) -> String {
    let rotated = client.server.run(async |context, by| {
        grantor::admin::client_secrets::rotate(context, by, &client.id, overlap).await.unwrap()
    });
    rotated.secret.into_exposed()
}

fn secret_ids(client: &TestClient<'_>) -> Vec<String> {
    let found = client.server.run(async |context, by| clients::find(context, by, &client.id).await.unwrap());
    found.secrets.into_iter().map(|secret| secret.id).collect()
}

#[rstest]
fn the_use_of_a_replaced_secret_is_in_the_log_within_five_seconds(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let old = server.confidential_client().grants(["client_credentials"]).create();
    let old_id = secret_ids(&old).remove(0);
    let new = TestClient { secret: rotate(&old, None), ..old.clone() };
    new.client_credentials().ok();
    let refused = old.client_credentials();
    refused.is_refused("invalid_client");
    within(SEEN, || !of_action(&server, "client.dead_secret_used").is_empty());

    let events = of_action(&server, "client.dead_secret_used");
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.target_kind.as_str(), &event.target_id), ("client_secret", &old_id));
    assert_eq!((event.actor_kind.as_str(), &event.actor_id), ("client", &old.id));
    assert_eq!((event.result.as_str(), event.ip.as_deref()), ("refused", Some("127.0.0.1")));
    assert_eq!(event.request_id.as_deref(), Some(refused.header("x-request-id")));
    assert!(event.organization_id.is_some() && event.details.contains("count=1 "), "{event:?}");
    assert!(of_action(&server, "client.refused").is_empty(), "a dead secret is more than a wrong one");

    // At an endpoint that issues nothing, and after a restart, it is recognised as well.
    server.clock.advance(120);
    let id = old.id.clone();
    let secret = old.secret.clone();
    let server = server.restart();
    let old = TestClient { server: &server, id, secret };
    old.introspect("x").is_refused("invalid_client");
    within(SEEN, || of_action(&server, "client.dead_secret_used").len() == 2);
}

#[rstest]
fn a_secret_that_has_expired_is_dead_and_is_forgotten_after_ninety_days(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let old = server.confidential_client().grants(["client_credentials"]).create();
    let new = TestClient { secret: rotate(&old, Some(600)), ..old.clone() };
    old.client_credentials().ok();
    server.clock.advance(601);
    old.client_credentials().is_refused("invalid_client");
    within(SEEN, || of_action(&server, "client.dead_secret_used").len() == 1);

    server.clock.advance(91 * 86_400);
    server.run(async |context, _| maintenance::round(context).await.unwrap());
    let server_id = new.id.clone();
    let (old_secret, new_secret) = (old.secret.clone(), new.secret.clone());
    let server = server.restart();
    TestClient { server: &server, id: server_id.clone(), secret: new_secret }.client_credentials().ok();
    TestClient { server: &server, id: server_id, secret: old_secret }.client_credentials().is_refused("invalid_client");
    within(SEEN, || of_action(&server, "client.refused").len() == 1);
    assert_eq!(of_action(&server, "client.dead_secret_used").len(), 1);
}

#[rstest]
fn a_wrong_secret_and_a_wrong_password_are_counted_by_the_minute(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("limits.enabled", false).start();
    let client = server.confidential_client().grants(["client_credentials", "password"]).create();
    let user = server.person().create();
    // From the beginning of a minute on, so that the test is within one.
    server.clock.advance(60 - server.clock.now().seconds().rem_euclid(60));
    let wrong = TestClient { secret: "wrong".to_owned(), ..client.clone() };
    for n in 0..60 {
        wrong.client_credentials().is_refused("invalid_client");
        if n < 5 {
            client.password_grant(&user.with_password("not the right passphrase")).is_refused("invalid_grant");
        }
    }
    within(SEEN, || !of_action(&server, "client.refused").is_empty());
    within(SEEN, || !of_action(&server, "user.sign_in_refused").is_empty());
    server.clock.advance(60);
    let counted = |action: &str| -> u64 {
        let count = |details: &str| details.split(['=', ' ']).nth(1).unwrap().parse::<u64>().unwrap();
        of_action(&server, action).iter().map(|event| count(&event.details)).sum()
    };
    within(SEEN, || counted("client.refused") == 60 && counted("user.sign_in_refused") == 5);
    assert!(of_action(&server, "client.refused").len() <= 2);
    let passwords = of_action(&server, "user.sign_in_refused");
    assert!(passwords.len() <= 2 && passwords.iter().all(|event| event.target_id == user.id), "{passwords:?}");
    assert!(passwords.iter().all(|event| event.actor_id == client.id && event.ip.is_some()));
}

#[rstest]
fn what_is_not_known_leaves_no_name_in_the_log(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let canary = "canary-7f3a";
    let stranger = TestClient { server: &server, id: canary.to_owned(), secret: canary.to_owned() };
    stranger.client_credentials().is_refused("invalid_client");
    let pairs = [("grant_type", "password"), ("username", canary), ("password", canary)];
    client.token(&pairs).is_refused("invalid_grant");
    within(SEEN, || !of_action(&server, "client.refused").is_empty());
    within(SEEN, || !of_action(&server, "user.sign_in_refused").is_empty());
    for event in events(&server, Default::default()) {
        assert!(!format!("{event:?}").contains(canary), "{event:?}");
    }
}

#[rstest]
fn a_flood_from_everywhere_makes_a_bounded_number_of_rows(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    // A collector of the test's own: the server's task empties the server's.
    let refusals = Refusals::default();
    let start = server.clock.now();
    for n in 0..20_000_u32 {
        let network = Network::of(std::net::Ipv4Addr::from(0x0a00_0000 + n).into());
        let refusal = Refusal {
            action: "api_key.refused",
            target_kind: "api_key",
            target_id: format!("key {}", n % 5000),
            organization_id: None,
            reason: "disabled",
        };
        refusals.note(&refusal, "", network, None, start);
    }
    server.run(async |context, _| refusals.flush(&context.store, start, false).await.unwrap());
    let named = of_action(&server, "api_key.refused");
    assert_eq!(named.len(), 257, "256 that are named, and one for all others");
    assert!(named.iter().any(|event| event.details == "count=19744 reason=several" && event.ip.is_none()));
    // A second flush, and the end of the minute, have nothing to add.
    server.run(async |context, _| refusals.flush(&context.store, start, false).await.unwrap());
    server.run(async |context, _| refusals.flush(&context.store, start.plus_seconds(61), false).await.unwrap());
    assert_eq!(of_action(&server, "api_key.refused").len(), 257);
    // A flood of one kind hides nothing of another.
    let dead = Refusal {
        action: "client.dead_secret_used",
        target_kind: "client_secret",
        target_id: "x".to_owned(),
        organization_id: None,
        reason: "replaced",
    };
    refusals.note(&dead, "app", Network::of("192.0.2.1".parse().unwrap()), None, start);
    server.run(async |context, _| refusals.flush(&context.store, start, false).await.unwrap());
    assert_eq!(of_action(&server, "client.dead_secret_used")[0].ip.as_deref(), Some("192.0.2.1"));
}
