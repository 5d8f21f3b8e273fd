//! Which organizations a user is in, and the roles that they have in each.

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::model::user::Membership;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::{self, memberships, user_roles};
use crate::store::users;

/// A user's memberships, in the order in which they were made.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn of_user(db: &mut Db, user_id: &str) -> Result<Vec<Membership>, StoreError> {
    let organizations: Vec<String> = memberships::table
        .filter(memberships::user_id.eq(user_id))
        .order((memberships::created_at, memberships::organization_id))
        .select(memberships::organization_id)
        .load(db)?;
    let roles: Vec<(String, String)> = user_roles::table
        .filter(user_roles::user_id.eq(user_id))
        .order(user_roles::role_id)
        .select((user_roles::organization_id, user_roles::role_id))
        .load(db)?;
    let roles_in = |id: &str| roles.iter().filter(|(of, _)| of == id).map(|(_, role)| role.clone()).collect();
    Ok(organizations.into_iter().map(|id| Membership { role_ids: roles_in(&id), organization_id: id }).collect())
}

/// Makes a user a member; making them one again changes nothing. Answers whether they were none.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn create(db: &mut Db, user_id: &str, organization_id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let row = memberships::table
        .filter(memberships::user_id.eq(user_id).and(memberships::organization_id.eq(organization_id)));
    if row.count().get_result::<i64>(db)? > 0 {
        return Ok(false);
    }
    // Beside the membership, for lists: neither ever changes.
    let of_user = schema::users::table.filter(schema::users::id.eq(user_id));
    let (kind, programmatic): (String, i64) =
        of_user.select((schema::users::kind, schema::users::programmatic)).get_result(db)?;
    diesel::insert_into(memberships::table)
        .values((
            memberships::user_id.eq(user_id),
            memberships::organization_id.eq(organization_id),
            memberships::created_at.eq(now.micros()),
            memberships::kind.eq(kind),
            memberships::programmatic.eq(programmatic),
        ))
        .execute(db)?;
    users::touch(db, user_id)?;
    Ok(true)
}

/// Ends a membership with its roles. Answers whether there was one.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn delete(db: &mut Db, user_id: &str, organization_id: &str) -> Result<bool, StoreError> {
    diesel::delete(
        user_roles::table.filter(user_roles::user_id.eq(user_id).and(user_roles::organization_id.eq(organization_id))),
    )
    .execute(db)?;
    let ended = diesel::delete(
        memberships::table
            .filter(memberships::user_id.eq(user_id).and(memberships::organization_id.eq(organization_id))),
    )
    .execute(db)?;
    users::touch(db, user_id)?;
    Ok(ended == 1)
}

/// Gives a role in an organization; giving it again changes nothing.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn grant_role(db: &mut Db, user_id: &str, organization_id: &str, role_id: &str) -> Result<(), StoreError> {
    let row = user_roles::table.filter(
        user_roles::user_id
            .eq(user_id)
            .and(user_roles::organization_id.eq(organization_id))
            .and(user_roles::role_id.eq(role_id)),
    );
    if row.count().get_result::<i64>(db)? > 0 {
        return Ok(());
    }
    diesel::insert_into(user_roles::table)
        .values((
            user_roles::user_id.eq(user_id),
            user_roles::organization_id.eq(organization_id),
            user_roles::role_id.eq(role_id),
        ))
        .execute(db)?;
    users::touch(db, user_id)
}

/// Puts these roles in the place of those that the user has in an organization.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn set_roles(db: &mut Db, user_id: &str, organization_id: &str, role_ids: &[String]) -> Result<(), StoreError> {
    diesel::delete(
        user_roles::table.filter(user_roles::user_id.eq(user_id).and(user_roles::organization_id.eq(organization_id))),
    )
    .execute(db)?;
    for role_id in role_ids {
        grant_role(db, user_id, organization_id, role_id)?;
    }
    users::touch(db, user_id)
}

/// The members of an organization who have a role in it, in the order of their ids, after `after`.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn holders_of(
    db: &mut Db,
    organization_id: &str,
    role_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    Ok(user_roles::table
        .filter(user_roles::role_id.eq(role_id).and(user_roles::organization_id.eq(organization_id)))
        .filter(user_roles::user_id.gt(after))
        .order(user_roles::user_id)
        .limit(limit)
        .select(user_roles::user_id)
        .load(db)?)
}

/// Which of these users have a role in an organization.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn holders_among(
    db: &mut Db,
    organization_id: &str,
    role_id: &str,
    user_ids: &[String],
) -> Result<Vec<String>, StoreError> {
    Ok(user_roles::table
        .filter(user_roles::role_id.eq(role_id).and(user_roles::organization_id.eq(organization_id)))
        .filter(user_roles::user_id.eq_any(user_ids))
        .select(user_roles::user_id)
        .load(db)?)
}
