//! SQL for the prices of courses in other currencies.

use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::catalog::model::{CourseId, course_key};
use crate::graphql::money::CurrencyCode;
use crate::platform::db::schema::course_prices;
use crate::platform::db::{RunQueryDsl, Tx};

/// Returns the prices of courses in other currencies, in minor units, by currency.
pub(crate) async fn of_courses(
    mut conn: &AsyncPgConnection,
    ids: &[CourseId],
) -> QueryResult<Vec<(CourseId, CurrencyCode, i64)>> {
    course_prices::table
        .filter(course_prices::course_id.eq_any(ids))
        .order((course_prices::course_id, course_prices::currency))
        .select((course_prices::course_id, course_prices::currency, course_prices::amount_minor))
        .load(&mut conn)
        .await
}

/// Returns the prices of courses in a currency, in minor units.
pub(crate) async fn in_currency(
    tx: &mut Tx,
    ids: &[CourseId],
    currency: CurrencyCode,
) -> QueryResult<Vec<(CourseId, i64)>> {
    course_prices::table
        .filter(course_prices::course_id.eq_any(ids).and(course_prices::currency.eq(currency)))
        .select((course_prices::course_id, course_prices::amount_minor))
        .load(tx.conn())
        .await
}

/// Replaces the prices of a course in other currencies.
pub async fn replace(tx: &mut Tx, id: CourseId, prices: &[(CurrencyCode, i64)]) -> QueryResult<usize> {
    tx.changed(course_key(id));
    diesel::delete(course_prices::table.filter(course_prices::course_id.eq(id))).execute(tx.conn()).await?;
    let row = |(currency, amount): &(CurrencyCode, i64)| {
        (
            course_prices::course_id.eq(id),
            course_prices::currency.eq(*currency),
            course_prices::amount_minor.eq(*amount),
        )
    };
    let rows: Vec<_> = prices.iter().map(row).collect();
    diesel::insert_into(course_prices::table).values(rows).execute(tx.conn()).await
}
