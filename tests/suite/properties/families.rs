//! The token family as a state machine: the real grant against a model, for any sequence of uses, replays,
//! revocations and waits.

use std::time::Instant;

use grantor::crypto::digest::DigestKey;
use grantor::crypto::secret::SecretString;
use grantor::login::Network;
use grantor::model::client::AuthenticationMethod;
use grantor::model::family::Family;
use grantor::oauth::client_authentication::{PresentedClient, verify};
use grantor::oauth::grants::{TokenRequest, exchange};
use grantor::oauth::parameters::{MediaType, Parameters};
use grantor::oauth::tokens::refresh_token::RefreshToken;
use grantor::oauth::{Context, ErrorCode, introspection, revocation};
use grantor::store::{audit, families};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rstest::rstest;

use crate::harness::{Database, Server, TestClient, TestUser, form};
use crate::house::store::{execute, runtime};
use crate::properties::hold;

const IDLE: i64 = 60;
const ABSOLUTE: i64 = 150;

/// What may happen to a family. An age counts back from the current generation.
#[derive(Debug, Clone)]
enum Event {
    Use(usize),
    UseWithWiderScope,
    UseByAnother(usize),
    UseForged(usize),
    UseAhead,
    Revoke(usize),
    RevokeByAnother(usize),
    Wait(i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Use(0)),
        4 => Just(Event::Use(1)),
        1 => (2..4_usize).prop_map(Event::Use),
        1 => Just(Event::UseWithWiderScope),
        1 => (0..3_usize).prop_map(Event::UseByAnother),
        1 => (0..3_usize).prop_map(Event::UseForged),
        1 => Just(Event::UseAhead),
        1 => (0..3_usize).prop_map(Event::Revoke),
        1 => (0..3_usize).prop_map(Event::RevokeByAnother),
        4 => prop_oneof![Just(1), Just(3), Just(6), Just(9), Just(10), Just(11), Just(40)].prop_map(Event::Wait),
    ]
}

/// What a family is, in so many words.
struct Model {
    window: i64,
    now: i64,
    current: usize,
    rotated_at: i64,
    idle_end: i64,
    ended: bool,
}

impl Model {
    fn new(window: i64) -> Self {
        Self { window, now: 0, current: 1, rotated_at: 0, idle_end: IDLE, ended: false }
    }

    fn is_live(&self) -> bool {
        !self.ended && self.now < self.idle_end && self.now < ABSOLUTE
    }

    /// The generation that a use is answered with.
    fn present(&mut self, generation: usize) -> Option<usize> {
        if !self.is_live() {
            return None;
        }
        if generation == self.current {
            self.current += 1;
            (self.rotated_at, self.idle_end) = (self.now, self.now + IDLE);
            return Some(self.current);
        }
        if generation + 1 == self.current && self.now - self.rotated_at < self.window {
            return Some(self.current);
        }
        self.ended = true;
        None
    }
}

/// The real thing.
struct Real<'a> {
    context: &'a Context,
    client: &'a TestClient<'a>,
    other: &'a TestClient<'a>,
    /// By generation, from 1.
    tokens: Vec<String>,
    family: String,
}

fn request(client: &TestClient<'_>, pairs: &[(&str, &str)]) -> TokenRequest {
    TokenRequest {
        parameters: Parameters::parse(MediaType::Form, form(pairs).as_bytes()).unwrap(),
        presented: PresentedClient {
            client_id: client.id.clone(),
            secret: SecretString::from(client.secret.as_str()),
            method: AuthenticationMethod::ClientSecretBasic,
        },
        network: Network::of("127.0.0.1".parse().unwrap()),
        request_id: "test".into(),
    }
}

impl Real<'_> {
    async fn present(&self, client: &TestClient<'_>, token: &str, scope: &str) -> Result<String, ErrorCode> {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        let tokens = exchange(self.context, &request(client, &pairs)).await.map_err(|error| error.code)?;
        Ok(tokens.refresh_token.unwrap().expose().to_owned())
    }

    async fn revoke(&self, client: &TestClient<'_>, token: &str) {
        let method = AuthenticationMethod::ClientSecretBasic;
        let client = verify(self.context, &client.id, &client.secret, method).unwrap();
        revocation::revoke(self.context, &client, token, "test", Network::of("127.0.0.1".parse().unwrap()))
            .await
            .unwrap();
    }

    async fn is_active(&self, token: &str) -> bool {
        let method = AuthenticationMethod::ClientSecretBasic;
        let client = verify(self.context, &self.client.id, &self.client.secret, method).unwrap();
        introspection::introspect(self.context, &client, token).await.unwrap() != introspection::INACTIVE
    }

    async fn stored(&self) -> Family {
        let id = self.family.clone();
        self.context.store.read(move |db| families::find(db, &id)).await.unwrap().unwrap()
    }

    async fn events(&self) -> usize {
        let id = self.family.clone();
        self.context.store.read(move |db| audit::about(db, "token_family", &id)).await.unwrap().len()
    }
}

