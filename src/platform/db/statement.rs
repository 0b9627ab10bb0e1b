//! Statements written by hand, which each connection prepares once.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, BoxedSqlQuery, Query, QueryFragment, QueryId, SqlQuery};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement of SQL text, with its values.
///
/// PostgreSQL parses and plans diesel's own [`SqlQuery`] again each time, since diesel cannot know how many texts there
/// are. Values are never part of the text here, so there are few.
pub struct Statement<'a>(BoxedSqlQuery<'a, Pg, SqlQuery>);

/// Returns the statement of an SQL text, in which `$1` is the first value that is bound.
///
/// The text must be one of a few, as each connection keeps all that it has seen: whatever varies is bound.
pub fn sql_query<'a>(text: impl Into<String>) -> Statement<'a> {
    Statement(diesel::sql_query(text).into_boxed())
}

impl<'a> Statement<'a> {
    /// Binds the next value, of the SQL type `S`.
    #[must_use]
    pub fn bind<S, V>(self, value: V) -> Statement<'a>
    where
        Pg: HasSqlType<S>,
        S: Send + 'a,
        V: ToSql<S, Pg> + Send + 'a,
    {
        Statement(self.0.bind::<S, V>(value))
    }
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

/// Without an id, a prepared statement is found by its text and the types of its values.
impl QueryId for Statement<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

/// A query that diesel builds from some text of `sql`, prepared once like [`sql_query`].
pub struct Cached<Q>(Q);

/// Makes each connection prepare a query once, although a part of it is text: it must be one of a few, as there.
pub fn cached<Q>(query: Q) -> Cached<Q> {
    Cached(query)
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Cached<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Cached<Q> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Cached<Q> {
    type SqlType = Q::SqlType;
}
