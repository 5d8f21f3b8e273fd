//! Clients with their grants, scopes, audiences and secrets.
//!
//! Longer than most files: a client is one row and five tables of children, which are read and written together.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::model::client::{Client, ClientSecret, ClientStatus};
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::prepared::{Part, Prepared, Statement};
use crate::store::schema::{
    client_audiences, client_grant_types, client_roles, client_scopes, client_secrets, clients,
};
use crate::store::scopes;

pub use crate::store::client_secrets::{
    NewSecret, SecretDetails, add_secret, end_secret, organization_of_secret, replace_secret, revealable, secrets,
};

/// The state of a scope that a client may be given tokens for.
pub(super) const APPROVED: &str = "approved";

/// Clients whose child rows are read by id; beyond it whole child tables are read at once. More than the largest page
/// and the one row that tells whether another follows.
const FEW: usize = 256;

#[derive(Queryable, Selectable)]
#[diesel(table_name = clients)]
struct Row {
    client_id: String,
    organization_id: String,
    owner_id: Option<String>,
    label: String,
    description: String,
    purpose: String,
    kind: String,
    mode: String,
    token_endpoint_auth_method: Option<String>,
    may_introspect: i64,
    access_lifetime: Option<i64>,
    idle_lifetime: Option<i64>,
    absolute_lifetime: Option<i64>,
    reuse_window: Option<i64>,
    signing_algorithm: Option<String>,
    status: String,
    epoch: i64,
    static_claims: String,
}

impl Row {
    fn into_client(self) -> Result<Client, StoreError> {
        let corrupt = |word: crate::model::states::UnknownWord| StoreError::corrupt(word);
        Ok(Client {
            client_id: self.client_id,
            organization_id: self.organization_id,
            owner_id: self.owner_id,
            label: self.label,
            description: self.description,
            purpose: self.purpose,
            kind: self.kind.parse().map_err(corrupt)?,
            mode: self.mode.parse().map_err(corrupt)?,
            authentication_method: self
                .token_endpoint_auth_method
                .map(|method| method.parse().map_err(corrupt))
                .transpose()?,
            may_introspect: self.may_introspect != 0,
            access_lifetime: self.access_lifetime,
            idle_lifetime: self.idle_lifetime,
            absolute_lifetime: self.absolute_lifetime,
            reuse_window: self.reuse_window,
            signing_algorithm: self.signing_algorithm.map(|name| name.parse().map_err(corrupt)).transpose()?,
            status: self.status.parse().map_err(corrupt)?,
            epoch: self.epoch,
            grant_types: Vec::new(),
            scopes: ScopeSet::default(),
            audiences: Vec::new(),
            static_claims: self.static_claims.parse().map_err(StoreError::corrupt)?,
            role_ids: Vec::new(),
            secrets: Vec::new(),
            ended_secrets: Vec::new(),
        })
    }
}

type SecretRow = (String, String, String, Option<i64>, Option<i64>);

