//! A length of time as an operator writes it: `"90d"`, or a number of seconds.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserializer, Visitor};

/// The longest length of time a setting can have, in seconds: ten years. More is a slip of the hand, and would overflow a clock.
pub(crate) const LONGEST: u64 = 10 * 365 * 86_400;

/// What is said of a value that is no length of time.
const REFUSED: &str =
    "must be seconds as a whole number, or text such as \"90d\", \"12h\", \"30m\", \"45s\"; at most \"3650d\"";

/// Reads a length of time: digits alone are seconds; `d`, `h`, `m` and `s` are units. Nothing, when it is
/// neither, or longer than [`LONGEST`].
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = match text.strip_suffix(['d', 'h', 'm', 's']) {
        Some(digits) => (digits, text.chars().last()?),
        None => (text, 's'),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = match unit {
        'd' => 86_400,
        'h' => 3600,
        'm' => 60,
        _ => 1,
    };
    let total = digits.parse::<u64>().ok()?.checked_mul(seconds)?;
    (total <= LONGEST).then(|| Duration::from_secs(total))
}

/// For serde: a length of time from a whole number or from text.
///
/// # Errors
/// When the value is neither, or too long.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Either;
    impl Visitor<'_> for Either {
        type Value = Duration;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a length of time")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
            parse(text.trim()).ok_or_else(|| E::custom(REFUSED))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Duration, E> {
            parse(&number.to_string()).ok_or_else(|| E::custom(REFUSED))
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Duration, E> {
            parse(&number.to_string()).ok_or_else(|| E::custom(REFUSED))
        }
    }
    deserializer.deserialize_any(Either)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit_or_is_in_seconds() {
        let seconds = |text| parse(text).map(|span| span.as_secs());
        assert_eq!(seconds("90d"), Some(7_776_000));
        assert_eq!(seconds("12h"), Some(43_200));
        assert_eq!(seconds("30m"), Some(1800));
        assert_eq!(seconds("45s"), Some(45));
        assert_eq!(seconds("45"), Some(45));
    }

    #[test]
    fn what_is_not_a_length_of_time_is_refused() {
        for wrong in ["", "d", "-1", "+1d", "1.5h", "90 d", "90w", "4000d", "99999999999999999999d"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
