//! Sets of credentials as a page lists them: sorted and searched, a page at a time.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::model::user::UserStatus;
use crate::store::connection::Db;
use crate::store::error::StoreError;
use crate::store::schema::users;
use crate::store::user_profiles::{Row, UserProfile};

diesel::define_sql_function! {
    /// Both databases fold the letters of ASCII, and these alone: the columns on PostgreSQL are `COLLATE "C"`.
    fn lower(text: Text) -> Text;
}

crate::words! {
    /// The order of a list of credentials.
    SetOrder {
        /// The newest first.
        Newest = "newest",
        /// The oldest first.
        Oldest = "oldest",
        /// By name.
        Name = "name",
        /// By name, from the end of the alphabet.
        NameDown = "name-down",
    }
}

/// What stands between the id and the name in a mark; no id and no name has it.
const SEPARATOR: char = '\u{1f}';

impl SetOrder {
    /// Where a page that ends with this set goes on.
    #[must_use]
    pub fn mark(self, set: &UserProfile) -> String {
        match self {
            Self::Newest | Self::Oldest => set.id.clone(),
            Self::Name | Self::NameDown => format!("{}{SEPARATOR}{}", set.id, set.name.to_ascii_lowercase()),
        }
    }
}

/// Sets that were made in an organization (in any, for the operator) with a text in name, description or username,
/// after a [mark](SetOrder::mark); an empty one is the beginning.
///
/// # Errors
/// [`StoreError`] if the database cannot be read.
pub fn page(
    db: &mut Db,
    organization_id: Option<&str>,
    text: &str,
    order: SetOrder,
    after: &str,
    limit: i64,
) -> Result<Vec<UserProfile>, StoreError> {
    let mut query = users::table
        .filter(users::programmatic.eq(1).and(users::status.ne(UserStatus::Deleted.as_str())))
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(organization_id) = organization_id {
        query = query.filter(users::organization_id.eq(organization_id));
    }
    if !text.is_empty() {
        let pattern = containing(text);
        query = query.filter(
            lower(users::name)
                .like(pattern.clone())
                .escape('\\')
                .or(lower(users::description).like(pattern.clone()).escape('\\'))
                .or(lower(users::username).like(pattern).escape('\\')),
        );
    }
    let (id, name) = after.split_once(SEPARATOR).unwrap_or((after, ""));
    let begins = after.is_empty();
    query = match order {
        SetOrder::Newest if begins => query.order(users::id.desc()),
        // Ids are UUIDv7: their order is that of making.
        SetOrder::Newest => query.filter(users::id.lt(id)).order(users::id.desc()),
        SetOrder::Oldest => query.filter(users::id.gt(id)).order(users::id.asc()),
        SetOrder::Name => {
            let query = query.order((lower(users::name).asc(), users::id.asc()));
            let same = lower(users::name).eq(name).and(users::id.gt(id));
            if begins { query } else { query.filter(lower(users::name).gt(name).or(same)) }
        }
        SetOrder::NameDown => {
            let query = query.order((lower(users::name).desc(), users::id.desc()));
            let same = lower(users::name).eq(name).and(users::id.lt(id));
            if begins { query } else { query.filter(lower(users::name).lt(name).or(same)) }
        }
    };
    let rows: Vec<Row> = query.load(db)?;
    rows.into_iter().map(Row::into_profile).collect()
}

/// The pattern of a text that stands anywhere; no character of it means anything else.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_ascii_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern + "%"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_is_no_pattern() {
        assert_eq!(containing("50%_A\\b"), "%50\\%\\_a\\\\b%");
    }
}