fn with_children(db: &mut Db, rows: Vec<Row>) -> Result<Vec<Client>, StoreError> {
    let ids: Vec<String> = rows.iter().map(|row| row.client_id.clone()).collect();
    let few = ids.len() <= FEW;
    let mut grant_types = client_grant_types::table.into_boxed();
    // Those that are not approved are left out below: beside a row of OR terms they would need parentheses.
    let mut scopes = client_scopes::table
        .select((client_scopes::client_id, client_scopes::scope, client_scopes::status))
        .into_boxed();
    let mut audiences = client_audiences::table.order(client_audiences::audience).into_boxed();
    let mut roles = client_roles::table.order(client_roles::role_id).into_boxed();
    let mut secrets = client_secrets::table
        .select((
            client_secrets::client_id,
            client_secrets::id,
            client_secrets::digest,
            client_secrets::expires_at,
            client_secrets::ended_at,
        ))
        .order(client_secrets::id)
        .into_boxed();
    if few {
        // One OR term for each: the enum of two databases has no `IN` with a list.
        for id in &ids {
            grant_types = grant_types.or_filter(client_grant_types::client_id.eq(id));
            scopes = scopes.or_filter(client_scopes::client_id.eq(id));
            audiences = audiences.or_filter(client_audiences::client_id.eq(id));
            roles = roles.or_filter(client_roles::client_id.eq(id));
            secrets = secrets.or_filter(client_secrets::client_id.eq(id));
        }
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let grant_types: Vec<(String, String)> = grant_types.load(db)?;
    let scopes: Vec<(String, String, String)> = scopes.load(db)?;
    let audiences: Vec<(String, String)> = audiences.load(db)?;
    let roles: Vec<(String, String)> = roles.load(db)?;
    let secrets: Vec<SecretRow> = secrets.load(db)?;

    let mut found: HashMap<String, Client> = HashMap::with_capacity(rows.len());
    for row in rows {
        found.insert(row.client_id.clone(), row.into_client()?);
    }
    for (client_id, grant_type) in grant_types {
        if let Some(client) = found.get_mut(&client_id) {
            client.grant_types.push(grant_type.parse().map_err(StoreError::corrupt)?);
        }
    }
    let mut by_client: HashMap<String, Vec<String>> = HashMap::new();
    for (client_id, scope, _) in scopes.into_iter().filter(|(_, _, status)| status == APPROVED) {
        by_client.entry(client_id).or_default().push(scope);
    }
    for (client_id, scopes) in by_client {
        if let Some(client) = found.get_mut(&client_id) {
            client.scopes = scopes.into_iter().collect();
        }
    }
    for (client_id, audience) in audiences {
        if let Some(client) = found.get_mut(&client_id) {
            client.audiences.push(audience);
        }
    }
    for (client_id, role_id) in roles {
        if let Some(client) = found.get_mut(&client_id) {
            client.role_ids.push(role_id);
        }
    }
    for (client_id, id, digest, expires_at, ended_at) in secrets {
        if let Some(client) = found.get_mut(&client_id) {
            let expires_at = expires_at.map(Timestamp::from_micros);
            let of_its_kind = if ended_at.is_none() { &mut client.secrets } else { &mut client.ended_secrets };
            of_its_kind.push(ClientSecret { id, digest: digest_from_text(&digest)?, expires_at });
        }
    }
    ids.into_iter()
        .map(|id| found.remove(&id).ok_or_else(|| StoreError::Bug("a client was read twice".to_owned())))
        .collect()
}

fn digest_from_text(text: &str) -> Result<[u8; 32], StoreError> {
    let mut digest = [0; 32];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut digest) {
        Ok(32) => Ok(digest),
        _ => Err(StoreError::corrupt("the digest of a client secret")),
    }
}

/// Those that changed after `known`, deleted ones too.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn changed_since(db: &mut Db, known: i64) -> Result<Vec<Client>, StoreError> {
    let rows = clients::table.filter(clients::change.gt(known)).select(Row::as_select()).load(db)?;
    with_children(db, rows)
}

/// Which clients a list shows; deleted ones never.
#[derive(Debug, Clone, Default)]
pub struct ClientFilter {
    /// Of this organization; of every one where none is named.
    pub organization_id: Option<String>,
    /// Registered by this user.
    pub owner_id: Option<String>,
    /// In this state.
    pub status: Option<ClientStatus>,
    /// With this label, to the letter.
    pub label: Option<String>,
    /// With this in label or id, whether large or small.
    pub part: Option<String>,
    /// In which order.
    pub order: ClientOrder,
}

crate::words! {
    /// The orders of a list of clients.
    ClientOrder {
        /// By client id.
        Id = "id",
        /// By label.
        Label = "label",
        /// The newest first.
        Newest = "newest",
    }
}

#[expect(clippy::derivable_impls, reason = "what makes the words derives no default")]
impl Default for ClientOrder {
    fn default() -> Self {
        Self::Id
    }
}

/// What stands between the parts of a place in a list that is ordered by more than the id: no label has it.
const BETWEEN: char = '\u{1f}';

/// The place of a client in a list of an order.
#[must_use]
pub fn place(client: &Client, created_at: Timestamp, order: ClientOrder) -> String {
    match order {
        ClientOrder::Id => client.client_id.clone(),
        ClientOrder::Label => format!("{}{BETWEEN}{}", client.label, client.client_id),
        ClientOrder::Newest => format!("{}{BETWEEN}{}", created_at.micros(), client.client_id),
    }
}

