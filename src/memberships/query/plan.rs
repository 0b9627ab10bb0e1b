//! SQL for plans, their prices, and what payment providers know of them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::{exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::catalog::{CategoryId, CourseId};
use crate::graphql::page::Page;
use crate::memberships::model::{
    NewGateway, NewPlan, NewPrice, Plan, PlanGateway, PlanId, PlanKind, PlanPrice, PlanPriceId, PlanStatus, PlanWhich,
};
use crate::platform::db::schema::{plan_gateways, plan_prices, plans};
use crate::platform::db::{RunQueryDsl, Tx, newest_first};
use crate::platform::internal_error::InternalError;
use crate::platform::payments::Provider;

/// The maximum number of prices that are offered to who needs more hours.
const MOST_UPGRADES: i64 = 20;
/// The number of rows in one batch of a sweep.
const BATCH: i64 = 100;
/// How long a provider is not told to retire a price that it has not said to have: a call that creates it may be in
/// flight, and it does not find it before that has ended.
const CREATED: TimeDelta = TimeDelta::minutes(1);

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[PlanId]) -> QueryResult<Vec<Plan>> {
    plans::table.filter(plans::id.eq_any(ids)).select(Plan::as_select()).load(conn).await
}

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: PlanId) -> QueryResult<Option<Plan>> {
    plans::table.find(id).select(Plan::as_select()).first(conn).await.optional()
}

pub(crate) async fn by_slug(conn: &mut AsyncPgConnection, slug: &str) -> QueryResult<Option<Plan>> {
    plans::table.filter(plans::slug.eq(slug)).select(Plan::as_select()).first(conn).await.optional()
}

