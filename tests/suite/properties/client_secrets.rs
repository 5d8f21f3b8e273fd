//! The secrets of a client as a state machine: the real verbs and the real check against a model, for any sequence of
//! additions, rotations, ends, uses and waits.

use std::collections::BTreeSet;
use std::time::Instant;

use grantor::admin::client_secrets::{self, NewClientSecret};
use grantor::admin::{AdminError, Authority};
use grantor::crypto::secret::SecretString;
use grantor::login::Network;
use grantor::model::client::AuthenticationMethod;
use grantor::oauth::Context;
use grantor::oauth::client_authentication::{PresentedClient, verify};
use grantor::oauth::grants::{TokenRequest, exchange};
use grantor::oauth::parameters::{MediaType, Parameters};
use grantor::oauth::tokens::verifier;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use rstest::rstest;

use crate::harness::{Database, Server, TestClient};
use crate::house::store::runtime;
use crate::properties::{cases, hold};

/// Secrets that may be open beside each other.
const MOST: usize = 10;

/// Seconds that an access token lives.
const TOKEN_LIFETIME: i64 = 60;

/// What may happen to a client's secrets. An age counts back from the newest one.
#[derive(Debug, Clone)]
enum Event {
    /// Beside the others, for so many seconds or until it is ended.
    Add(Option<i64>),
    /// A new one; the others end after so many seconds, or at once.
    Rotate(Option<i64>),
    End(usize),
    /// A token, by one of them.
    GetToken(usize),
    Wait(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let seconds = || prop_oneof![Just(1_i64), Just(5), Just(10), Just(30)];
    prop_oneof![
        5 => prop::option::of(seconds()).prop_map(Event::Add),
        2 => Just(Event::Rotate(None)),
        1 => Just(Event::Rotate(Some(0))),
        3 => seconds().prop_map(|overlap| Event::Rotate(Some(overlap))),
        3 => (0..4_usize).prop_map(Event::End),
        3 => (0..4_usize).prop_map(Event::GetToken),
        4 => prop_oneof![Just(1_i64), Just(4), Just(5), Just(10), Just(29), Just(60)].prop_map(Event::Wait),
    ]
}

/// What a secret is, in so many words.
struct Secret {
    /// From when on it opens nothing, by itself or because another took its place.
    expires: Option<i64>,
    /// It was replaced or deleted.
    ended: bool,
}

/// What a client's secrets are.
struct Model {
    now: i64,
    /// In the order in which they were made.
    secrets: Vec<Secret>,
    /// Whether each token's secret stands, and when it expires.
    tokens: Vec<(bool, i64)>,
}

impl Model {
    fn is_open(&self, secret: &Secret) -> bool {
        !secret.ended && secret.expires.is_none_or(|expires| self.now < expires)
    }

    fn open(&self) -> usize {
        self.secrets.iter().filter(|secret| self.is_open(secret)).count()
    }

    /// Whether a secret can be added.
    fn add(&mut self, lifetime: Option<i64>) -> bool {
        if self.open() >= MOST {
            return false;
        }
        self.secrets.push(Secret { expires: lifetime.map(|seconds| self.now + seconds), ended: false });
        true
    }

    fn rotate(&mut self, overlap: Option<i64>) {
        match overlap.filter(|seconds| *seconds > 0) {
            Some(overlap) => {
                let end = self.now + overlap;
                for secret in self.secrets.iter_mut().filter(|secret| !secret.ended) {
                    secret.expires = Some(secret.expires.map_or(end, |expires| expires.min(end)));
                }
            }
            None => {
                self.secrets.iter_mut().for_each(|secret| secret.ended = true);
                self.end_tokens();
            }
        }
        self.secrets.push(Secret { expires: None, ended: false });
    }

    /// What is said to the end of a secret.
    fn end(&mut self, index: usize) -> Said {
        if self.secrets[index].ended {
            return Said::NotFound;
        }
        let others = self.open() - usize::from(self.is_open(&self.secrets[index]));
        if others == 0 {
            return Said::Refused;
        }
        self.secrets[index].ended = true;
        self.end_tokens();
        Said::Done
    }

    fn end_tokens(&mut self) {
        self.tokens.iter_mut().for_each(|(stands, _)| *stands = false);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Done,
    NotFound,
    Refused,
}

fn said<T>(answer: Result<T, AdminError>) -> (Said, Option<T>) {
    match answer {
        Ok(made) => (Said::Done, Some(made)),
        Err(AdminError::NotFound { .. }) => (Said::NotFound, None),
        Err(AdminError::Refused(_)) => (Said::Refused, None),
        Err(other) => panic!("{other}"),
    }
}

/// The real thing.
struct Real<'a> {
    context: &'a Context,
    client_id: &'a str,
    by: Authority,
    /// Id and text, in the order in which they were made.
    secrets: Vec<(String, String)>,
    tokens: Vec<SecretString>,
}

/// What a secret meets: it opens, it is told to be a dead one of this id, or it is a guess.
#[derive(Debug, PartialEq, Eq)]
enum Met {
    Open(String),
    Dead(String),
    Guess,
}

impl Real<'_> {
    fn took(&mut self, made: Option<NewClientSecret>) {
        self.secrets.extend(made.map(|made| (made.secret_id, made.secret.into_exposed())));
    }

