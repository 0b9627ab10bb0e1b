//! SQL for lists of orders.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Uuid as SqlUuid};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::{UserId, ids_of_users_found};
use crate::graphql::page::Page;
use crate::orders::model::{Order, OrderWhich, SortedPage, TotalPlace};
use crate::platform::db::schema::{order_items, orders};
use crate::platform::db::{RunQueryDsl, newest_first, oldest_first, storable};

/// The number of orders of a table that are read at once.
const BATCH: i64 = 500;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Returns `text` in lower case.
    fn lower(text: Text) -> Text;
    /// Returns the position of `part` in `text`, 0 if it is absent. Unlike `LIKE`, it has no wildcards.
    fn strpos(text: Text, part: Text) -> Integer;
}

/// Returns a page of orders, in the page's direction.
///
/// Takes a shared connection, so that several pages can be pipelined.
pub async fn page(
    mut conn: &AsyncPgConnection,
    which: &OrderWhich,
    ascending: bool,
    page: &SortedPage,
) -> QueryResult<Vec<Order>> {
    let page = match page {
        SortedPage::CreatedAt(page) => page,
        SortedPage::Total(page) => return by_total(conn, which, ascending, page).await,
    };
    let rows = filtered(which).select(Order::as_select());
    if ascending {
        oldest_first!(&mut conn, rows, orders::created_at, orders::id, page)
    } else {
        newest_first!(&mut conn, rows, orders::created_at, orders::id, page)
    }
}

/// Returns a page of orders by currency, total and id.
///
/// Rows are compared as tuples, so that an index scan can start at the cursor.
async fn by_total(
    mut conn: &AsyncPgConnection,
    which: &OrderWhich,
    ascending: bool,
    page: &Page<TotalPlace>,
) -> QueryResult<Vec<Order>> {
    use orders::{currency, id, total_minor};
    let mut rows = filtered(which);
    let (low, high) = if ascending { (page.after, page.before) } else { (page.before, page.after) };
    for (than, place) in [(">", low), ("<", high)] {
        let Some((code, total, order)) = place else { continue };
        let row = sql::<Bool>(&format!("(orders.currency, orders.total_minor, orders.id) {than} ("));
        let row = row.bind::<Text, _>(code).sql(", ").bind::<BigInt, _>(total);
        rows = rows.filter(row.sql(", ").bind::<SqlUuid, _>(order).sql(")"));
    }
    let rows = if ascending == page.backward {
        rows.order((currency.desc(), total_minor.desc(), id.desc()))
    } else {
        rows.order((currency.asc(), total_minor.asc(), id.asc()))
    };
    rows.limit(page.fetch()).select(Order::as_select()).load(&mut conn).await
}

/// Returns the next orders of a list, newest first, after the one with this time and id.
pub(crate) async fn batch(
    conn: &mut AsyncPgConnection,
    which: &OrderWhich,
    after: Option<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Order>> {
    let (at, id) = after.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max()));
    filtered(which)
        .filter(orders::created_at.le(storable(at)))
        .filter(orders::created_at.lt(storable(at)).or(orders::id.lt(id)))
        .order((orders::created_at.desc(), orders::id.desc()))
        .limit(BATCH)
        .select(Order::as_select())
        .load(conn)
        .await
}

/// Counts the orders of a list.
pub async fn count(mut conn: &AsyncPgConnection, which: &OrderWhich) -> QueryResult<i64> {
    filtered(which).count().get_result(&mut conn).await
}

/// Returns the latest orders of a user.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, buyer: UserId, limit: i64) -> QueryResult<Vec<Order>> {
    orders::table
        .filter(orders::buyer_id.eq(buyer))
        .order((orders::created_at.desc(), orders::id.desc()))
        .limit(limit)
        .select(Order::as_select())
        .load(conn)
        .await
}

/// A search by title reads the items of the orders in the order of the list until the page is full.
fn filtered(which: &OrderWhich) -> orders::BoxedQuery<'_, Pg> {
    let mut rows = orders::table.into_boxed();
    let items = || order_items::table.filter(order_items::order_id.eq(orders::id));
    if let Some(statuses) = &which.statuses {
        rows = rows.filter(orders::status.eq_any(statuses));
    }
    if let Some(buyer) = which.buyer {
        rows = rows.filter(orders::buyer_id.eq(buyer));
    }
    if let Some(text) = &which.buyer_query {
        rows = rows.filter(orders::buyer_id.eq_any(ids_of_users_found(text)));
    }
    if let Some(course) = which.course {
        rows = rows.filter(exists(items().filter(order_items::course_id.eq(course))));
    }
    let time = |micros: Option<i64>| micros.and_then(DateTime::from_timestamp_micros).map(storable);
    if let Some(from) = time(which.from) {
        rows = rows.filter(orders::created_at.ge(from));
    }
    if let Some(to) = time(which.to) {
        rows = rows.filter(orders::created_at.lt(to));
    }
    match which.query.as_deref().map(|query| (query, query.parse::<i64>())) {
        None => {}
        Some((_, Ok(number))) => rows = rows.filter(orders::number.eq(number)),
        Some((query, Err(_))) => {
            let titled = strpos(lower(order_items::title), lower(query)).gt(0);
            rows = rows.filter(exists(items().filter(titled)));
        }
    }
    rows
}
