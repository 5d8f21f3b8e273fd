//! The limits on guessing as a state machine: the real sign-in against a model, for any sequence of attempts from
//! anywhere, and waits.

use std::collections::HashMap;
use std::time::Instant;

use grantor::admin::{Authority, users};
use grantor::login::{Door, Network, SignInError};
use grantor::oauth::Context;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rstest::rstest;

use crate::harness::{Database, Server, TestUser};
use crate::house::store::{count, execute, runtime};
use crate::properties::{cases, hold};

/// Failures that are allowed.
const ACCOUNT_NETWORK: i64 = 3;
const NETWORK: i64 = 7;
const ACCOUNT: i64 = 5;
const CLIENT: i64 = 6;

/// Seconds for which failures count.
const WINDOW: i64 = 20;

/// The first wait of an account in a network; each further failure doubles it.
const FIRST_WAIT: i64 = 4;

/// Of these accounts the first two are people, the third is a program with a generated password, and the last is none.
const ACCOUNTS: usize = 4;
const PROGRAM: usize = 2;
const NOBODY: usize = 3;

/// What may happen.
#[derive(Debug, Clone, Copy)]
enum Event {
    SignIn(Attempt),
    /// An administrator lifts the lock of a person.
    Unlock(usize),
    Wait(i64),
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    account: usize,
    is_right: bool,
    network: usize,
    /// None is a request that brings the password itself.
    client: Option<usize>,
}

fn event() -> impl Strategy<Value = Event> {
    let attempt = (
        prop_oneof![4 => Just(0), 2 => Just(1), 1 => Just(PROGRAM), 1 => Just(NOBODY)],
        prop::bool::weighted(0.2),
        prop_oneof![3 => Just(0_usize), 1 => Just(1)],
        prop_oneof![4 => Just(Some(0_usize)), 1 => Just(Some(1)), 2 => Just(None)],
    );
    prop_oneof![
        12 => attempt.prop_map(|(account, is_right, network, client)| {
            Event::SignIn(Attempt { account, is_right, network, client })
        }),
        1 => (0..2_usize).prop_map(Event::Unlock),
        4 => prop_oneof![Just(1_i64), Just(3), Just(4), Just(5), Just(8), Just(16), Just(20), Just(21)].prop_map(Event::Wait),
    ]
}

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counter {
    AccountNetwork(usize, usize),
    Network(usize),
    Account(usize),
    Client(usize),
}

impl Counter {
    /// Failures that are allowed.
    fn allowed(self) -> i64 {
        match self {
            Self::AccountNetwork(..) => ACCOUNT_NETWORK,
            Self::Network(_) => NETWORK,
            // It locks, and makes nobody wait.
            Self::Account(_) => i64::MAX,
            Self::Client(_) => CLIENT,
        }
    }

    /// How long the last of so many failures makes everybody wait who is counted here.
    fn wait(self, failures: i64) -> i64 {
        match self {
            Self::AccountNetwork(..) => {
                let doubled = (failures - ACCOUNT_NETWORK).min(10);
                (FIRST_WAIT << doubled).min(WINDOW)
            }
            _ => WINDOW,
        }
    }
}

#[derive(Default, Clone, Copy)]
struct Count {
    failures: i64,
    failed_at: i64,
    blocked_until: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    In { despite_lock: bool },
    Refused,
    RetryAfter(u64),
}

/// What is counted and locked, in so many words.
#[derive(Default)]
struct Model {
    now: i64,
    counts: HashMap<Counter, Count>,
    locked: [bool; ACCOUNTS],
    /// From where each account has signed in.
    known: Vec<(usize, usize)>,
    locks: usize,
}

impl Model {
    fn counters(attempt: Attempt) -> Vec<Counter> {
        let Attempt { account, network, client, .. } = attempt;
        let shared = [Counter::AccountNetwork(account, network), Counter::Network(network), Counter::Account(account)];
        shared.into_iter().chain(client.map(Counter::Client)).collect()
    }

    /// What a counter says now: what lies back further than the window is forgotten, a lock's failures never are.
    fn count(&self, counter: Counter) -> Count {
        let count = self.counts.get(&counter).copied().unwrap_or_default();
        let is_over = self.now - count.failed_at > WINDOW && count.blocked_until <= self.now;
        if is_over && !matches!(counter, Counter::Account(_)) { Count { failures: 0, ..count } } else { count }
    }

