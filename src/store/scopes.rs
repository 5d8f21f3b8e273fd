//! The catalogue of scopes.

use diesel::prelude::*;

use crate::model::scope::CatalogueScope;
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::scopes;

type Row = (String, String, i64, Option<String>);

fn read((name, description, requires_approval, audience): Row) -> CatalogueScope {
    CatalogueScope { name, description, requires_approval: requires_approval != 0, audience }
}

/// Those that changed after `known`.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn changed_since(db: &mut Db, known: i64) -> Result<Vec<CatalogueScope>, StoreError> {
    let rows: Vec<Row> = scopes::table
        .filter(scopes::change.gt(known))
        .order(scopes::name)
        .select((scopes::name, scopes::description, scopes::requires_approval, scopes::audience))
        .load(db)?;
    Ok(rows.into_iter().map(read).collect())
}

/// All, by name.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn list(db: &mut Db) -> Result<Vec<CatalogueScope>, StoreError> {
    changed_since(db, -1)
}

/// Makes one.
///
/// # Errors
/// [`StoreError::Conflict`] if the name is taken.
pub fn create(db: &mut Db, scope: &CatalogueScope, built_in: bool, now: Timestamp) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::insert_into(scopes::table)
        .values((
            scopes::name.eq(&scope.name),
            scopes::description.eq(&scope.description),
            scopes::requires_approval.eq(i64::from(scope.requires_approval)),
            scopes::audience.eq(scope.audience.as_deref()),
            scopes::built_in.eq(i64::from(built_in)),
            scopes::change.eq(change),
            scopes::created_at.eq(now.micros()),
        ))
        .execute(db)?;
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

/// The catalogue without the built-in scopes, by name.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn own(db: &mut Db) -> Result<Vec<CatalogueScope>, StoreError> {
    let rows: Vec<(String, String, i64, Option<String>)> = scopes::table
        .filter(scopes::built_in.eq(0))
        .order(scopes::name)
        .select((scopes::name, scopes::description, scopes::requires_approval, scopes::audience))
        .load(db)?;
    let read = |(name, description, requires_approval, audience)| CatalogueScope {
        name,
        description,
        requires_approval: requires_approval != 0,
        audience,
    };
    Ok(rows.into_iter().map(read).collect())
}
