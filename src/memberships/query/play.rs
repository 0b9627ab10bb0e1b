//! SQL for products and purchases on Google Play. Purchases are written under the row lock of their user, and their
//! own.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::memberships::model::{PlanPriceId, PlayProduct, PlayPurchase, PlayState};
use crate::platform::db::schema::{play_products, play_purchases};
use crate::platform::db::{RunQueryDsl, Tx};

/// The number of purchases in one batch.
const BATCH: i64 = 100;

/// Returns the products that prices are.
pub(crate) async fn products_of(conn: &mut AsyncPgConnection, prices: &[PlanPriceId]) -> QueryResult<Vec<PlayProduct>> {
    play_products::table
        .filter(play_products::plan_price_id.eq_any(prices))
        .select(PlayProduct::as_select())
        .load(conn)
        .await
}

/// Returns the price that a product and its base plan are.
pub(crate) async fn price_of(
    conn: &mut AsyncPgConnection,
    product: &str,
    base_plan: &str,
) -> QueryResult<Option<PlanPriceId>> {
    play_products::table
        .filter(play_products::product.eq(product).and(play_products::base_plan.eq(base_plan)))
        .select(play_products::plan_price_id)
        .first(conn)
        .await
        .optional()
}

/// Sets the product that a price is. Fails if it is another price.
pub(crate) async fn set_product(tx: &mut Tx, product: &PlayProduct) -> QueryResult<usize> {
    diesel::insert_into(play_products::table)
        .values(product)
        .on_conflict(play_products::plan_price_id)
        .do_update()
        .set((play_products::product.eq(&product.product), play_products::base_plan.eq(&product.base_plan)))
        .execute(tx.conn())
        .await
}

/// Has prices be no product.
pub(crate) async fn remove_products(tx: &mut Tx, prices: &[PlanPriceId]) -> QueryResult<usize> {
    diesel::delete(play_products::table.filter(play_products::plan_price_id.eq_any(prices))).execute(tx.conn()).await
}

/// Has a price be the product that another one was.
pub(crate) async fn move_product(tx: &mut Tx, (from, to): (PlanPriceId, PlanPriceId)) -> QueryResult<usize> {
    diesel::update(play_products::table.find(from)).set(play_products::plan_price_id.eq(to)).execute(tx.conn()).await
}

pub(crate) async fn by_token(conn: &mut AsyncPgConnection, token: &str) -> QueryResult<Option<PlayPurchase>> {
    play_purchases::table.find(token).select(PlayPurchase::as_select()).first(conn).await.optional()
}

/// Returns a purchase and locks it, after its user and membership.
pub(crate) async fn lock(tx: &mut Tx, token: &str) -> QueryResult<Option<PlayPurchase>> {
    let row = play_purchases::table.find(token).select(PlayPurchase::as_select()).for_no_key_update();
    row.first(tx.conn()).await.optional()
}

/// Inserts a purchase. Fails if there is one with its token.
pub(crate) async fn insert(tx: &mut Tx, new: &PlayPurchase) -> QueryResult<usize> {
    diesel::insert_into(play_purchases::table).values(new).execute(tx.conn()).await
}

/// Writes a purchase that is locked.
pub(crate) async fn update(tx: &mut Tx, row: &PlayPurchase) -> QueryResult<usize> {
    diesel::update(play_purchases::table.find(&row.token)).set(row).execute(tx.conn()).await
}

/// Keeps that a purchase was acknowledged.
pub(crate) async fn set_acknowledged(tx: &mut Tx, token: &str, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(play_purchases::table.find(token))
        .set((play_purchases::acknowledged_at.eq(now), play_purchases::failures.eq(0)))
        .execute(tx.conn())
        .await
}

/// Keeps that another purchase has replaced this one: Google is not asked about it anymore.
pub(crate) async fn set_replaced(tx: &mut Tx, token: &str) -> QueryResult<usize> {
    diesel::update(play_purchases::table.find(token))
        .set((play_purchases::state.eq(PlayState::Replaced), play_purchases::check_at.eq(None::<DateTime<Utc>>)))
        .execute(tx.conn())
        .await
}

/// Has Google asked about a purchase at a time.
pub(crate) async fn set_check(tx: &mut Tx, token: &str, at: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(play_purchases::table.find(token)).set(play_purchases::check_at.eq(at)).execute(tx.conn()).await
}

/// Returns the tokens of a batch of purchases about which Google is to be asked, the longest due first.
pub(crate) async fn due(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<String>> {
    play_purchases::table
        .filter(play_purchases::check_at.le(now))
        .order(play_purchases::check_at)
        .limit(BATCH)
        .select(play_purchases::token)
        .load(conn)
        .await
}

/// Deletes the purchases of a user.
pub(crate) async fn delete_of(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(play_purchases::table.filter(play_purchases::user_id.eq(user))).execute(tx.conn()).await
}

/// Returns the latest purchases of a user.
pub(crate) async fn latest_of(
    conn: &mut AsyncPgConnection,
    user: UserId,
    limit: i64,
) -> QueryResult<Vec<PlayPurchase>> {
    play_purchases::table
        .filter(play_purchases::user_id.eq(user))
        .order(play_purchases::created_at.desc())
        .limit(limit)
        .select(PlayPurchase::as_select())
        .load(conn)
        .await
}
