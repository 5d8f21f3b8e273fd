//! The catalogue of scopes.

use diesel::prelude::*;

use crate::model::client::ClientStatus;
use crate::model::scope::CatalogueScope;
use crate::model::scope_request::ScopeRequestStatus;
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::{client_scopes, clients, role_permissions, scope_requests, scopes};

type Row = (String, String, i64, Option<String>);
const COLUMNS: (scopes::name, scopes::description, scopes::requires_approval, scopes::audience) =
    (scopes::name, scopes::description, scopes::requires_approval, scopes::audience);

const ACTIVE: &str = "active";
// The row stays, so that every node hears of it; the name may be given again.
const DELETED: &str = "deleted";

fn read((name, description, requires_approval, audience): Row) -> CatalogueScope {
    CatalogueScope { name, description, requires_approval: requires_approval != 0, audience }
}

/// Those that changed after `known`, by name; no value for one that was deleted.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn changed_since(db: &mut Db, known: i64) -> Result<Vec<(String, Option<CatalogueScope>)>, StoreError> {
    let rows: Vec<(Row, String)> =
        scopes::table.filter(scopes::change.gt(known)).select((COLUMNS, scopes::status)).load(db)?;
    let entry = |(row, status): (Row, String)| (row.0.clone(), (status == ACTIVE).then(|| read(row)));
    Ok(rows.into_iter().map(entry).collect())
}

/// All, by name.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn list(db: &mut Db) -> Result<Vec<CatalogueScope>, StoreError> {
    let active = scopes::table.filter(scopes::status.eq(ACTIVE));
    let rows: Vec<Row> = active.order(scopes::name).select(COLUMNS).load(db)?;
    Ok(rows.into_iter().map(read).collect())
}

/// The catalogue without the built-in scopes, by name.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn own(db: &mut Db) -> Result<Vec<CatalogueScope>, StoreError> {
    let own = scopes::table.filter(scopes::built_in.eq(0).and(scopes::status.eq(ACTIVE)));
    let rows: Vec<Row> = own.order(scopes::name).select(COLUMNS).load(db)?;
    Ok(rows.into_iter().map(read).collect())
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = scopes, treat_none_as_null = true)]
struct New<'a> {
    name: &'a str,
    description: &'a str,
    requires_approval: i64,
    audience: Option<String>,
    built_in: i64,
    change: i64,
    created_at: i64,
    status: &'static str,
}

/// Makes one; the name of one that was deleted may be given again.
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken.
pub fn create(db: &mut Db, scope: &CatalogueScope, built_in: bool, now: Timestamp) -> Result<(), StoreError> {
    let change = next_change(db)?;
    let new = New {
        name: &scope.name,
        description: &scope.description,
        requires_approval: i64::from(scope.requires_approval),
        audience: scope.audience.clone(),
        built_in: i64::from(built_in),
        change,
        created_at: now.micros(),
        status: ACTIVE,
    };
    let deleted = scopes::table.filter(scopes::name.eq(new.name).and(scopes::status.eq(DELETED)));
    if diesel::update(deleted).set(&new).execute(db)? == 0 {
        diesel::insert_into(scopes::table).values(&new).execute(db)?;
    }
    Ok(())
}

/// Changes description, audience, and whether an approval is needed.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn update(db: &mut Db, scope: &CatalogueScope) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(scopes::table.filter(scopes::name.eq(&scope.name)))
        .set((
            scopes::description.eq(&scope.description),
            scopes::requires_approval.eq(i64::from(scope.requires_approval)),
            scopes::audience.eq(scope.audience.as_deref()),
            scopes::change.eq(change),
        ))
        .execute(db)?;
    Ok(())
}

/// Who keeps a scope from being deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holders {
    /// Clients that may ask for it.
    pub clients: i64,
    /// Roles that hold it.
    pub roles: i64,
    /// Requests for it that nobody has decided.
    pub requests: i64,
}

impl Holders {
    /// Whether nobody does.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.clients == 0 && self.roles == 0 && self.requests == 0
    }
}

/// Deletes one that nobody holds; where somebody does, nothing is changed and the answer says who.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn delete(db: &mut Db, name: &str) -> Result<Holders, StoreError> {
    // The counter's row first: whoever gives the scope away at the same time waits, or has been here before.
    let change = next_change(db)?;
    let live = clients::status.ne(ClientStatus::Deleted.as_str());
    let holders = Holders {
        clients: client_scopes::table
            .inner_join(clients::table.on(clients::client_id.eq(client_scopes::client_id)))
            .filter(client_scopes::scope.eq(name).and(live))
            .count()
            .get_result(db)?,
        // A role that was deleted holds no permission any more.
        roles: role_permissions::table.filter(role_permissions::permission.eq(name)).count().get_result(db)?,
        requests: scope_requests::table
            .inner_join(clients::table.on(clients::client_id.eq(scope_requests::client_id)))
            .filter(scope_requests::scope.eq(name).and(live))
            .filter(scope_requests::status.eq(ScopeRequestStatus::Pending.as_str()))
            .count()
            .get_result(db)?,
    };
    if holders.is_empty() {
        diesel::update(scopes::table.filter(scopes::name.eq(name)))
            .set((scopes::status.eq(DELETED), scopes::change.eq(change)))
            .execute(db)?;
    }
    Ok(holders)
}

/// That none of these was deleted meanwhile; asked in the transaction that gives them away, after its change.
///
/// # Errors
/// [`StoreError::Conflict`] names one that was.
pub(super) fn refuse_deleted<'a>(db: &mut Db, names: impl IntoIterator<Item = &'a str>) -> Result<(), StoreError> {
    // Few are ever deleted: one read of them is cheaper than one for each name.
    let deleted: Vec<String> = scopes::table.filter(scopes::status.eq(DELETED)).select(scopes::name).load(db)?;
    match names.into_iter().find(|name| deleted.iter().any(|gone| gone == name)) {
        None => Ok(()),
        Some(name) => Err(StoreError::Conflict(format!("the scope {name} was deleted meanwhile"))),
    }
}
