//! The team of instructors and administrators: invitations and inputs.

use std::fmt;

use async_graphql::InputObject;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{Queryable, Selectable};

use super::{TokenTransport, UserId};
use crate::graphql::{Entity, Id, guard};
use crate::platform::auth::Role;
use crate::platform::db::schema::team_invitations;

/// How long an invitation is valid.
pub(crate) const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);

/// An invitation's id: `invitation_01j…`.
pub type InvitationId = Id<TeamInvitation>;

/// An invitation of an email address without an account to the team.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = team_invitations, check_for_backend(diesel::pg::Pg))]
pub struct TeamInvitation {
    /// The id; it changes when the same email address is invited again.
    pub id: InvitationId,
    /// The email address, trimmed and in lower case.
    pub email: String,
    /// The name that others will see.
    pub name: String,
    /// The role that the new user will have.
    pub role: Role,
    /// The administrator who sent it.
    pub invited_by: UserId,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// When its link expires.
    pub expires_at: DateTime<Utc>,
}

impl Entity for TeamInvitation {
    const PREFIX: &'static str = "invitation";
}

impl TeamInvitation {
    /// Returns the state that its link is bound to.
    pub fn state(&self) -> &'static str {
        self.role.as_str()
    }
}

/// The input of `addTeamMember`.
#[derive(Clone, Debug, InputObject)]
pub struct AddTeamMemberInput {
    /// The email address of an account, or the one to invite. Case-insensitive.
    pub email: String,
    /// The name that others will see, 1 to 100 characters. Ignored if there is an account already.
    pub name: String,
    /// `INSTRUCTOR` or `ADMIN`.
    pub role: guard::Role,
}

/// The input of `revokeTeamInvitation`.
#[derive(Clone, Debug, InputObject)]
pub struct RevokeTeamInvitationInput {
    /// The invitation to revoke.
    pub invitation_id: InvitationId,
}

/// The input of `acceptTeamInvitation`.
#[derive(Clone, InputObject)]
pub struct AcceptTeamInvitationInput {
    /// The `token` parameter of the link in the email.
    pub token: String,
    /// The password of the new account: 10 to 200 characters, without other restrictions.
    pub password: String,
    /// How the client receives the tokens of the new session; defaults to `BEARER`.
    #[graphql(default)]
    pub transport: TokenTransport,
}

// Neither passwords nor links must reach a log by way of a derived Debug.
impl fmt::Debug for AcceptTeamInvitationInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptTeamInvitationInput").finish_non_exhaustive()
    }
}
