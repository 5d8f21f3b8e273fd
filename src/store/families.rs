//! Token families: one row for a sign-in, and one statement for a refresh.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::model::family::{Family, FamilyEnd};
use crate::model::scope::ScopeSet;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::sabotage::{self, Defect};
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::prepared::{InsertFamily, Part, Prepared, RotateFamily, Statement, SupersedeFamilies};
use crate::store::schema::families;
use crate::store::users;

/// Live families of one user and client; the oldest gives way.
pub const MOST_FAMILIES: i64 = 100;

#[derive(Queryable, Selectable)]
#[diesel(table_name = families)]
struct Row {
    id: String,
    client_id: String,
    user_id: String,
    scope: String,
    audience: String,
    salt: String,
    generation: i64,
    auth_time: i64,
    rotated_at: i64,
    idle_expires_at: i64,
    absolute_expires_at: i64,
    revoked_at: Option<i64>,
}

impl Row {
    fn into_family(self) -> Result<Family, StoreError> {
        Ok(Family {
            scope: ScopeSet::parse(&self.scope).map_err(StoreError::corrupt)?,
            audience: self.audience.split(' ').filter(|a| !a.is_empty()).map(str::to_owned).collect(),
            id: self.id,
            client_id: self.client_id,
            user_id: self.user_id,
            salt: self.salt,
            generation: self.generation,
            auth_time: Timestamp::from_micros(self.auth_time),
            rotated_at: Timestamp::from_micros(self.rotated_at),
            idle_expires_at: Timestamp::from_micros(self.idle_expires_at),
            absolute_expires_at: Timestamp::from_micros(self.absolute_expires_at),
            revoked_at: self.revoked_at.map(Timestamp::from_micros),
        })
    }
}

/// By id.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db, id: &str) -> Result<Option<Family>, StoreError> {
    let row = families::table.filter(families::id.eq(id)).select(Row::as_select()).get_result(db).optional()?;
    row.map(Row::into_family).transpose()
}

/// A family and its user in one statement: what every refresh reads.
struct FamilyAndOwner;

type Columns = (Text, Text, Text, Text, Text, Text, BigInt, BigInt, BigInt, BigInt, BigInt, Nullable<BigInt>);

impl Statement for FamilyAndOwner {
    type SqlType = (Columns, Nullable<users::Columns>, Nullable<Text>);
    const PARTS: &'static [Part] = &[
        Part::Sql(
            "SELECT f.id, f.client_id, f.user_id, f.scope, f.audience, f.salt, f.generation, \
         f.auth_time, f.rotated_at, f.idle_expires_at, f.absolute_expires_at, f.revoked_at, \
         u.id, u.organization_id, u.kind, u.username, u.name, u.first_name, u.last_name, u.email, u.access_console, \
         u.access_api, u.status, u.password_kind, u.password_hash, u.epoch, \
         u.administration, (SELECT ",
        ),
        Part::Join,
        Part::Sql(
            "(r.role_id, ' ') FROM user_roles r \
         WHERE r.user_id = u.id AND r.organization_id = u.organization_id) \
         FROM families f LEFT JOIN users u ON u.id = f.user_id WHERE f.id = ",
        ),
        Part::Key,
    ];
}

/// By id, with its user.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find_with_owner(db: &mut Db, id: &str) -> Result<Option<(Family, Option<User>)>, StoreError> {
    let found: Option<(Row, Option<users::Row>, Option<String>)> = Prepared::<FamilyAndOwner>::with(id).find(db)?;
    let Some((family, owner, roles)) = found else { return Ok(None) };
    let owner = owner.map(|owner| owner.into_user(users::role_ids(roles))).transpose()?;
    Ok(Some((family.into_family()?, owner)))
}

/// Starts a family. Beyond [`MOST_FAMILIES`] live ones of the same user and client the oldest give way: they can no
/// longer be refreshed, while the access tokens that they gave out live to their end.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn create(db: &mut Db, new: &Family, now: Timestamp) -> Result<(), StoreError> {
    let superseded = SupersedeFamilies {
        user_id: &new.user_id,
        client_id: &new.client_id,
        reason: FamilyEnd::Superseded.as_str(),
        now: now.micros(),
        offset: MOST_FAMILIES - 1,
    };
    let (scope, audience) = (new.scope.to_string(), new.audience.join(" "));
    let inserted = InsertFamily {
        texts: [&new.id, &new.client_id, &new.user_id, &scope, &audience, &new.salt],
        numbers: [
            new.generation,
            new.auth_time.micros(),
            new.rotated_at.micros(),
            new.idle_expires_at.micros(),
            new.absolute_expires_at.micros(),
            new.idle_expires_at.min(new.absolute_expires_at).micros(),
        ],
    };
    match db {
        Db::Sqlite(connection) => superseded.execute(connection).and_then(|_| inserted.execute(connection))?,
        Db::Postgres(connection) => superseded.execute(connection).and_then(|_| inserted.execute(connection))?,
    };
    Ok(())
}

