//! A month of usage, the same each time: quiet nights and week-ends, and some refusals.

use crate::cli::Failure;
use crate::model::grant_type::GrantType;
use crate::model::time::Timestamp;
use crate::model::usage::{Counters, CredentialKind, LastUsed, Tally, UsageDetail};
use crate::oauth::Context;
use crate::store::{Db, usage_tallies};

const HOURS: i64 = 30 * 24;
const HOUR: i64 = 3600;

/// Rows written in one transaction.
const AT_ONCE: usize = 200;

/// How a credential is used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habit {
    /// Uses in a busy hour.
    pub(super) busiest: i64,
    /// Whether it never sleeps.
    pub(super) round_the_clock: bool,
    /// Why it is refused now and then; never where nothing is said.
    pub(super) refused: &'static str,
}

/// What the uses of a credential count as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Issued,
    Verified,
}

/// A credential, and how it is used.
#[derive(Debug, Clone)]
pub(super) struct Used {
    kind: CredentialKind,
    id: String,
    count: Count,
    detail: Option<(UsageDetail, &'static str)>,
    scopes: Vec<&'static str>,
    habit: Habit,
}

impl Used {
    fn new(kind: CredentialKind, id: &str, count: Count, habit: Habit) -> Self {
        Self { kind, id: id.to_owned(), count, detail: None, scopes: Vec::new(), habit }
    }

    /// A client that gets tokens by a grant, with these scopes.
    pub(super) fn client(id: &str, grant: GrantType, scopes: &[&'static str], habit: Habit) -> Self {
        let used = Self::issued(CredentialKind::Client, id, habit).by(UsageDetail::Grant, grant.as_str());
        Self { scopes: scopes.to_vec(), ..used }
    }

    /// Something that gets tokens.
    pub(super) fn issued(kind: CredentialKind, id: &str, habit: Habit) -> Self {
        Self::new(kind, id, Count::Issued, habit)
    }

    /// Something that is checked with each request.
    pub(super) fn verified(kind: CredentialKind, id: &str, habit: Habit) -> Self {
        Self::new(kind, id, Count::Verified, habit)
    }

    /// What it is to be found by.
    pub(super) fn by(self, detail: UsageDetail, name: &'static str) -> Self {
        Self { detail: Some((detail, name)), ..self }
    }

    fn tally(&self, number: i64, hour: Timestamp, now: Timestamp) -> Option<Tally> {
        let uses = uses(self.habit, number, hour);
        if uses == 0 {
            return None;
        }
        let refused = if self.habit.refused.is_empty() { 0 } else { uses / 9 };
        let counters = match self.count {
            Count::Issued => Counters { issued: uses, verified: 0, refused },
            Count::Verified => Counters { issued: 0, verified: uses, refused },
        };
        let mut details: Vec<_> = self.detail.map(|(detail, name)| (detail, name, uses)).into_iter().collect();
        if refused > 0 {
            details.push((UsageDetail::Refused, self.habit.refused, refused));
        }
        // An address of the documentation (RFC 5737).
        let last = LastUsed { at: hour.plus_seconds(47 * 60).min(now), ip: format!("198.51.100.{}", 20 + number) };
        Some(Tally { kind: self.kind, id: self.id.clone(), hour, counters, details, last_used: Some(last) })
    }
}

/// Uses in an hour, by the hour of the day, the day of the week and a wobble that is the same each time.
fn uses(habit: Habit, number: i64, hour: Timestamp) -> i64 {
    let since_1970 = hour.seconds().div_euclid(HOUR);
    let (time, day) = (since_1970.rem_euclid(24), since_1970.div_euclid(24));
    // 1970-01-01 was a Thursday.
    let is_weekend = (day + 3).rem_euclid(7) >= 5;
    let share = match (habit.round_the_clock, time, is_weekend) {
        (true, 7..=18, _) | (false, 8..=17, false) => 100,
        (true, ..) => 60,
        (false, 6 | 7 | 18 | 19, false) => 30,
        (false, 9..=15, true) => 10,
        _ => 0,
    };
    let wobble = 70 + (time * 37 + day * 11 + number * 17).rem_euclid(61);
    habit.busiest * share * wobble / 10_000
}

/// Writes the last thirty days of these, in batches.
pub(super) async fn write(context: &Context, used: Vec<Used>) -> Result<(), Failure> {
    let now = context.clock.now();
    let first = now.hour().plus_seconds(-HOURS * HOUR);
    let mut tallies = Vec::new();
    for (used, number) in used.iter().zip(1..) {
        let hours = (0..=HOURS).map(|hour| first.plus_seconds(hour * HOUR));
        tallies.extend(hours.filter_map(|hour| used.tally(number, hour, now)));
    }
    for batch in tallies.chunks(AT_ONCE) {
        let batch = batch.to_vec();
        let write = move |db: &mut Db| usage_tallies::add(db, &batch);
        context.store.write(write).await?;
    }
    let given: Vec<(String, String)> =
        used.iter().flat_map(|used| used.scopes.iter().map(|scope| (used.id.clone(), (*scope).to_owned()))).collect();
    let write = move |db: &mut Db| usage_tallies::note_scopes(db, &given, now);
    context.store.write(write).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_sleeps_at_night_and_a_robot_does_not() {
        let office = Habit { busiest: 20, ..Habit::default() };
        let robot = Habit { busiest: 20, round_the_clock: true, ..Habit::default() };
        // 2026-11-25 was a Wednesday, 2026-11-29 a Sunday.
        let at = |day: i64, hour: i64| Timestamp::from_seconds((20_782 + day) * 86_400 + hour * HOUR);
        assert_eq!((uses(office, 1, at(0, 2)), uses(robot, 1, at(0, 2)) > 5), (0, true));
        assert!(uses(office, 1, at(0, 10)) >= 14 && uses(office, 1, at(4, 10)) <= 2);
        assert_eq!(uses(office, 1, at(0, 10)), uses(office, 1, at(0, 10)));
    }
}
