//! A forgotten password. Whoever asks hears the same after the same time, whatever account they named, and whether
//! there is one.

use std::time::Duration;

use tokio::time::Instant;

use crate::admin::AdminError;
use crate::admin::links::{Letter, event};
use crate::login::Network;
use crate::model::audit::Actor;
use crate::model::time::Timestamp;
use crate::model::user::UserStatus;
use crate::oauth::Context;
use crate::store::attempts::{self, Bucket, Reservation, Settlement};
use crate::store::recipients::{self, Recipient};
use crate::store::{Db, StoreError, audit};

/// Requests in an hour: for one account, and from one network.
const PER_ACCOUNT: i64 = 3;
const PER_NETWORK: i64 = 100;
const WINDOW: i64 = 3600;

/// When the answer is given: later than the work takes.
const ANSWERED_AFTER: Duration = Duration::from_millis(300);

/// Why nothing was looked at.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// Too many requests from this network; seconds to wait.
    #[error("too many requests")]
    Limited(u64),
    /// The database, or a defect.
    #[error(transparent)]
    Other(#[from] AdminError),
}

impl From<StoreError> for ResetError {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

/// Sends a link that sets a password to the user of this username or e-mail address, if they are active (or locked)
/// and the address is verified; nobody learns whether.
///
/// # Errors
/// [`ResetError`].
pub async fn request(context: &Context, origin: &Actor, network: Network, key: &str) -> Result<(), ResetError> {
    let answer_at = Instant::now() + ANSWERED_AFTER;
    let answer = try_to_send(context, origin, network, key).await;
    tokio::time::sleep_until(answer_at).await;
    answer
}

async fn try_to_send(context: &Context, origin: &Actor, network: Network, key: &str) -> Result<(), ResetError> {
    let wanted = key.to_owned();
    let user = context.store.read(move |db| recipients::named(db, &wanted)).await?;
    let bucket = |kind: &str, what: &str, allowed: i64| Bucket {
        key: context.data_keys.digest.digest(&format!("attempts reset {kind}"), what.as_bytes()).to_text(),
        allowed,
        window: WINDOW,
        backs_off: false,
    };
    let of_network = bucket("network", &network.to_string(), PER_NETWORK);
    // By id where there is one: a username and an address must not count apart.
    let of_account = bucket("account", user.as_ref().map_or(key, |user| user.id.as_str()), PER_ACCOUNT);
    let letter = match user.as_ref().and_then(|user| Some((user, reachable(user)?))) {
        Some((user, email)) => Some(Letter::reset(context, &user.id, email)?),
        None => None,
    };
    let (origin, now) = (origin.clone(), context.clock.now());
    let blocked = context
        .store
        .write(move |db| {
            if let Some(until) = count(db, &of_network, now)? {
                return Ok(Some(until));
            }
            if count(db, &of_account, now)?.is_none()
                && let (Some(user), Some(letter)) = (&user, &letter)
            {
                letter.enqueue(db)?;
                audit::record(db, &origin, &event("user.password_reset_requested", user, String::new()), now)?;
            }
            Ok(None)
        })
        .await?;
    match blocked {
        None => Ok(()),
        Some(until) => {
            let micros = u64::try_from(until.micros_since(now)).unwrap_or(0);
            Err(ResetError::Limited(micros.div_ceil(1_000_000).max(1)))
        }
    }
}

/// The verified address of a user who may have another password. A reset is how a locked user gets back in.
fn reachable(user: &Recipient) -> Option<&str> {
    let may = user.is_verified && matches!(user.status, UserStatus::Active | UserStatus::Locked);
    user.email.as_deref().filter(|_| may)
}

/// Counts a request; answers until when the next one is not looked at, where there were too many before it.
fn count(db: &mut Db, bucket: &Bucket, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    match attempts::reserve(db, std::slice::from_ref(bucket), now)? {
        Reservation::Reserved => attempts::settle(db, bucket, Settlement::Failed, now).map(|_| None),
        Reservation::Blocked(until) => Ok(Some(until)),
        Reservation::Busy => Ok(Some(now.plus_seconds(1))),
    }
}
