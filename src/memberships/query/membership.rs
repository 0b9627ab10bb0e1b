//! SQL for memberships. They are written under the row lock of their user, and their own.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use super::live;
use crate::accounts::UserId;
use crate::entitlements::EntitlementId;
use crate::graphql::page::Page;
use crate::memberships::model::{
    Membership, MembershipId, MembershipStatus, MembershipWhich, NewMembership, Plan, PlanId, PlanKind, PlanPriceId,
};
use crate::platform::db::schema::{family_members, memberships, plans};
use crate::platform::db::{RunQueryDsl, Tx, newest_first};

/// The number of rows in one batch of a sweep.
const BATCH: i64 = 100;

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[MembershipId]) -> QueryResult<Vec<Membership>> {
    memberships::table.filter(memberships::id.eq_any(ids)).select(Membership::as_select()).load(conn).await
}

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: MembershipId) -> QueryResult<Option<Membership>> {
    memberships::table.find(id).select(Membership::as_select()).first(conn).await.optional()
}

/// Returns a membership and locks it, after its user.
pub(crate) async fn lock(tx: &mut Tx, id: MembershipId) -> QueryResult<Option<Membership>> {
    memberships::table.find(id).select(Membership::as_select()).for_no_key_update().first(tx.conn()).await.optional()
}

/// Returns the memberships that accesses are a part of.
pub(crate) async fn of_entitlements(
    conn: &mut AsyncPgConnection,
    entitlements: &[EntitlementId],
) -> QueryResult<Vec<(Option<EntitlementId>, MembershipId)>> {
    memberships::table
        .filter(memberships::entitlement_id.eq_any(entitlements))
        .order(memberships::created_at)
        .select((memberships::entitlement_id, memberships::id))
        .load(conn)
        .await
}

/// The columns of the scope of a membership: kind, course, category.
pub(crate) type ScopeColumns = (PlanKind, Option<Uuid>, Option<Uuid>);

/// Returns the memberships of a user for the same scope, the live one first; nothing of others that ended unpaid.
pub(crate) async fn of_scope(
    conn: &mut AsyncPgConnection,
    user: UserId,
    (kind, course, category): ScopeColumns,
) -> QueryResult<Vec<Membership>> {
    let is_live = memberships::status.ne(MembershipStatus::Expired);
    memberships::table
        .filter(memberships::user_id.eq(user).and(memberships::kind.eq(kind)))
        .filter(memberships::course_id.is_not_distinct_from(course))
        .filter(memberships::category_id.is_not_distinct_from(category))
        .filter(is_live.or(memberships::started_at.is_not_null()))
        .order((is_live.desc(), memberships::created_at.desc()))
        .select(Membership::as_select())
        .load(conn)
        .await
}

/// Inserts a membership. Fails if there is a live one of the user for the same scope.
pub(crate) async fn insert(tx: &mut Tx, new: &NewMembership<'_>) -> QueryResult<Membership> {
    let insert = diesel::insert_into(memberships::table).values(new);
    insert.returning(Membership::as_returning()).get_result(tx.conn()).await
}

/// Writes a membership that is locked, and since when it is one of its plan.
pub(crate) async fn update(tx: &mut Tx, row: &Membership, now: DateTime<Utc>) -> QueryResult<usize> {
    live::keep_span(tx, row, now).await?;
    diesel::update(memberships::table.find(row.id)).set((row, memberships::updated_at.eq(now))).execute(tx.conn()).await
}