async fn run(
    server: &Server,
    clients: (&TestClient<'_>, &TestClient<'_>),
    user: &TestUser,
    window: i64,
    happens: &[Event],
) -> Result<(), String> {
    let context: &Context = server.context();
    let pairs = [("grant_type", "password"), ("username", &user.username), ("password", &user.password)];
    let first = exchange(context, &request(clients.0, &pairs)).await.unwrap().refresh_token.unwrap();
    let family = RefreshToken::parse(first.expose()).unwrap().family_id();
    let tokens = vec![first.expose().to_owned()];
    let mut real = Real { context, client: clients.0, other: clients.1, tokens, family };
    let mut model = Model::new(window);
    let refused = Err(ErrorCode::InvalidGrant);
    for (step, event) in happens.iter().enumerate() {
        let generation_of = |age: usize| model.current.saturating_sub(age).max(1);
        match event {
            Event::Use(age) => {
                let generation = generation_of(*age);
                let answer = real.present(real.client, &real.tokens[generation - 1], "").await;
                match model.present(generation) {
                    None => {
                        hold!(answer, refused.clone(), "{step}: {event:?}");
                    }
                    Some(next) if next > real.tokens.len() => real.tokens.push(
                        answer.map_err(|why| format!("{step}: {event:?}: {why:?}, but the model says a successor"))?,
                    ),
                    Some(next) => {
                        hold!(answer, Ok(real.tokens[next - 1].clone()), "{step}: {event:?}");
                    }
                }
            }
            Event::UseWithWiderScope => {
                let answer = real.present(real.client, &real.tokens[model.current - 1], "openid").await;
                let expected = if model.is_live() { ErrorCode::InvalidScope } else { ErrorCode::InvalidGrant };
                // The door refuses what the client was not approved for before it looks at the token.
                let refusal = answer.err();
                if refusal != Some(ErrorCode::InvalidScope) {
                    hold!(refusal, Some(expected), "{step}: {event:?}");
                }
            }
            Event::UseByAnother(age) => {
                let answer = real.present(real.other, &real.tokens[generation_of(*age) - 1], "").await;
                hold!(answer, refused.clone(), "{step}: {event:?}");
            }
            Event::UseForged(age) => {
                let generation = i64::try_from(generation_of(*age)).unwrap();
                let forged = RefreshToken::derive(&real.stored().await, generation, &DigestKey::new([9; 32])).unwrap();
                hold!(real.present(real.client, forged.expose(), "").await, refused.clone(), "{step}: {event:?}");
            }
            Event::UseAhead => {
                let ahead = i64::try_from(model.current + 1).unwrap();
                let token = RefreshToken::derive(&real.stored().await, ahead, &context.data_keys.refresh).unwrap();
                hold!(real.present(real.client, token.expose(), "").await, refused.clone(), "{step}: {event:?}");
                model.ended |= model.is_live();
            }
            Event::Revoke(age) => {
                real.revoke(real.client, &real.tokens[generation_of(*age) - 1]).await;
                model.ended = true;
            }
            Event::RevokeByAnother(age) => real.revoke(real.other, &real.tokens[generation_of(*age) - 1]).await,
            Event::Wait(seconds) => {
                server.clock.advance(*seconds);
                model.now += seconds;
            }
        }
        let stored = real.stored().await;
        hold!(
            (usize::try_from(stored.generation).unwrap(), stored.revoked_at.is_some()),
            (model.current, model.ended),
            "{step}: {event:?}: what is stored"
        );
    }
    hold!(real.events().await, usize::from(model.ended), "events");
    for (index, token) in real.tokens.iter().enumerate() {
        let active = model.is_live() && index + 1 == model.current;
        hold!(real.is_active(token).await, active, "generation {} is active", index + 1);
    }
    Ok(())
}

/// Families that are put to the test at each window; in all ten thousand, if nothing else is said.
fn cases() -> u32 {
    crate::properties::cases(10_000) / 2
}

#[rstest]
fn a_family_does_what_its_model_does(#[values(0, 10)] window: i64) {
    let server = Server::with(Database::Sqlite)
        .set("refresh.reuse_window", window)
        .set("refresh.idle_lifetime", IDLE)
        .set("refresh.absolute_lifetime", ABSOLUTE)
        .clock_still()
        .start();
    let client = server.confidential_client().grants(["password", "refresh_token"]).may_introspect().create();
    let other = server.confidential_client().grants(["password", "refresh_token"]).create();
    let user = server.api_user().create();
    let runtime = runtime();
    let (started, run_cases) = (Instant::now(), std::cell::Cell::new(0));
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(event(), 1..14), |happens| {
            let outcome = runtime.block_on(run(&server, (&client, &other), &user, window, &happens));
            run_cases.set(run_cases.get() + 1);
            if run_cases.get() % 50 == 0 {
                // Fewer than the hundred live families at which the oldest gives way.
                let sweep = server.context().store.write(|db| execute(db, "DELETE FROM families"));
                runtime.block_on(sweep).unwrap();
            }
            outcome.map_err(TestCaseError::fail)
        })
        .unwrap();
    println!("window {window}: {} cases in {:?}", cases(), started.elapsed());
}