diesel::define_sql_function! {
    /// Small letters; of ASCII alone on SQLite.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// The pattern of whatever has a text in it.
fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for character in text.to_ascii_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern + "%"
}

/// The clients after the place `after`, in the order that the filter says.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn page(db: &mut Db, filter: &ClientFilter, after: &str, limit: i64) -> Result<Vec<Client>, StoreError> {
    let mut query = clients::table
        .filter(clients::status.ne(ClientStatus::Deleted.as_str()))
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    let (key, id) = after.split_once(BETWEEN).unwrap_or(("", after));
    query = match filter.order {
        ClientOrder::Id => query.order(clients::client_id).filter(clients::client_id.gt(after)),
        ClientOrder::Label => {
            let here = clients::label.gt(key).or(clients::label.eq(key).and(clients::client_id.gt(id)));
            query.order((clients::label, clients::client_id)).filter(here)
        }
        ClientOrder::Newest => {
            let at: i64 = key.parse().unwrap_or(i64::MAX);
            let here = clients::created_at.lt(at).or(clients::created_at.eq(at).and(clients::client_id.lt(id)));
            query.order((clients::created_at.desc(), clients::client_id.desc())).filter(here)
        }
    };
    if let Some(part) = &filter.part {
        let pattern = containing(part);
        let label = lower(clients::label).like(pattern.clone()).escape('\\');
        query = query.filter(label.or(lower(clients::client_id).like(pattern).escape('\\')));
    }
    if let Some(organization_id) = &filter.organization_id {
        query = query.filter(clients::organization_id.eq(organization_id));
    }
    if let Some(owner_id) = &filter.owner_id {
        query = query.filter(clients::owner_id.eq(owner_id));
    }
    if let Some(status) = filter.status {
        query = query.filter(clients::status.eq(status.as_str()));
    }
    if let Some(label) = &filter.label {
        query = query.filter(clients::label.eq(label));
    }
    let rows = query.load(db)?;
    with_children(db, rows)
}

/// By id.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn by_id(db: &mut Db, client_id: &str) -> Result<Option<Client>, StoreError> {
    let rows = clients::table
        .filter(clients::status.ne(ClientStatus::Deleted.as_str()))
        .filter(clients::client_id.eq(client_id))
        .select(Row::as_select())
        .load(db)?;
    Ok(with_children(db, rows)?.pop())
}

/// By id, or by label where one client alone has it; of one organization, or of whichever.
///
/// # Errors
/// [`StoreError::Conflict`] if several clients have the label.
pub fn find(db: &mut Db, key: &str, organization_id: Option<&str>) -> Result<Option<Client>, StoreError> {
    let is_there = |client: &Client| organization_id.is_none_or(|one| one == client.organization_id);
    if let Some(client) = by_id(db, key)?.filter(is_there) {
        return Ok(Some(client));
    }
    let (organization_id, label) = (organization_id.map(str::to_owned), Some(key.to_owned()));
    let filter = ClientFilter { organization_id, label, ..ClientFilter::default() };
    let mut found = page(db, &filter, "", i64::MAX)?;
    if found.len() > 1 {
        return Err(StoreError::Conflict(format!(
            "{} clients have the label `{key}`: name one by its client id",
            found.len()
        )));
    }
    Ok(found.pop())
}

/// When clients were made, by their ids.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn made_at(db: &mut Db, ids: &[String]) -> Result<HashMap<String, Timestamp>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = clients::table.select((clients::client_id, clients::created_at)).into_boxed();
    for id in ids {
        query = query.or_filter(clients::client_id.eq(id));
    }
    let rows: Vec<(String, i64)> = query.load(db)?;
    Ok(rows.into_iter().map(|(id, at)| (id, Timestamp::from_micros(at))).collect())
}

/// The organization that a client belongs to, in whatever state.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn organization_of(db: &mut Db, client_id: &str) -> Result<Option<String>, StoreError> {
    let row = clients::table.filter(clients::client_id.eq(client_id));
    Ok(row.select(clients::organization_id).first(db).optional()?)
}

