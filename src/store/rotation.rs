//! The statement behind every refresh, kept prepared.
//!
//! Diesel prepares an UPDATE anew at every call; a fragment of ours with a fixed identity is prepared once.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Text};

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
    B: Backend,
    i64: ToSql<BigInt, B>,
    str: ToSql<Text, B>,
    B: diesel::sql_types::HasSqlType<BigInt> + diesel::sql_types::HasSqlType<Text>,
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
