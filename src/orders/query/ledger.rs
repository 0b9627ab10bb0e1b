//! SQL for the books. Rows are only inserted; the database refuses everything else.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{self, Array, Text, Timestamptz};
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::list::{lower, strpos};
use crate::channels::ChannelId;
use crate::graphql::money::CurrencyCode;
use crate::graphql::page::Page;
use crate::orders::model::{
    Account, Earned, EarningsLine, ItemEarned, Movement, NewEntry, NewTransaction, OrderItemId, Owed, Payout, Posting,
    Sale, SaleWhich,
};
use crate::platform::db::schema::{channel_shares, ledger_entries, ledger_transactions, order_items, orders, payouts};
use crate::platform::db::{RunQueryDsl, Tx, newest_first, sql_query, storable};

/// The number of lines of a statement that are read at once.
const LINES: i64 = 500;
/// The number of sales of a table that are read at once.
const BATCH: i64 = 500;

/// Enters a transaction with its entries, once; returns whether it is new.
pub(crate) async fn insert(tx: &mut Tx, new: NewTransaction, entries: &[NewEntry]) -> QueryResult<bool> {
    let made = diesel::insert_into(ledger_transactions::table)
        .values(new)
        .on_conflict((ledger_transactions::kind, ledger_transactions::source_id))
        .do_nothing()
        .execute(tx.conn())
        .await?;
    if made == 0 {
        return Ok(false);
    }
    diesel::insert_into(ledger_entries::table).values(entries.to_vec()).execute(tx.conn()).await?;
    Ok(true)
}

/// Returns the entries of a transaction; none if there is none.
pub(crate) async fn entries_of(tx: &mut Tx, kind: Movement, source: Uuid) -> QueryResult<Vec<Posting>> {
    ledger_entries::table
        .inner_join(ledger_transactions::table)
        .filter(ledger_transactions::kind.eq(kind).and(ledger_transactions::source_id.eq(source)))
        .order(ledger_entries::id)
        .select(Posting::as_select())
        .load(tx.conn())
        .await
}

/// Returns what part of their sales channels have, in percent, as far as it is not the default.
pub(crate) async fn percents(
    conn: &mut AsyncPgConnection,
    channels: &[ChannelId],
) -> QueryResult<HashMap<ChannelId, i16>> {
    let rows = channel_shares::table
        .filter(channel_shares::channel_id.eq_any(channels))
        .select((channel_shares::channel_id, channel_shares::percent));
    Ok(rows.load(conn).await?.into_iter().collect())
}

/// Sets what part of its sales a channel has, in percent; `None` for the default.
pub(crate) async fn set_percent(tx: &mut Tx, channel: ChannelId, percent: Option<i16>) -> QueryResult<usize> {
    let Some(percent) = percent else {
        let own = channel_shares::table.find(channel);
        return diesel::delete(own).execute(tx.conn()).await;
    };
    diesel::insert_into(channel_shares::table)
        .values((channel_shares::channel_id.eq(channel), channel_shares::percent.eq(percent)))
        .on_conflict(channel_shares::channel_id)
        .do_update()
        .set(channel_shares::percent.eq(percent))
        .execute(tx.conn())
        .await
}

