//! SQL for families. They are written under the row lock of their membership.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Timestamptz, Uuid};
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::memberships::model::{FamilyInvitation, FamilyInvitationId, FamilyMember, MembershipId};
use crate::platform::db::schema::{family_invitations, family_members, family_stays, memberships};
use crate::platform::db::{RunQueryDsl, Tx, sql_query};
use crate::platform::retention::Retention;

/// Invitations that were not accepted in time.
pub(crate) const INVITATIONS: Retention = Retention::new("family_invitations", "expires_at");

/// Returns who shares the hours of memberships, by when they joined.
pub(crate) async fn members_of(conn: &mut AsyncPgConnection, ids: &[MembershipId]) -> QueryResult<Vec<FamilyMember>> {
    family_members::table
        .filter(family_members::membership_id.eq_any(ids))
        .order((family_members::joined_at, family_members::user_id))
        .select(FamilyMember::as_select())
        .load(conn)
        .await
}

/// Returns the invitations of memberships that can be accepted, by when they were sent.
pub(crate) async fn invitations_of(
    conn: &mut AsyncPgConnection,
    ids: &[MembershipId],
    now: DateTime<Utc>,
) -> QueryResult<Vec<FamilyInvitation>> {
    family_invitations::table
        .filter(family_invitations::membership_id.eq_any(ids))
        .filter(family_invitations::revoked_at.is_null().and(family_invitations::expires_at.gt(now)))
        .order((family_invitations::sent_at, family_invitations::id))
        .select(FamilyInvitation::as_select())
        .load(conn)
        .await
}

/// Returns the families of users, as pairs of the owner and a member.
///
/// # Errors
/// The database failed.
pub async fn families_of(conn: &mut AsyncPgConnection, owners: &[UserId]) -> QueryResult<Vec<(UserId, UserId)>> {
    family_members::table
        .inner_join(memberships::table)
        .filter(memberships::user_id.eq_any(owners))
        .order(family_members::user_id)
        .select((memberships::user_id, family_members::user_id))
        .load(conn)
        .await
}

/// When a user was in a family.
#[derive(Clone, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
pub struct FamilyStay {
    /// The user.
    #[diesel(sql_type = Uuid)]
    pub user_id: UserId,
    /// The owner of the family.
    #[diesel(sql_type = Uuid)]
    pub owner_id: UserId,
    /// Since when.
    #[diesel(sql_type = Timestamptz)]
    pub joined_at: DateTime<Utc>,
    /// Until when; `None` if they still are.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub left_at: Option<DateTime<Utc>>,
}

/// Returns when users were in families.
///
/// # Errors
/// The database failed.
pub async fn family_stays_of(conn: &mut AsyncPgConnection, users: &[UserId]) -> QueryResult<Vec<FamilyStay>> {
    sql_query(
        "SELECT family_members.user_id, memberships.user_id AS owner_id, joined_at, NULL::timestamptz AS left_at \
         FROM family_members JOIN memberships ON memberships.id = membership_id \
         WHERE family_members.user_id = ANY ($1) \
         UNION ALL SELECT family_stays.user_id, memberships.user_id, joined_at, left_at \
         FROM family_stays JOIN memberships ON memberships.id = membership_id WHERE family_stays.user_id = ANY ($1)",
    )
    .bind::<Array<Uuid>, _>(users.to_vec())
    .load(conn)
    .await
}

/// Keeps when users were in families that they have left now.
pub(crate) async fn keep_stays(tx: &mut Tx, gone: &[FamilyMember], now: DateTime<Utc>) -> QueryResult<usize> {
    let stay = |row: &FamilyMember| {
        (
            family_stays::user_id.eq(row.user_id),
            family_stays::joined_at.eq(row.joined_at),
            family_stays::membership_id.eq(row.membership_id),
            family_stays::left_at.eq(now),
        )
    };
    // What has lasted for no time is nothing.
    let stays: Vec<_> = gone.iter().filter(|row| row.joined_at < now).map(stay).collect();
    diesel::insert_into(family_stays::table).values(stays).execute(tx.conn()).await
}

/// Deletes when a user was in families.
pub(crate) async fn forget_stays(tx: &mut Tx, user: UserId) -> QueryResult<usize> {
    diesel::delete(family_stays::table.filter(family_stays::user_id.eq(user))).execute(tx.conn()).await
}

