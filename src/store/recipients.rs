//! Users as mails and links see them: where they are reached, and what they still wait for.

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::model::user::UserStatus;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::users;

/// A user who can be written to.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The user's id.
    pub id: String,
    /// The organization that they belong to.
    pub organization_id: String,
    /// The username.
    pub username: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number, as it was entered.
    pub phone: Option<String>,
    /// Where they are in their life.
    pub status: UserStatus,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether the address is known to be theirs.
    pub is_verified: bool,
}

impl Recipient {
    /// Whether there is no address that is still to be verified.
    #[must_use]
    pub fn has_no_address_to_verify(&self) -> bool {
        self.email.is_none() || self.is_verified
    }
}

type Row = (String, String, String, Option<String>, Option<String>, String, Option<String>, Option<i64>);
const COLUMNS: (
    users::id,
    users::organization_id,
    users::username,
    users::email,
    users::phone,
    users::status,
    users::password_kind,
    users::email_verified_at,
) = (
    users::id,
    users::organization_id,
    users::username,
    users::email,
    users::phone,
    users::status,
    users::password_kind,
    users::email_verified_at,
);

fn read(row: Row) -> Result<Recipient, StoreError> {
    let (id, organization_id, username, email, phone, status, password_kind, email_verified_at) = row;
    Ok(Recipient {
        id,
        organization_id,
        username,
        email,
        phone,
        status: status.parse().map_err(StoreError::corrupt)?,
        has_password: password_kind.is_some(),
        is_verified: email_verified_at.is_some(),
    })
}

/// By id.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db, id: &str) -> Result<Option<Recipient>, StoreError> {
    let row: Option<Row> = users::table.filter(users::id.eq(id)).select(COLUMNS).get_result(db).optional()?;
    row.map(read).transpose()
}

/// By id, with the row's lock until the transaction ends.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn hold(db: &mut Db, id: &str) -> Result<Option<Recipient>, StoreError> {
    diesel::update(users::table.filter(users::id.eq(id))).set(users::status.eq(users::status)).execute(db)?;
    find(db, id)
}

/// By username, or else by e-mail address. Both are looked for, whichever is there.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn named(db: &mut Db, key: &str) -> Result<Option<Recipient>, StoreError> {
    let by_username: Option<Row> =
        users::table.filter(users::username.eq(key)).select(COLUMNS).get_result(db).optional()?;
    let by_email: Option<Row> =
        users::table.filter(users::email_key.eq(key.to_lowercase())).select(COLUMNS).get_result(db).optional()?;
    by_username.or(by_email).map(read).transpose()
}

/// Notes that the address is the user's.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn verify(db: &mut Db, id: &str, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(users::table.filter(users::id.eq(id).and(users::email_verified_at.is_null())))
        .set(users::email_verified_at.eq(now.micros()))
        .execute(db)?;
    Ok(())
}
