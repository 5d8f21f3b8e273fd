//! The hot paths without HTTP: what a request costs once it is parsed, and what group commit is worth.
//!
//! `cargo bench --bench hot_paths`

// A bench that cannot be set up ends.
#![allow(clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use grantor::admin::Authority;
use grantor::admin::clients::{self, NewClient};
use grantor::admin::users::{self, UserRequest};
use grantor::app::{self, Surroundings};
use grantor::config::{self, LoadOptions};
use grantor::login::Network;
use grantor::model::family::Family;
use grantor::model::scope::ScopeSet;
use grantor::oauth::Context;
use grantor::oauth::client_authentication::read;
use grantor::oauth::grants::{TokenRequest, exchange};
use grantor::oauth::parameters::{MediaType, Parameters};
use grantor::oauth::tokens::verifier;
use grantor::store::families;
use tokio::runtime::Runtime;

struct Bench {
    runtime: Runtime,
    context: Arc<Context>,
    client: (String, String),
    user: (String, String),
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(algorithm: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let environment = BTreeMap::from([
            ("GRANTOR__DATABASE__URL".to_owned(), format!("sqlite://{}", path("grantor.db"))),
            ("GRANTOR__SECURITY__MASTER_KEY_FILE".to_owned(), path("master.key")),
            ("GRANTOR__TOKENS__SIGNING_ALGORITHM".to_owned(), algorithm.to_owned()),
        ]);
        let config = config::load(&LoadOptions { environment, ..LoadOptions::default() }).expect("a configuration");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let issuer = "http://127.0.0.1:8080";
        let surroundings = Surroundings::system();
        let context = runtime.block_on(app::open(&config, issuer, "admin", &surroundings)).expect("opened").context;
        let by = Authority::operator();
        let new = NewClient {
            label: "bench".to_owned(),
            grant_types: ["password", "refresh_token", "client_credentials"].map(str::to_owned).to_vec(),
            ..NewClient::default()
        };
        let made = runtime.block_on(clients::create(&context, &by, &new)).expect("a client");
        let request =
            UserRequest { username: "bench".to_owned(), kind: Some("api_user".to_owned()), ..UserRequest::default() };
        let user = runtime.block_on(users::create(&context, &by, &request)).expect("a user");
        let exposed = |secret: grantor::crypto::secret::SecretString| secret.into_exposed();
        Self {
            client: (made.client.client_id, made.secret.map(exposed).unwrap_or_default()),
            user: (user.username, user.password.map(exposed).unwrap_or_default()),
            runtime,
            context,
            _folder: folder,
        }
    }

    fn request(&self, pairs: &[(&str, &str)]) -> TokenRequest {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", &self.client.0).append_pair("client_secret", &self.client.1);
        for (name, value) in pairs {
            form.append_pair(name, value);
        }
        let parameters = Parameters::parse(MediaType::Form, form.finish().as_bytes()).expect("parameters");
        let presented = read(None, &parameters).expect("a client");
        let network = Network::of(std::net::Ipv4Addr::LOCALHOST.into());
        TokenRequest { parameters, presented, network, request_id: Arc::default() }
    }

    fn token(&self, request: &TokenRequest) -> grantor::oauth::tokens::issue::Tokens {
        self.runtime.block_on(exchange(&self.context, request)).expect("tokens")
    }
}

fn grants(c: &mut Criterion) {
    for algorithm in ["ES256", "RS256", "EdDSA"] {
        let bench = Bench::new(algorithm);
        let request = bench.request(&[("grant_type", "client_credentials")]);
        c.bench_function(&format!("client_credentials {algorithm}"), |b| b.iter(|| black_box(bench.token(&request))));
    }
    let bench = Bench::new("ES256");
    let password =
        bench.request(&[("grant_type", "password"), ("username", &bench.user.0), ("password", &bench.user.1)]);
    c.bench_function("password, generated, one by one", |b| b.iter(|| black_box(bench.token(&password))));
    let mut refresh_token = bench.token(&password).refresh_token.expect("a refresh token");
    c.bench_function("refresh, one by one", |b| {
        b.iter(|| {
            let request = bench.request(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())]);
            refresh_token = bench.token(&request).refresh_token.expect("a successor");
        });
    });
    let known = bench.token(&bench.request(&[("grant_type", "client_credentials")])).access_token;
    c.bench_function("verify an access token, seen before", |b| {
        b.iter(|| verifier::verify(&bench.context, known.expose()).expect("valid"));
    });
    let fresh: Vec<_> = (0..20_000)
        .map(|_| bench.token(&bench.request(&[("grant_type", "client_credentials")])).access_token)
        .collect();
    let mut next = fresh.iter().cycle();
    c.bench_function("verify an access token, not seen before", |b| {
        // More tokens than are remembered, in turn: none is found again.
        b.iter(|| verifier::verify(&bench.context, next.next().expect("a token").expose()).expect("valid"));
    });
}

/// Rotations of 64 families, one after the other or all at once.
fn group_commit(c: &mut Criterion) {
    const FAMILIES: u64 = 64;
    let bench = Bench::new("ES256");
    let ids: Vec<String> = (0..FAMILIES).map(|number| start_family(&bench, number)).collect();
    let mut group = c.benchmark_group("rotations, SQLite FULL");
    group.throughput(Throughput::Elements(FAMILIES)).sample_size(20);
    for at_once in [1_usize, 64] {
        let mut generation = families_generation(&bench, &ids[0]);
        group.bench_function(BenchmarkId::new("at once", at_once), |b| {
            b.iter_custom(|rounds| {
                let started = Instant::now();
                for _ in 0..rounds {
                    for some in ids.chunks(at_once) {
                        let rotations = some.iter().map(|id| rotate(&bench, id.clone(), generation));
                        bench.runtime.block_on(futures_util::future::join_all(rotations));
                    }
                    generation += 1;
                }
                started.elapsed()
            });
        });
    }
    group.finish();
}

async fn rotate(bench: &Bench, id: String, generation: i64) {
    let now = bench.context.clock.now();
    let rotated = bench
        .context
        .store
        .write_statement(move |db| families::rotate(db, &id, generation, now, now.plus_seconds(3600)))
        .await;
    assert!(rotated.expect("written"), "the family was at another generation");
}

fn start_family(bench: &Bench, number: u64) -> String {
    let now = bench.context.clock.now();
    let family = Family {
        id: format!("0199a0c8-0000-7000-8000-{number:012}"),
        client_id: bench.client.0.clone(),
        user_id: format!("user {number}"),
        scope: ScopeSet::default(),
        audience: Vec::new(),
        salt: "salt".to_owned(),
        generation: 1,
        auth_time: now,
        rotated_at: now,
        idle_expires_at: now.plus_seconds(3600),
        absolute_expires_at: now.plus_seconds(86_400),
        revoked_at: None,
    };
    let id = family.id.clone();
    bench.runtime.block_on(bench.context.store.write(move |db| families::create(db, &family, now))).expect("written");
    id
}

fn families_generation(bench: &Bench, id: &str) -> i64 {
    let id = id.to_owned();
    let found = bench.runtime.block_on(bench.context.store.read(move |db| families::find(db, &id)));
    found.expect("read").expect("a family").generation
}

criterion_group!(benches, grants, group_commit);
criterion_main!(benches);
