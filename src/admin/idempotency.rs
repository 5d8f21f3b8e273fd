//! POSTs that are carried out once for each `Idempotency-Key`.

use crate::admin::AdminError;
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::store::remembered_posts::{self, RememberedPost};

/// How long an answer is kept for a repeat, in seconds.
pub const KEPT_FOR: i64 = 86_400;

/// The status of a claim whose request is under way.
const UNDER_WAY: i64 = 0;

/// Before the body of a kept answer that made a secret: what follows is the id of what was made.
const SECRET: &str = "secret ";

/// A request with a key, by digests: neither key nor body is stored.
#[derive(Debug, Clone)]
pub struct Claim {
    key_digest: String,
    request_digest: String,
}

impl Claim {
    /// The claim of a caller's request.
    #[must_use]
    pub fn new(context: &Context, subject: &str, key: &str, operation: &str, body: &[u8]) -> Self {
        let digest = &context.data_keys.digest;
        let request = [operation.as_bytes(), b"\0", body].concat();
        Self {
            key_digest: digest.digest("idempotency key", format!("{subject}\0{key}").as_bytes()).to_text(),
            request_digest: digest.digest("idempotent request", &request).to_text(),
        }
    }
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remembered {
    /// The same request was answered so.
    Answered {
        /// The HTTP status.
        status: i64,
        /// The body.
        body: String,
    },
    /// The same request made a secret, which is not kept.
    MadeSecret {
        /// What it made.
        id: String,
    },
    /// The same request has not been answered yet, or nobody knows how it ended.
    UnderWay,
    /// Another request came with the key.
    Another,
}

/// Claims a key for a request; none if nobody had it.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn claim(context: &Context, claim: &Claim) -> Result<Option<Remembered>, AdminError> {
    let (claim, now) = (claim.clone(), context.clock.now());
    let known = context.store.write(move |db| claimed(db, &claim, now)).await?;
    Ok(known)
}

fn claimed(
    db: &mut crate::store::Db,
    claim: &Claim,
    now: Timestamp,
) -> Result<Option<Remembered>, crate::store::StoreError> {
    remembered_posts::forget_older(db, &claim.key_digest, now.plus_seconds(-KEPT_FOR))?;
    let post = RememberedPost {
        key_digest: claim.key_digest.clone(),
        request_digest: claim.request_digest.clone(),
        status: UNDER_WAY,
        body: String::new(),
    };
    let Some(known) = remembered_posts::insert_or_find(db, &post, now)? else { return Ok(None) };
    Ok(Some(if known.request_digest != claim.request_digest {
        Remembered::Another
    } else if known.status == UNDER_WAY {
        Remembered::UnderWay
    } else if let Some(id) = known.body.strip_prefix(SECRET) {
        Remembered::MadeSecret { id: id.to_owned() }
    } else {
        Remembered::Answered { status: known.status, body: known.body }
    }))
}

/// Keeps the answer of a claim. Of one that made a secret only the id of what was made is kept.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn keep(context: &Context, claim: &Claim, status: u16, body: &str, secret: bool) -> Result<(), AdminError> {
    let body = if secret { format!("{SECRET}{body}") } else { body.to_owned() };
    let key = claim.key_digest.clone();
    Ok(context.store.write(move |db| remembered_posts::answer(db, &key, i64::from(status), &body)).await?)
}

/// Gives a claim back whose request did nothing.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn release(context: &Context, claim: &Claim) -> Result<(), AdminError> {
    let key = claim.key_digest.clone();
    Ok(context.store.write(move |db| remembered_posts::forget(db, &key)).await?)
}
