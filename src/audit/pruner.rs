//! Pruning: the oldest events go, and the chain keeps an anchor in their place.

use crate::audit::chain;
use crate::crypto::digest::DigestKey;
use crate::model::audit::{Actor, AuditEvent};
use crate::model::time::Timestamp;
use crate::store::{Db, Store, StoreError, audit, audit_chain};

/// Drops up to `most` sealed events from before an instant and answers how many. An event goes only when all before it go.
///
/// # Errors
/// [`StoreError`] if the database cannot be reached; [`StoreError::Bug`] where an event that is due was touched: it
/// stays, as the evidence.
pub async fn prune(
    store: &Store,
    key: &DigestKey,
    before: Timestamp,
    now: Timestamp,
    most: i64,
) -> Result<i64, StoreError> {
    if store.read(move |db| due(db, before)).await?.is_none() {
        return Ok(0);
    }
    let key = key.clone();
    store.write(move |db| prune_some(db, &key, before, now, most)).await
}

/// The anchor, and the number up to which events are due; none if none is.
fn due(db: &mut Db, before: Timestamp) -> Result<Option<i64>, StoreError> {
    let Some(ends) = audit_chain::ends(db)? else { return Ok(None) };
    let through = audit_chain::first_since(db, before)?.map_or(ends.number, |first| first - 1);
    Ok((through > ends.anchor_number).then_some(through))
}

fn prune_some(db: &mut Db, key: &DigestKey, before: Timestamp, now: Timestamp, most: i64) -> Result<i64, StoreError> {
    let Some(ends) = audit_chain::hold(db)? else { return Ok(0) };
    let mut ends = chain::authentic(key, ends)?;
    let Some(through) = due(db, before)? else { return Ok(0) };
    let first = ends.anchor_number + 1;
    let through = through.min(ends.anchor_number + most);
    let events = audit_chain::sealed(db, (ends.anchor_number, i64::MAX), through, most + 1)?;
    let mut link = ends.anchor_link.clone();
    let mut number = ends.anchor_number;
    for event in &events {
        number += 1;
        let seal = chain::seal(key, number, event);
        link = chain::link(key, &link, &seal);
        if event.number != Some(number) || !event.link.as_deref().is_some_and(|stored| chain::same(stored, &link)) {
            break;
        }
        ends.anchor_number = number;
    }
    if number != through || ends.anchor_number != through {
        return Err(StoreError::Bug(
            "audit events that are due were changed by another hand and are kept: grantor audit verify".to_owned(),
        ));
    }
    ends.anchor_link = link;
    ends.mac = chain::mac(key, &ends);
    audit_chain::delete_through(db, through)?;
    audit_chain::set_ends(db, &ends)?;
    let event = AuditEvent {
        action: "audit.pruned",
        target_kind: "audit",
        target_id: through.to_string(),
        organization_id: None,
        details: format!("first={first} last={through} before={}", before.rfc3339()),
    };
    audit::record(db, &Actor::server(), &event, now)?;
    Ok(through - first + 1)
}
