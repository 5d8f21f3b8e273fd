//! Users as lists and pages show them, and changes of what is shown.

use diesel::prelude::*;

use crate::model::time::Timestamp;
use crate::model::user::{Administration, PasswordKind, UserKind, UserStatus};
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::instance::next_change;
use crate::store::schema::{memberships, users};

/// A user without what proves who they are.
#[derive(Debug, Clone)]
pub struct UserProfile {
    /// The id.
    pub id: String,
    /// The organization that they were made in.
    pub organization_id: String,
    /// Person or API user.
    pub kind: UserKind,
    /// Whether it was made as a set of credentials.
    pub programmatic: bool,
    /// The username.
    pub username: String,
    /// Display name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// What they may do with other users.
    pub administration: Administration,
    /// Whether a session of the console may start.
    pub access_console: bool,
    /// Whether tokens are issued and requests verified.
    pub access_api: bool,
    /// Where they are in their life.
    pub status: UserStatus,
    /// Who chose the password, if there is one.
    pub password_kind: Option<PasswordKind>,
    /// When the password was set.
    pub password_changed_at: Option<Timestamp>,
    /// When they were made.
    pub created_at: Timestamp,
    /// When the e-mail address was known to be theirs.
    pub email_verified_at: Option<Timestamp>,
}

/// What is said where another user has an e-mail address.
pub const EMAIL_TAKEN: &str = "another user has this e-mail address";

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(super) struct Row {
    id: String,
    organization_id: String,
    kind: String,
    programmatic: i64,
    username: String,
    name: String,
    description: String,
    first_name: String,
    last_name: String,
    email: Option<String>,
    phone: Option<String>,
    administration: String,
    access_console: i64,
    access_api: i64,
    status: String,
    password_kind: Option<String>,
    password_changed_at: Option<i64>,
    created_at: i64,
    email_verified_at: Option<i64>,
}

impl Row {
    pub(super) fn into_profile(self) -> Result<UserProfile, StoreError> {
        Ok(UserProfile {
            id: self.id,
            organization_id: self.organization_id,
            kind: self.kind.parse().map_err(StoreError::corrupt)?,
            programmatic: self.programmatic != 0,
            username: self.username,
            name: self.name,
            description: self.description,
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
            phone: self.phone,
            administration: self.administration.parse().map_err(StoreError::corrupt)?,
            access_console: self.access_console != 0,
            access_api: self.access_api != 0,
            status: self.status.parse().map_err(StoreError::corrupt)?,
            password_kind: self.password_kind.map(|kind| kind.parse().map_err(StoreError::corrupt)).transpose()?,
            password_changed_at: self.password_changed_at.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(self.created_at),
            email_verified_at: self.email_verified_at.map(Timestamp::from_micros),
        })
    }
}

/// Which users a list shows; deleted ones never.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Members of this organization; of every one where none is named.
    pub organization_id: Option<String>,
    /// Sets of credentials alone, or all but them.
    pub programmatic: Option<bool>,
    /// People, or API users.
    pub kind: Option<UserKind>,
    /// In this state.
    pub status: Option<UserStatus>,
    /// With this username, to the letter.
    pub username: Option<String>,
    /// With this text in username, names or e-mail address; upper and lower case are one.
    pub search: Option<String>,
}

diesel::define_sql_function! {
    /// Lower case; both databases do it to ASCII alone here.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// What stands for any text around a text in SQL, with `\\` before what means more than itself there.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_ascii_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The search of a list, on the table alone or joined with the memberships, which are two types to Diesel.
macro_rules! searched {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        if let Some(text) = &$filter.search {
            let pattern = containing(text);
            query = query.filter(
                lower(users::username)
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(users::name).like(pattern.clone()).escape('\\'))
                    .or(lower(users::first_name).like(pattern.clone()).escape('\\'))
                    .or(lower(users::last_name).like(pattern.clone()).escape('\\'))
                    .or(users::email_key.like(pattern).escape('\\')),
            );
        }
        query
    }};
}

/// The users after `after`, in the order of their ids, which is the order in which they were made.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn page(db: &mut Db, filter: &UserFilter, after: &str, limit: i64) -> Result<Vec<UserProfile>, StoreError> {
    let rows = match &filter.organization_id {
        // Hardly anybody is not active, and most members are: whom to ask for the other makes a page a few reads.
        Some(organization_id) if filter.status.is_none_or(|status| status == UserStatus::Active) => {
            page_of_members(db, organization_id, filter, after, limit)?
        }
        _ => page_of_users(db, filter, after, limit)?,
    };
    rows.into_iter().map(Row::into_profile).collect()
}

/// Walks the members of an organization, in indexes that hold what of a user never changes.
fn page_of_members(
    db: &mut Db,
    organization_id: &str,
    filter: &UserFilter,
    after: &str,
    limit: i64,
) -> QueryResult<Vec<Row>> {
    let mut query = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(memberships::organization_id.eq(organization_id).and(memberships::user_id.gt(after)))
        // Said of both columns, since PostgreSQL does not conclude it: it would merge with the users from the first on.
        .filter(users::id.gt(after))
        .filter(users::status.ne(UserStatus::Deleted.as_str()))
        .order(memberships::user_id)
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(programmatic) = filter.programmatic {
        query = query.filter(memberships::programmatic.eq(i64::from(programmatic)));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(memberships::kind.eq(kind.as_str()));
    }
    if let Some(status) = filter.status {
        query = query.filter(users::status.eq(status.as_str()));
    }
    if let Some(username) = &filter.username {
        query = query.filter(users::username.eq(username));
    }
    searched!(query, filter).load(db)
}

