//! The table *Enumeration and guessing*.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grantor::admin::users;
use grantor::crypto::hash_pool::HashPoolError;
use grantor::model::user::UserStatus;
use grantor::store::{audit, users as stored_users};
use rstest::rstest;

use crate::harness::{Answer, Database, Server, ServerBuilder, TestClient, TestUser, UserBuilder};
use crate::house::store::count;

const PROXY: &str = "127.0.0.0/8";

/// A server whose tests may come from any network: they are the trusted proxy.
fn behind_a_proxy(db: Database) -> ServerBuilder {
    Server::with(db).set("http.trusted_proxies", PROXY)
}

fn sign_in_from(client: &TestClient<'_>, network: &str, user: &TestUser) -> Answer {
    client.server.post(
        "/oauth/token",
        &[("grant_type", "password"), ("username", &user.username), ("password", &user.password)],
        &[("Authorization", &client.authorization()), ("X-Forwarded-For", network)],
    )
}

fn wrong(user: &TestUser, number: usize) -> TestUser {
    user.with_password(&format!("a wrong passphrase {number}"))
}

fn programmatic(server: &Server) -> TestClient<'_> {
    TestClient { server, id: "programmatic-users".to_owned(), secret: String::new() }
}

fn set_status(server: &Server, user: &TestUser, status: UserStatus) {
    let id = user.id.clone();
    server.run(async |context, _| {
        let now = context.clock.now();
        let write = move |db: &mut _| stored_users::set_status(db, &id, UserStatus::Active, status, now);
        assert!(context.change(write).await.unwrap());
    });
}

fn status(server: &Server, user: &TestUser) -> UserStatus {
    server.run(async |context, by| users::find(context, by, &user.username).await.unwrap().status)
}

fn hashes(server: &Server) -> u64 {
    server.context().login.pool().started()
}

/// Everything that an outsider can compare: status, headers and body without the id and the date.
fn outside(answer: &Answer) -> String {
    let mut headers = answer.headers.clone();
    headers.remove("date");
    headers.remove("x-request-id");
    format!("{} {headers:?} {}", answer.status, answer.without_request_id())
}

fn is_limited(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 429, "{answer:?}");
    let seconds = answer.header("retry-after").parse().unwrap();
    assert!(seconds >= 1, "{answer:?}");
    answer.is_refused("temporarily_unavailable");
    seconds
}

/// Users whose attempts must all look like a wrong password: the state's name, and the attempt.
fn states<'a>(server: &'a Server, new: impl Fn() -> UserBuilder<'a>) -> Vec<(&'static str, TestUser)> {
    let make = || new().create();
    let in_state = |status| {
        let user = make();
        set_status(server, &user, status);
        user
    };
    let unknown = TestUser { id: String::new(), username: "nobody".into(), password: make().password };
    let without_access = new().change(|request| request.access = vec!["console".to_owned()]).create();
    let known = make();
    vec![
        ("wrong password", wrong(&known, 0)),
        ("unknown", unknown),
        ("disabled", in_state(UserStatus::Disabled)),
        ("locked", in_state(UserStatus::Locked)),
        ("invited", in_state(UserStatus::Invited)),
        ("deleted", in_state(UserStatus::Deleted)),
        ("no API access", without_access),
    ]
}

#[rstest]
fn seven_states_of_an_account_answer_alike_to_the_byte_and_each_costs_one_hash(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values("chosen", "generated")] kind: &str,
) {
    let server = Server::start(db);
    let confidential = server.confidential_client().grants(["password"]).create();
    let (client, states) = match kind {
        "chosen" => (confidential, states(&server, || server.person())),
        _ => (programmatic(&server), states(&server, || server.api_user())),
    };
    let mut seen = BTreeSet::new();
    for (state, user) in &states {
        for attempt in [user.clone(), wrong(user, 1)] {
            let before = hashes(&server);
            let answer = client.password_grant(&attempt);
            answer.is_refused("invalid_grant");
            assert_eq!(answer.status, 400);
            assert_eq!(hashes(&server) - before, 1, "{state}");
            seen.insert(outside(&answer));
        }
    }
    assert_eq!(seen.len(), 1, "{seen:#?}");
}