    fn sign_in(&mut self, attempt: Attempt) -> Answer {
        let Attempt { account, network, .. } = attempt;
        let is_right = attempt.is_right && account != NOBODY;
        if is_right && account == PROGRAM {
            // Nobody guesses a generated password, so it waits for nothing and is not counted.
            return Answer::In { despite_lock: false };
        }
        let counters = Self::counters(attempt);
        let blocked = counters.iter().map(|counter| self.count(*counter).blocked_until).find(|end| *end > self.now);
        if let Some(end) = blocked {
            return Answer::RetryAfter(u64::try_from(end - self.now).unwrap());
        }
        // A person who is locked out is let in from where they have been.
        if is_right && (!self.locked[account] || self.known.contains(&(account, network))) {
            self.counts.remove(&Counter::AccountNetwork(account, network));
            self.counts.remove(&Counter::Account(account));
            self.known.push((account, network));
            return Answer::In { despite_lock: self.locked[account] };
        }
        for counter in counters {
            let mut count = self.count(counter);
            count.failures += 1;
            count.failed_at = self.now;
            if count.failures >= counter.allowed() {
                count.blocked_until = self.now + counter.wait(count.failures);
            }
            self.counts.insert(counter, count);
        }
        let consecutive = self.counts[&Counter::Account(account)].failures;
        if account < PROGRAM && consecutive >= ACCOUNT && !self.locked[account] {
            self.locked[account] = true;
            self.locks += 1;
        }
        Answer::Refused
    }

    /// All that was counted of the account is forgotten with the lock.
    fn unlock(&mut self, account: usize) {
        self.locked[account] = false;
        self.counts.retain(|counter, _| match counter {
            Counter::AccountNetwork(of, _) | Counter::Account(of) => *of != account,
            Counter::Network(_) | Counter::Client(_) => true,
        });
    }
}

/// The real thing.
struct Real<'a> {
    context: &'a Context,
    accounts: &'a [TestUser; ACCOUNTS],
    /// No two wrong passwords are the same: those would share one evaluation.
    attempts: usize,
}

impl Real<'_> {
    async fn sign_in(&mut self, attempt: Attempt) -> Answer {
        self.attempts += 1;
        let account = &self.accounts[attempt.account];
        let wrong = format!("a wrong passphrase {}", self.attempts);
        let password = if attempt.is_right { &account.password } else { &wrong };
        let network = Network::of(["192.0.2.1", "2001:db8::1"][attempt.network].parse().unwrap());
        let door = Door { client_id: attempt.client.map(|client| format!("client {client}")), ..Door::of_requests() };
        match self.context.login.sign_in(&door, &account.username, password, network).await {
            Ok(signed_in) => Answer::In { despite_lock: signed_in.despite_lock },
            Err(SignInError::Refused(_)) => Answer::Refused,
            Err(SignInError::Limited(seconds)) => Answer::RetryAfter(seconds),
            Err(other) => panic!("{other}"),
        }
    }
}

/// Nothing was counted, and nobody is locked out.
async fn begin_anew(context: &Context) {
    let anew = "DELETE FROM attempts; DELETE FROM known_networks; \
                UPDATE users SET status = 'active' WHERE status = 'locked'";
    context.store.write(|db| execute(db, anew)).await.unwrap();
}

/// Locks in the audit log.
fn locks(server: &Server) -> usize {
    usize::try_from(count(server, "audit_events WHERE action = 'user.locked'")).unwrap()
}

/// Answers how often somebody was locked out.
async fn run(server: &Server, accounts: &[TestUser; ACCOUNTS], happens: &[Event]) -> Result<usize, String> {
    let context: &Context = server.context();
    begin_anew(context).await;
    let (mut model, mut real) = (Model::default(), Real { context, accounts, attempts: 0 });
    // Where people have been before: from there they are let in though somebody has locked them out.
    for account in 0..PROGRAM {
        let attempt = Attempt { account, is_right: true, network: 1, client: None };
        hold!(real.sign_in(attempt).await, model.sign_in(attempt), "before: {attempt:?}");
    }
    for (step, event) in happens.iter().enumerate() {
        match event {
            Event::SignIn(attempt) => {
                let answer = real.sign_in(*attempt).await;
                hold!(answer, model.sign_in(*attempt), "{step}: {event:?}");
            }
            Event::Unlock(account) => {
                users::unlock(context, &Authority::operator(), &accounts[*account].username).await.unwrap();
                model.unlock(*account);
            }
            Event::Wait(seconds) => {
                server.clock.advance(*seconds);
                model.now += seconds;
            }
        }
    }
    Ok(model.locks)
}

#[rstest]
fn an_attempt_meets_what_its_model_says(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db)
        .set("limits.account_network_failures", ACCOUNT_NETWORK)
        .set("limits.network_failures", NETWORK)
        .set("limits.account_failures", ACCOUNT)
        .set("limits.client_failures", CLIENT)
        .set("limits.window", WINDOW)
        .clock_still()
        .start();
    let nobody = TestUser { id: String::new(), username: "nobody".to_owned(), password: "a passphrase".to_owned() };
    let accounts = [server.person().create(), server.person().create(), server.api_user().create(), nobody];
    let runtime = runtime();
    let (started, cases) = (Instant::now(), cases(50));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(event(), 1..30), |happens| {
            let before = locks(&server);
            let expected = runtime.block_on(run(&server, &accounts, &happens)).map_err(TestCaseError::fail)?;
            prop_assert_eq!(locks(&server) - before, expected, "locks in the audit log");
            Ok(())
        })
        .unwrap();
    println!("{db:?}: {cases} cases in {:?}", started.elapsed());
}