/// Takes the next generation where `presented` is the current one and the family is live: one statement, no
/// SELECT decides. `true`: this caller, and no other, has the successor.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn rotate(
    db: &mut Db,
    id: &str,
    presented: i64,
    now: Timestamp,
    idle_expires_at: Timestamp,
) -> Result<bool, StoreError> {
    let rotation = RotateFamily { id, presented, now: now.micros(), idle_expires_at: idle_expires_at.micros() };
    let changed = match db {
        Db::Sqlite(connection) => rotation.execute(connection)?,
        Db::Postgres(connection) => rotation.execute(connection)?,
    };
    Ok(changed == 1 || sabotage::is(Defect::AnyGeneration))
}

/// The live families of a user after `after`, oldest first.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn live_of_user(
    db: &mut Db,
    user_id: &str,
    after: &str,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Family>, StoreError> {
    let rows: Vec<Row> = families::table
        .filter(families::user_id.eq(user_id).and(families::revoked_at.is_null()).and(families::id.gt(after)))
        .filter(families::idle_expires_at.gt(now.micros()).and(families::absolute_expires_at.gt(now.micros())))
        .order(families::id)
        .limit(limit)
        .select(Row::as_select())
        .load(db)?;
    rows.into_iter().map(Row::into_family).collect()
}

/// Ends a family. `false`: it was ended before, and nothing is written.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn revoke(db: &mut Db, id: &str, reason: FamilyEnd, now: Timestamp) -> Result<bool, StoreError> {
    let live = families::table.filter(families::id.eq(id).and(families::revoked_at.is_null()));
    let found: i64 = live.count().get_result(db)?;
    if found == 0 {
        return Ok(false);
    }
    // The counter's row before the family's, as every change takes them: no two wait for each other.
    let change = next_change(db)?;
    let ended = diesel::update(live)
        .set((families::revoked_at.eq(now.micros()), families::reason.eq(reason.as_str()), families::change.eq(change)))
        .execute(db)?;
    Ok(ended == 1)
}

/// Ends every family of a user. Their access tokens end with the user's epoch, so no node needs to know each.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn revoke_all_of_user(db: &mut Db, user_id: &str, now: Timestamp) -> Result<usize, StoreError> {
    Ok(diesel::update(families::table.filter(families::user_id.eq(user_id).and(families::revoked_at.is_null())))
        .set((families::revoked_at.eq(now.micros()), families::reason.eq(FamilyEnd::UserChanged.as_str())))
        .execute(db)?)
}

/// Ends every family of a client. Their access tokens end with the client's epoch.
///
/// # Errors
/// [`StoreError`] if the database refuses.
pub fn revoke_all_of_client(db: &mut Db, client_id: &str, now: Timestamp) -> Result<usize, StoreError> {
    let of_client = families::table.filter(families::client_id.eq(client_id).and(families::revoked_at.is_null()));
    Ok(diesel::update(of_client)
        .set((families::revoked_at.eq(now.micros()), families::reason.eq(FamilyEnd::ClientChanged.as_str())))
        .execute(db)?)
}

/// The families that were ended one by one after `known` and not before `since`, with the time of it; a `known` below
/// zero is that of whoever knows nothing.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn ended_since(db: &mut Db, known: i64, since: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let rows: Vec<(String, Option<i64>)> = if known < 0 {
        let lately = families::table.filter(families::revoked_at.ge(since.micros()));
        lately.filter(families::change.is_not_null()).select((families::id, families::revoked_at)).load(db)?
    } else {
        // One condition, as in `users::epochs_raised`.
        families::table.filter(families::change.gt(known)).select((families::id, families::revoked_at)).load(db)?
    };
    let ended = rows.into_iter().filter_map(|(id, at)| Some((id, Timestamp::from_micros(at?))));
    Ok(ended.filter(|(_, at)| *at >= since).collect())
}
