//! The verbs: all or nothing, and the second time nothing.

use std::collections::BTreeMap;

use crate::admin::declaration::check::check;
use crate::admin::declaration::document::Document;
use crate::admin::declaration::entry::Entry;
use crate::admin::declaration::execute::Prepared;
use crate::admin::declaration::plan::{Action, Plan};
use crate::admin::declaration::state::{self, State};
use crate::admin::{AdminError, Authority, client_secrets};
use crate::crypto::identifier::uuid_v7;
use crate::crypto::secret::SecretString;
use crate::model::client::ClientMode;
use crate::model::signing_key::SigningAlgorithm;
use crate::oauth::{Context, keys};
use crate::store::{Db, StoreError};

/// What was done, or would be.
#[derive(Debug)]
pub struct Applied {
    /// What changed.
    pub plan: Plan,
    /// The secrets of clients that were made, shown this once.
    pub secrets: Vec<(String, SecretString)>,
}

/// Makes what is declared and changes what differs, in one transaction; with `dry_run` only says what it would do.
///
/// # Errors
/// [`AdminError::Refused`] names the line or the entry; then nothing was changed.
pub async fn apply(context: &Context, by: &Authority, text: &str, dry_run: bool) -> Result<Applied, AdminError> {
    whole_installation(by)?;
    let wanted = Document::parse(text)?;
    let declared = wanted.clone();
    let (plan, state) = context.store.read(move |db| planned(db, &mut declared.clone())).await?;
    if dry_run || plan.steps.is_empty() {
        return Ok(Applied { plan, secrets: Vec::new() });
    }
    let (prepared, secrets) = prepare(context, by, &wanted, &plan, &state)?;
    let plan = context
        .change(move |db| {
            let mut wanted = wanted.clone();
            let (plan, state) = planned(db, &mut wanted)?;
            prepared.execute(db, &state, &wanted, &plan)?;
            Ok(plan)
        })
        .await?;
    let made = |id: &str| plan.steps.iter().any(|step| step.key == id && step.action == Action::Create);
    let secrets = secrets.into_iter().filter(|(id, _)| made(id)).collect();
    Ok(Applied { plan, secrets })
}

/// What there is, as a text that makes it again; without any secret, user or key.
///
/// # Errors
/// [`AdminError::Unavailable`].
pub async fn export(context: &Context, by: &Authority) -> Result<String, AdminError> {
    whole_installation(by)?;
    let mut document = context.store.read(state::read).await?.document;
    // What works needs no word; the rest must say so.
    let quiet = |status: &mut Option<String>| {
        if status.as_deref() == Some("active") {
            *status = None;
        }
    };
    document.organizations.iter_mut().for_each(|entry| quiet(&mut entry.status));
    document.clients.iter_mut().for_each(|entry| quiet(&mut entry.status));
    document.to_text()
}

fn whole_installation(by: &Authority) -> Result<(), AdminError> {
    match by.organization() {
        None => Ok(()),
        Some(_) => Err(AdminError::Forbidden("only the operator declares a whole installation".to_owned())),
    }
}

/// The plan, once it is known that it can be carried out; gives entries without a status theirs.
fn planned(db: &mut Db, wanted: &mut Document) -> Result<(Plan, State), StoreError> {
    let state = state::read(db)?;
    let plan = Plan::between(&state.document, wanted);
    check(&state, wanted, &plan).map_err(StoreError::Conflict)?;
    Ok((plan, state))
}

type Secrets = Vec<(String, SecretString)>;

/// Randomness and slow work come before the transaction.
fn prepare(
    context: &Context,
    by: &Authority,
    wanted: &Document,
    plan: &Plan,
    state: &State,
) -> Result<(Prepared, Secrets), AdminError> {
    let now = context.clock.now();
    let mut prepared = Prepared {
        ids: BTreeMap::new(),
        secrets: BTreeMap::new(),
        keys: BTreeMap::new(),
        actor: by.actor.clone(),
        now,
    };
    for step in plan.steps.iter().filter(|step| step.action == Action::Create) {
        prepared.ids.insert((step.noun, step.key.clone()), uuid_v7(now, &context.random));
    }
    let mut secrets = Vec::new();
    for entry in &wanted.clients {
        if !entry.public && plan.action(entry) == Some(&Action::Create) {
            let made = client_secrets::make(context, ClientMode::Live, None, now)?;
            prepared.secrets.insert(entry.key(), made.stored());
            secrets.push((entry.key(), made.secret));
        }
        let algorithm: Option<SigningAlgorithm> = entry.signing_algorithm.as_deref().map(str::parse).transpose()?;
        if let Some(algorithm) = algorithm.filter(|algorithm| !state.algorithms.contains(algorithm)) {
            let key = keys::make_key(algorithm, &context.data_keys.sealing, &context.random, now)?;
            prepared.keys.insert(algorithm, key);
        }
    }
    Ok((prepared, secrets))
}
