//! Users, their roles, and the networks that they sign in from.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::model::mail::LinkPurpose;
use crate::model::time::Timestamp;
use crate::model::user::{Administration, PasswordKind, User, UserKind, UserStatus, Username};
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::memberships;
use crate::store::one_time_links;
use crate::store::prepared::{Part, Prepared, Statement};
use crate::store::schema::users;
use crate::store::user_profiles;

/// The columns that make a [`User`], in the order of [`Columns`].
#[derive(Queryable)]
pub(super) struct Row {
    id: String,
    organization_id: String,
    kind: String,
    username: String,
    name: String,
    first_name: String,
    last_name: String,
    email: Option<String>,
    access_console: i64,
    access_api: i64,
    status: String,
    password_kind: Option<String>,
    password_hash: Option<String>,
    epoch: i64,
    administration: String,
}

impl Row {
    pub(super) fn into_user(self, role_ids: Vec<String>) -> Result<User, StoreError> {
        let password = match (self.password_kind, self.password_hash) {
            (Some(kind), Some(hash)) => Some((kind.parse().map_err(StoreError::corrupt)?, hash)),
            _ => None,
        };
        Ok(User {
            id: self.id,
            organization_id: self.organization_id,
            kind: self.kind.parse().map_err(StoreError::corrupt)?,
            username: self.username,
            name: self.name,
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
            access_console: self.access_console != 0,
            access_api: self.access_api != 0,
            status: self.status.parse().map_err(StoreError::corrupt)?,
            password,
            epoch: self.epoch,
            administration: self.administration.parse().map_err(StoreError::corrupt)?,
            role_ids,
        })
    }
}

/// The columns of [`Row`].
pub(super) type Columns = (
    Text,
    Text,
    Text,
    Text,
    Text,
    Text,
    Text,
    Nullable<Text>,
    BigInt,
    BigInt,
    Text,
    Nullable<Text>,
    Nullable<Text>,
    BigInt,
    Text,
);

/// The ids of a user's roles, as both databases join them.
pub(super) fn role_ids(joined: Option<String>) -> Vec<String> {
    joined.map(|ids| ids.split(' ').map(str::to_owned).collect()).unwrap_or_default()
}

const SELECT: &str = "SELECT u.id, u.organization_id, u.kind, u.username, u.name, u.first_name, u.last_name, u.email, \
     u.access_console, u.access_api, u.status, u.password_kind, u.password_hash, u.epoch, \
     u.administration, (SELECT ";

const OF_USERS: &str = "(r.role_id, ' ') FROM user_roles r \
         WHERE r.user_id = u.id AND r.organization_id = u.organization_id) FROM users u WHERE ";

/// A user with their roles by id.
struct ById;

impl Statement for ById {
    type SqlType = (Columns, Nullable<Text>);
    const PARTS: &'static [Part] =
        &[Part::Sql(SELECT), Part::Join, Part::Sql(OF_USERS), Part::Sql("u.id = "), Part::Key];
}

/// A user with their roles by username.
struct ByUsername;

impl Statement for ByUsername {
    type SqlType = (Columns, Nullable<Text>);
    const PARTS: &'static [Part] =
        &[Part::Sql(SELECT), Part::Join, Part::Sql(OF_USERS), Part::Sql("u.username = "), Part::Key];
}

fn user((row, roles): (Row, Option<String>)) -> Result<User, StoreError> {
    row.into_user(role_ids(roles))
}

/// By id, deleted ones too.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn by_id(db: &mut Db, id: &str) -> Result<Option<User>, StoreError> {
    Prepared::<ById>::with(id).find(db)?.map(user).transpose()
}

/// By username, to the letter; deleted ones too.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn by_username(db: &mut Db, username: &str) -> Result<Option<User>, StoreError> {
    Prepared::<ByUsername>::with(username).find(db)?.map(user).transpose()
}

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The id.
    pub id: String,
    /// The organization.
    pub organization_id: String,
    /// Person or API user.
    pub kind: UserKind,
    /// Whether it was made as a set of credentials (Biotz).
    pub programmatic: bool,
    /// The username.
    pub username: Username,
    /// Display name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// E-mail address, checked by the caller.
    pub email: Option<String>,
    /// Telephone number, checked by the caller.
    pub phone: Option<String>,
    /// What the user may do with other users.
    pub administration: Administration,
    /// Whether a session of the console may start.
    pub access_console: bool,
    /// Whether tokens are issued and requests verified.
    pub access_api: bool,
    /// Where they start.
    pub status: UserStatus,
    /// How the password is stored, and its hash or digest.
    pub password: Option<(PasswordKind, String)>,
    /// The roles.
    pub role_ids: Vec<String>,
}