#[rstest]
fn no_state_of_an_account_is_answered_faster_than_a_password_is_hashed(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("passwords.bcrypt_cost", 8).set("limits.enabled", false).start();
    let client = server.confidential_client().grants(["password"]).create();
    let hasher = server.context().login.hasher().clone();
    let timed = |work: &dyn Fn()| {
        let started = Instant::now();
        work();
        started.elapsed()
    };
    let states = states(&server, || server.person());
    let one_hash = (0..5).map(|_| timed(&|| hasher.burn())).min().unwrap();
    let fastest: Vec<(&str, Duration)> = states
        .iter()
        .map(|(state, user)| {
            let attempt = || client.password_grant(user).is_refused("invalid_grant");
            (*state, (0..5).map(|_| timed(&attempt)).min().unwrap())
        })
        .collect();
    for (state, took) in &fastest {
        assert!(*took >= one_hash.mul_f64(0.7), "{state}: {took:?}, and one hash is {one_hash:?}");
    }
}

#[rstest]
fn the_eleventh_attempt_after_ten_failures_waits_and_the_wait_doubles(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    for number in 0..10 {
        client.password_grant(&wrong(&user, number)).is_refused("invalid_grant");
    }
    let before = hashes(&server);
    let first = is_limited(&client.password_grant(&wrong(&user, 10)));
    is_limited(&client.password_grant(&user));
    assert_eq!(hashes(&server), before, "what is refused for its number is not looked at");

    server.clock.advance(5);
    client.password_grant(&wrong(&user, 11)).is_refused("invalid_grant");
    let second = is_limited(&client.password_grant(&wrong(&user, 12)));
    assert!(first <= 4 && (5..=8).contains(&second), "{first} {second}");

    server.clock.advance(9);
    client.password_grant(&user).ok();
    // A success forgets what was counted for this account and network.
    client.password_grant(&wrong(&user, 13)).is_refused("invalid_grant");
    client.password_grant(&user).ok();
}

#[rstest]
fn an_unknown_account_is_limited_as_a_known_one(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let known = server.person().create();
    let unknown = TestUser { username: "nobody".into(), ..known.clone() };
    let answers = |user: &TestUser| -> Vec<String> {
        (0..12)
            .map(|number| {
                let answer = client.password_grant(&wrong(user, number));
                format!("{} {}", answer.status, answer.without_request_id())
            })
            .collect()
    };
    assert_eq!(answers(&known), answers(&unknown));
}

#[rstest]
fn failures_are_counted_across_two_nodes(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let other = server.second_node();
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    while client.at(&other).client_credentials().json()["error"] == "invalid_client" {
        std::thread::sleep(Duration::from_millis(20));
    }
    for number in 0..5 {
        client.password_grant(&wrong(&user, number)).is_refused("invalid_grant");
        client.at(&other).password_grant(&wrong(&user, 100 + number)).is_refused("invalid_grant");
    }
    is_limited(&client.password_grant(&wrong(&user, 10)));
    is_limited(&client.at(&other).password_grant(&user));
}

