//! Changing the master key: the data keys are sealed anew, nothing else changes.

use std::path::Path;

use crate::admin::AdminError;
use crate::crypto::data_keys::DataKeyMaterial;
use crate::crypto::master_key::MasterKey;
use crate::crypto::random::Random;
use crate::model::audit::{Actor, AuditEvent};
use crate::model::time::Timestamp;
use crate::store::instance::{self, Instance};
use crate::store::{Store, audit};

/// Seals the data keys under a new master key, and puts it into the place of the old one in `file`. The new key is on
/// disk beside the old one before the database changes, so that a crash in between loses neither.
///
/// # Errors
/// [`AdminError::Refused`] if the file or the database refuses; the old key then still works.
pub async fn rotate(
    store: &Store,
    actor: &Actor,
    old: &MasterKey,
    file: &Path,
    random: &Random,
    now: Timestamp,
) -> Result<MasterKey, AdminError> {
    let refused = |cause: &dyn std::fmt::Display| AdminError::Refused(cause.to_string());
    let stored = store
        .read(instance::find)
        .await?
        .ok_or_else(|| AdminError::Refused("the database is empty: grantor init comes first".to_owned()))?;
    let material = DataKeyMaterial::open(old, &stored.data_keys).map_err(|cause| refused(&cause))?;
    let new = MasterKey::generate(random);
    let next = file.with_extension("next");
    if !new.create_file(&next).map_err(|cause| refused(&cause))? {
        return Err(AdminError::Refused(format!(
            "{} is there from an earlier rotation: if the server starts with it, it is the key; move it there or remove it",
            next.display()
        )));
    }
    let sealed = Instance {
        master_key_fingerprint: new.fingerprint(),
        data_keys: material.seal(&new, random).map_err(|cause| refused(&cause))?,
    };
    let (actor, old_fingerprint) = (actor.clone(), old.fingerprint());
    let event = AuditEvent {
        action: "master_key.rotated",
        target_kind: "master_key",
        target_id: sealed.master_key_fingerprint.clone(),
        organization_id: None,
        details: format!("from={old_fingerprint}"),
    };
    store
        .write(move |db| {
            instance::reseal(db, &old_fingerprint, &sealed)?;
            audit::record(db, &actor, &event, now)
        })
        .await?;
    std::fs::rename(&next, file).map_err(|cause| {
        AdminError::Refused(format!("the new key is in {}: move it to {} ({cause})", next.display(), file.display()))
    })?;
    Ok(new)
}
