//! Statements that are prepared once.
//!
//! Diesel writes the text of a query anew at every call to find it among the prepared ones, and prepares an UPDATE
//! anew each time. The few statements behind every token have a fixed identity instead.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::deserialize::FromSqlRow;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Text};
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, QueryResult, SqliteConnection};

use crate::store::connection::Db;

/// A piece of a statement's text.
pub(crate) enum Part {
    /// Text that both databases read.
    Sql(&'static str),
    /// The name of the function that joins the texts of a group.
    Join,
    /// The parameter.
    Key,
    /// Keeps the row as it is until the transaction ends; SQLite has one writer anyway.
    ForShare,
}

/// A SELECT with one text as its parameter.
pub(crate) trait Statement: 'static {
    /// The columns.
    type SqlType: 'static;
    /// The text.
    const PARTS: &'static [Part];
}

/// A [`Statement`] and its parameter.
pub(crate) struct Prepared<'a, S> {
    key: &'a str,
    statement: PhantomData<S>,
}

impl<'a, S: Statement> Prepared<'a, S> {
    pub(crate) fn with(key: &'a str) -> Self {
        Self { key, statement: PhantomData }
    }

    /// The one row, or none.
    pub(crate) fn find<T>(self, db: &mut Db) -> QueryResult<Option<T>>
    where
        T: FromSqlRow<S::SqlType, Sqlite> + FromSqlRow<S::SqlType, Pg> + 'static,
        Self: diesel::query_dsl::LoadQuery<'a, SqliteConnection, T> + diesel::query_dsl::LoadQuery<'a, PgConnection, T>,
    {
        match db {
            Db::Sqlite(connection) => self.get_result(connection).optional(),
            Db::Postgres(connection) => self.get_result(connection).optional(),
        }
    }

    fn walk<'b, B>(&'b self, mut out: AstPass<'_, 'b, B>, join: &str, for_share: &str) -> QueryResult<()>
    where
        B: Backend + HasSqlType<Text>,
        str: ToSql<Text, B>,
    {
        for part in S::PARTS {
            match part {
                Part::Sql(text) => out.push_sql(text),
                Part::Join => out.push_sql(join),
                Part::Key => out.push_bind_param::<Text, _>(self.key)?,
                Part::ForShare => out.push_sql(for_share),
            }
        }
        Ok(())
    }
}

impl<S: Statement> QueryId for Prepared<'_, S> {
    type QueryId = Prepared<'static, S>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S: Statement> Query for Prepared<'_, S> {
    type SqlType = S::SqlType;
}

impl<S: Statement> QueryFragment<Sqlite> for Prepared<'_, S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk(out, "group_concat", "")
    }
}

impl<S: Statement> QueryFragment<Pg> for Prepared<'_, S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk(out, "string_agg", " FOR SHARE")
    }
}

impl<S, C> RunQueryDsl<C> for Prepared<'_, S> {}

/// RFC 6749 §6 in one statement: the next generation where the presented one is current and the family is live.
pub(crate) struct RotateFamily<'a> {
    pub(crate) id: &'a str,
    pub(crate) presented: i64,
    pub(crate) now: i64,
    pub(crate) idle_expires_at: i64,
}

impl QueryId for RotateFamily<'_> {
    type QueryId = RotateFamily<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<B> QueryFragment<B> for RotateFamily<'_>
where
    B: Backend + HasSqlType<BigInt> + HasSqlType<Text>,
    i64: ToSql<BigInt, B>,
    str: ToSql<Text, B>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, B>) -> QueryResult<()> {
        out.push_sql("UPDATE families SET generation = generation + 1, rotated_at = ");
        out.push_bind_param::<BigInt, _>(&self.now)?;
        out.push_sql(", idle_expires_at = ");
        out.push_bind_param::<BigInt, _>(&self.idle_expires_at)?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<Text, _>(self.id)?;
        out.push_sql(" AND generation = ");
        out.push_bind_param::<BigInt, _>(&self.presented)?;
        out.push_sql(" AND revoked_at IS NULL AND idle_expires_at > ");
        out.push_bind_param::<BigInt, _>(&self.now)?;
        out.push_sql(" AND absolute_expires_at > ");
        out.push_bind_param::<BigInt, _>(&self.now)
    }
}

