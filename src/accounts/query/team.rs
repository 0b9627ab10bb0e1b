//! SQL for invitations to the team.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;

use crate::accounts::model::{INVITATION_LIFETIME, InvitationId, TeamInvitation, UserId};
use crate::platform::auth::Role;
use crate::platform::db::schema::team_invitations;
use crate::platform::db::{RunQueryDsl, Tx};

/// The maximum number of listed invitations; the oldest are left out.
const LISTED: i64 = 1000;

/// The columns of a new row, except its timestamps.
pub(crate) struct New<'a> {
    pub id: InvitationId,
    pub email: &'a str,
    pub name: &'a str,
    pub role: Role,
    pub invited_by: UserId,
}

/// Inserts an invitation, which replaces an earlier one of the same email address.
pub(crate) async fn put(tx: &mut Tx, new: &New<'_>, now: DateTime<Utc>) -> QueryResult<TeamInvitation> {
    diesel::delete(team_invitations::table.filter(team_invitations::email.eq(new.email))).execute(tx.conn()).await?;
    diesel::insert_into(team_invitations::table)
        .values((
            team_invitations::id.eq(new.id),
            team_invitations::email.eq(new.email),
            team_invitations::name.eq(new.name),
            team_invitations::role.eq(new.role),
            team_invitations::invited_by.eq(new.invited_by),
            team_invitations::sent_at.eq(now),
            team_invitations::expires_at.eq(now + INVITATION_LIFETIME),
        ))
        .returning(TeamInvitation::as_returning())
        .get_result(tx.conn())
        .await
}

pub(crate) async fn by_id(conn: &mut AsyncPgConnection, id: InvitationId) -> QueryResult<Option<TeamInvitation>> {
    team_invitations::table.find(id).select(TeamInvitation::as_select()).first(conn).await.optional()
}

pub(crate) async fn lock(tx: &mut Tx, id: InvitationId) -> QueryResult<Option<TeamInvitation>> {
    let row = team_invitations::table.find(id).select(TeamInvitation::as_select()).for_no_key_update();
    row.first(tx.conn()).await.optional()
}

/// Returns the invitations that are valid at `now`, latest first.
pub(crate) async fn live(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> QueryResult<Vec<TeamInvitation>> {
    team_invitations::table
        .filter(team_invitations::expires_at.gt(now))
        .order((team_invitations::sent_at.desc(), team_invitations::id.desc()))
        .limit(LISTED)
        .select(TeamInvitation::as_select())
        .load(conn)
        .await
}

pub(crate) async fn delete(tx: &mut Tx, id: InvitationId) -> QueryResult<Option<TeamInvitation>> {
    diesel::delete(team_invitations::table.find(id))
        .returning(TeamInvitation::as_returning())
        .get_result(tx.conn())
        .await
        .optional()
}

/// Deletes the invitation of an email address that has an account now.
pub(crate) async fn delete_by_email(tx: &mut Tx, email: &str) -> QueryResult<()> {
    let of = team_invitations::table.filter(team_invitations::email.eq(email));
    diesel::delete(of).execute(tx.conn()).await.map(drop)
}

pub(crate) async fn by_ids(conn: &mut AsyncPgConnection, ids: &[InvitationId]) -> QueryResult<Vec<TeamInvitation>> {
    team_invitations::table
        .filter(team_invitations::id.eq_any(ids))
        .select(TeamInvitation::as_select())
        .load(conn)
        .await
}
