//! SQL for coupons.

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::accounts::UserId;
use crate::catalog::{CategoryId, CourseId};
use crate::graphql::page::Page;
use crate::memberships::PlanId;
use crate::orders::model::{Coupon, CouponId, CouponScope, NewCoupon, OrderStatus};
use crate::platform::db::schema::{coupon_categories, coupon_courses, coupon_plans, coupons, orders};
use crate::platform::db::{RunQueryDsl, Tx, newest_first};

/// The states of orders that use a coupon.
const USING: [OrderStatus; 4] =
    [OrderStatus::Pending, OrderStatus::Paid, OrderStatus::PartiallyRefunded, OrderStatus::Refunded];

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[CouponId]) -> QueryResult<Vec<Coupon>> {
    coupons::table.filter(coupons::id.eq_any(ids)).select(Coupon::as_select()).load(conn).await
}

/// Returns the coupon with this code that is not archived.
pub(crate) async fn by_code(conn: &mut AsyncPgConnection, code: &str) -> QueryResult<Option<Coupon>> {
    coupons::table
        .filter(coupons::code.eq(code).and(coupons::archived_at.is_null()))
        .select(Coupon::as_select())
        .first(conn)
        .await
        .optional()
}

/// Returns a coupon and locks it: orders with it are placed and paid one after another.
pub(crate) async fn lock(tx: &mut Tx, id: CouponId) -> QueryResult<Option<Coupon>> {
    coupons::table.find(id).select(Coupon::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Counts the orders that use a coupon: those of all, and those of a user.
pub(crate) async fn uses(conn: &mut AsyncPgConnection, id: CouponId, user: UserId) -> QueryResult<(i64, i64)> {
    let used = || orders::table.filter(orders::coupon_id.eq(id).and(orders::status.eq_any(USING)));
    let all = used().count().get_result(&mut *conn).await?;
    Ok((all, used().filter(orders::buyer_id.eq(user)).count().get_result(conn).await?))
}

/// Counts the orders that use each coupon; one without any is missing.
pub(crate) async fn use_counts(
    conn: &mut AsyncPgConnection,
    ids: &[CouponId],
) -> QueryResult<Vec<(Option<CouponId>, i64)>> {
    orders::table
        .filter(orders::coupon_id.eq_any(ids).and(orders::status.eq_any(USING)))
        .group_by(orders::coupon_id)
        .select((orders::coupon_id, count_star()))
        .load(conn)
        .await
}

/// What coupons are for: the rows of each table.
pub(crate) struct ScopeRows {
    pub courses: Vec<(CouponId, CourseId)>,
    pub categories: Vec<(CouponId, CategoryId)>,
    pub plans: Vec<(CouponId, PlanId)>,
}

/// Returns what coupons are for.
pub(crate) async fn scopes(conn: &mut AsyncPgConnection, ids: &[CouponId]) -> QueryResult<ScopeRows> {
    let courses = coupon_courses::table
        .filter(coupon_courses::coupon_id.eq_any(ids))
        .order(coupon_courses::course_id)
        .select((coupon_courses::coupon_id, coupon_courses::course_id))
        .load(&mut *conn)
        .await?;
    let categories = coupon_categories::table
        .filter(coupon_categories::coupon_id.eq_any(ids))
        .order(coupon_categories::category_id)
        .select((coupon_categories::coupon_id, coupon_categories::category_id))
        .load(&mut *conn)
        .await?;
    let plans = coupon_plans::table
        .filter(coupon_plans::coupon_id.eq_any(ids))
        .order(coupon_plans::plan_id)
        .select((coupon_plans::coupon_id, coupon_plans::plan_id))
        .load(conn)
        .await?;
    Ok(ScopeRows { courses, categories, plans })
}

/// Inserts a coupon. Fails if another one that is not archived has its code.
pub(crate) async fn insert(tx: &mut Tx, new: &NewCoupon<'_>, scope: &CouponScope) -> QueryResult<Coupon> {
    let made = diesel::insert_into(coupons::table).values(new).returning(Coupon::as_returning());
    let made: Coupon = made.get_result(tx.conn()).await?;
    let courses: Vec<_> = scope
        .courses
        .iter()
        .map(|course| (coupon_courses::coupon_id.eq(made.id), coupon_courses::course_id.eq(*course)))
        .collect();
    diesel::insert_into(coupon_courses::table).values(courses).execute(tx.conn()).await?;
    let categories: Vec<_> = scope
        .categories
        .iter()
        .map(|category| (coupon_categories::coupon_id.eq(made.id), coupon_categories::category_id.eq(*category)))
        .collect();
    diesel::insert_into(coupon_categories::table).values(categories).execute(tx.conn()).await?;
    let plans: Vec<_> =
        scope.plans.iter().map(|plan| (coupon_plans::coupon_id.eq(made.id), coupon_plans::plan_id.eq(*plan))).collect();
    diesel::insert_into(coupon_plans::table).values(plans).execute(tx.conn()).await?;
    Ok(made)
}

/// Changes when and how often a coupon is valid.
pub(crate) async fn set_terms(
    tx: &mut Tx,
    id: CouponId,
    (starts_at, ends_at): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    (max_uses, max_uses_per_user): (Option<i32>, Option<i32>),
) -> QueryResult<Option<Coupon>> {
    diesel::update(coupons::table.find(id).filter(coupons::archived_at.is_null()))
        .set((
            coupons::starts_at.eq(starts_at),
            coupons::ends_at.eq(ends_at),
            coupons::max_uses.eq(max_uses),
            coupons::max_uses_per_user.eq(max_uses_per_user),
        ))
        .returning(Coupon::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Archives a coupon, once; `None` if there is none that is not archived.
pub async fn archive(tx: &mut Tx, id: CouponId, now: DateTime<Utc>) -> QueryResult<Option<Coupon>> {
    diesel::update(coupons::table.find(id).filter(coupons::archived_at.is_null()))
        .set(coupons::archived_at.eq(now))
        .returning(Coupon::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Returns a page of coupons, newest first, in the direction of the page; of archived ones, or of others, if that
/// is asked for.
pub async fn page(
    mut conn: &AsyncPgConnection,
    is_archived: Option<bool>,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Coupon>> {
    let rows = filtered(is_archived).select(Coupon::as_select());
    newest_first!(&mut conn, rows, coupons::created_at, coupons::id, page)
}

/// Counts the coupons of a list.
pub async fn count(mut conn: &AsyncPgConnection, is_archived: Option<bool>) -> QueryResult<i64> {
    filtered(is_archived).count().get_result(&mut conn).await
}

fn filtered(is_archived: Option<bool>) -> coupons::BoxedQuery<'static, diesel::pg::Pg> {
    let rows = coupons::table.into_boxed();
    match is_archived {
        None => rows,
        Some(true) => rows.filter(coupons::archived_at.is_not_null()),
        Some(false) => rows.filter(coupons::archived_at.is_null()),
    }
}
