//! What a seal and a link are: HMAC-SHA-256 under the data key of the audit log.
//!
//! A *seal* covers an event's number and its whole content: it names an event that was edited, whatever became of its
//! neighbours. A *link* covers the seal and the link before: it stands for everything up to here.

use crate::crypto::digest::{Digest, DigestKey};
use crate::store::StoreError;
use crate::store::audit::RecordedEvent;
use crate::store::audit_chain::Ends;

/// The link before the first event.
pub(super) const BEGINNING: &str = "";

/// The seal of an event at a place.
pub(super) fn seal(key: &DigestKey, number: i64, event: &RecordedEvent) -> String {
    let mut bytes = Vec::with_capacity(256);
    for value in [number, event.seq, event.occurred_at] {
        bytes.extend_from_slice(&value.to_be_bytes());
    }
    let texts = [
        Some(&event.actor_kind),
        Some(&event.actor_id),
        Some(&event.action),
        Some(&event.target_kind),
        Some(&event.target_id),
        event.organization_id.as_ref(),
        event.ip.as_ref(),
        event.request_id.as_ref(),
        Some(&event.result),
        Some(&event.details),
    ];
    for text in texts {
        // The length goes first, so that no two events join to the same bytes; none has another than the empty text.
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(text.map_or("", String::as_str).as_bytes());
    }
    key.digest("audit event", &bytes).to_text()
}

/// The link after an event with this seal.
pub(super) fn link(key: &DigestKey, before: &str, seal: &str) -> String {
    key.digest("audit link", format!("{before}.{seal}").as_bytes()).to_text()
}

/// What the two ends are authenticated with.
pub(super) fn mac(key: &DigestKey, ends: &Ends) -> String {
    let text = format!("{}.{}.{}.{}", ends.number, ends.link, ends.anchor_number, ends.anchor_link);
    key.digest("audit ends", text.as_bytes()).to_text()
}

/// Whether two seals, links or codes are the same, in constant time.
pub(super) fn same(one: &str, other: &str) -> bool {
    matches!((Digest::from_text(one), Digest::from_text(other)), (Some(one), Some(other)) if one == other)
}

/// The ends, if this key has authenticated them.
///
/// # Errors
/// [`StoreError::Bug`]: whoever changed them may have changed the events too, so nothing is built upon them.
pub(super) fn authentic(key: &DigestKey, ends: Ends) -> Result<Ends, StoreError> {
    if same(&ends.mac, &mac(key, &ends)) {
        Ok(ends)
    } else {
        Err(StoreError::Bug(
            "the ends of the audit chain were changed by another hand: grantor audit verify".to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> RecordedEvent {
        let text = str::to_owned;
        RecordedEvent {
            seq: 7,
            occurred_at: 1,
            actor_kind: text("user"),
            actor_id: text("ab"),
            action: text("c"),
            target_kind: text("client"),
            target_id: text("x"),
            organization_id: None,
            ip: None,
            request_id: Some(text("")),
            result: text("ok"),
            details: text(""),
            number: None,
            seal: None,
            link: None,
        }
    }

    #[test]
    fn every_member_and_the_place_are_in_the_seal() {
        let key = DigestKey::new([1; 32]);
        let first = seal(&key, 1, &event());
        let changes: [fn(&mut RecordedEvent); 12] = [
            |event| event.seq = 8,
            |event| event.occurred_at = 2,
            |event| event.actor_kind.push('s'),
            |event| (event.actor_id, event.action) = ("a".to_owned(), "bc".to_owned()),
            |event| event.action.push('s'),
            |event| event.target_kind.push('s'),
            |event| event.target_id.push('s'),
            |event| event.organization_id = Some(String::new()),
            |event| event.ip = Some(String::new()),
            |event| event.request_id = None,
            |event| event.result.push('s'),
            |event| event.details.push('s'),
        ];
        for change in changes {
            let mut other = event();
            change(&mut other);
            assert_ne!(seal(&key, 1, &other), first, "{other:?}");
        }
        assert_ne!(seal(&key, 2, &event()), first);
        assert_ne!(seal(&DigestKey::new([2; 32]), 1, &event()), first);
        assert!(same(&first, &seal(&key, 1, &event())) && !same("", ""));
    }
}
