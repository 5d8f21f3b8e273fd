//! What users are called, by their ids.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::users;

/// The usernames of users, with the organization that each was made in; deleted ones too.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn of(db: &mut Db, ids: &[String]) -> Result<HashMap<String, (String, String)>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = users::table.select((users::id, users::organization_id, users::username)).into_boxed();
    for id in ids {
        // One OR term for each: the enum of two databases has no `IN` with a list.
        query = query.or_filter(users::id.eq(id));
    }
    let rows: Vec<(String, String, String)> = query.load(db)?;
    Ok(rows.into_iter().map(|(id, organization, username)| (id, (organization, username))).collect())
}
