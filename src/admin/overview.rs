//! What a user has, what of it ends or is idle, and what of it was refused lately: for the first page.

use crate::admin::reports::IDLE_DAYS;
use crate::admin::{AdminError, Authority};
use crate::model::api_key::ApiKey;
use crate::model::role::{API_KEYS_MANAGE, APPLICATIONS_MANAGE, CREDENTIALS_MANAGE};
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::store::overview::{self, Named, RefusedHour};
use crate::store::{Db, api_keys};

/// Days before its end in which something is said to end soon.
pub const ENDING_DAYS: i64 = 30;

/// Days in which a refusal is lately.
pub const LATELY_DAYS: i64 = 7;

const DAY: i64 = 86_400;

/// Keys that are read; whoever has more of their own sees how they stand on the page of the keys.
const MOST_KEYS: i64 = 200;

/// Rows of each list.
const FEW: usize = 10;

/// The kinds of things that a user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owned {
    /// A set of credentials.
    Credentials,
    /// An application.
    Application,
    /// An API key.
    ApiKey,
    /// The user's own account.
    Account,
}

/// One of them, with an instant: of its end, or of its last use where it was used.
#[derive(Debug, Clone)]
pub struct Item {
    /// The kind.
    pub kind: Owned,
    /// The id.
    pub id: String,
    /// For people.
    pub name: String,
    /// When.
    pub at: Option<Timestamp>,
}

/// One of them, and that it was refused.
#[derive(Debug, Clone)]
pub struct Refusals {
    /// The kind.
    pub kind: Owned,
    /// The id.
    pub id: String,
    /// For people.
    pub name: String,
    /// Why.
    pub reason: String,
    /// How often.
    pub count: i64,
    /// The beginning of the last hour with one.
    pub last: Timestamp,
}

/// Everything of it. A count is there only for who may have such things at all.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// Sets of credentials of the organization.
    pub credentials: Option<i64>,
    /// Applications that the user has registered.
    pub applications: Option<i64>,
    /// The user's API keys.
    pub api_keys: Option<i64>,
    /// The username of the newest set of credentials.
    pub newest_username: Option<String>,
    /// The id of the user's newest active application.
    pub newest_client: Option<String>,
    /// What ends by itself soon, the nearest end first.
    pub ending: Vec<Item>,
    /// What was made and last used long ago.
    pub idle: Vec<Item>,
    /// What was refused lately, the last first.
    pub refused: Vec<Refusals>,
}

impl Overview {
    /// Whether the user has nothing yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [self.credentials, self.applications, self.api_keys].iter().all(|count| count.unwrap_or_default() == 0)
    }
}

/// What one read finds.
#[derive(Default)]
struct Found {
    keys: Option<Vec<ApiKey>>,
    clients: Option<(i64, Option<Named>)>,
    sets: Option<(i64, Option<Named>)>,
    ending_secrets: Vec<Named>,
    idle_clients: Vec<Named>,
    idle_sets: Vec<Named>,
    refused: Vec<(Owned, RefusedHour)>,
}

