//! Pictures of use: bars by the hour or by the day, drawn on the server as SVG, with a table of the same figures.

use crate::admin::AdminError;
use crate::admin::usage::{self, CredentialUsage, Step, StepUsage, Window};
use crate::model::time::Timestamp;
use crate::model::usage::{Counters, CredentialKind};
use crate::oauth::Context;

/// The plot, in units of the picture.
const LEFT: i64 = 44;
const TOP: i64 = 12;
const WIDTH: i64 = 668;
const HEIGHT: i64 = 150;

/// A rectangle of a bar.
pub struct Part {
    /// Its class in the style sheet.
    pub class: &'static str,
    /// Its upper edge.
    pub y: i64,
    /// Its height.
    pub height: i64,
}

/// A bar: what was counted in one step.
pub struct Bar {
    /// Its left edge.
    pub x: i64,
    /// What it says to a pointer that rests on it.
    pub title: String,
    /// From the ground up.
    pub parts: Vec<Part>,
}

/// A row of the table.
pub struct Row {
    /// The step.
    pub label: String,
    /// Its counters.
    pub counters: Counters,
}

/// A picture. The template `chart.html` draws what is called `chart`.
pub struct Chart {
    /// Begins the ids of its elements.
    pub id: &'static str,
    /// What it shows.
    pub title: String,
    /// The width of a bar.
    pub bar: i64,
    /// The bars that are not empty.
    pub bars: Vec<Bar>,
    /// Heights with a line, and their numbers.
    pub lines: Vec<(i64, i64)>,
    /// Places with a text under them.
    pub ticks: Vec<(i64, String)>,
    /// The steps in which something was counted, the newest first.
    pub rows: Vec<Row>,
    /// In all.
    pub total: Counters,
}

impl Chart {
    /// The last `count` steps before `now`.
    #[must_use]
    pub fn of(id: &'static str, title: &str, steps: &[StepUsage], step: Step, count: i64, now: Timestamp) -> Self {
        let (width, newest) = match step {
            Step::Hour => (3600, now.hour()),
            Step::Day => (86_400, now.day()),
        };
        let slot = WIDTH / count.max(1);
        let (mut bars, mut ticks, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        let all = |counters: &Counters| counters.issued + counters.verified + counters.refused;
        let most = rounded(steps.iter().map(|one| all(&one.counters)).max().unwrap_or(0));
        let mut total = Counters::default();
        for place in 0..count {
            let from = newest.plus_seconds((place + 1 - count) * width);
            let x = LEFT + place * slot;
            let (label, short, is_marked) = labels(from, step, count - place);
            if is_marked {
                ticks.push((x, short));
            }
            let Some(counted) = steps.iter().find(|one| one.from == from).map(|one| one.counters) else { continue };
            total = total.plus(counted);
            let Counters { issued, verified, refused } = counted;
            let mut ground = TOP + HEIGHT;
            let mut parts = Vec::new();
            for (class, value) in [("issued", issued), ("verified", verified), ("refused-bar", refused)] {
                if value > 0 {
                    // What is there is seen, however little it is.
                    let height = (value * HEIGHT / most).max(1);
                    ground -= height;
                    parts.push(Part { class, y: ground, height });
                }
            }
            let title = format!("{label}: {issued} issued, {verified} verified, {refused} refused");
            bars.push(Bar { x, title, parts });
            rows.push(Row { label, counters: counted });
        }
        rows.reverse();
        let lines = [0, most / 2, most].map(|value| (TOP + HEIGHT - value * HEIGHT / most, value));
        let lines = lines.into_iter().filter(|(_, value)| *value > 0 || most == 1).collect();
        Self { id, title: title.to_owned(), bar: (slot - 3).max(2), bars, lines, ticks, rows, total }
    }
}

/// What one credential was used for: two pictures, and what the longer one is made of. Whoever sees the credential sees
/// its use, without the permission to read the whole audit log.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn of_one(
    context: &Context,
    kind: CredentialKind,
    id: &str,
) -> Result<(Vec<Chart>, CredentialUsage), AdminError> {
    let now = context.clock.now();
    // The present hour is still counted in: the end is the next one.
    let until = now.plus_seconds(3600);
    let hours = Window { since: now.plus_seconds(-47 * 3600), until };
    let days = Window { since: now.day().plus_seconds(-29 * 86_400), until };
    let hours = usage::read(context, kind, id, hours, Step::Hour).await?;
    let month = usage::read(context, kind, id, days, Step::Day).await?;
    let charts = vec![
        Chart::of("hours", "The last 48 hours", &hours.steps, Step::Hour, 48, now),
        Chart::of("days", "The last 30 days", &month.steps, Step::Day, 30, now),
    ];
    Ok((charts, month))
}

/// The next round number: the top of the picture.
fn rounded(most: i64) -> i64 {
    let mut scale = 1;
    loop {
        for step in [1, 2, 4, 10] {
            if most <= step * scale {
                return step * scale;
            }
        }
        scale *= 10;
    }
}

/// A step in words, in short, and whether it is marked under the picture; `back` is 1 for the newest.
fn labels(from: Timestamp, step: Step, back: i64) -> (String, String, bool) {
    let text = from.readable();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().to_owned();
    match step {
        Step::Hour => {
            let hour = part(11..16);
            let is_marked = from.seconds() % (6 * 3600) == 0;
            (text.clone(), hour, is_marked)
        }
        Step::Day => (part(0..10), part(5..10), back % 5 == 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_of_a_picture_is_a_round_number_that_nothing_exceeds() {
        for (most, top) in [(0, 1), (1, 1), (3, 4), (5, 10), (11, 20), (41, 100), (4000, 4000), (4001, 10_000)] {
            assert_eq!(rounded(most), top, "{most}");
        }
    }

    #[test]
    fn a_bar_stands_in_its_step_and_what_is_outside_is_not_drawn() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let counters = Counters { issued: 3, verified: 0, refused: 1 };
        let step = |hours: i64| StepUsage { from: now.hour().plus_seconds(-3600 * hours), counters };
        let chart = Chart::of("t", "Test", &[step(60), step(2), step(0)], Step::Hour, 48, now);
        assert_eq!((chart.bars.len(), chart.rows.len(), chart.total.issued), (2, 2, 6));
        assert_eq!(chart.bars[1].x, LEFT + 47 * (WIDTH / 48));
        assert!(chart.bars[0].parts.iter().all(|part| part.y >= TOP && part.height > 0));
    }
}