/// Returns from when to when a user was in families, the latest first.
pub(crate) async fn latest_stays(
    conn: &mut AsyncPgConnection,
    user: UserId,
    limit: i64,
) -> QueryResult<Vec<(DateTime<Utc>, DateTime<Utc>)>> {
    family_stays::table
        .filter(family_stays::user_id.eq(user))
        .order(family_stays::joined_at.desc())
        .limit(limit)
        .select((family_stays::joined_at, family_stays::left_at))
        .load(conn)
        .await
}

/// Returns in whose family a user is, if in any.
pub(crate) async fn member(conn: &mut AsyncPgConnection, user: UserId) -> QueryResult<Option<FamilyMember>> {
    family_members::table.find(user).select(FamilyMember::as_select()).first(conn).await.optional()
}

/// Locks the membership whose hours a user shares, so that it is not changed; others may do so at the same time.
pub(crate) async fn hold(tx: &mut Tx, user: UserId) -> QueryResult<Vec<MembershipId>> {
    let of = family_members::table.filter(family_members::user_id.eq(user)).select(family_members::membership_id);
    memberships::table.filter(memberships::id.eq_any(of)).select(memberships::id).for_share().load(tx.conn()).await
}

/// Adds a member to a family; returns whether that is possible: a user is in one family at a time.
pub(crate) async fn join(tx: &mut Tx, row: &FamilyMember) -> QueryResult<bool> {
    let insert = diesel::insert_into(family_members::table).values(row.clone()).on_conflict_do_nothing();
    Ok(insert.execute(tx.conn()).await? > 0)
}

/// Removes a user from the family in which they are.
pub(crate) async fn leave(tx: &mut Tx, user: UserId) -> QueryResult<Option<FamilyMember>> {
    diesel::delete(family_members::table.find(user))
        .returning(FamilyMember::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Removes users from the family of a membership; returns those who were in it.
pub(crate) async fn remove(tx: &mut Tx, id: MembershipId, users: &[UserId]) -> QueryResult<Vec<FamilyMember>> {
    let of =
        family_members::table.filter(family_members::membership_id.eq(id).and(family_members::user_id.eq_any(users)));
    diesel::delete(of).returning(FamilyMember::as_returning()).get_results(tx.conn()).await
}

pub(crate) async fn invitation(
    conn: &mut AsyncPgConnection,
    id: FamilyInvitationId,
) -> QueryResult<Option<FamilyInvitation>> {
    family_invitations::table.find(id).select(FamilyInvitation::as_select()).first(conn).await.optional()
}

/// Returns all invitations of a membership that are stored, also revoked ones.
pub(crate) async fn all_invitations(tx: &mut Tx, id: MembershipId) -> QueryResult<Vec<FamilyInvitation>> {
    family_invitations::table
        .filter(family_invitations::membership_id.eq(id))
        .select(FamilyInvitation::as_select())
        .load(tx.conn())
        .await
}

/// Makes an invitation.
pub(crate) async fn invite(tx: &mut Tx, row: &FamilyInvitation) -> QueryResult<usize> {
    diesel::insert_into(family_invitations::table).values(row.clone()).execute(tx.conn()).await
}

/// Changes an invitation.
pub(crate) async fn set_invitation(tx: &mut Tx, row: &FamilyInvitation) -> QueryResult<usize> {
    diesel::update(family_invitations::table.find(row.id))
        .set((
            family_invitations::sent_at.eq(row.sent_at),
            family_invitations::expires_at.eq(row.expires_at),
            family_invitations::revoked_at.eq(row.revoked_at),
        ))
        .execute(tx.conn())
        .await
}

/// Deletes an invitation that was accepted.
pub(crate) async fn delete_invitation(tx: &mut Tx, id: FamilyInvitationId) -> QueryResult<usize> {
    diesel::delete(family_invitations::table.find(id)).execute(tx.conn()).await
}

/// Deletes all invitations of a membership.
pub(crate) async fn delete_invitations(tx: &mut Tx, id: MembershipId) -> QueryResult<usize> {
    diesel::delete(family_invitations::table.filter(family_invitations::membership_id.eq(id))).execute(tx.conn()).await
}
