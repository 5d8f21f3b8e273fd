//! The composition root: configuration → parts → bound ports → run until stopped.

mod background;
mod delivery;
mod listening;
mod process;
mod stopping;

pub use listening::check_paths;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::KeepAlive;
use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer};
use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};

use crate::admin::setup::{self, SetupError, SetupSettings};
use crate::audit::Refusals;
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto::hash_pool::{HashPool, default_threads};
use crate::crypto::master_key::MasterKey;
use crate::crypto::password::{PasswordHashError, PasswordHasher, PasswordPolicy};
use crate::crypto::random::Random;
use crate::http::{self, HttpSettings, State};
use crate::login::{LimitSettings, Login, LoginSettings};
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::oauth::context::{Context, Retention, Settings};
use crate::oauth::keys::{self, KeyRing};
use crate::registry::Registry;
use crate::store::{Store, StoreError, migrations};
use crate::usage::Usage;

/// How long requests in flight may take once the server is told to stop, in seconds.
const STOP_WITHIN: u64 = 10;

/// Why the server does not start: one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The installation.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A port.
    #[error("cannot listen on {address}: {cause}{hint}")]
    Listen {
        /// The address of the configuration.
        address: SocketAddr,
        /// What the system says.
        cause: std::io::Error,
        /// What to do about it.
        hint: &'static str,
    },
    /// The operating system.
    #[error("{0}")]
    System(#[from] std::io::Error),
    /// Password hashing.
    #[error("password hashing: {0}")]
    Passwords(#[from] PasswordHashError),
    /// A setting that was checked before and is not what it was.
    #[error("{0}")]
    Setting(String),
}

/// Time and randomness, which tests bring themselves.
#[derive(Clone)]
pub struct Surroundings {
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

impl Surroundings {
    /// Those of the machine.
    #[must_use]
    pub fn system() -> Self {
        Self { clock: Clock::System, random: Random::system() }
    }
}

/// An installation, opened: what the command line and the server share.
pub struct Opened {
    /// The parts.
    pub context: Arc<Context>,
    /// The master key.
    pub master_key: MasterKey,
    /// Whether the database was empty before.
    pub is_new: bool,
}

/// Migrates, opens or makes the installation that the configuration names.
///
/// # Errors
/// [`StartError`].
pub async fn open(
    config: &Config,
    issuer: &str,
    admin_username: &str,
    surroundings: &Surroundings,
) -> Result<Opened, StartError> {
    keys::install();
    let Surroundings { clock, random } = surroundings.clone();
    let signing_algorithm =
        config.tokens.signing_algorithm.parse().map_err(|cause| StartError::Setting(format!("{cause}")))?;
    let setup = SetupSettings {
        security: config.security.clone(),
        programmatic_client_id: config.credentials.programmatic_client_id.clone(),
        signing_algorithm,
        admin_username: admin_username.to_owned(),
    };
    setup::check_master_key(&config.security)?;
    // The writer's thread is not started for a database that this program must not touch. This connection stays until
    // the writer has its own: the last one that leaves an SQLite database empties its log and removes it.
    let store = {
        let mut db = Store::connect(&config.database)?;
        let state = migrations::state(&mut db)?;
        state.refuse_newer()?;
        if !state.pending.is_empty() {
            tracing::info!(pending = ?state.pending, "migrating the database");
            migrations::run(&mut db)?;
        }
        Store::open(&config.database)?
    };
    let installation = setup::open_or_create(&store, &setup, &random, clock.now()).await?;
    let data_keys = installation.data_keys;
    let registry = Registry::load(&store, &clock).await?;
    let hasher = PasswordHasher::new(data_keys.pepper.clone(), "1", config.passwords.bcrypt_cost)?
        .with_imports(data_keys.sealing.clone());
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
    // A bcrypt doubles with each step of the cost; 234 ms at 12 on the machine that the design was measured on.
    let cost = config.passwords.bcrypt_cost;
    let estimate =
        Duration::from_micros(if cost >= 12 { 234_000_u64 << (cost - 12) } else { 234_000_u64 >> (12 - cost) });
    let pool = Arc::new(HashPool::start(default_threads(cores), estimate)?);
    let limits = &config.limits;
    let login_settings = LoginSettings {
        limits: LimitSettings {
            enabled: limits.enabled,
            account_network: i64::from(limits.account_network_failures),
            network: i64::from(limits.network_failures),
            account: i64::from(limits.account_failures),
            client: i64::from(limits.client_failures),
            window: seconds(limits.window),
        },
        policy: PasswordPolicy { min_length: config.passwords.min_length },
    };
    let refusals = Arc::new(Refusals::default());
    let digest = data_keys.digest.clone();
    let noted = Arc::clone(&refusals);
    let login = Login::new(store.clone(), clock.clone(), digest, hasher, pool, login_settings, noted);
    let ring = KeyRing::open(registry.snapshot().keys(), &data_keys.sealing)?;
    let settings = Settings {
        issuer: issuer.to_owned(),
        audience: config.tokens.audience.clone().unwrap_or_else(|| issuer.to_owned()),
        access_lifetime: seconds(config.tokens.access_lifetime),
        signing_algorithm,
        idle_lifetime: seconds(config.refresh.idle_lifetime),
        absolute_lifetime: seconds(config.refresh.absolute_lifetime),
        reuse_window: seconds(config.refresh.reuse_window),
        publish_ahead: seconds(config.keys.publish_ahead),
        rotation_interval: seconds(config.keys.rotation_interval.as_secs()),
        password_grant: config.grants.password.enabled,
        people_passwords: config.grants.password.people,
        retention: Retention {
            audit: days(config.audit.retention_days),
            usage: days(config.retention.usage_days),
            mail: days(config.retention.mail_days),
            replaced_secrets: days(config.retention.replaced_secret_days),
        },
    };
    let context = Context {
        settings,
        credentials: config.credentials.clone(),
        profiles: config.users.clone(),
        store,
        registry,
        data_keys,
        ring: ArcSwap::from_pointee(ring),
        verified: crate::oauth::tokens::verifier::VerifiedTokens::default(),
        login: Arc::new(login),
        usage: Usage::new(clock.clone()),
        refusals,
        mailer: Mailer::new(&config.mail, &config.brand, issuer),
        clock,
        random,
        metrics: Arc::new(Metrics::default()),
    };
    ensure_signing_key(&context).await?;
    Ok(Opened { context: Arc::new(context), master_key: installation.master_key, is_new: installation.is_new })
}

/// The configured algorithm may be another than at the first start: its first key signs at once.
async fn ensure_signing_key(context: &Context) -> Result<(), StoreError> {
    let now = context.clock.now();
    let algorithm = context.settings.signing_algorithm;
    if context.ring.load().signing(algorithm, now).is_some() {
        return Ok(());
    }
    let new = keys::make_key(algorithm, &context.data_keys.sealing, &context.random, now)?;
    context.change(move |db| keys::rotate(db, new.clone(), 0, now)).await?;
    Ok(())
}

fn days(value: u64) -> i64 {
    seconds(value.saturating_mul(86_400))
}

fn seconds(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A server whose ports are bound.
pub struct App {
    context: Arc<Context>,
    is_new: bool,
    public: TcpListener,
    private: TcpListener,
    config: Config,
}

impl App {
    /// Binds the ports and opens the installation.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn build(config: Config, surroundings: &Surroundings) -> Result<Self, StartError> {
        listening::check_paths(&config)?;
        let public = listening::bind(config.server.address)?;
        let private = listening::bind(config.server.private_address)?;
        let issuer = config.issuer.with_address(public.local_addr()?);
        let opened = Box::pin(open(&config, &issuer, setup::ADMIN_USERNAME, surroundings)).await?;
        if opened.is_new {
            tracing::info!(
                "a new installation: its administrator is {}, who gets a one-time set-up link",
                setup::ADMIN_USERNAME
            );
        }
        Ok(Self { context: opened.context, is_new: opened.is_new, public, private, config })
    }

    /// The address of the public listener, with its real port.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// The address of the private listener, with its real port.
    ///
    /// # Errors
    /// What the system says.
    pub fn private_address(&self) -> std::io::Result<SocketAddr> {
        self.private.local_addr()
    }

    /// Whether the database was empty before.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The parts.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Serves until SIGTERM, SIGINT or [`ServerHandle::stop`]; `started` gets the handle.
    ///
    /// # Errors
    /// What the system says.
    pub async fn run_until_stopped(self, started: impl FnOnce(ServerHandle)) -> Result<(), StartError> {
        let limits = self.config.limits.clone();
        let state = State::new(
            Arc::clone(&self.context),
            HttpSettings::from_config(&self.config, &self.context.settings.issuer),
        );
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let workers = if self.config.server.workers == 0 { cores } else { self.config.server.workers };
        tracing::info!(
            address = %self.public.local_addr()?,
            private_address = %self.private.local_addr()?,
            issuer = %self.context.settings.issuer,
            database = self.context.store.dialect(),
            "serving"
        );
        warn_of_explicit_risks(&self.config);
        let (public_state, leaving) = (state.clone(), state.clone());
        let drain = Duration::from_secs(self.config.server.drain);
        let connections = http::Connections::default();
        let accepted = connections.clone();
        let listener = self.public.try_clone()?;
        let public = HttpServer::new(move || {
            // Outermost what gives the id: an answer of CORS has one too.
            ActixApp::new()
                .wrap(http::cors(&public_state))
                .wrap(from_fn(http::observe))
                .configure(|routes| http::public(routes, &public_state))
        })
        .on_connect(move |socket, data| accepted.note(socket, data))
        .workers(workers)
        .max_connections(limits.max_connections.div_ceil(workers))
        .client_request_timeout(Duration::from_secs(limits.header_timeout))
        // What is quiet for too long is cut by `http::Connections`, without a timer for every answer.
        .keep_alive(KeepAlive::Os)
        .disable_signals()
        .shutdown_timeout(STOP_WITHIN)
        .listen(self.public)?
        .run();
        let private = HttpServer::new(move || {
            ActixApp::new().wrap(from_fn(http::identify)).configure(|routes| http::private(routes, &state))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .listen(self.private)?
        .run();
        started(public.handle());
        let at_once = Arc::new(Notify::new());
        let handle = public.handle();
        let stop = async move { handle.stop(true).await };
        let told = actix_web::rt::spawn(stopping::when_told(leaving, listener, stop, drain, Arc::clone(&at_once)));
        let private_handle = private.handle();
        let poll = actix_web::rt::spawn(background::poll_changes(Arc::clone(&self.context)));
        let quiet_for = Duration::from_secs(limits.keep_alive.max(limits.header_timeout));
        let cut = actix_web::rt::spawn(background::cut_quiet(connections, quiet_for));
        let maintain = actix_web::rt::spawn(background::maintain(Arc::clone(&self.context)));
        let seal = actix_web::rt::spawn(background::seal(Arc::clone(&self.context)));
        let (stop_collecting, stopped) = tokio::sync::oneshot::channel();
        let collect = actix_web::rt::spawn(background::collect(Arc::clone(&self.context), stopped));
        let (stop, stopped) = watch::channel(false);
        let deliver = actix_web::rt::spawn(delivery::until_stopped(Arc::clone(&self.context), stopped));
        let private = actix_web::rt::spawn(private);
        let context = Arc::clone(&self.context);
        let orderly = async move {
            let served = public.await;
            poll.abort();
            cut.abort();
            maintain.abort();
            seal.abort();
            // Told, not aborted: in the middle of a batch it holds what is nowhere else.
            drop(stop_collecting);
            let _ = collect.await;
            // A message that a mail server is taking is taken to its end, or it would be sent again.
            let _ = stop.send(true);
            let _ = tokio::time::timeout(Duration::from_secs(STOP_WITHIN), deliver).await;
            private_handle.stop(true).await;
            let _ = private.await;
            background::finish(&context).await;
            told.abort();
            served
        };
        tokio::select! {
            served = orderly => Ok(served?),
            () = at_once.notified() => Ok(()),
        }
    }
}

fn warn_of_explicit_risks(config: &Config) {
    if config.grants.password.enabled {
        tracing::warn!("the password grant is enabled (grants.password.enabled), for clients that were given it");
    }
    if config.server.allow_plain_http {
        tracing::warn!("plain HTTP off loopback is allowed (server.allow_plain_http)");
    }
    if !config.http.trusted_proxies.is_empty() {
        tracing::warn!(proxies = ?config.http.trusted_proxies, "these proxies are trusted to name the client's address");
    }
    if !config.limits.enabled {
        tracing::warn!("failed sign-ins are not counted (limits.enabled = false)");
    }
}

/// Serves on this thread until the process is told to stop. `prepared` runs once the ports are bound.
///
/// # Errors
/// [`StartError`].
pub fn serve(config: Config, prepared: impl AsyncFnOnce(&App) -> Result<(), StartError>) -> Result<(), StartError> {
    process::set_limits();
    actix_web::rt::System::new().block_on(async move {
        let app = Box::pin(App::build(config, &Surroundings::system())).await?;
        prepared(&app).await?;
        app.run_until_stopped(|_| {}).await
    })
}