/// Walks the users, those of a state where one is named.
fn page_of_users(db: &mut Db, filter: &UserFilter, after: &str, limit: i64) -> QueryResult<Vec<Row>> {
    let mut query = users::table
        .filter(users::id.gt(after).and(users::status.ne(UserStatus::Deleted.as_str())))
        .order(users::id)
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(organization_id) = &filter.organization_id {
        let membership = memberships::table
            .filter(memberships::user_id.eq(users::id).and(memberships::organization_id.eq(organization_id)));
        query = query.filter(diesel::dsl::exists(membership));
    }
    if let Some(programmatic) = filter.programmatic {
        query = query.filter(users::programmatic.eq(i64::from(programmatic)));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(users::kind.eq(kind.as_str()));
    }
    if let Some(status) = filter.status {
        query = query.filter(users::status.eq(status.as_str()));
    }
    if let Some(username) = &filter.username {
        query = query.filter(users::username.eq(username));
    }
    searched!(query, filter).load(db)
}

/// The sets of credentials with a name; a few at most, since more than one is refused.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn programmatic_by_name(
    db: &mut Db,
    organization_id: Option<&str>,
    name: &str,
) -> Result<Vec<UserProfile>, StoreError> {
    let mut query = users::table
        .filter(users::programmatic.eq(1).and(users::name.eq(name)))
        .filter(users::status.ne(UserStatus::Deleted.as_str()))
        .order(users::id)
        .limit(50)
        .select(Row::as_select())
        .into_boxed();
    if let Some(organization_id) = organization_id {
        query = query.filter(users::organization_id.eq(organization_id));
    }
    let rows: Vec<Row> = query.load(db)?;
    rows.into_iter().map(Row::into_profile).collect()
}

/// One by id; none if they are deleted.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn find(db: &mut Db, id: &str) -> Result<Option<UserProfile>, StoreError> {
    let row: Option<Row> = users::table
        .filter(users::id.eq(id).and(users::status.ne(UserStatus::Deleted.as_str())))
        .select(Row::as_select())
        .get_result(db)
        .optional()?;
    row.map(Row::into_profile).transpose()
}

/// What of a user is to be changed; what is none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// Display name.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// E-mail address; the inner none takes it away.
    pub email: Option<Option<String>>,
    /// Telephone number; the inner none takes it away.
    pub phone: Option<Option<String>>,
    /// What they may do with other users.
    pub administration: Option<Administration>,
    /// Console and API.
    pub access: Option<(bool, bool)>,
}

#[derive(AsChangeset)]
#[diesel(table_name = users)]
struct Changes {
    name: Option<String>,
    description: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<Option<String>>,
    email_key: Option<Option<String>>,
    email_verified_at: Option<Option<i64>>,
    phone: Option<Option<String>>,
    administration: Option<&'static str>,
    access_console: Option<i64>,
    access_api: Option<i64>,
    change: i64,
}

/// Changes a user, and answers whether they have another e-mail address now; that one is verified as of `vouched_for`.
/// Taking the API away ends their tokens; that is the caller's to do (`users::raise_epoch`).
///
/// # Errors
/// [`StoreError::Conflict`] if the e-mail address is taken.
pub fn update(db: &mut Db, id: &str, change: &UserChange, vouched_for: Option<Timestamp>) -> Result<bool, StoreError> {
    let email_key = change.email.as_ref().map(|email| email.as_ref().map(|email| email.to_lowercase()));
    if let Some(Some(key)) = &email_key {
        refuse_taken_email(db, key, id)?;
    }
    let moved = match &email_key {
        Some(key) => {
            let known: Option<String> =
                users::table.filter(users::id.eq(id)).select(users::email_key).get_result(db)?;
            known != *key
        }
        None => false,
    };
    let is_there = email_key.as_ref().is_some_and(Option::is_some);
    let verified_at = vouched_for.filter(|_| is_there).map(Timestamp::micros);
    let changes = Changes {
        name: change.name.clone(),
        description: change.description.clone(),
        first_name: change.first_name.clone(),
        last_name: change.last_name.clone(),
        email: change.email.clone(),
        email_key,
        email_verified_at: moved.then_some(verified_at),
        phone: change.phone.clone(),
        administration: change.administration.map(Administration::as_str),
        access_console: change.access.map(|(console, _)| i64::from(console)),
        access_api: change.access.map(|(_, api)| i64::from(api)),
        change: next_change(db)?,
    };
    diesel::update(users::table.filter(users::id.eq(id))).set(changes).execute(db)?;
    Ok(moved)
}

/// Refuses an e-mail address that another user has; upper and lower case are one.
///
/// # Errors
/// [`StoreError::Conflict`].
pub fn refuse_taken_email(db: &mut Db, email_key: &str, but: &str) -> Result<(), StoreError> {
    let taken: i64 =
        users::table.filter(users::email_key.eq(email_key).and(users::id.ne(but))).count().get_result(db)?;
    if taken > 0 {
        return Err(StoreError::Conflict(EMAIL_TAKEN.to_owned()));
    }
    Ok(())
}

/// How many active users of an organization have a role, `but` not counted.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn active_holders(db: &mut Db, organization_id: &str, role_id: &str, but: &str) -> Result<i64, StoreError> {
    use crate::store::schema::user_roles;
    Ok(user_roles::table
        .inner_join(users::table.on(users::id.eq(user_roles::user_id)))
        .filter(user_roles::organization_id.eq(organization_id).and(user_roles::role_id.eq(role_id)))
        .filter(users::status.eq(UserStatus::Active.as_str()).and(users::id.ne(but)))
        .count()
        .get_result(db)?)
}
