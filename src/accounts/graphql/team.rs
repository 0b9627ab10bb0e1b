//! The team and its invitations.

use std::cmp::Reverse;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::session::{Handed, check_transport, hand_over};
use super::user::{UserObject, object};
use crate::accounts::command::{self, Added};
use crate::accounts::loader::UserById;
use crate::accounts::model::{
    AcceptTeamInvitationInput, AddTeamMemberInput, InvitationId, RevokeTeamInvitationInput, TeamInvitation,
};
use crate::graphql::context::{Role, actor, app, client, loaders, public, requires};
use crate::graphql::error::payload;
use crate::graphql::page::slice;
use crate::graphql::{Connection, Inline, PageArgs, Requires, Result, UserError};

const TEAM_INVITATIONS: &str = "teamInvitations";

/// An invitation in the schema, as administrators see it.
#[derive(Clone)]
pub(super) struct TeamInvitationObject(Arc<TeamInvitation>);

/// Somebody without an account who is invited to join the team. Who joins has an account, and is no longer listed here.
#[Object(name = "TeamInvitation")]
impl TeamInvitationObject {
    /// Identifies the invitation. Inviting the same address again replaces it by another one.
    async fn id(&self) -> InvitationId {
        self.0.id
    }

    /// Where it went.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// The name that others will see.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What they will be.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// The administrator who sent it. It is not good any more when they are none any more.
    async fn invited_by(&self, ctx: &Context<'_>) -> Result<Option<Inline<UserObject>>> {
        let user = loaders(ctx).load(UserById(self.0.invited_by)).await?;
        Ok(user.map(|user| Inline(UserObject::new(user))))
    }

    /// When it was sent.
    async fn sent_at(&self) -> DateTime<Utc> {
        self.0.sent_at
    }

    /// Until when it can be taken up.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }
}

fn invitation(row: TeamInvitation) -> TeamInvitationObject {
    TeamInvitationObject(Arc::new(row))
}

/// The answer to `addTeamMember`.
#[derive(SimpleObject)]
pub(super) struct AddTeamMemberPayload {
    /// The user who has the role now; null when there are userErrors, and when there is an invitation.
    user: Option<Inline<UserObject>>,
    /// The invitation, if nobody has an account with the address; null when there are userErrors.
    invitation: Option<Inline<TeamInvitationObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `revokeTeamInvitation`.
#[derive(SimpleObject)]
pub(super) struct RevokeTeamInvitationPayload {
    /// The invitation that is withdrawn; null when there are userErrors.
    invitation_id: Option<InvitationId>,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The answer to `acceptTeamInvitation`.
#[derive(SimpleObject)]
pub(super) struct AcceptTeamInvitationPayload {
    #[graphql(flatten)]
    handed: Handed,
    /// What is wrong with the input.
    user_errors: Vec<Inline<UserError>>,
}

/// The queries about the team. Its members are `users(filter: { roles: [INSTRUCTOR, ADMIN] })`.
#[derive(Default)]
pub(super) struct TeamQuery;

#[Object]
impl TeamQuery {
    /// The invitations to the team that can still be taken up, the latest first. The members themselves are
    /// `users(filter: { roles: [INSTRUCTOR, ADMIN] })`.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn team_invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, from the start; 1 to 100, 20 if neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many, from the end; 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Inline<Connection<TeamInvitationObject>>> {
        let rows = command::invitations(app(ctx), actor(ctx)).await?;
        let args = PageArgs { first, after, last, before };
        let all = rows.into_iter().map(invitation).collect();
        slice(args, TEAM_INVITATIONS, all, |TeamInvitationObject(row)| -> (Reverse<i64>, Reverse<Uuid>) {
            (Reverse(row.sent_at.timestamp_micros()), Reverse(row.id.uuid()))
        })
        .map(Inline)
    }
}

/// What can be done about the team.
#[derive(Default)]
pub(super) struct TeamMutation;

#[Object]
impl TeamMutation {
    /// Makes somebody an instructor or an administrator. A student with the address gets the role, and a mail that says
    /// so; if nobody has an account with it, an invitation is mailed, in place of an earlier one.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn add_team_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is to be what.")] input: AddTeamMemberInput,
    ) -> Result<Option<Inline<AddTeamMemberPayload>>> {
        let (added, user_errors) = payload(command::add(app(ctx), actor(ctx), client(ctx), input).await)?;
        let (user, invited) = match added {
            None => (None, None),
            Some(Added::Member(user)) => (Some(object(user)), None),
            Some(Added::Invited(row)) => (None, Some(Inline(invitation(row)))),
        };
        Ok(Some(Inline(AddTeamMemberPayload { user, invitation: invited, user_errors })))
    }

    /// Withdraws an invitation to the team: its link is not good any more.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn revoke_team_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which invitation.")] input: RevokeTeamInvitationInput,
    ) -> Result<Option<Inline<RevokeTeamInvitationPayload>>> {
        let outcome = command::revoke_invitation(app(ctx), actor(ctx), client(ctx), input).await;
        let (invitation_id, user_errors) = payload(outcome)?;
        Ok(Some(Inline(RevokeTeamInvitationPayload { invitation_id, user_errors })))
    }

    /// Takes an invitation to the team up: makes an account with the invited address and signs its user in. The link in
    /// the mail is good once, and for a week.
    #[graphql(directive = public::apply())]
    async fn accept_team_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the link and a password.")] input: AcceptTeamInvitationInput,
    ) -> Result<Option<Inline<AcceptTeamInvitationPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (signed_in, user_errors) = payload(command::accept(app(ctx), client(ctx), input).await)?;
        let handed = hand_over(ctx, transport, signed_in);
        Ok(Some(Inline(AcceptTeamInvitationPayload { handed, user_errors })))
    }
}
