//! Lists: a page at a time, each with the cursor to the next (keyset pagination).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::AdminError;
use crate::oauth::Context;

/// Rows of a page, unless the request says otherwise, and at most.
const USUAL: i64 = 50;
const MOST: i64 = 200;

/// Bytes of the mark by which a cursor of ours is known.
const MARK: usize = 12;

/// What every list takes in its query.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Paging {
    /// Rows, 1 to 200.
    pub limit: Option<i64>,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Send it as `cursor` for the next page; null on the last one.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// Where a page starts, and how many rows are read: one more than are shown tells whether another follows.
#[derive(Debug)]
pub struct Window {
    /// The id after which it starts.
    pub after: String,
    /// Rows to read.
    pub limit: i64,
}

impl Paging {
    /// Checks limit and cursor. `list` names the list: a cursor is good for that alone.
    ///
    /// # Errors
    /// [`Unusable::Limit`] for a limit; [`Unusable::Cursor`] for a cursor that is none of ours.
    pub fn window(&self, context: &Context, list: &str) -> Result<Window, Unusable> {
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Unusable::Limit);
        }
        let after = match &self.cursor {
            None => String::new(),
            Some(cursor) => open(context, list, cursor).ok_or(Unusable::Cursor)?,
        };
        Ok(Window { after, limit: limit + 1 })
    }
}

/// Why a page cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Not 1 to 200.
    #[error("limit is 1 to 200")]
    Limit,
    /// Not one that this list gave out.
    #[error("the cursor is none that this list gave out")]
    Cursor,
}

impl Window {
    /// The page of what was read.
    pub fn page<R, T>(
        &self,
        context: &Context,
        list: &str,
        mut rows: Vec<R>,
        id: impl Fn(&R) -> String,
        answer: impl FnMut(R) -> T,
    ) -> Page<T> {
        let shown = usize::try_from(self.limit - 1).unwrap_or(usize::MAX);
        let more = rows.len() > shown;
        rows.truncate(shown);
        let next_cursor = rows.last().filter(|_| more).map(|last| seal(context, list, &id(last)));
        Page { items: rows.into_iter().map(answer).collect(), next_cursor }
    }
}

fn mark(context: &Context, list: &str, after: &str) -> [u8; MARK] {
    let digest = context.data_keys.digest.digest("cursor", format!("{list}\0{after}").as_bytes());
    let mut mark = [0; MARK];
    mark.copy_from_slice(&digest.as_bytes()[..MARK]);
    mark
}

fn seal(context: &Context, list: &str, after: &str) -> String {
    URL_SAFE_NO_PAD.encode([&mark(context, list, after), after.as_bytes()].concat())
}

fn open(context: &Context, list: &str, cursor: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (presented, after) = bytes.split_at_checked(MARK)?;
    let after = std::str::from_utf8(after).ok()?;
    crate::crypto::digest::constant_time_eq(presented, &mark(context, list, after)).then(|| after.to_owned())
}

impl From<Unusable> for AdminError {
    fn from(error: Unusable) -> Self {
        match error {
            Unusable::Limit => Self::invalid("limit", error.to_string()),
            Unusable::Cursor => Self::Unreadable(error.to_string()),
        }
    }
}