/// Returns what the sales of channels have entered within a time, by currency. Payouts are left out.
pub(crate) async fn earned(
    mut conn: &AsyncPgConnection,
    channels: &[ChannelId],
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<Vec<Earned>> {
    sql_query(
        "SELECT currency, coalesce(-sum(amount_minor) FILTER (WHERE account IN ('SHARE', 'REVENUE')), 0)::bigint AS gross, \
            coalesce(-sum(amount_minor) FILTER (WHERE account = 'SHARE'), 0)::bigint AS share \
        FROM ledger_entries JOIN ledger_transactions ON ledger_transactions.id = transaction_id \
        WHERE channel_id = ANY($1) AND ledger_entries.recorded_at >= $2 AND ledger_entries.recorded_at < $3 \
            AND kind <> 'PAYOUT' \
        GROUP BY currency ORDER BY currency",
    )
    .bind::<Array<sql_types::Uuid>, _>(channels.to_vec())
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .load(&mut conn)
    .await
}

/// Returns what the sale of each item has brought its channel so far, after refunds.
pub(crate) async fn earned_by_items(
    conn: &mut AsyncPgConnection,
    items: &[OrderItemId],
) -> QueryResult<Vec<ItemEarned>> {
    sql_query(
        "SELECT item_id, coalesce(-sum(amount_minor) FILTER (WHERE account IN ('SHARE', 'REVENUE')), 0)::bigint AS gross, \
            coalesce(-sum(amount_minor) FILTER (WHERE account = 'SHARE'), 0)::bigint AS share \
        FROM ledger_entries WHERE item_id = ANY($1) GROUP BY item_id",
    )
    .bind::<Array<sql_types::Uuid>, _>(items.to_vec())
    .load(conn)
    .await
}

/// Returns what the school owes a channel in a currency.
pub(crate) async fn owed(tx: &mut Tx, channel: ChannelId, currency: CurrencyCode) -> QueryResult<i64> {
    let owed: Owed = sql_query(
        "SELECT coalesce(-sum(amount_minor), 0)::bigint AS amount FROM ledger_entries \
        WHERE channel_id = $1 AND account = 'SHARE' AND currency = $2",
    )
    .bind::<sql_types::Uuid, _>(channel)
    .bind::<Text, _>(currency)
    .get_result(tx.conn())
    .await?;
    Ok(owed.amount)
}

/// Returns a batch of what the sales of channels have entered within a time, after a row; oldest first.
pub(crate) async fn lines_of(
    mut conn: &AsyncPgConnection,
    channels: &[ChannelId],
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    after: Option<&EarningsLine>,
) -> QueryResult<Vec<EarningsLine>> {
    let after = after.map(|line| (line.recorded_at, line.transaction_id, line.item_id));
    let (at, transaction, item) = after.unwrap_or((from, Uuid::nil(), Uuid::nil()));
    sql_query(format!(
        "SELECT entries.recorded_at, transaction_id, item_id, ledger_transactions.kind, number, title, entries.currency, \
            coalesce(-sum(entries.amount_minor) FILTER (WHERE account IN ('SHARE', 'REVENUE')), 0)::bigint AS gross, \
            coalesce(-sum(entries.amount_minor) FILTER (WHERE account = 'SHARE'), 0)::bigint AS share \
        FROM ledger_entries AS entries JOIN ledger_transactions ON ledger_transactions.id = transaction_id \
            JOIN orders ON orders.id = ledger_transactions.order_id \
            JOIN order_items ON order_items.id = item_id \
        WHERE entries.channel_id = ANY($1) AND entries.recorded_at >= $2 AND entries.recorded_at < $3 \
            AND (entries.recorded_at, transaction_id, item_id) > ($4, $5, $6) \
        GROUP BY entries.recorded_at, transaction_id, item_id, ledger_transactions.kind, number, title, entries.currency \
        ORDER BY entries.recorded_at, transaction_id, item_id LIMIT {LINES}"
    ))
    .bind::<Array<sql_types::Uuid>, _>(channels.to_vec())
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Timestamptz, _>(at)
    .bind::<sql_types::Uuid, _>(transaction)
    .bind::<sql_types::Uuid, _>(item)
    .load(&mut conn)
    .await
}

/// Returns a page of the items of a channel that were sold, latest first, in the direction of the page.
pub(crate) async fn sales(
    mut conn: &AsyncPgConnection,
    which: &SaleWhich,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Sale>> {
    newest_first!(
        &mut conn,
        sold(which).select(Sale::as_select()),
        ledger_entries::recorded_at,
        ledger_entries::id,
        page
    )
}

/// Returns the next sales of a list, latest first, after the one with this time and id.
pub(crate) async fn sale_batch(
    conn: &mut AsyncPgConnection,
    which: &SaleWhich,
    after: Option<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Sale>> {
    let (at, id) = after.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max()));
    sold(which)
        .filter(ledger_entries::recorded_at.le(storable(at)))
        .filter(ledger_entries::recorded_at.lt(storable(at)).or(ledger_entries::id.lt(id)))
        .order((ledger_entries::recorded_at.desc(), ledger_entries::id.desc()))
        .limit(BATCH)
        .select(Sale::as_select())
        .load(conn)
        .await
}

/// Counts the items of a channel that were sold.
pub(crate) async fn sale_count(mut conn: &AsyncPgConnection, which: &SaleWhich) -> QueryResult<i64> {
    sold(which).count().get_result(&mut conn).await
}

/// What the payment of each item has entered first: one entry for each item that was not free.
///
/// A search by title reads the items of the entries in the order of the list until the page is full.
fn sold(which: &SaleWhich) -> ledger_entries::BoxedQuery<'_, Pg> {
    let paid = ledger_transactions::table.filter(ledger_transactions::kind.eq(Movement::Payment));
    let mut rows = ledger_entries::table
        .filter(ledger_entries::channel_id.eq(which.channel).and(ledger_entries::account.eq(Account::Clearing)))
        .filter(ledger_entries::transaction_id.eq_any(paid.select(ledger_transactions::id)))
        .into_boxed();
    if let Some(course) = which.course {
        let items = order_items::table.filter(order_items::course_id.eq(course)).select(order_items::id.nullable());
        rows = rows.filter(ledger_entries::item_id.eq_any(items));
    }
    if let Some((from, to)) = which.within {
        rows = rows.filter(ledger_entries::recorded_at.ge(from).and(ledger_entries::recorded_at.lt(to)));
    }
    match which.query.as_deref().map(|query| (query, query.parse::<i64>())) {
        None => {}
        Some((_, Ok(number))) => {
            let items = order_items::table.inner_join(orders::table).filter(orders::number.eq(number));
            rows = rows.filter(ledger_entries::item_id.eq_any(items.select(order_items::id.nullable())));
        }
        Some((query, Err(_))) => {
            let items = order_items::table.filter(order_items::id.nullable().eq(ledger_entries::item_id));
            let titled = strpos(lower(order_items::title), lower(query)).gt(0);
            rows = rows.filter(exists(items.filter(titled)));
        }
    }
    rows
}

pub(crate) async fn insert_payout(tx: &mut Tx, new: &Payout) -> QueryResult<usize> {
    diesel::insert_into(payouts::table).values(new.clone()).execute(tx.conn()).await
}

/// Returns what channels were paid for a month, by currency.
pub(crate) async fn payouts_of(
    mut conn: &AsyncPgConnection,
    channels: &[ChannelId],
    month: NaiveDate,
) -> QueryResult<Vec<Payout>> {
    payouts::table
        .filter(payouts::channel_id.eq_any(channels).and(payouts::month.eq(month)))
        .order((payouts::currency, payouts::channel_id))
        .select(Payout::as_select())
        .load(&mut conn)
        .await
}
