//! What the protocol works with: one value for the whole process.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::audit::Refusals;
use crate::clock::Clock;
use crate::config::Credentials;
use crate::crypto::data_keys::DataKeys;
use crate::crypto::random::Random;
use crate::login::Login;
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::model::grant_type::GrantType;
use crate::model::profile::ProfileRules;
use crate::model::signing_key::SigningAlgorithm;
use crate::oauth::keys::KeyRing;
use crate::oauth::tokens::verifier::VerifiedTokens;
use crate::registry::Registry;
use crate::store::{Store, StoreError};
use crate::usage::Usage;

/// The settings that the protocol reads.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The issuer identifier and the base of every URL (RFC 8414 §2).
    pub issuer: String,
    /// The `aud` where nothing else says one.
    pub audience: String,
    /// Lifetime of access tokens in seconds.
    pub access_lifetime: i64,
    /// What signs, unless the client says otherwise.
    pub signing_algorithm: SigningAlgorithm,
    /// Idle lifetime of token families in seconds.
    pub idle_lifetime: i64,
    /// Absolute lifetime of token families in seconds.
    pub absolute_lifetime: i64,
    /// Reuse window of token families in seconds.
    pub reuse_window: i64,
    /// How long a new signing key is published before it signs, in seconds.
    pub publish_ahead: i64,
    /// How long a signing key signs, in seconds.
    pub rotation_interval: i64,
    /// Whether the password grant is offered at all.
    pub password_grant: bool,
    /// Whether a person's password may be used at the token endpoint.
    pub people_passwords: bool,
    /// How long rows are kept that nothing needs any more.
    pub retention: Retention,
}

/// How long rows are kept that nothing needs any more, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Audit events.
    pub audit: i64,
    /// Hourly counters of use.
    pub usage: i64,
    /// Messages that are done, and one-time links that are over.
    pub mail: i64,
    /// Client secrets that were replaced or have expired.
    pub replaced_secrets: i64,
}

impl Settings {
    /// The grants that the server offers; each client must have them as well.
    pub fn grants(&self) -> impl Iterator<Item = GrantType> {
        let password = self.password_grant;
        GrantType::ALL.iter().copied().filter(move |grant| *grant != GrantType::Password || password)
    }
}

/// The parts of a running node.
pub struct Context {
    /// The settings.
    pub settings: Settings,
    /// Names of what is given out, and what can be seen again.
    pub credentials: Credentials,
    /// What a user's profile must hold.
    pub profiles: ProfileRules,
    /// The database.
    pub store: Store,
    /// What every request needs of it, in memory.
    pub registry: Registry,
    /// The keys of digests, refresh tokens, passwords and seals.
    pub data_keys: DataKeys,
    /// The opened signing keys.
    pub ring: ArcSwap<KeyRing>,
    /// Access tokens whose signature was checked before.
    pub verified: VerifiedTokens,
    /// Sign-in by password.
    pub login: Arc<Login>,
    /// Messages to people.
    pub mailer: Mailer,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What credentials are used for.
    pub usage: Usage,
    /// Refusals that wait to be audited.
    pub refusals: Arc<Refusals>,
}

impl Context {
    /// Reads what changed in the database, so that the next request of this node sees it.
    ///
    /// # Errors
    /// [`StoreError`] if the database or a signing key in it cannot be read.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.registry.refresh(&self.store, &self.clock).await?;
        let snapshot = self.registry.snapshot();
        if !self.ring.load().is_of(snapshot.keys()) {
            let ring = KeyRing::open(snapshot.keys(), &self.data_keys.sealing)?;
            self.ring.store(Arc::new(ring));
        }
        Ok(())
    }

    /// Stores what was counted and audited in memory, as far as it is due. At the end of a node everything is.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be reached; what is not stored is kept for a later time.
    pub async fn store_collected(&self, at_the_end: bool) -> Result<(), StoreError> {
        let refusals = self.refusals.flush(&self.store, self.clock.now(), at_the_end).await;
        self.usage.flush(&self.store, at_the_end).await?;
        refusals
    }

    /// Writes a change that the registry must see, and sees it before it answers: *at the next request* begins here.
    ///
    /// # Errors
    /// What [`Store::write`] answers.
    pub async fn change<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut crate::store::Db) -> Result<T, StoreError> + Send + 'static,
    {
        let answer = self.store.write(write).await?;
        // The change is made; where it cannot be read back, the poll will, or the node will call itself stale.
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "the change is stored, but could not be read back yet");
        }
        Ok(answer)
    }
}