impl<C> RunQueryDsl<C> for RotateFamily<'_> {}

/// The 101st newest live family of a user and client, and all older ones, give way; one statement, whether there are
/// so many or not.
pub(crate) struct SupersedeFamilies<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) now: i64,
    /// The place of the newest family that has to go.
    pub(crate) offset: i64,
}

impl QueryId for SupersedeFamilies<'_> {
    type QueryId = SupersedeFamilies<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<B> QueryFragment<B> for SupersedeFamilies<'_>
where
    B: Backend + HasSqlType<BigInt> + HasSqlType<Text>,
    i64: ToSql<BigInt, B>,
    str: ToSql<Text, B>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, B>) -> QueryResult<()> {
        out.push_sql("UPDATE families SET revoked_at = ");
        out.push_bind_param::<BigInt, _>(&self.now)?;
        out.push_sql(", reason = ");
        out.push_bind_param::<Text, _>(self.reason)?;
        self.of_owner(&mut out)?;
        out.push_sql(" AND id <= (SELECT id FROM families");
        self.of_owner(&mut out)?;
        // `lives_until` is in the index and says of nearly every family that it is live: a hundred rows less to fetch.
        out.push_sql(" AND (lives_until > ");
        out.push_bind_param::<BigInt, _>(&self.now)?;
        out.push_sql(" OR (idle_expires_at > ");
        out.push_bind_param::<BigInt, _>(&self.now)?;
        out.push_sql(" AND absolute_expires_at > ");
        out.push_bind_param::<BigInt, _>(&self.now)?;
        out.push_sql("))");
        // Ids are UUIDv7: their order is that of the sign-ins.
        out.push_sql(" ORDER BY id DESC LIMIT 1 OFFSET ");
        out.push_bind_param::<BigInt, _>(&self.offset)?;
        out.push_sql(")");
        Ok(())
    }
}

impl SupersedeFamilies<'_> {
    fn of_owner<'b, B>(&'b self, out: &mut AstPass<'_, 'b, B>) -> QueryResult<()>
    where
        B: Backend + HasSqlType<Text>,
        str: ToSql<Text, B>,
    {
        out.push_sql(" WHERE user_id = ");
        out.push_bind_param::<Text, _>(self.user_id)?;
        out.push_sql(" AND client_id = ");
        out.push_bind_param::<Text, _>(self.client_id)?;
        out.push_sql(" AND revoked_at IS NULL");
        Ok(())
    }
}

impl<C> RunQueryDsl<C> for SupersedeFamilies<'_> {}

/// A new family's row.
pub(crate) struct InsertFamily<'a> {
    pub(crate) texts: [&'a str; 6],
    pub(crate) numbers: [i64; 6],
}

impl QueryId for InsertFamily<'_> {
    type QueryId = InsertFamily<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<B> QueryFragment<B> for InsertFamily<'_>
where
    B: Backend + HasSqlType<BigInt> + HasSqlType<Text>,
    i64: ToSql<BigInt, B>,
    str: ToSql<Text, B>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, B>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO families (id, client_id, user_id, scope, audience, salt, generation, auth_time, rotated_at, \
             idle_expires_at, absolute_expires_at, lives_until) VALUES (",
        );
        for (index, text) in self.texts.into_iter().enumerate() {
            out.push_sql(if index == 0 { "" } else { ", " });
            out.push_bind_param::<Text, _>(text)?;
        }
        for number in &self.numbers {
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(number)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl<C> RunQueryDsl<C> for InsertFamily<'_> {}
