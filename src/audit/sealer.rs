//! Sealing: new events are chained, by one sealer at a time on however many nodes.

use crate::audit::chain;
use crate::crypto::digest::DigestKey;
use crate::store::audit_chain::{self, Ends};
use crate::store::{Db, Store, StoreError};

/// Events sealed in one transaction, so that no write waits long behind the sealer.
const SEALED_AT_ONCE: i64 = 200;

/// Seals what waits. Answers how many events that were; nothing is written where none waits.
///
/// # Errors
/// [`StoreError`] if the database cannot be reached, or if the chain's ends were changed by another hand: then
/// nothing is sealed any more, rather than that the change is covered up.
pub async fn seal(store: &Store, key: &DigestKey) -> Result<i64, StoreError> {
    let mut sealed = 0;
    while store.read(audit_chain::any_unsealed).await? {
        let key = key.clone();
        let more = store.write(move |db| seal_some(db, &key)).await?;
        sealed += more;
        if more < SEALED_AT_ONCE {
            break;
        }
    }
    Ok(sealed)
}

fn seal_some(db: &mut Db, key: &DigestKey) -> Result<i64, StoreError> {
    let mut ends = match audit_chain::hold(db)? {
        Some(ends) => chain::authentic(key, ends)?,
        None => begin(db, key)?,
    };
    let waiting = audit_chain::unsealed(db, SEALED_AT_ONCE)?;
    let before = ends.number;
    for event in &waiting {
        ends.number += 1;
        let seal = chain::seal(key, ends.number, event);
        ends.link = chain::link(key, &ends.link, &seal);
        audit_chain::set_seal(db, event.seq, ends.number, &seal, &ends.link)?;
    }
    if ends.number > before {
        ends.mac = chain::mac(key, &ends);
        audit_chain::set_ends(db, &ends)?;
    }
    Ok(ends.number - before)
}

fn begin(db: &mut Db, key: &DigestKey) -> Result<Ends, StoreError> {
    if !audit_chain::outside(db, 0, 0, 1)?.is_empty() {
        return Err(StoreError::Bug("the ends of the audit chain were removed: grantor audit verify".to_owned()));
    }
    let mut ends = Ends {
        number: 0,
        link: chain::BEGINNING.to_owned(),
        anchor_number: 0,
        anchor_link: chain::BEGINNING.to_owned(),
        mac: String::new(),
    };
    ends.mac = chain::mac(key, &ends);
    audit_chain::create(db, &ends)?;
    Ok(ends)
}
