//! Joining the team: instructors and administrators.

use std::fmt;

use async_graphql::InputObject;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};

use super::{TokenTransport, UserId};
use crate::graphql::{Entity, Id, context};
use crate::platform::auth::Role;
use crate::platform::db::schema::team_invitations;

/// How long an invitation is good.
pub(crate) const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);

/// An invitation's id: `invitation_01j…`.
pub(crate) type InvitationId = Id<TeamInvitation>;

/// Somebody without an account who is to join the team.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = team_invitations, check_for_backend(diesel::pg::Pg))]
pub(crate) struct TeamInvitation {
    /// The id; another one when the same address is invited again.
    pub id: InvitationId,
    /// The address, trimmed and in lower case.
    pub email: String,
    /// The name that others will see.
    pub name: String,
    /// What they will be.
    pub role: Role,
    /// The administrator.
    pub invited_by: UserId,
    /// When.
    pub sent_at: DateTime<Utc>,
    /// When its link ends.
    pub expires_at: DateTime<Utc>,
}

impl Entity for TeamInvitation {
    const PREFIX: &'static str = "invitation";
}

impl TeamInvitation {
    /// What its link is made for.
    pub(crate) fn state(&self) -> &'static str {
        self.role.as_str()
    }
}

/// Adds somebody to the team.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct AddTeamMemberInput {
    /// The address: of an account, or where the invitation goes. Upper and lower case are the same.
    pub email: String,
    /// The name that others will see, 1 to 100 characters. Who has an account already keeps theirs.
    pub name: String,
    /// INSTRUCTOR or ADMIN.
    pub role: context::Role,
}

/// Withdraws an invitation.
#[derive(Clone, Debug, InputObject)]
pub(crate) struct RevokeTeamInvitationInput {
    /// Which one.
    pub invitation_id: InvitationId,
}

/// Takes an invitation up.
#[derive(Clone, InputObject)]
pub(crate) struct AcceptTeamInvitationInput {
    /// The `token` of the link in the mail.
    pub token: String,
    /// The password of the new account: 10 to 200 characters, any characters.
    pub password: String,
    /// How the tokens of the new session are given to the client.
    #[graphql(default)]
    pub transport: TokenTransport,
}

// Neither passwords nor links must reach a log by way of a derived Debug.
impl fmt::Debug for AcceptTeamInvitationInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptTeamInvitationInput").finish_non_exhaustive()
    }
}