    fn meets(&self, secret: &str) -> Met {
        match verify(self.context, self.client_id, secret, AuthenticationMethod::ClientSecretBasic) {
            Ok(client) => Met::Open(client.secret_id().unwrap().to_owned()),
            Err(error) => {
                assert_eq!((error.status, &*error.description), (401, "client authentication failed"));
                let refusal = error.refusal.unwrap();
                match refusal.action {
                    "client.dead_secret_used" => Met::Dead(refusal.target_id),
                    _ => Met::Guess,
                }
            }
        }
    }

    async fn token(&self, secret: &str) -> Option<SecretString> {
        let request = TokenRequest {
            parameters: Parameters::parse(MediaType::Form, b"grant_type=client_credentials").unwrap(),
            presented: PresentedClient {
                client_id: self.client_id.to_owned(),
                secret: SecretString::from(secret),
                method: AuthenticationMethod::ClientSecretBasic,
            },
            network: Network::of("127.0.0.1".parse().unwrap()),
            request_id: "test".into(),
        };
        exchange(self.context, &request).await.ok().map(|tokens| tokens.access_token)
    }
}

async fn run(server: &Server, client: &TestClient<'_>, happens: &[Event]) -> Result<(), String> {
    let context: &Context = server.context();
    let by = Authority::operator();
    let first = client_secrets::list(context, &by, &client.id).await.unwrap().remove(0).id;
    let secrets = vec![(first, client.secret.clone())];
    let mut real = Real { context, client_id: &client.id, by, secrets, tokens: Vec::new() };
    let mut model = Model { now: 0, secrets: vec![Secret { expires: None, ended: false }], tokens: Vec::new() };
    for (step, event) in happens.iter().enumerate() {
        let index_of = |age: usize| model.secrets.len().saturating_sub(age + 1);
        match event {
            Event::Add(lifetime) => {
                let expires = lifetime.map(|seconds| context.clock.now().plus_seconds(seconds));
                let added = client_secrets::add(context, &real.by, &client.id, "", expires).await;
                let (answer, made) = said(added);
                let expected = if model.add(*lifetime) { Said::Done } else { Said::Refused };
                hold!(answer, expected, "{step}: {event:?}");
                real.took(made);
            }
            Event::Rotate(overlap) => {
                let (answer, made) = said(client_secrets::rotate(context, &real.by, &client.id, *overlap).await);
                model.rotate(*overlap);
                hold!(answer, Said::Done, "{step}: {event:?}");
                real.took(made);
            }
            Event::End(age) => {
                let index = index_of(*age);
                let id = &real.secrets[index].0;
                let (answer, _) = said(client_secrets::end(context, &real.by, &client.id, id).await);
                hold!(answer, model.end(index), "{step}: {event:?}");
            }
            Event::GetToken(age) => {
                let index = index_of(*age);
                let token = real.token(&real.secrets[index].1).await;
                let is_open = model.is_open(&model.secrets[index]);
                hold!(token.is_some(), is_open, "{step}: {event:?}: a token");
                if let Some(token) = token {
                    real.tokens.push(token);
                    model.tokens.push((true, model.now + TOKEN_LIFETIME));
                }
            }
            Event::Wait(seconds) => {
                server.clock.advance(*seconds);
                model.now += seconds;
            }
        }
        for (secret, (id, text)) in model.secrets.iter().zip(&real.secrets) {
            let expected = if model.is_open(secret) { Met::Open(id.clone()) } else { Met::Dead(id.clone()) };
            hold!(real.meets(text), expected, "{step}: {event:?}: the secret {id}");
        }
        for ((stands, expires), token) in model.tokens.iter().zip(&real.tokens) {
            let is_alive = verifier::verify(context, token.expose()).is_ok();
            hold!(is_alive, *stands && model.now < *expires, "{step}: {event:?}: a token is alive");
        }
        hold!(real.meets("gr_cs_guess"), Met::Guess, "{step}: {event:?}: a guess");
    }
    let shown = client_secrets::list(context, &real.by, &client.id).await.unwrap();
    let shown: BTreeSet<&str> = shown.iter().map(|secret| secret.id.as_str()).collect();
    let kept = model.secrets.iter().zip(&real.secrets).filter(|(secret, _)| !secret.ended);
    hold!(shown, kept.map(|(_, (id, _))| id.as_str()).collect::<BTreeSet<_>>(), "what is listed");
    Ok(())
}

#[rstest]
fn the_secrets_of_a_client_open_when_their_model_says_so(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("tokens.access_lifetime", TOKEN_LIFETIME).clock_still().start();
    let runtime = runtime();
    let (started, cases) = (Instant::now(), cases(100));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(event(), 1..14), |happens| {
            let client = server.confidential_client().grants(["client_credentials"]).create();
            runtime.block_on(run(&server, &client, &happens)).map_err(TestCaseError::fail)
        })
        .unwrap();
    println!("{db:?}: {cases} cases in {:?}", started.elapsed());
}
