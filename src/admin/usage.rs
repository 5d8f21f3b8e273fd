//! What a credential was used for: by the hour, by the day, in all.

use serde::Serialize;

use crate::admin::{AdminError, Authority};
use crate::model::role::AUDIT_READ;
use crate::model::time::Timestamp;
use crate::model::usage::{Counters, CredentialKind, LastUsed};
use crate::oauth::Context;
use crate::store::usage::StoredHour;
use crate::store::{Db, StoreError, api_keys, clients, usage, users};

crate::words! {
    /// The width of a step.
    Step {
        /// An hour.
        Hour = "hour",
        /// A day in UTC.
        Day = "day",
    }
}

/// A stretch of time.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Its beginning, rounded down to the hour.
    pub since: Timestamp,
    /// Its end, which is no longer in it.
    pub until: Timestamp,
}

/// The counters of one step; steps without use are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepUsage {
    /// The beginning of the step.
    pub from: Timestamp,
    /// The counters.
    #[serde(flatten)]
    pub counters: Counters,
}

/// A detail and how often it was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DetailUsage {
    /// `refused`, `grant` or `method`.
    pub detail: String,
    /// The reason, the grant, the method.
    pub name: String,
    /// How often.
    pub count: i64,
}

/// The use of one credential in a window.
#[derive(Debug, Clone, Serialize)]
pub struct CredentialUsage {
    /// The steps, oldest first.
    pub steps: Vec<StepUsage>,
    /// In all.
    pub total: Counters,
    /// What the counters are made of.
    pub details: Vec<DetailUsage>,
    /// The last use ever, within what is kept.
    pub last_used: Option<LastUsed>,
}

/// The use of one credential in a window.
///
/// # Errors
/// [`AdminError::Forbidden`] without the permission; [`AdminError::NotFound`] for a credential of another
/// organization.
pub async fn of_credential(
    context: &Context,
    by: &Authority,
    kind: CredentialKind,
    id: &str,
    window: Window,
    step: Step,
) -> Result<CredentialUsage, AdminError> {
    by.require(AUDIT_READ)?;
    let wanted = id.to_owned();
    let owner = context.store.read(move |db| organization_of(db, kind, &wanted)).await?;
    if by.organization().is_some() && !owner.is_some_and(|owner| by.sees(&owner)) {
        return Err(AdminError::not_found(kind.as_str(), id));
    }
    read(context, kind, id, window, step).await
}

/// The use of a credential that the caller has been found to see.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn read(
    context: &Context,
    kind: CredentialKind,
    id: &str,
    window: Window,
    step: Step,
) -> Result<CredentialUsage, AdminError> {
    let wanted = id.to_owned();
    let since = window.since.hour();
    let read = move |db: &mut Db| {
        let hours = usage::hours(db, kind, &wanted, since, window.until)?;
        let details = usage::details(db, kind, &wanted, since, window.until)?;
        Ok((hours, details, usage::last_used(db, kind, &wanted)?))
    };
    let (hours, details, last_used) = context.store.read(read).await?;
    let total = hours.iter().fold(Counters::default(), |total, hour| total.plus(hour.counters));
    let details = details.into_iter().map(|(detail, name, count)| DetailUsage { detail, name, count }).collect();
    Ok(CredentialUsage { steps: by_step(&hours, step), total, details, last_used })
}

/// The use of all credentials of a kind in the organization that `by` looks at.
///
/// # Errors
/// [`AdminError::Forbidden`] without the permission.
pub async fn of_all(
    context: &Context,
    by: &Authority,
    kind: CredentialKind,
    window: Window,
    step: Step,
) -> Result<Vec<StepUsage>, AdminError> {
    by.require(AUDIT_READ)?;
    let organization_id = by.organization().map(str::to_owned);
    let since = window.since.hour();
    let read = move |db: &mut Db| usage::hours_of_all(db, kind, organization_id.as_deref(), since, window.until);
    Ok(by_step(&context.store.read(read).await?, step))
}

/// The organization that a credential belongs to; none where it is not known.
fn organization_of(db: &mut Db, kind: CredentialKind, id: &str) -> Result<Option<String>, StoreError> {
    match kind {
        CredentialKind::Client => clients::organization_of(db, id),
        CredentialKind::ClientSecret => clients::organization_of_secret(db, id),
        CredentialKind::User => Ok(users::by_id(db, id)?.map(|user| user.organization_id)),
        CredentialKind::ApiKey => Ok(api_keys::find(db, id)?.map(|key| key.organization_id)),
    }
}

fn by_step(hours: &[StoredHour], step: Step) -> Vec<StepUsage> {
    let mut steps: Vec<StepUsage> = Vec::new();
    for hour in hours {
        let from = match step {
            Step::Hour => hour.hour,
            Step::Day => hour.hour.day(),
        };
        match steps.last_mut() {
            Some(last) if last.from == from => last.counters = last.counters.plus(hour.counters),
            _ => steps.push(StepUsage { from, counters: hour.counters }),
        }
    }
    steps
}