/// Makes one; its secrets, grants, scopes and audiences too.
///
/// # Errors
/// [`StoreError::Conflict`] if the id is taken or a scope is not in the catalogue.
pub fn create(db: &mut Db, new: &Client, now: Timestamp) -> Result<(), StoreError> {
    let taken: i64 = clients::table.filter(clients::client_id.eq(&new.client_id)).count().get_result(db)?;
    if taken > 0 {
        return Err(StoreError::Conflict(format!("the client id {} is taken", new.client_id)));
    }
    let change = next_change(db)?;
    diesel::insert_into(clients::table)
        .values((
            (
                clients::client_id.eq(&new.client_id),
                clients::organization_id.eq(&new.organization_id),
                clients::owner_id.eq(new.owner_id.as_deref()),
                clients::label.eq(&new.label),
                clients::description.eq(&new.description),
                clients::purpose.eq(&new.purpose),
                clients::static_claims.eq(new.static_claims.to_string()),
                clients::kind.eq(new.kind.as_str()),
                clients::mode.eq(new.mode.as_str()),
                clients::token_endpoint_auth_method
                    .eq(new.authentication_method.map(crate::model::client::AuthenticationMethod::as_str)),
                clients::may_introspect.eq(i64::from(new.may_introspect)),
            ),
            (
                clients::access_lifetime.eq(new.access_lifetime),
                clients::idle_lifetime.eq(new.idle_lifetime),
                clients::absolute_lifetime.eq(new.absolute_lifetime),
                clients::reuse_window.eq(new.reuse_window),
                clients::signing_algorithm
                    .eq(new.signing_algorithm.map(crate::model::signing_key::SigningAlgorithm::as_str)),
                clients::status.eq(new.status.as_str()),
                clients::epoch.eq(new.epoch),
                clients::change.eq(change),
                clients::created_at.eq(now.micros()),
            ),
        ))
        .execute(db)?;
    insert_children(db, new)?;
    for secret in &new.secrets {
        crate::store::client_secrets::insert(db, &new.client_id, &NewSecret { secret, label: "", sealed: None }, now)?;
    }
    Ok(())
}

fn insert_children(db: &mut Db, new: &Client) -> Result<(), StoreError> {
    for grant_type in &new.grant_types {
        diesel::insert_into(client_grant_types::table)
            .values((
                client_grant_types::client_id.eq(&new.client_id),
                client_grant_types::grant_type.eq(grant_type.as_str()),
            ))
            .execute(db)?;
    }
    scopes::refuse_deleted(db, new.scopes.iter())?;
    for scope in new.scopes.iter() {
        diesel::insert_into(client_scopes::table)
            .values((
                client_scopes::client_id.eq(&new.client_id),
                client_scopes::scope.eq(scope),
                client_scopes::status.eq(APPROVED),
            ))
            .execute(db)?;
    }
    for audience in &new.audiences {
        diesel::insert_into(client_audiences::table)
            .values((client_audiences::client_id.eq(&new.client_id), client_audiences::audience.eq(audience)))
            .execute(db)?;
    }
    for role_id in &new.role_ids {
        diesel::insert_into(client_roles::table)
            .values((client_roles::client_id.eq(&new.client_id), client_roles::role_id.eq(role_id)))
            .execute(db)?;
    }
    Ok(())
}

#[derive(AsChangeset)]
#[diesel(table_name = clients, treat_none_as_null = true)]
struct Changes<'a> {
    label: &'a str,
    description: &'a str,
    purpose: &'a str,
    token_endpoint_auth_method: Option<String>,
    may_introspect: i64,
    access_lifetime: Option<i64>,
    idle_lifetime: Option<i64>,
    absolute_lifetime: Option<i64>,
    reuse_window: Option<i64>,
    signing_algorithm: Option<String>,
    static_claims: String,
}