/// Returns a plan and locks it. Its prices are written under this lock.
pub(crate) async fn lock(tx: &mut Tx, id: PlanId) -> QueryResult<Option<Plan>> {
    plans::table.find(id).select(Plan::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Returns prices with their plans.
pub(crate) async fn prices_by_ids(
    conn: &mut AsyncPgConnection,
    ids: &[PlanPriceId],
) -> QueryResult<Vec<(PlanPrice, Plan)>> {
    plan_prices::table
        .inner_join(plans::table)
        .filter(plan_prices::id.eq_any(ids))
        .select((PlanPrice::as_select(), Plan::as_select()))
        .load(conn)
        .await
}

/// Returns all prices of plans: current ones first, by interval and currency, and of each the latest first.
pub(crate) async fn prices_of(conn: &mut AsyncPgConnection, plans: &[PlanId]) -> QueryResult<Vec<PlanPrice>> {
    plan_prices::table
        .filter(plan_prices::plan_id.eq_any(plans))
        .order((
            plan_prices::retired_at.is_not_null(),
            plan_prices::currency,
            plan_prices::billing_interval,
            plan_prices::id.desc(),
        ))
        .select(PlanPrice::as_select())
        .load(conn)
        .await
}

/// Returns the versions of a price that were replaced before it was made.
pub(crate) async fn earlier_versions(tx: &mut Tx, id: PlanPriceId) -> QueryResult<Vec<PlanPriceId>> {
    let Some((price, _)) = prices_by_ids(tx.conn(), &[id]).await?.pop() else { return Ok(Vec::new()) };
    plan_prices::table
        .filter(plan_prices::plan_id.eq(price.plan_id).and(plan_prices::currency.eq(price.currency)))
        .filter(plan_prices::billing_interval.eq(price.billing_interval).and(plan_prices::id.lt(id)))
        .filter(plan_prices::retired_at.is_not_null())
        .select(plan_prices::id)
        .load(tx.conn())
        .await
}

/// Returns what providers know of the prices of plans, in the order of the prices.
pub(crate) async fn gateways_of(
    conn: &mut AsyncPgConnection,
    plans: &[PlanId],
) -> QueryResult<Vec<(PlanId, PlanGateway)>> {
    plan_gateways::table
        .inner_join(plan_prices::table)
        .filter(plan_prices::plan_id.eq_any(plans))
        .order((plan_gateways::plan_price_id, plan_gateways::provider))
        .select((plan_prices::plan_id, PlanGateway::as_select()))
        .load(conn)
        .await
}

/// Returns whether a price is ready at a provider.
pub(crate) async fn is_ready(
    conn: &mut AsyncPgConnection,
    price: PlanPriceId,
    provider: Provider,
) -> QueryResult<bool> {
    let ready = plan_gateways::table
        .find((price, provider))
        .filter(plan_gateways::status.eq(PlanStatus::Active))
        .select(plan_gateways::plan_price_id);
    diesel::select(exists(ready)).get_result(conn).await
}

/// Returns the current prices of plans with more live classes a month than so many minutes, fewest first.
pub(crate) async fn with_more_than(mut conn: &AsyncPgConnection, minutes: i32) -> QueryResult<Vec<PlanPrice>> {
    plan_prices::table
        .inner_join(plans::table)
        .filter(plans::live_minutes_per_month.gt(minutes).and(plans::archived_at.is_null()))
        .filter(plan_prices::retired_at.is_null())
        .order((plans::live_minutes_per_month, plan_prices::amount_minor, plan_prices::id))
        .limit(MOST_UPGRADES)
        .select(PlanPrice::as_select())
        .load(&mut conn)
        .await
}

/// Inserts a plan. Fails if its slug is taken.
pub(crate) async fn insert(tx: &mut Tx, new: &NewPlan<'_>) -> QueryResult<Plan> {
    diesel::insert_into(plans::table).values(new).returning(Plan::as_returning()).get_result(tx.conn()).await
}

/// Inserts a price with what providers are to be told of it.
pub(crate) async fn insert_price(tx: &mut Tx, new: &NewPrice, providers: &[Provider]) -> QueryResult<PlanPrice> {
    let made = diesel::insert_into(plan_prices::table).values(new).returning(PlanPrice::as_returning());
    let made: PlanPrice = made.get_result(tx.conn()).await?;
    let rows: Vec<NewGateway> = providers.iter().map(|provider| pending(made.id, *provider, new.created_at)).collect();
    diesel::insert_into(plan_gateways::table).values(rows).execute(tx.conn()).await?;
    Ok(made)
}

/// Has providers told of the prices that are sold, as far as they are not.
pub(crate) async fn add_gateways(tx: &mut Tx, providers: &[Provider], now: DateTime<Utc>) -> Result<(), InternalError> {
    for provider in providers {
        let known = plan_gateways::table
            .filter(plan_gateways::plan_price_id.eq(plan_prices::id).and(plan_gateways::provider.eq(*provider)))
            .select(plan_gateways::plan_price_id);
        let missing: Vec<PlanPriceId> = plan_prices::table
            .filter(plan_prices::retired_at.is_null().and(not(exists(known))))
            .limit(BATCH)
            .select(plan_prices::id)
            .load(tx.conn())
            .await?;
        let rows: Vec<NewGateway> = missing.into_iter().map(|id| pending(id, *provider, now)).collect();
        diesel::insert_into(plan_gateways::table).values(rows).on_conflict_do_nothing().execute(tx.conn()).await?;
    }
    Ok(())
}

fn pending(plan_price_id: PlanPriceId, provider: Provider, attempt_at: DateTime<Utc>) -> NewGateway {
    NewGateway { plan_price_id, provider, status: PlanStatus::Pending, attempt_at }
}

/// Retires prices, which are to be retired at the providers, too.
pub(crate) async fn retire_prices(tx: &mut Tx, ids: &[PlanPriceId], now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(plan_prices::table.filter(plan_prices::id.eq_any(ids).and(plan_prices::retired_at.is_null())))
        .set(plan_prices::retired_at.eq(now))
        .execute(tx.conn())
        .await?;
    diesel::update(plan_gateways::table)
        .filter(plan_gateways::plan_price_id.eq_any(ids).and(plan_gateways::status.ne(PlanStatus::Retired)))
        .set((plan_gateways::status.eq(PlanStatus::Retiring), plan_gateways::attempt_at.eq(now)))
        .execute(tx.conn())
        .await?;
    diesel::update(plan_gateways::table)
        .filter(plan_gateways::plan_price_id.eq_any(ids).and(plan_gateways::status.eq(PlanStatus::Retiring)))
        .filter(plan_gateways::external_id.is_null())
        .set(plan_gateways::attempt_at.eq(now + CREATED))
        .execute(tx.conn())
        .await
        .map(drop)
}

/// Changes what a plan is called and gives.
pub(crate) async fn update(tx: &mut Tx, row: &Plan) -> QueryResult<Plan> {
    diesel::update(plans::table.find(row.id))
        .set((
            plans::name.eq(&row.name),
            plans::description.eq(&row.description),
            plans::live_minutes_per_month.eq(row.live_minutes_per_month),
            plans::rollover_minutes.eq(row.rollover_minutes),
            plans::max_extra_hours.eq(row.max_extra_hours),
            plans::family_size.eq(row.family_size),
            plans::family_member_minutes.eq(row.family_member_minutes),
            plans::renewal_cron.eq(&row.renewal_cron),
        ))
        .returning(Plan::as_returning())
        .get_result(tx.conn())
        .await
}

/// Archives a plan.
pub(crate) async fn archive(tx: &mut Tx, id: PlanId, now: DateTime<Utc>) -> QueryResult<Plan> {
    diesel::update(plans::table.find(id))
        .set(plans::archived_at.eq(now))
        .returning(Plan::as_returning())
        .get_result(tx.conn())
        .await
}

/// Returns a batch of plans that are not archived and whose course or category is deleted.
pub(crate) async fn without_target(conn: &mut AsyncPgConnection) -> QueryResult<Vec<PlanId>> {
    let no_course = plans::kind.eq(PlanKind::Course).and(plans::course_id.is_null());
    let no_category = plans::kind.eq(PlanKind::Category).and(plans::category_id.is_null());
    plans::table
        .filter(plans::archived_at.is_null())
        .filter(no_course.or(no_category))
        .limit(BATCH)
        .select(plans::id)
        .load(conn)
        .await
}

/// Returns the plans for a course that are not archived.
pub(crate) async fn of_course(conn: &mut AsyncPgConnection, course: CourseId) -> QueryResult<Vec<PlanId>> {
    plans::table
        .filter(plans::course_id.eq(course).and(plans::archived_at.is_null()))
        .select(plans::id)
        .load(conn)
        .await
}

/// Returns the plans for courses that are sold, latest first.
pub(crate) async fn sold_for_courses(conn: &mut AsyncPgConnection, courses: &[CourseId]) -> QueryResult<Vec<Plan>> {
    plans::table
        .filter(plans::course_id.eq_any(courses).and(plans::archived_at.is_null()))
        .order((plans::created_at.desc(), plans::id.desc()))
        .select(Plan::as_select())
        .load(conn)
        .await
}

/// Returns the plans for categories that are sold, latest first.
pub(crate) async fn sold_for_categories(
    conn: &mut AsyncPgConnection,
    categories: &[CategoryId],
) -> QueryResult<Vec<Plan>> {
    plans::table
        .filter(plans::category_id.eq_any(categories).and(plans::archived_at.is_null()))
        .order((plans::created_at.desc(), plans::id.desc()))
        .select(Plan::as_select())
        .load(conn)
        .await
}

/// Returns the plans for a category that are not archived.
pub(crate) async fn of_category(tx: &mut Tx, category: CategoryId) -> QueryResult<Vec<PlanId>> {
    plans::table
        .filter(plans::category_id.eq(category).and(plans::archived_at.is_null()))
        .select(plans::id)
        .load(tx.conn())
        .await
}

/// Returns a batch of what providers are to be told now, the longest due first.
pub(crate) async fn due_gateways(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> QueryResult<Vec<(PlanGateway, PlanPrice, Plan)>> {
    plan_gateways::table
        .inner_join(plan_prices::table.inner_join(plans::table))
        .filter(plan_gateways::attempt_at.le(now))
        .order(plan_gateways::attempt_at)
        .limit(BATCH)
        .select((PlanGateway::as_select(), PlanPrice::as_select(), Plan::as_select()))
        .load(conn)
        .await
}

/// Returns whether this is still to be told.
pub(crate) async fn is_to_be_told(tx: &mut Tx, row: &PlanGateway) -> QueryResult<bool> {
    let same = plan_gateways::table
        .find((row.plan_price_id, row.provider))
        .filter(plan_gateways::status.eq(row.status))
        .select(plan_gateways::plan_price_id);
    diesel::select(exists(same)).get_result(tx.conn()).await
}

/// Keeps that a provider was told, unless something else is to be told since.
pub(crate) async fn set_told(
    tx: &mut Tx,
    told: &PlanGateway,
    (status, external_id): (PlanStatus, Option<&str>),
) -> QueryResult<usize> {
    // A price that was retired meanwhile is known at the provider nevertheless.
    if told.external_id.as_deref() != external_id {
        diesel::update(plan_gateways::table.find((told.plan_price_id, told.provider)))
            .set(plan_gateways::external_id.eq(external_id))
            .execute(tx.conn())
            .await?;
    }
    // One that was created meanwhile is not retired.
    diesel::update(plan_gateways::table.find((told.plan_price_id, told.provider)))
        .filter(plan_gateways::status.eq(told.status))
        .filter(plan_gateways::external_id.is_not_distinct_from(external_id))
        .set((
            plan_gateways::status.eq(status),
            plan_gateways::last_error.eq(None::<String>),
            plan_gateways::attempts.eq(0),
            plan_gateways::attempt_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(tx.conn())
        .await
}

/// Keeps that a provider could not be told, unless something else is to be told since.
pub(crate) async fn set_failed(
    tx: &mut Tx,
    told: &PlanGateway,
    (status, error): (PlanStatus, &str),
    attempt_at: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::update(plan_gateways::table.find((told.plan_price_id, told.provider)))
        .filter(plan_gateways::status.eq(told.status))
        .set((
            plan_gateways::status.eq(status),
            plan_gateways::last_error.eq(error),
            plan_gateways::attempts.eq(plan_gateways::attempts + 1),
            plan_gateways::attempt_at.eq(attempt_at),
        ))
        .execute(tx.conn())
        .await
}

/// Returns a page of plans, newest first, in the direction of the page.
pub(crate) async fn page(
    mut conn: &AsyncPgConnection,
    which: &PlanWhich,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Plan>> {
    let rows = filtered(which).select(Plan::as_select());
    newest_first!(&mut conn, rows, plans::created_at, plans::id, page)
}

/// Counts the plans of a list.
pub(crate) async fn count(mut conn: &AsyncPgConnection, which: &PlanWhich) -> QueryResult<i64> {
    filtered(which).count().get_result(&mut conn).await
}

fn filtered(which: &PlanWhich) -> plans::BoxedQuery<'_, Pg> {
    let mut rows = plans::table.into_boxed();
    if let Some(kinds) = &which.kinds {
        rows = rows.filter(plans::kind.eq_any(kinds));
    }
    if let Some(course) = which.course {
        rows = rows.filter(plans::course_id.eq(course));
    }
    if let Some(category) = which.category {
        rows = rows.filter(plans::category_id.eq(category));
    }
    if let Some(slug) = &which.slug {
        rows = rows.filter(plans::slug.eq(slug));
    }
    match which.is_archived {
        None => rows,
        Some(true) => rows.filter(plans::archived_at.is_not_null()),
        Some(false) => rows.filter(plans::archived_at.is_null()),
    }
}
