//! SQL for families. They are written under the row lock of their membership.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::UserId;
use crate::memberships::model::{FamilyInvitation, FamilyInvitationId, FamilyMember, MembershipId};
use crate::platform::db::schema::{family_invitations, family_members, memberships};
use crate::platform::db::{RunQueryDsl, Tx};
use crate::platform::retention::Retention;

/// Invitations that were not accepted in time.
pub(in crate::memberships) const INVITATIONS: Retention = Retention::new("family_invitations", "expires_at");

/// Returns who shares the hours of memberships, by when they joined.
pub(in crate::memberships) async fn members_of(
    conn: &mut AsyncPgConnection,
    ids: &[MembershipId],
) -> QueryResult<Vec<FamilyMember>> {
    family_members::table
        .filter(family_members::membership_id.eq_any(ids))
        .order((family_members::joined_at, family_members::user_id))
        .select(FamilyMember::as_select())
        .load(conn)
        .await
}

/// Returns the invitations of memberships that can be accepted, by when they were sent.
pub(in crate::memberships) async fn invitations_of(
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

/// Returns in whose family a user is, if in any.
pub(in crate::memberships) async fn member(
    conn: &mut AsyncPgConnection,
    user: UserId,
) -> QueryResult<Option<FamilyMember>> {
    family_members::table.find(user).select(FamilyMember::as_select()).first(conn).await.optional()
}

/// Locks the membership whose hours a user shares, so that it is not changed; others may do so at the same time.
pub(in crate::memberships) async fn hold(tx: &mut Tx, user: UserId) -> QueryResult<Vec<MembershipId>> {
    let of = family_members::table.filter(family_members::user_id.eq(user)).select(family_members::membership_id);
    memberships::table.filter(memberships::id.eq_any(of)).select(memberships::id).for_share().load(tx.conn()).await
}

/// Adds a member to a family; returns whether that is possible: a user is in one family at a time.
pub(in crate::memberships) async fn join(tx: &mut Tx, row: &FamilyMember) -> QueryResult<bool> {
    let insert = diesel::insert_into(family_members::table).values(row.clone()).on_conflict_do_nothing();
    Ok(insert.execute(tx.conn()).await? > 0)
}

/// Removes a user from the family in which they are.
pub(in crate::memberships) async fn leave(tx: &mut Tx, user: UserId) -> QueryResult<Option<FamilyMember>> {
    diesel::delete(family_members::table.find(user))
        .returning(FamilyMember::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Removes users from the family of a membership; returns those who were in it.
pub(in crate::memberships) async fn remove(
    tx: &mut Tx,
    id: MembershipId,
    users: &[UserId],
) -> QueryResult<Vec<FamilyMember>> {
    let of =
        family_members::table.filter(family_members::membership_id.eq(id).and(family_members::user_id.eq_any(users)));
    diesel::delete(of).returning(FamilyMember::as_returning()).get_results(tx.conn()).await
}

pub(in crate::memberships) async fn invitation(
    conn: &mut AsyncPgConnection,
    id: FamilyInvitationId,
) -> QueryResult<Option<FamilyInvitation>> {
    family_invitations::table.find(id).select(FamilyInvitation::as_select()).first(conn).await.optional()
}

/// Returns all invitations of a membership that are stored, also revoked ones.
pub(in crate::memberships) async fn all_invitations(
    tx: &mut Tx,
    id: MembershipId,
) -> QueryResult<Vec<FamilyInvitation>> {
    family_invitations::table
        .filter(family_invitations::membership_id.eq(id))
        .select(FamilyInvitation::as_select())
        .load(tx.conn())
        .await
}

/// Makes an invitation.
pub(in crate::memberships) async fn invite(tx: &mut Tx, row: &FamilyInvitation) -> QueryResult<usize> {
    diesel::insert_into(family_invitations::table).values(row.clone()).execute(tx.conn()).await
}

/// Changes an invitation.
pub(in crate::memberships) async fn set_invitation(tx: &mut Tx, row: &FamilyInvitation) -> QueryResult<usize> {
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
pub(in crate::memberships) async fn delete_invitation(tx: &mut Tx, id: FamilyInvitationId) -> QueryResult<usize> {
    diesel::delete(family_invitations::table.find(id)).execute(tx.conn()).await
}

/// Deletes all invitations of a membership.
pub(in crate::memberships) async fn delete_invitations(tx: &mut Tx, id: MembershipId) -> QueryResult<usize> {
    diesel::delete(family_invitations::table.filter(family_invitations::membership_id.eq(id))).execute(tx.conn()).await
}
