//! Organizations.

use diesel::prelude::*;

use crate::model::organization::{Organization, OrganizationStatus};
use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::{clients, organizations};

type Row = (String, i64, String, String, String, i64);
const COLUMNS: (
    organizations::id,
    organizations::number,
    organizations::slug,
    organizations::name,
    organizations::status,
    organizations::epoch,
) = (
    organizations::id,
    organizations::number,
    organizations::slug,
    organizations::name,
    organizations::status,
    organizations::epoch,
);

fn read(row: Row) -> Result<Organization, StoreError> {
    let (id, number, slug, name, status, epoch) = row;
    let status = status.parse().map_err(StoreError::corrupt)?;
    Ok(Organization { id, number, slug, name, status, epoch })
}

/// Those that changed after `known`.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn changed_since(db: &mut Db, known: i64) -> Result<Vec<Organization>, StoreError> {
    let rows: Vec<Row> = organizations::table.filter(organizations::change.gt(known)).select(COLUMNS).load(db)?;
    rows.into_iter().map(read).collect()
}

/// All, in the order of their numbers.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn list(db: &mut Db) -> Result<Vec<Organization>, StoreError> {
    let rows: Vec<Row> = organizations::table.order(organizations::number).select(COLUMNS).load(db)?;
    rows.into_iter().map(read).collect()
}

/// By id, slug or number.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db, key: &str) -> Result<Option<Organization>, StoreError> {
    let number: i64 = key.parse().unwrap_or(-1);
    let row: Option<Row> = organizations::table
        .filter(organizations::id.eq(key).or(organizations::slug.eq(key)).or(organizations::number.eq(number)))
        .select(COLUMNS)
        .get_result(db)
        .optional()?;
    row.map(read).transpose()
}

/// Makes one, with the next free number.
///
/// # Errors
/// [`StoreError::Conflict`] if the slug is taken.
pub fn create(db: &mut Db, id: &str, slug: &str, name: &str, now: Timestamp) -> Result<Organization, StoreError> {
    let change = next_change(db)?;
    let highest: Option<i64> = organizations::table.select(diesel::dsl::max(organizations::number)).get_result(db)?;
    let made = Organization {
        id: id.to_owned(),
        number: highest.map_or(100_001, |number| number + 1),
        slug: slug.to_owned(),
        name: name.to_owned(),
        status: OrganizationStatus::Active,
        epoch: 0,
    };
    diesel::insert_into(organizations::table)
        .values((
            organizations::id.eq(&made.id),
            organizations::number.eq(made.number),
            organizations::slug.eq(&made.slug),
            organizations::name.eq(&made.name),
            organizations::status.eq(made.status.as_str()),
            organizations::epoch.eq(0),
            organizations::change.eq(change),
            organizations::created_at.eq(now.micros()),
        ))
        .execute(db)?;
    Ok(made)
}

/// Gives one another name.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn rename(db: &mut Db, id: &str, name: &str) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(organizations::table.filter(organizations::id.eq(id)))
        .set((organizations::name.eq(name), organizations::change.eq(change)))
        .execute(db)?;
    Ok(())
}

/// Enables or disables one. Disabling raises its epoch, which ends the tokens of its users, and those of its clients,
/// which end the tokens that these were given for users of others.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn set_status(db: &mut Db, id: &str, status: OrganizationStatus) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(organizations::table.filter(organizations::id.eq(id)))
        .set((
            organizations::status.eq(status.as_str()),
            organizations::epoch.eq(organizations::epoch + i64::from(status == OrganizationStatus::Disabled)),
            organizations::change.eq(change),
        ))
        .execute(db)?;
    if status == OrganizationStatus::Disabled {
        diesel::update(clients::table.filter(clients::organization_id.eq(id)))
            .set((clients::epoch.eq(clients::epoch + 1), clients::change.eq(change)))
            .execute(db)?;
    }
    Ok(())
}
