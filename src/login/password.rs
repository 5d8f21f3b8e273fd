//! The password pipeline, the same for every door and for every kind of account.
//!
//! A generated password is a machine's secret of 160 random bits and more: it is found by digest, costs no slow
//! hash and reserves nothing. Everything else, right or wrong, known account or not, costs one bcrypt in the pool.
//!
//! Longer than most files: the order of its steps is what makes every refusal look the same, so they stand together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use crate::audit::Refusals;
use crate::clock::Clock;
use crate::crypto::digest::{Digest, DigestKey};
use crate::crypto::hash_pool::{HashPool, HashPoolError};
use crate::crypto::password::{PasswordHashError, PasswordHasher, PasswordInput, PasswordPolicy};
use crate::crypto::secret::SecretString;
use crate::crypto::token_format::{GENERATED_PASSWORD_PREFIX, is_well_formed};
use crate::login::limits::{Attempt, LimitSettings, Place};
use crate::model::audit::{Actor, AuditEvent, Refusal};
use crate::model::network::Network;
use crate::model::time::Timestamp;
use crate::model::user::{PasswordKind, User, UserKind, UserStatus};
use crate::store::{Store, StoreError, audit, known_networks, users};

/// What generated passwords are digested for.
pub const GENERATED_DIGEST_PURPOSE: &str = "generated password";

/// How long a network stays known after a sign-in from it, in seconds.
pub const NETWORK_KNOWN_FOR: i64 = 30 * 86_400;

/// Whether a text has the shape of a generated password. Nobody may choose such a text, so the shape alone says
/// how it is checked, and tells nothing about the account.
#[must_use]
pub fn is_generated_shape(text: &str) -> bool {
    is_well_formed(GENERATED_PASSWORD_PREFIX, text)
}

/// What lies behind a door, which a user's access methods name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Face {
    /// Tokens and requests.
    Api,
    /// Pages.
    Console,
}

/// The door through which somebody signs in, and whom it lets in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Door {
    /// The client that asks; none where a request brings its own credential. Failures through such a door count
    /// against account and network alone: one count for all callers would let a stranger close it for everybody.
    pub client_id: Option<String>,
    /// Whether passwords chosen by people or administrators are taken, or generated ones alone.
    pub chosen_passwords: bool,
    /// Whether people are let in, or API users alone.
    pub people: bool,
    /// What lies behind it.
    pub face: Face,
}

impl Door {
    /// `/verify` and Grantor's own API: a request with a username and a password of its own.
    #[must_use]
    pub fn of_requests() -> Self {
        Self { client_id: None, chosen_passwords: true, people: true, face: Face::Api }
    }

    /// The console's sign-in page.
    #[must_use]
    pub fn of_console() -> Self {
        Self { face: Face::Console, ..Self::of_requests() }
    }
}

