//! Identifiers: UUIDs of version 7, whose order is the order of time.

use uuid::Builder;

use crate::crypto::random::Random;
use crate::model::time::Timestamp;

/// A `UUIDv7` of an instant (RFC 9562 §5.7), as text.
#[must_use]
pub fn uuid_v7(now: Timestamp, random: &Random) -> String {
    let millis = u64::try_from(now.micros() / 1000).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &random.uuid_v7_bits()).into_uuid().to_string()
}
