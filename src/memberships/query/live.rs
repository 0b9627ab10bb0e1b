//! SQL for who was a member of which plan, and when: for the statistics of live classes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Timestamptz, Uuid};
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::memberships::model::{Membership, MembershipId, PlanId};
use crate::platform::db::schema::{membership_spans, memberships};
use crate::platform::db::{RunQueryDsl, Tx, sql_query};

/// The number of memberships that are compared at a time.
const BATCH: i64 = 1000;

/// A member of a plan with live classes in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub struct LiveMember {
    /// The member.
    #[diesel(sql_type = Uuid)]
    pub user_id: UserId,
    /// Whether they still were one at its end, or are one now.
    #[diesel(sql_type = Bool)]
    pub is_present: bool,
}

/// The members of a plan with live classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub struct LiveMembers {
    /// The plan.
    #[diesel(sql_type = Uuid)]
    pub plan: PlanId,
    /// The number of its members.
    #[diesel(sql_type = BigInt)]
    pub members: i64,
}

/// Keeps of which plan a locked membership is, as long as it gives access: what was kept before ends now.
pub(crate) async fn keep_span(tx: &mut Tx, row: &Membership, now: DateTime<Utc>) -> QueryResult<()> {
    let open = || {
        let is_open = membership_spans::membership_id.eq(row.id).and(membership_spans::ends_at.is_null());
        membership_spans::table.filter(is_open)
    };
    let plan = plan_to_keep(row);
    let known: Option<PlanId> = open().select(membership_spans::plan_id).first(tx.conn()).await.optional()?;
    if known == plan {
        return Ok(());
    }
    if known.is_some() {
        // What has lasted for no time is nothing.
        diesel::delete(open().filter(membership_spans::starts_at.ge(now))).execute(tx.conn()).await?;
        diesel::update(open()).set(membership_spans::ends_at.eq(now)).execute(tx.conn()).await?;
    }
    if let Some(plan) = plan {
        diesel::insert_into(membership_spans::table)
            .values((
                membership_spans::membership_id.eq(row.id),
                membership_spans::starts_at.eq(now),
                membership_spans::plan_id.eq(plan),
            ))
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}

/// Returns of which plan a membership is as long as it gives access.
pub(crate) fn plan_to_keep(row: &Membership) -> Option<PlanId> {
    (row.status.is_entitled() && row.plan_since.is_some()).then_some(row.plan_id)
}

/// Returns a batch of memberships with ids after this one, by their ids, each with the plan that is kept of it.
pub(crate) async fn kept_after(
    conn: &mut AsyncPgConnection,
    after: MembershipId,
) -> QueryResult<Vec<(Membership, Option<PlanId>)>> {
    let is_open = membership_spans::membership_id.eq(memberships::id).and(membership_spans::ends_at.is_null());
    memberships::table
        .left_join(membership_spans::table.on(is_open))
        .filter(memberships::id.gt(after))
        .order(memberships::id)
        .limit(BATCH)
        .select((Membership::as_select(), membership_spans::plan_id.nullable()))
        .load(conn)
        .await
}

/// Returns the users who were members of plans with live classes between two times.
///
/// # Errors
/// The database failed.
pub async fn live_members(
    conn: &mut AsyncPgConnection,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<Vec<LiveMember>> {
    sql_query(
        "SELECT user_id, bool_or(ends_at IS NULL OR ends_at >= $2) AS is_present FROM membership_spans \
         JOIN plans ON plans.id = membership_spans.plan_id AND live_minutes_per_month IS NOT NULL \
         JOIN memberships ON memberships.id = membership_id \
         WHERE starts_at < $2 AND (ends_at IS NULL OR ends_at > $1) GROUP BY user_id",
    )
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .load(conn)
    .await
}

/// Returns how many members each plan with live classes had between two times, most first. A member who has changed the
/// plan counts for both.
///
/// # Errors
/// The database failed.
pub async fn live_members_by_plan(
    conn: &mut AsyncPgConnection,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<Vec<LiveMembers>> {
    sql_query(
        "SELECT plans.id AS plan, count(DISTINCT user_id) AS members FROM membership_spans \
         JOIN plans ON plans.id = membership_spans.plan_id AND live_minutes_per_month IS NOT NULL \
         JOIN memberships ON memberships.id = membership_id \
         WHERE starts_at < $2 AND (ends_at IS NULL OR ends_at > $1) \
         GROUP BY plans.id ORDER BY members DESC, plans.id",
    )
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .load(conn)
    .await
}

/// A number of rows.
#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Returns how many members have changed between two times to a plan with more hours than the one before.
///
/// # Errors
/// The database failed.
pub async fn live_upgrades(
    conn: &mut AsyncPgConnection,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<i64> {
    let counted = sql_query(
        "SELECT count(DISTINCT new.membership_id) AS count FROM membership_spans new \
         JOIN plans new_plan ON new_plan.id = new.plan_id \
         JOIN LATERAL (SELECT plan_id FROM membership_spans WHERE membership_id = new.membership_id \
             AND starts_at < new.starts_at ORDER BY starts_at DESC LIMIT 1) AS old ON true \
         JOIN plans old_plan ON old_plan.id = old.plan_id \
         WHERE new.starts_at >= $1 AND new.starts_at < $2 \
             AND new_plan.live_minutes_per_month > old_plan.live_minutes_per_month",
    );
    let counted = counted.bind::<Timestamptz, _>(from).bind::<Timestamptz, _>(to).get_result::<Count>(conn);
    Ok(counted.await?.count)
}