/// Writes everything of a registration that can change, but status and secrets. Tokens live on: what they may no
/// longer do is asked at every issue.
///
/// # Errors
/// [`StoreError::Conflict`] if a scope is not in the catalogue.
pub fn update(db: &mut Db, new: &Client) -> Result<(), StoreError> {
    touch(db, &new.client_id, false)?;
    let changes = Changes {
        label: &new.label,
        description: &new.description,
        purpose: &new.purpose,
        token_endpoint_auth_method: new.authentication_method.map(|method| method.to_string()),
        may_introspect: i64::from(new.may_introspect),
        access_lifetime: new.access_lifetime,
        idle_lifetime: new.idle_lifetime,
        absolute_lifetime: new.absolute_lifetime,
        reuse_window: new.reuse_window,
        signing_algorithm: new.signing_algorithm.map(|algorithm| algorithm.to_string()),
        static_claims: new.static_claims.to_string(),
    };
    let id = new.client_id.as_str();
    diesel::update(clients::table.filter(clients::client_id.eq(id))).set(changes).execute(db)?;
    diesel::delete(client_grant_types::table.filter(client_grant_types::client_id.eq(id))).execute(db)?;
    diesel::delete(client_scopes::table.filter(client_scopes::client_id.eq(id))).execute(db)?;
    diesel::delete(client_audiences::table.filter(client_audiences::client_id.eq(id))).execute(db)?;
    diesel::delete(client_roles::table.filter(client_roles::client_id.eq(id))).execute(db)?;
    insert_children(db, new)
}

/// Approves one more scope; approving it again changes nothing.
///
/// # Errors
/// [`StoreError::Conflict`] if the scope is not in the catalogue.
pub fn add_scope(db: &mut Db, client_id: &str, scope: &str) -> Result<(), StoreError> {
    touch(db, client_id, false)?;
    scopes::refuse_deleted(db, [scope])?;
    let row = client_scopes::table.filter(client_scopes::client_id.eq(client_id).and(client_scopes::scope.eq(scope)));
    if row.count().get_result::<i64>(db)? == 0 {
        diesel::insert_into(client_scopes::table)
            .values((
                client_scopes::client_id.eq(client_id),
                client_scopes::scope.eq(scope),
                client_scopes::status.eq(APPROVED),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Changes the status, where it is still `from`. All but a return to `active` raise the epoch, which ends the client's
/// tokens. `false`: somebody else changed it meanwhile.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn set_status(db: &mut Db, client_id: &str, from: ClientStatus, to: ClientStatus) -> Result<bool, StoreError> {
    let row = clients::table.filter(clients::client_id.eq(client_id).and(clients::status.eq(from.as_str())));
    let changed = diesel::update(row).set(clients::status.eq(to.as_str())).execute(db)? == 1;
    if changed {
        touch(db, client_id, to != ClientStatus::Active)?;
    }
    Ok(changed)
}

/// Withdraws a scope that the client was approved for.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn withdraw_scope(db: &mut Db, client_id: &str, scope: &str) -> Result<(), StoreError> {
    diesel::delete(
        client_scopes::table.filter(client_scopes::client_id.eq(client_id).and(client_scopes::scope.eq(scope))),
    )
    .execute(db)?;
    touch(db, client_id, false)
}

/// Keeps the registration as it is until the transaction ends, for a change that is worked out from it.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn hold(db: &mut Db, client_id: &str) -> Result<(), StoreError> {
    touch(db, client_id, false)
}

pub(super) fn touch(db: &mut Db, client_id: &str, ends_tokens: bool) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(clients::table.filter(clients::client_id.eq(client_id)))
        .set((clients::epoch.eq(clients::epoch + i64::from(ends_tokens)), clients::change.eq(change)))
        .execute(db)?;
    Ok(())
}

/// The clients that changed after `known`, each with its epoch, where that was ever raised.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn epochs_since(db: &mut Db, known: i64) -> Result<Vec<(String, i64)>, StoreError> {
    let changed = clients::table.filter(clients::change.gt(known)).select((clients::client_id, clients::epoch));
    let epochs: Vec<(String, i64)> = changed.load(db)?;
    Ok(epochs.into_iter().filter(|(_, epoch)| *epoch > 0).collect())
}

/// Whether the epoch is still this one, and stays so until the transaction ends: what would raise it waits.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn hold_epoch(db: &mut Db, client_id: &str, epoch: i64) -> Result<bool, StoreError> {
    Ok(Prepared::<Epoch>::with(client_id).find::<i64>(db)? == Some(epoch))
}

struct Epoch;

impl Statement for Epoch {
    type SqlType = BigInt;
    const PARTS: &'static [Part] =
        &[Part::Sql("SELECT epoch FROM clients WHERE client_id = "), Part::Key, Part::ForShare];
}
