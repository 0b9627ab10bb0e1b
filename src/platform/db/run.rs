//! Query methods like diesel-async's that return boxed futures.
//!
//! The type of a diesel-async future contains the whole query, and the compiler proves that it is `Send` again in each
//! function that awaits it and in each of that function's callers. This took a third of the time to check the crate
//! (`docs/measurements.md`). Boxing avoids it; the cost of one small allocation is negligible next to a statement.

use diesel::QueryResult;
use diesel::dsl::Limit;
use diesel::query_dsl::methods::LimitDsl;
use diesel_async::AsyncConnectionCore;
use diesel_async::methods::{ExecuteDsl, LoadQuery};
use futures_util::future::{BoxFuture, FutureExt};

/// Runs a query or a command.
///
/// The connection is [`Tx::conn`](super::Tx::conn) or, for reads that may be pipelined, a `&mut &AsyncPgConnection`.
pub trait RunQueryDsl<Conn: AsyncConnectionCore + Send>: Sized {
    /// Runs a command and returns the number of affected rows.
    fn execute<'conn>(self, conn: &'conn mut Conn) -> BoxFuture<'conn, QueryResult<usize>>
    where
        Self: ExecuteDsl<Conn> + Send + 'conn,
        Conn::ExecuteFuture<'conn, 'conn>: Send,
    {
        diesel_async::RunQueryDsl::execute(self, conn).boxed()
    }

    /// Runs a query and returns all rows.
    fn load<'conn, U>(self, conn: &'conn mut Conn) -> BoxFuture<'conn, QueryResult<Vec<U>>>
    where
        U: Send + 'conn,
        Self: LoadQuery<'conn, Conn, U> + 'conn,
    {
        diesel_async::RunQueryDsl::load(self, conn).boxed()
    }

    /// Runs a command with `RETURNING` and returns all rows.
    fn get_results<'conn, U>(self, conn: &'conn mut Conn) -> BoxFuture<'conn, QueryResult<Vec<U>>>
    where
        U: Send + 'conn,
        Self: LoadQuery<'conn, Conn, U> + 'conn,
    {
        self.load(conn)
    }

    /// Runs a query and returns its first row, or [`diesel::NotFound`] if there is none.
    fn get_result<'conn, U>(self, conn: &'conn mut Conn) -> BoxFuture<'conn, QueryResult<U>>
    where
        U: Send + 'conn,
        Self: LoadQuery<'conn, Conn, U> + 'conn,
    {
        diesel_async::RunQueryDsl::get_result(self, conn).boxed()
    }

    /// Runs a query with `LIMIT 1`; returns its row, or [`diesel::NotFound`] if there is none.
    fn first<'conn, U>(self, conn: &'conn mut Conn) -> BoxFuture<'conn, QueryResult<U>>
    where
        U: Send + 'conn,
        Self: LimitDsl,
        Limit<Self>: LoadQuery<'conn, Conn, U> + Send + 'conn,
    {
        self.limit(1).get_result(conn)
    }
}

impl<T, Conn: AsyncConnectionCore + Send> RunQueryDsl<Conn> for T {}