/// Somebody who gave the right password.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user's id.
    pub user_id: String,
    /// The user's epoch when the password was read: what has raised it since has ended this sign-in too.
    pub epoch: i64,
    /// The account is locked, but the sign-in came from a network of the user's.
    pub despite_lock: bool,
    /// The account, where it was read for this sign-in alone and an instant ago: no slow hash lay between.
    pub just_read: Option<Box<User>>,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignInError {
    /// Wrong password, unknown, disabled or locked account, or not for this door: the log says which.
    #[error("{0}")]
    Refused(&'static str),
    /// Too many failures; seconds to wait.
    #[error("too many failures")]
    Limited(u64),
    /// Too much to do; seconds to wait.
    #[error("{1}")]
    Busy(u64, &'static str),
    /// The database does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// A defect.
    #[error("{0}")]
    Bug(String),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Bug(what) => Self::Bug(what),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<HashPoolError> for SignInError {
    fn from(error: HashPoolError) -> Self {
        match error {
            HashPoolError::Overloaded { retry_after } => {
                Self::Busy(retry_after.as_secs().max(1), "the password hash pool is full")
            }
            HashPoolError::Failed => Self::Bug("a password hash failed".to_owned()),
        }
    }
}

/// What the pipeline is set to.
#[derive(Debug, Clone)]
pub struct LoginSettings {
    /// Limits on guessing.
    pub limits: LimitSettings,
    /// What a new password must be.
    pub policy: PasswordPolicy,
}

/// What the hash said of a password.
struct Checked {
    right: bool,
    /// The stored hash and the one that takes its place, where the cost was raised since.
    renewed: Option<(String, String)>,
}

type Evaluation = Shared<BoxFuture<'static, Result<SignedIn, SignInError>>>;

/// Sign-in by password.
pub struct Login {
    store: Store,
    clock: Clock,
    digest: DigestKey,
    hasher: PasswordHasher,
    pool: Arc<HashPool>,
    settings: LoginSettings,
    refusals: Arc<Refusals>,
    in_flight: Mutex<HashMap<Digest, Evaluation>>,
}

/// An evaluation on its way; whatever ends it, nobody joins it any more.
struct Leaving<'a> {
    login: &'a Login,
    identity: Digest,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.login.in_flight().remove(&self.identity);
    }
}

impl Login {
    /// The pipeline of a node.
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        digest: DigestKey,
        hasher: PasswordHasher,
        pool: Arc<HashPool>,
        settings: LoginSettings,
        refusals: Arc<Refusals>,
    ) -> Self {
        Self { store, clock, digest, hasher, pool, settings, refusals, in_flight: Mutex::default() }
    }

    /// The pool of slow hashes, for the metrics page and for new passwords.
    #[must_use]
    pub fn pool(&self) -> &Arc<HashPool> {
        &self.pool
    }

    /// How passwords of people are hashed.
    #[must_use]
    pub fn hasher(&self) -> &PasswordHasher {
        &self.hasher
    }

    /// What a new password must be.
    #[must_use]
    pub fn policy(&self) -> &PasswordPolicy {
        &self.settings.policy
    }

    /// The key under which an account's consecutive failures are counted, for `user unlock`.
    #[must_use]
    pub fn account_key(&self, username: &str) -> String {
        Attempt::account_key(&self.digest, username)
    }

    /// Signs somebody in.
    ///
    /// # Errors
    /// [`SignInError`]; every reason for a refusal looks the same from outside.
    pub async fn sign_in(
        self: &Arc<Self>,
        door: &Door,
        username: &str,
        password: &str,
        network: Network,
    ) -> Result<SignedIn, SignInError> {
        // A flood of guesses is turned away before it costs the database anything; so is, meanwhile, whoever could have
        // joined an evaluation in flight.
        if !is_generated_shape(password) {
            self.pool.admit()?;
        }
        let name = username.to_owned();
        let user = self.store.read(move |db| users::by_username(db, &name)).await?;
        if is_generated_shape(password)
            && let Some(user) = &user
            && self.is_generated_password_of(user, password)
            && let Ok(signed_in) = let_in(user, door, None)
        {
            return Ok(SignedIn { just_read: Some(Box::new(user.clone())), ..signed_in });
        }
        self.evaluate_once(door, username, password, network, user).await
    }

    fn is_generated_password_of(&self, user: &User, password: &str) -> bool {
        let presented = self.digest.digest(GENERATED_DIGEST_PURPOSE, password.as_bytes());
        match &user.password {
            Some((PasswordKind::Generated, stored)) => Digest::from_text(stored) == Some(presented),
            _ => false,
        }
    }

    /// Identical attempts in flight share one evaluation: fifty instances of a service that start together cost
    /// one hash.
    async fn evaluate_once(
        self: &Arc<Self>,
        door: &Door,
        username: &str,
        password: &str,
        network: Network,
        user: Option<User>,
    ) -> Result<SignedIn, SignInError> {
        let place = format!("{door:?}\0{network}\0{username}\0");
        // At its full length from the first: a text that grows leaves copies behind that nothing wipes.
        let mut identity = String::with_capacity(place.len() + password.len());
        identity.push_str(&place);
        identity.push_str(password);
        let identity = SecretString::new(identity);
        let identity = self.digest.digest("attempt in flight", identity.expose().as_bytes());
        let evaluation = self
            .in_flight()
            .entry(identity)
            .or_insert_with(|| {
                let login = Arc::clone(self);
                let (door, username) = (door.clone(), username.to_owned());
                let password = SecretString::from(password);
                // A task of its own: whoever hangs up must leave neither a place that stays taken nor an evaluation
                // that a later caller would go on with.
                let task = tokio::spawn(async move {
                    let _leaving = Leaving { login: &login, identity };
                    login.evaluate(&door, &username, &password, network, user).await
                });
                let ended = |outcome| match outcome {
                    Ok(outcome) => outcome,
                    Err(_) => Err(SignInError::Bug("the evaluation of a password did not end".to_owned())),
                };
                task.map(ended).boxed().shared()
            })
            .clone();
        evaluation.await
    }

    fn in_flight(&self) -> MutexGuard<'_, HashMap<Digest, Evaluation>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn evaluate(
        &self,
        door: &Door,
        username: &str,
        password: &SecretString,
        network: Network,
        user: Option<User>,
    ) -> Result<SignedIn, SignInError> {
        self.pool.admit()?;
        let attempt = Attempt::new(&self.settings.limits, &self.digest, username, network, door.client_id.as_deref());
        if self.settings.limits.enabled {
            match attempt.reserve(&self.store, &self.clock).await? {
                Place::Taken => {}
                Place::Wait(seconds) => return Err(SignInError::Busy(seconds, "too many attempts at once")),
                Place::Blocked(seconds) => return Err(SignInError::Limited(seconds)),
            }
        }
        let checked = self.check(user.as_ref(), password).await;
        let Checked { right, renewed } = match checked {
            Ok(checked) => checked,
            Err(error) if self.settings.limits.enabled => {
                attempt.release(&self.store, &self.clock).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let known_since = match &user {
            Some(user) if right && user.status == UserStatus::Locked => self.last_sign_in(user, network).await?,
            _ => None,
        };
        let outcome = match &user {
            Some(user) if right => let_in(user, door, known_since.map(|at| (at, self.clock.now()))),
            Some(_) => Err(SignInError::Refused("wrong password")),
            None => Err(SignInError::Refused("unknown account")),
        };
        if let Err(SignInError::Refused(reason)) = &outcome {
            self.note_refusal(user.as_ref(), reason, door, network);
        }
        self.settle(attempt, user, network, outcome.is_ok(), renewed).await?;
        outcome
    }

    /// For the audit log. The name of an unknown account is not kept: people type passwords there.
    fn note_refusal(&self, user: Option<&User>, reason: &'static str, door: &Door, network: Network) {
        let refusal = Refusal {
            action: "user.sign_in_refused",
            target_kind: "user",
            target_id: user.map(|user| user.id.clone()).unwrap_or_default(),
            organization_id: user.map(|user| user.organization_id.clone()),
            reason,
        };
        self.refusals.note(&refusal, door.client_id.as_deref().unwrap_or_default(), network, None, self.clock.now());
    }

    /// One bcrypt, whatever is presented; a second one where a right password's hash is renewed.
    async fn check(&self, user: Option<&User>, password: &SecretString) -> Result<Checked, SignInError> {
        let input = PasswordInput::parse(password.expose()).ok().filter(|_| !is_generated_shape(password.expose()));
        let stored = match user.and_then(|user| user.password.as_ref()) {
            Some((PasswordKind::Human, hash)) => Some(hash.clone()),
            _ => None,
        };
        let hasher = self.hasher.clone();
        let job = move || match (input, stored) {
            (Some(input), Some(stored)) => {
                let right = hasher.verify(&input, &stored)?;
                let renewed = if right && hasher.needs_rehash(&stored) { Some(hasher.hash(&input)?) } else { None };
                Ok(Checked { right, renewed: renewed.map(|new| (stored, new)) })
            }
            _ => {
                hasher.burn();
                Ok(Checked { right: false, renewed: None })
            }
        };
        self.pool.run(job).await?.map_err(|error: PasswordHashError| SignInError::Bug(error.to_string()))
    }

    async fn last_sign_in(&self, user: &User, network: Network) -> Result<Option<Timestamp>, SignInError> {
        let (id, network) = (user.id.clone(), network.to_string());
        Ok(self.store.read(move |db| known_networks::last_sign_in(db, &id, &network)).await?)
    }

    async fn settle(
        &self,
        attempt: Attempt,
        user: Option<User>,
        network: Network,
        right: bool,
        renewed: Option<(String, String)>,
    ) -> Result<(), SignInError> {
        let now = self.clock.now();
        let limits = self.settings.limits.clone();
        let network = network.to_string();
        let write = move |db: &mut crate::store::Db| {
            let failures = if limits.enabled { attempt.settle(db, right, now)? } else { 0 };
            let Some(user) = &user else { return Ok(()) };
            if right {
                known_networks::note_sign_in(db, &user.id, &network, now)?;
                if let Some((old, new)) = &renewed {
                    users::upgrade_hash(db, &user.id, old, new)?;
                }
            } else if failures >= limits.account && may_be_locked(user) {
                lock(db, user, failures, now)?;
            }
            Ok(())
        };
        Ok(self.store.write(write).await?)
    }
}

/// A generated password cannot be guessed, so a lock would only let strangers stop a program.
fn may_be_locked(user: &User) -> bool {
    matches!(user.password, Some((PasswordKind::Human, _)))
}

fn lock(db: &mut crate::store::Db, user: &User, failures: i64, now: Timestamp) -> Result<(), StoreError> {
    if !users::lock(db, &user.id, now)? {
        return Ok(());
    }
    let event = AuditEvent {
        action: "user.locked",
        target_kind: "user",
        target_id: user.id.clone(),
        organization_id: Some(user.organization_id.clone()),
        details: format!("after {failures} consecutive failed sign-ins"),
    };
    audit::record(db, &Actor::server(), &event, now)
}

/// Whether the door is for this user, who has given the right password. `known` is the last sign-in from this
/// network, and now.
fn let_in(user: &User, door: &Door, known: Option<(Timestamp, Timestamp)>) -> Result<SignedIn, SignInError> {
    let refused = |why| Err(SignInError::Refused(why));
    let signed_in =
        |despite_lock| Ok(SignedIn { user_id: user.id.clone(), epoch: user.epoch, despite_lock, just_read: None });
    let generated = matches!(user.password, Some((PasswordKind::Generated, _)));
    if !generated && !door.chosen_passwords {
        return refused("this client takes generated passwords alone");
    }
    if user.kind == UserKind::Person && !door.people {
        return refused("people's passwords are not taken at this door");
    }
    match door.face {
        Face::Api if !user.access_api => return refused("the user has no API access"),
        Face::Console if !user.access_console => return refused("the user has no access to the console"),
        Face::Api | Face::Console => {}
    }
    let from_known = known.is_some_and(|(at, now)| now.micros_since(at) <= NETWORK_KNOWN_FOR * 1_000_000);
    match user.status {
        UserStatus::Active => signed_in(false),
        UserStatus::Locked if from_known => signed_in(true),
        UserStatus::Locked => refused("the account is locked"),
        UserStatus::Invited | UserStatus::Disabled | UserStatus::Deleted => refused("the account is not active"),
    }
}
