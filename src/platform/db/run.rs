//! How statements are run: diesel-async's methods, behind a box each.
//!
//! diesel-async's futures carry the whole query in their type, and the compiler proves `Send` of that type again in
//! each function that awaits one, and in each of its callers. A box ends that: it was a third of the time that checking
//! this crate took (`docs/measurements.md`), and one small allocation is nothing beside a statement.

use diesel::QueryResult;
use diesel::dsl::Limit;
use diesel::query_dsl::methods::LimitDsl;
use diesel_async::AsyncConnectionCore;
use diesel_async::methods::{ExecuteDsl, LoadQuery};
use futures_util::future::{BoxFuture, FutureExt};

/// Runs a query or a command. The connection is [`Tx::conn`](super::Tx::conn) or, for reads that may be pipelined, a
/// `&mut &AsyncPgConnection`.
pub trait RunQueryDsl<Conn: AsyncConnectionCore + Send>: Sized {
    /// Runs a command and counts the rows that it affected.
    fn execute<'conn>(self, conn: &'conn mut Conn) -> BoxFuture<'conn, QueryResult<usize>>
    where
        Self: ExecuteDsl<Conn> + Send + 'conn,
        Conn::ExecuteFuture<'conn, 'conn>: Send,
    {
        diesel_async::RunQueryDsl::execute(self, conn).boxed()
    }

    /// All rows.
    fn load<'conn, U>(self, conn: &'conn mut Conn) -> BoxFuture<'conn, QueryResult<Vec<U>>>
    where
        U: Send + 'conn,
        Self: LoadQuery<'conn, Conn, U> + 'conn,
    {
        diesel_async::RunQueryDsl::load(self, conn).boxed()
    }

    /// All rows of a command with `RETURNING`.
    fn get_results<'conn, U>(self, conn: &'conn mut Conn) -> BoxFuture<'conn, QueryResult<Vec<U>>>
    where
        U: Send + 'conn,
        Self: LoadQuery<'conn, Conn, U> + 'conn,
    {
        self.load(conn)
    }

    /// The first row that PostgreSQL sends; [`diesel::NotFound`] if it sends none.
    fn get_result<'conn, U>(self, conn: &'conn mut Conn) -> BoxFuture<'conn, QueryResult<U>>
    where
        U: Send + 'conn,
        Self: LoadQuery<'conn, Conn, U> + 'conn,
    {
        diesel_async::RunQueryDsl::get_result(self, conn).boxed()
    }

    /// The first row, of which PostgreSQL is asked for no more; [`diesel::NotFound`] if there is none.
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