/// Makes a user.
///
/// # Errors
/// [`StoreError::Conflict`] if the username or the e-mail address is taken.
pub fn create(db: &mut Db, new: &NewUser, now: Timestamp) -> Result<(), StoreError> {
    let taken: i64 = users::table.filter(users::username.eq(new.username.as_str())).count().get_result(db)?;
    if taken > 0 {
        return Err(StoreError::Conflict(format!("the username {} is taken", new.username.as_str())));
    }
    if let Some(email) = &new.email {
        user_profiles::refuse_taken_email(db, &email.to_lowercase(), "")?;
    }
    let change = next_change(db)?;
    diesel::insert_into(users::table)
        .values((
            (
                users::id.eq(&new.id),
                users::organization_id.eq(&new.organization_id),
                users::kind.eq(new.kind.as_str()),
                users::programmatic.eq(i64::from(new.programmatic)),
                users::username.eq(new.username.as_str()),
                users::name.eq(&new.name),
                users::description.eq(&new.description),
                users::first_name.eq(&new.first_name),
                users::last_name.eq(&new.last_name),
                users::email.eq(new.email.as_deref()),
                users::email_key.eq(new.email.as_ref().map(|email| email.to_lowercase())),
            ),
            (
                users::phone.eq(new.phone.as_deref()),
                // Who is made active at once has an address that whoever made them vouches for.
                users::email_verified_at.eq(new
                    .email
                    .as_ref()
                    .filter(|_| new.status == UserStatus::Active)
                    .map(|_| now.micros())),
                users::administration.eq(new.administration.as_str()),
                users::access_console.eq(i64::from(new.access_console)),
                users::access_api.eq(i64::from(new.access_api)),
                users::status.eq(new.status.as_str()),
                users::password_kind.eq(new.password.as_ref().map(|(kind, _)| kind.as_str())),
                users::password_hash.eq(new.password.as_ref().map(|(_, hash)| hash.as_str())),
                users::password_changed_at.eq(new.password.as_ref().map(|_| now.micros())),
                users::epoch.eq(0),
                users::epoch_raised_at.eq(0),
                users::change.eq(change),
                users::created_at.eq(now.micros()),
            ),
        ))
        .execute(db)?;
    memberships::create(db, &new.id, &new.organization_id, now)?;
    for role_id in &new.role_ids {
        memberships::grant_role(db, &new.id, &new.organization_id, role_id)?;
    }
    Ok(())
}

/// Changes the status, where it is still `from`. All but a return to `active` raise the epoch, which ends the user's
/// tokens. `false`: somebody else changed it meanwhile.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn set_status(db: &mut Db, id: &str, from: UserStatus, to: UserStatus, now: Timestamp) -> Result<bool, StoreError> {
    let row = users::table.filter(users::id.eq(id).and(users::status.eq(from.as_str())));
    let changed = diesel::update(row).set(users::status.eq(to.as_str())).execute(db)? == 1;
    if changed && to != UserStatus::Active {
        raise_epoch(db, id, now)?;
    } else if changed {
        touch(db, id)?;
    }
    Ok(changed)
}

/// Locks an active user, and no other: a user who was disabled meanwhile stays disabled. Answers whether it did.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn lock(db: &mut Db, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let active = users::table.filter(users::id.eq(id).and(users::status.eq(UserStatus::Active.as_str())));
    let locked = diesel::update(active).set(users::status.eq(UserStatus::Locked.as_str())).execute(db)? == 1;
    if locked {
        raise_epoch(db, id, now)?;
    }
    Ok(locked)
}

/// Changes the password, which ends the user's tokens and the links that would set one.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn set_password(db: &mut Db, id: &str, kind: PasswordKind, hash: &str, now: Timestamp) -> Result<(), StoreError> {
    diesel::update(users::table.filter(users::id.eq(id)))
        .set((
            users::password_kind.eq(kind.as_str()),
            users::password_hash.eq(hash),
            users::password_changed_at.eq(now.micros()),
        ))
        .execute(db)?;
    // A link that was on its way to set an older password must not set another one after this.
    one_time_links::void(db, id, &[LinkPurpose::SetPassword, LinkPurpose::SetUp], now)?;
    raise_epoch(db, id, now)
}

/// Stores the same password under a new cost. Nobody's tokens end.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn upgrade_hash(db: &mut Db, id: &str, old: &str, new: &str) -> Result<(), StoreError> {
    diesel::update(users::table.filter(users::id.eq(id).and(users::password_hash.eq(old))))
        .set(users::password_hash.eq(new))
        .execute(db)?;
    Ok(())
}

/// Tells every node that what it remembers of the user is no longer true.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub(super) fn touch(db: &mut Db, id: &str) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(users::table.filter(users::id.eq(id))).set(users::change.eq(change)).execute(db)?;
    Ok(())
}

/// Ends every token of a user.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn raise_epoch(db: &mut Db, id: &str, now: Timestamp) -> Result<(), StoreError> {
    let change = next_change(db)?;
    diesel::update(users::table.filter(users::id.eq(id)))
        .set((users::epoch.eq(users::epoch + 1), users::epoch_raised_at.eq(now.micros()), users::change.eq(change)))
        .execute(db)?;
    Ok(())
}

/// The epochs that were raised after `known` and not before `since`, with the time of it; a `known` below zero is that
/// of whoever knows nothing.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn epochs_raised(db: &mut Db, known: i64, since: Timestamp) -> Result<Vec<(String, i64, Timestamp)>, StoreError> {
    let columns = (users::id, users::epoch, users::epoch_raised_at);
    // One condition each: given two, SQLite may walk the index that leaves out nothing.
    let rows: Vec<(String, i64, i64)> = if known < 0 {
        users::table.filter(users::epoch_raised_at.ge(since.micros())).select(columns).load(db)?
    } else {
        users::table.filter(users::change.gt(known)).select(columns).load(db)?
    };
    let raised = rows.into_iter().map(|(id, epoch, at)| (id, epoch, Timestamp::from_micros(at)));
    Ok(raised.filter(|(_, _, at)| *at >= since).collect())
}

/// The users who changed after `known`, each with their change.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn changed_since(db: &mut Db, known: i64) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(users::table.filter(users::change.gt(known)).select((users::id, users::change)).load::<(String, i64)>(db)?)
}

/// Whether the epoch is still this one, and stays so until the transaction ends: what would raise it waits.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn hold_epoch(db: &mut Db, id: &str, epoch: i64) -> Result<bool, StoreError> {
    Ok(Prepared::<Epoch>::with(id).find::<i64>(db)? == Some(epoch))
}

struct Epoch;

impl Statement for Epoch {
    type SqlType = BigInt;
    const PARTS: &'static [Part] = &[Part::Sql("SELECT epoch FROM users WHERE id = "), Part::Key, Part::ForShare];
}