/// Sends all attempts at once.
fn in_parallel(client: &TestClient<'_>, attempts: &[TestUser]) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            attempts.iter().map(|attempt| scope.spawn(move || client.password_grant(attempt))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[rstest]
fn of_two_hundred_parallel_guesses_ten_are_evaluated(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    let guesses: Vec<_> = (0..200).map(|number| wrong(&user, number)).collect();
    let before = hashes(&server);

    let answers = in_parallel(&client, &guesses);

    let evaluated = answers.iter().filter(|answer| answer.status == 400).count();
    assert!((1..=10).contains(&evaluated), "{evaluated}");
    assert!(hashes(&server) - before <= 10);
    for answer in answers.iter().filter(|answer| answer.status != 400) {
        assert!(matches!(answer.status, 429 | 503), "{answer:?}");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        answer.is_refused("temporarily_unavailable");
    }
}

#[rstest]
fn a_right_password_that_waited_behind_ten_wrong_ones_is_never_refused(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("passwords.bcrypt_cost", 11).start();
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    let guesses: Vec<_> = (0..10).map(|number| wrong(&user, number)).collect();
    let right = std::thread::scope(|scope| {
        let wrong = scope.spawn(|| in_parallel(&client, &guesses));
        // While the ten are looked at, which takes half a second and more.
        std::thread::sleep(Duration::from_millis(150));
        let right = client.password_grant(&user);
        // One of them may have come after the right one, and have waited itself.
        assert!(wrong.join().unwrap().iter().filter(|answer| answer.status == 400).count() >= 9);
        right
    });
    assert!(matches!(right.status, 200 | 503), "{right:?}");
    assert!(right.status == 200 || right.header("retry-after").parse::<u64>().unwrap() >= 1, "{right:?}");
}

#[rstest]
fn fifty_instances_that_start_at_once_with_the_right_password_all_get_in_for_a_few_hashes(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("passwords.bcrypt_cost", 9).start();
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let user = server.person().create();
    let before = hashes(&server);

    let answers = in_parallel(&client, &vec![user; 50]);

    let tokens: BTreeSet<String> = answers.iter().map(|answer| answer.clone().ok().refresh_token()).collect();
    assert_eq!(tokens.len(), 50, "each has a family of its own");
    assert!(hashes(&server) - before <= 25, "{}", hashes(&server) - before);
}

#[rstest]
fn while_one_network_guesses_the_owner_signs_in_from_another(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = behind_a_proxy(db).start();
    let client = server.confidential_client().grants(["password"]).create();
    let victim = server.person().create();
    for number in 0..10 {
        sign_in_from(&client, "203.0.113.7", &wrong(&victim, number)).is_refused("invalid_grant");
    }
    is_limited(&sign_in_from(&client, "203.0.113.7", &victim));

    sign_in_from(&client, "198.51.100.1", &victim).ok();
    sign_in_from(&client, "2001:db8::1", &victim).ok();

    // The victim's success gives the guesser nothing back.
    is_limited(&sign_in_from(&client, "203.0.113.7", &victim));
}

#[rstest]
fn the_addresses_of_one_ipv6_subscriber_are_one_network(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = behind_a_proxy(db).start();
    let client = server.confidential_client().grants(["password"]).create();
    let victim = server.person().create();
    for number in 0..10 {
        let address = format!("2001:db8:0:1:{number}::1");
        sign_in_from(&client, &address, &wrong(&victim, number)).is_refused("invalid_grant");
    }
    is_limited(&sign_in_from(&client, "2001:db8:0:1:ffff::1", &victim));
    sign_in_from(&client, "2001:db8:0:2::1", &victim).ok();
}

#[rstest]
fn x_forwarded_for_is_nothing_where_no_proxy_is_trusted(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let victim = server.person().create();
    for number in 0..10 {
        sign_in_from(&client, &format!("203.0.113.{number}"), &wrong(&victim, number)).is_refused("invalid_grant");
    }
    is_limited(&sign_in_from(&client, "198.51.100.1", &victim));
}

#[rstest]
fn only_what_trusted_proxies_wrote_into_x_forwarded_for_counts(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("http.trusted_proxies", "127.0.0.0/8,10.0.0.0/8").start();
    let client = server.confidential_client().grants(["password"]).create();
    let victim = server.person().create();
    for number in 0..10 {
        // The first hop is what the guesser wrote; the second is what the first proxy saw.
        let header = format!("192.0.2.{number}, 203.0.113.7, 10.0.0.1");
        sign_in_from(&client, &header, &wrong(&victim, number)).is_refused("invalid_grant");
    }
    is_limited(&sign_in_from(&client, "192.0.2.77, 203.0.113.7, 10.0.0.2", &victim));
    sign_in_from(&client, "203.0.113.7, 198.51.100.1, 10.0.0.1", &victim).ok();
}

#[rstest]
fn one_password_for_many_names_is_blocked_by_network_and_spares_generated_passwords(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = behind_a_proxy(db).set("limits.network_failures", 20).start();
    let client = server.confidential_client().grants(["password"]).create();
    let (person, program) = (server.person().create(), server.api_user().create());
    let sprayed = |number: usize| TestUser {
        id: String::new(),
        username: format!("name{number}"),
        password: "the password of the season".into(),
    };

    let statuses: Vec<u16> =
        (0..40).map(|number| sign_in_from(&client, "203.0.113.7", &sprayed(number)).status).collect();

    assert_eq!((&statuses[..20], &statuses[20..]), (&[400; 20][..], &[429; 20][..]));
    is_limited(&sign_in_from(&client, "203.0.113.7", &person));
    sign_in_from(&client, "198.51.100.1", &person).ok();
    let before = hashes(&server);
    for _ in 0..100 {
        sign_in_from(&client, "203.0.113.7", &program).ok();
        sign_in_from(&programmatic(&server), "203.0.113.7", &program).ok();
    }
    assert_eq!(hashes(&server), before, "a generated password costs no slow hash");
}

#[rstest]
fn guesses_through_one_client_from_many_networks_are_blocked_for_that_client_alone(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = behind_a_proxy(db).set("limits.client_failures", 15).start();
    let client = server.confidential_client().grants(["password"]).create();
    let other = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    for number in 0..15 {
        sign_in_from(&client, &format!("203.0.113.{number}"), &wrong(&user, number)).is_refused("invalid_grant");
    }
    is_limited(&sign_in_from(&client, "198.51.100.1", &user));
    sign_in_from(&other, "198.51.100.1", &user).ok();
}

/// Locks an account by failures from networks that it never signed in from.
fn lock_by_failures(client: &TestClient<'_>, user: &TestUser, failures: usize) {
    for number in 0..failures {
        let answer = sign_in_from(client, &format!("203.0.113.{number}"), &wrong(user, number));
        answer.is_refused("invalid_grant");
    }
    assert_eq!(status(client.server, user), UserStatus::Locked);
}

#[rstest]
fn an_account_locked_by_failures_opens_only_from_networks_that_it_signed_in_from_lately(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = behind_a_proxy(db).set("limits.account_failures", 12).start();
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let user = server.person().create();
    sign_in_from(&client, "198.51.100.1", &user).ok();
    let refused = sign_in_from(&client, "198.51.100.1", &wrong(&user, 99));

    // The failure above is one of the twelve.
    lock_by_failures(&client, &user, 11);

    let locked = sign_in_from(&client, "198.51.100.2", &user);
    locked.is_refused("invalid_grant");
    assert_eq!(outside(&locked), outside(&refused));
    let tokens = sign_in_from(&client, "198.51.100.1", &user).ok();
    server.get_with_token("/api/v1/me", &tokens.access_token()).ok();
    assert_eq!(status(&server, &user), UserStatus::Locked);

    server.clock.advance(30 * 86_400 + 60);
    sign_in_from(&client, "198.51.100.1", &user).is_refused("invalid_grant");

    let id = user.id.clone();
    let events =
        server.run(async |context, _| context.store.read(move |db| audit::about(db, "user", &id)).await.unwrap());
    assert_eq!(events.iter().filter(|event| event.action == "user.locked").count(), 1);
}

#[rstest]
fn an_administrator_or_a_new_password_lifts_the_lock(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = behind_a_proxy(db).set("limits.account_failures", 5).start();
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    lock_by_failures(&client, &user, 5);
    sign_in_from(&client, "198.51.100.1", &user).is_refused("invalid_grant");

    server.run(async |context, by| {
        users::set_status(context, by, &user.username, UserStatus::Active).await.unwrap();
    });
    sign_in_from(&client, "198.51.100.1", &user).ok();
    // The failures before do not count any more: four further ones do not lock.
    for number in 0..4 {
        sign_in_from(&client, &format!("198.51.100.{number}"), &wrong(&user, number)).is_refused("invalid_grant");
    }
    assert_eq!(status(&server, &user), UserStatus::Active);

    lock_by_failures(&client, &user, 5);
    let new = user.with_password("another fine passphrase");
    server.run(async |context, by| {
        let password = new.password.as_str().into();
        grantor::admin::passwords::set(context, by, &user.username, &password).await.unwrap();
    });
    sign_in_from(&client, "192.0.2.1", &new).ok();
    sign_in_from(&client, "192.0.2.1", &user).is_refused("invalid_grant");
}

#[rstest]
fn failures_never_lock_an_account_with_a_generated_password(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = behind_a_proxy(db).set("limits.account_failures", 5).start();
    let user = server.api_user().create();
    let client = programmatic(&server);
    for number in 0..8 {
        sign_in_from(&client, &format!("203.0.113.{number}"), &wrong(&user, number)).is_refused("invalid_grant");
    }
    assert_eq!(status(&server, &user), UserStatus::Active);
    sign_in_from(&client, "203.0.113.1", &user).ok();
}

#[rstest]
fn a_lock_by_failures_does_not_take_the_place_of_a_disabling(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = behind_a_proxy(db).set("limits.account_failures", 3).start();
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    sign_in_from(&client, "198.51.100.1", &user).ok();
    set_status(&server, &user, UserStatus::Disabled);
    for number in 0..5 {
        sign_in_from(&client, &format!("203.0.113.{number}"), &wrong(&user, number)).is_refused("invalid_grant");
    }
    assert_eq!(status(&server, &user), UserStatus::Disabled);
    // From the known network too, where a lock would have let them in.
    sign_in_from(&client, "198.51.100.1", &user).is_refused("invalid_grant");
    let id = user.id.clone();
    let late = server.run(async |context, _| {
        let now = context.clock.now();
        context.store.write(move |db| stored_users::lock(db, &id, now)).await.unwrap()
    });
    assert!(!late, "an evaluation that began before the disabling must not lock after it");
}

#[rstest]
fn without_limits_nothing_is_counted_and_nothing_locks(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("limits.enabled", false).set("limits.account_failures", 5).start();
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    for number in 0..30 {
        client.password_grant(&wrong(&user, number)).is_refused("invalid_grant");
    }
    client.password_grant(&user).ok();
}

/// Holds the threads of the hash pool and fills its queue; dropping the gate lets the work run.
struct FullPool {
    gate: Option<Sender<()>>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl FullPool {
    fn of(server: &Server) -> Self {
        let (gate, waiting) = channel::<()>();
        let waiting = Arc::new(Mutex::new(waiting));
        let refused = Arc::new(AtomicUsize::new(0));
        let pool = server.context().login.pool();
        // More than two seconds of work at the cost that these tests use.
        let jobs = 40 + 20 * pool.threads();
        let mut threads = Vec::new();
        let started = pool.started();
        for number in 0..jobs {
            // The pool's threads are at work before the queue fills: a job that they take later would leave room.
            while number == pool.threads() && pool.started() - started < pool.threads() as u64 {
                std::thread::sleep(Duration::from_millis(1));
            }
            let (context, waiting, refused) =
                (Arc::clone(server.context()), Arc::clone(&waiting), Arc::clone(&refused));
            threads.push(std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                let job = move || {
                    // Ends when the gate is dropped.
                    let _ = waiting.lock().map(|waiting| waiting.recv());
                };
                if let Err(HashPoolError::Overloaded { .. }) = runtime.block_on(context.login.pool().run(job)) {
                    refused.fetch_add(1, Ordering::SeqCst);
                }
            }));
        }
        // Every job has found its place, or none.
        while refused.load(Ordering::SeqCst) + pool.queue_depth() + pool.threads() < jobs {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(refused.load(Ordering::SeqCst) > 0, "the pool is full");
        Self { gate: Some(gate), threads }
    }
}

impl Drop for FullPool {
    fn drop(&mut self) {
        drop(self.gate.take());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[rstest]
fn a_full_hash_pool_answers_503_at_once_and_everything_else_goes_on(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("passwords.bcrypt_cost", 12).start();
    let client = server.confidential_client().grants(["password", "refresh_token", "client_credentials"]).create();
    let program = server.api_user().create();
    let user = server.person().create();
    let tokens = client.password_grant(&program).ok();
    let full = FullPool::of(&server);
    let queued = server.context().login.pool().queue_depth();
    let counters = count(&server, "attempts");

    // More than the ten that an account may have in flight: none of them takes a place.
    for number in 0..12 {
        let started = Instant::now();
        let answer = client.password_grant(&wrong(&user, number));
        assert_eq!(answer.status, 503, "{answer:?}");
        answer.is_refused("temporarily_unavailable");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
    assert_eq!(server.context().login.pool().queue_depth(), queued);
    assert_eq!(count(&server, "attempts"), counters, "what is turned away writes nothing");
    server.get("/.well-known/jwks.json", &[]).ok();
    client.client_credentials().ok();
    client.refresh(&tokens.refresh_token()).ok();
    client.password_grant(&program).ok();

    drop(full);
    client.password_grant(&user).ok();
}

#[rstest]
fn while_wrong_passwords_are_hashed_keys_and_tokens_are_still_served(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("passwords.bcrypt_cost", 11).set("limits.enabled", false).start();
    let client = server.confidential_client().grants(["password", "client_credentials"]).create();
    let user = server.person().create();
    let guesses: Vec<_> = (0..24).map(|number| wrong(&user, number)).collect();
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| in_parallel(&client, &guesses));
        while !flood.is_finished() {
            server.get("/.well-known/jwks.json", &[]).ok();
            client.client_credentials().ok();
            std::thread::sleep(Duration::from_millis(5));
        }
        for answer in flood.join().unwrap() {
            assert!(matches!(answer.status, 400 | 503), "{answer:?}");
        }
    });
}

#[rstest]
fn a_caller_who_hangs_up_leaves_no_place_taken(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    use std::io::Write;
    let server = Server::with(db).set("passwords.bcrypt_cost", 10).start();
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    let before = hashes(&server);
    for number in 0..9 {
        let guess = wrong(&user, number);
        let pairs = [("grant_type", "password"), ("username", &*guess.username), ("password", &*guess.password)];
        let body = crate::harness::form(&pairs);
        let mut connection = std::net::TcpStream::connect(server.base().trim_start_matches("http://")).unwrap();
        write!(
            connection,
            "POST /oauth/token HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            client.authorization(),
            body.len()
        )
        .unwrap();
        while hashes(&server) == before + number as u64 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    // All nine have hung up: they count as failures, and the tenth attempt finds a place at once.
    client.password_grant(&wrong(&user, 9)).is_refused("invalid_grant");
    is_limited(&client.password_grant(&user));
}

#[rstest]
fn a_sign_in_that_was_read_before_the_password_changed_is_worth_nothing_after(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("passwords.bcrypt_cost", 12).start();
    let client = server.confidential_client().grants(["password"]).create();
    let user = server.person().create();
    // One job holds every thread for as long as the test wants; the sign-in waits behind it.
    let (release, gate) = channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let pool = server.context().login.pool();
    let began = pool.started();
    let holders: Vec<_> = (0..pool.threads())
        .map(|_| {
            let (context, gate) = (Arc::clone(server.context()), Arc::clone(&gate));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                let _ = runtime.block_on(context.login.pool().run(move || {
                    let _ = gate.lock().map(|gate| gate.recv());
                }));
            })
        })
        .collect();
    while pool.started() < began + pool.threads() as u64 {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::scope(|scope| {
        let sign_in = scope.spawn(|| client.password_grant(&user));
        while pool.queue_depth() == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        // The pool is held, so that the new password is a generated one, which needs no hash.
        server.run(async |context, by| grantor::admin::passwords::rotate(context, by, &user.username).await.unwrap());
        drop(release);
        sign_in.join().unwrap().is_refused("invalid_grant");
    });
    for holder in holders {
        holder.join().unwrap();
    }
}

#[rstest]
fn unlocking_ends_the_waits_of_an_account_in_every_network_and_of_no_other_account(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = behind_a_proxy(db).start();
    let client = server.confidential_client().grants(["password"]).create();
    let (alice, bob) = (server.person().create(), server.person().create());
    let networks = ["192.0.2.1", "192.0.2.2"];
    for user in [&alice, &bob] {
        for network in networks {
            (0..10).for_each(|number| sign_in_from(&client, network, &wrong(user, number)).is_refused("invalid_grant"));
            is_limited(&sign_in_from(&client, network, user));
        }
    }
    server.run(async |context, actor| users::unlock(context, actor, &alice.username).await.unwrap());
    for network in networks {
        sign_in_from(&client, network, &alice).ok();
        is_limited(&sign_in_from(&client, network, &bob));
    }
}

#[rstest]
fn whoever_waits_for_a_place_among_the_attempts_asks_by_reading(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    // One place, and a hash that takes as long as twenty looks at it.
    let server = Server::with(db).set("passwords.bcrypt_cost", 14).set("limits.account_network_failures", 1).start();
    let client = server.confidential_client().grants(["password"]).create();
    let nobody = TestUser { id: String::new(), username: "nobody".into(), password: String::new() };
    let writes = || server.context().store.figures().writes;
    let (before, started) = (writes(), Instant::now());

    in_parallel(&client, &[wrong(&nobody, 0), wrong(&nobody, 1)]);

    assert!(started.elapsed() > Duration::from_millis(400), "nobody waited: {:?}", started.elapsed());
    // A few of them are the node's own: it seals audit events and stores what it counted.
    assert!(writes() - before <= 16, "{} writes", writes() - before);
}