/// Returns a batch of memberships whose next period is to be charged here, the longest due first. Of those that a
/// subscription charges, it is those for which that has not succeeded until the last attempt.
///
/// # Errors
/// The database failed.
pub async fn to_bill(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<MembershipId>> {
    memberships::table
        .filter(memberships::billing_at.le(now))
        .filter(memberships::subscription_id.is_null().or(memberships::status.eq(MembershipStatus::PastDue)))
        .order((memberships::billing_at, memberships::id))
        .limit(BATCH)
        .select(memberships::id)
        .load(conn)
        .await
}

/// Sets when the next period of a membership is charged, if it is to be charged.
pub(crate) async fn bill_later(tx: &mut Tx, id: MembershipId, at: DateTime<Utc>) -> QueryResult<usize> {
    let billed = memberships::table.find(id).filter(memberships::billing_at.is_not_null());
    diesel::update(billed).set(memberships::billing_at.eq(at)).execute(tx.conn()).await
}

/// Returns a batch of canceled memberships whose period is over. Of those on Google Play, Google says it.
pub(crate) async fn over(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<MembershipId>> {
    memberships::table
        .filter(memberships::status.eq(MembershipStatus::Canceled).and(memberships::period_ends_at.le(now)))
        .filter(memberships::is_play.eq(false))
        .order((memberships::period_ends_at, memberships::id))
        .limit(BATCH)
        .select(memberships::id)
        .load(conn)
        .await
}

/// Returns a batch of memberships whose members are to be reminded, and marks them as reminded.
pub(crate) async fn take_reminders(tx: &mut Tx, now: DateTime<Utc>) -> QueryResult<Vec<Membership>> {
    let due: Vec<MembershipId> = memberships::table
        .filter(memberships::remind_at.le(now))
        .order((memberships::remind_at, memberships::id))
        .limit(BATCH)
        .select(memberships::id)
        .for_no_key_update()
        .skip_locked()
        .load(tx.conn())
        .await?;
    diesel::update(memberships::table.filter(memberships::id.eq_any(due)))
        .set(memberships::remind_at.eq(None::<DateTime<Utc>>))
        .returning(Membership::as_returning())
        .get_results(tx.conn())
        .await
}

/// Returns a batch of the memberships of a plan that renew here, after an id.
pub(crate) async fn of_plan(
    conn: &mut AsyncPgConnection,
    plan: PlanId,
    after: MembershipId,
) -> QueryResult<Vec<MembershipId>> {
    memberships::table
        .filter(memberships::plan_id.eq(plan).and(memberships::status.ne(MembershipStatus::Expired)))
        .filter(memberships::is_play.eq(false).and(memberships::id.gt(after)))
        .order(memberships::id)
        .limit(BATCH)
        .select(memberships::id)
        .load(conn)
        .await
}

/// Moves a batch of the members of earlier versions of a price, after an id, to it at their next renewal: also those
/// who were to get an earlier version then, and those who have yet to pay for the first time. Not those who have chosen
/// something else themselves, or pay on Google Play.
pub(crate) async fn move_members(
    tx: &mut Tx,
    (earlier, to): (&[PlanPriceId], PlanPriceId),
    after: MembershipId,
) -> QueryResult<Vec<Membership>> {
    let stays = memberships::plan_price_id.eq_any(earlier).and(memberships::next_price_id.is_null());
    let moved: Vec<MembershipId> = memberships::table
        .filter(memberships::next_price_id.eq_any(earlier).or(stays))
        .filter(memberships::status.ne(MembershipStatus::Expired))
        .filter(memberships::is_play.eq(false).and(memberships::id.gt(after)))
        .order(memberships::id)
        .limit(BATCH)
        .select(memberships::id)
        .for_no_key_update()
        .load(tx.conn())
        .await?;
    diesel::update(memberships::table.filter(memberships::id.eq_any(moved)))
        .set(memberships::next_price_id.eq(to))
        .returning(Membership::as_returning())
        .get_results(tx.conn())
        .await
}

/// Returns the memberships of a user that have not ended.
pub(crate) async fn live_of_user(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Vec<MembershipId>> {
    memberships::table
        .filter(memberships::user_id.eq(user).and(memberships::status.ne(MembershipStatus::Expired)))
        .order(memberships::id)
        .limit(BATCH)
        .select(memberships::id)
        .load(conn)
        .await
}

/// Returns the latest memberships of a user.
pub(crate) async fn latest_of(conn: &mut AsyncPgConnection, user: UserId, limit: i64) -> QueryResult<Vec<Membership>> {
    memberships::table
        .filter(memberships::user_id.eq(user))
        .order((memberships::created_at.desc(), memberships::id.desc()))
        .limit(limit)
        .select(Membership::as_select())
        .load(conn)
        .await
}

/// Returns a page of a user's memberships, newest first, in the direction of the page.
pub(crate) async fn page(
    mut conn: &AsyncPgConnection,
    which: &MembershipWhich,
    page: &Page<(DateTime<Utc>, Uuid)>,
) -> QueryResult<Vec<Membership>> {
    let rows = filtered(which).select(Membership::as_select());
    newest_first!(&mut conn, rows, memberships::created_at, memberships::id, page)
}

/// Counts a user's memberships in a list.
pub(crate) async fn count(mut conn: &AsyncPgConnection, which: &MembershipWhich) -> QueryResult<i64> {
    filtered(which).count().get_result(&mut conn).await
}

fn filtered(which: &MembershipWhich) -> memberships::BoxedQuery<'_, Pg> {
    let rows = memberships::table.into_boxed().filter(memberships::user_id.eq(which.user));
    match &which.statuses {
        Some(statuses) => rows.filter(memberships::status.eq_any(statuses)),
        None => rows,
    }
}

/// Returns the memberships that have not expired and that users have, or whose hours they share as family members, with
/// their plans and these users.
pub(crate) async fn unexpired_of(
    conn: &mut AsyncPgConnection,
    users: &[UserId],
) -> QueryResult<Vec<(Membership, Plan, UserId)>> {
    let own = memberships::table
        .inner_join(plans::table)
        .filter(memberships::user_id.eq_any(users).and(memberships::status.ne(MembershipStatus::Expired)))
        .select((Membership::as_select(), Plan::as_select(), memberships::user_id));
    let shared = memberships::table
        .inner_join(plans::table)
        .inner_join(family_members::table)
        .filter(family_members::user_id.eq_any(users).and(memberships::status.ne(MembershipStatus::Expired)))
        .select((Membership::as_select(), Plan::as_select(), family_members::user_id));
    own.union_all(shared).load(conn).await
}
