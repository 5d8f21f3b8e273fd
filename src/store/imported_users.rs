//! Users that come in numbers, from another program.

use std::collections::HashSet;

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::users;
use crate::store::users::{NewUser, create};

/// What is taken already.
#[derive(Debug, Default)]
pub struct Taken {
    /// Usernames, deleted ones too: they are not given out again.
    pub usernames: HashSet<String>,
    /// E-mail addresses in lower case.
    pub emails: HashSet<String>,
}

/// All usernames and e-mail addresses.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn taken(db: &mut Db) -> Result<Taken, StoreError> {
    let rows: Vec<(String, Option<String>)> = users::table.select((users::username, users::email_key)).load(db)?;
    let (usernames, emails): (_, Vec<Option<String>>) = rows.into_iter().unzip();
    Ok(Taken { usernames, emails: emails.into_iter().flatten().collect() })
}

/// Makes one. `false`: the username is there already, and nothing is written.
///
/// # Errors
/// [`StoreError::Conflict`] if the e-mail address is taken.
pub fn create_unless_there(db: &mut Db, user: &NewUser, now: Timestamp) -> Result<bool, StoreError> {
    let username = user.username.as_str();
    let there: i64 = users::table.filter(users::username.eq(username)).count().get_result(db)?;
    if there > 0 {
        return Ok(false);
    }
    create(db, user, now)?;
    Ok(true)
}