/// What the caller has in the organization that they look at.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn of_caller(context: &Context, by: &Authority) -> Result<Overview, AdminError> {
    let (Some(organization), Some(user)) = (by.organization(), by.user_id()) else { return Ok(Overview::default()) };
    let (organization, user) = (organization.to_owned(), user.to_owned());
    let holds = |permission| by.holds(permission);
    let (has_keys, has_clients, has_sets) =
        (holds(API_KEYS_MANAGE), holds(APPLICATIONS_MANAGE), holds(CREDENTIALS_MANAGE));
    let now = context.clock.now();
    let (soon, long_ago) = (now.plus_seconds(ENDING_DAYS * DAY), now.plus_seconds(-IDLE_DAYS * DAY));
    let lately = now.plus_seconds(-LATELY_DAYS * DAY).hour();
    let own = user.clone();
    let read = move |db: &mut Db| {
        let mut found = Found::default();
        let sets_of = has_sets.then_some(organization.as_str());
        found.note(Owned::Credentials, overview::refused_users(db, &user, sets_of, lately)?);
        if has_keys {
            found.keys = Some(api_keys::page(db, Some(&organization), Some(&user), "", MOST_KEYS)?);
            found.note(Owned::ApiKey, overview::refused_keys(db, &organization, &user, lately)?);
        }
        if has_clients {
            found.clients = Some(overview::own_clients(db, &organization, &user)?);
            found.ending_secrets = overview::ending_secrets(db, &organization, &user, now, soon)?;
            found.idle_clients = overview::idle_clients(db, &organization, &user, long_ago)?;
            found.note(Owned::Application, overview::refused_clients(db, &organization, &user, lately)?);
        }
        if has_sets {
            found.sets = Some(overview::sets(db, &organization)?);
            found.idle_sets = overview::idle_sets(db, &organization, long_ago)?;
        }
        Ok(found)
    };
    let found = context.store.read(read).await?;
    Ok(found.overview(&own, now, soon, long_ago))
}

impl Found {
    fn note(&mut self, kind: Owned, rows: Vec<RefusedHour>) {
        self.refused.extend(rows.into_iter().map(|row| (kind, row)));
    }

    fn overview(self, own: &str, now: Timestamp, soon: Timestamp, long_ago: Timestamp) -> Overview {
        let item = |kind: Owned| move |named: Named| Item { kind, id: named.id, name: named.name, at: Some(named.at) };
        let mut ending: Vec<Item> = self.ending_secrets.into_iter().map(item(Owned::Application)).collect();
        // When they were last used is not known: only that it is long ago, or never.
        let unused = |kind: Owned| move |named: Named| Item { kind, id: named.id, name: named.name, at: None };
        let mut idle: Vec<Item> = self.idle_clients.into_iter().map(unused(Owned::Application)).collect();
        idle.extend(self.idle_sets.into_iter().map(unused(Owned::Credentials)));
        for key in self.keys.iter().flatten().filter(|key| key.is_live(now)) {
            let item = |at| Item { kind: Owned::ApiKey, id: key.id.clone(), name: key.name.clone(), at };
            if key.expires_at.is_some_and(|at| at < soon) {
                ending.push(item(key.expires_at));
            }
            if key.created_at < long_ago && key.last_used_at.is_none_or(|at| at < long_ago) {
                idle.push(item(key.last_used_at));
            }
        }
        ending.sort_by_key(|item| item.at);
        ending.truncate(FEW);
        idle.truncate(FEW);
        let count = |many: usize| i64::try_from(many).unwrap_or(i64::MAX);
        Overview {
            credentials: self.sets.as_ref().map(|(count, _)| *count),
            applications: self.clients.as_ref().map(|(count, _)| *count),
            api_keys: self.keys.as_ref().map(|keys| count(keys.len())),
            newest_username: self.sets.and_then(|(_, newest)| newest).map(|newest| newest.name),
            newest_client: self.clients.and_then(|(_, newest)| newest).map(|newest| newest.id),
            ending,
            idle,
            refused: added_up(self.refused, own),
        }
    }
}

/// The refusals of all hours, by credential and reason.
fn added_up(hours: Vec<(Owned, RefusedHour)>, own: &str) -> Vec<Refusals> {
    let mut sums: Vec<Refusals> = Vec::new();
    for (kind, hour) in hours {
        let kind = if hour.id == own { Owned::Account } else { kind };
        match sums.iter_mut().find(|sum| sum.id == hour.id && sum.reason == hour.reason) {
            Some(sum) => (sum.count, sum.last) = (sum.count + hour.count, sum.last.max(hour.hour)),
            None => sums.push(Refusals {
                kind,
                id: hour.id,
                name: hour.name,
                reason: hour.reason,
                count: hour.count,
                last: hour.hour,
            }),
        }
    }
    sums.sort_by_key(|sum| std::cmp::Reverse(sum.last));
    sums.truncate(FEW);
    sums
}
