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

/// A SELECT with one text as its parameter.
pub(crate) trait Statement: 'static {
    /// The columns.
    type SqlType: 'static;
    /// The text up to the name of the function that joins texts, which differs between the databases.
    const HEAD: &'static str;
    /// From there to the parameter.
    const TAIL: &'static str;
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

    fn walk<'b, B>(&'b self, mut out: AstPass<'_, 'b, B>, join: &str) -> QueryResult<()>
    where
        B: Backend + HasSqlType<Text>,
        str: ToSql<Text, B>,
    {
        out.push_sql(S::HEAD);
        out.push_sql(join);
        out.push_sql(S::TAIL);
        out.push_bind_param::<Text, _>(self.key)
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
        self.walk(out, "group_concat")
    }
}

impl<S: Statement> QueryFragment<Pg> for Prepared<'_, S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk(out, "string_agg")
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
