//! The team and its invitations.

use std::cmp::Reverse;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::session::{Handed, check_transport, hand_over};
use super::user::{UserObject, object, user_node};
use crate::accounts::command::{self, Added};
use crate::accounts::loader::InvitationById;
use crate::accounts::model::{
    AcceptTeamInvitationInput, AddTeamMemberInput, InvitationId, RevokeTeamInvitationInput, TeamInvitation,
};
use crate::accounts::policy;
use crate::graphql::context::{actor, app, client, loaders};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, public, requires};
use crate::graphql::page::slice;
use crate::graphql::{Connection, PageArgs, Requires, Result, Sequential, UserError};

const TEAM_INVITATIONS: &str = "teamInvitations";

/// An invitation in the schema, as administrators see it.
#[derive(Clone)]
pub(super) struct TeamInvitationObject(Arc<TeamInvitation>);

/// An invitation to join the team. It is no longer listed after it is accepted.
#[Object(name = "TeamInvitation")]
impl TeamInvitationObject {
    /// The id of the invitation. Inviting the same email address again replaces the invitation.
    async fn id(&self) -> InvitationId {
        self.0.id
    }

    /// The invited email address.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// The name that others will see.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The role that the new user will have.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// The administrator who sent the invitation. It is invalid if they are no longer an administrator.
    async fn invited_by(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.invited_by).await?.map(Sequential))
    }

    /// When the invitation was sent.
    async fn sent_at(&self) -> DateTime<Utc> {
        self.0.sent_at
    }

    /// When the invitation expires.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }
}

fn invitation(row: TeamInvitation) -> TeamInvitationObject {
    TeamInvitationObject(Arc::new(row))
}

/// The payload of `addTeamMember`.
#[derive(SimpleObject)]
pub(super) struct AddTeamMemberPayload {
    /// The user, who has the role now; null if there are `userErrors` or an invitation was sent.
    user: Option<Sequential<UserObject>>,
    /// The invitation, if the email address has no account; otherwise null.
    invitation: Option<Sequential<TeamInvitationObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `revokeTeamInvitation`.
#[derive(SimpleObject)]
pub(super) struct RevokeTeamInvitationPayload {
    /// The invitation that was revoked; null if there are `userErrors`.
    invitation_id: Option<InvitationId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The payload of `acceptTeamInvitation`.
#[derive(SimpleObject)]
pub(super) struct AcceptTeamInvitationPayload {
    #[graphql(flatten)]
    handed: Handed,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The team queries. The members are `users(filter: { roles: [INSTRUCTOR, ADMIN] })`.
#[derive(Default)]
pub(super) struct TeamQuery;

#[Object]
impl TeamQuery {
    /// The pending invitations to the team, latest first. The members of the team are `users(filter: { roles:
    /// [INSTRUCTOR, ADMIN] })`.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn team_invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<TeamInvitationObject>>>> {
        let rows = command::invitations(app(ctx), actor(ctx)).await?;
        let args = PageArgs { first, after, last, before };
        let all = rows.into_iter().map(invitation).collect();
        slice(args, TEAM_INVITATIONS, all, |TeamInvitationObject(row)| -> (Reverse<i64>, Reverse<Uuid>) {
            (Reverse(row.sent_at.timestamp_micros()), Reverse(row.id.uuid()))
        })
        .map(|page| Some(Sequential(page)))
    }
}

/// The team mutations.
#[derive(Default)]
pub(super) struct TeamMutation;

#[Object]
impl TeamMutation {
    /// Adds an instructor or an administrator to the team. A student with the email address gets the role and is
    /// notified by email; an address without an account is invited by email, which replaces an earlier invitation.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn add_team_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The email address, the name and the role.")] input: AddTeamMemberInput,
    ) -> Result<Option<Sequential<AddTeamMemberPayload>>> {
        let (added, user_errors) = payload(command::add(app(ctx), actor(ctx), client(ctx), input).await)?;
        let (user, invited) = match added {
            None => (None, None),
            Some(Added::Member(user)) => (Some(object(user)), None),
            Some(Added::Invited(row)) => (None, Some(Sequential(invitation(row)))),
        };
        Ok(Some(Sequential(AddTeamMemberPayload { user, invitation: invited, user_errors })))
    }

    /// Revokes an invitation to the team: its link becomes invalid.
    #[graphql(guard = "Requires(Role::Admin)", directive = requires::apply(Role::Admin))]
    async fn revoke_team_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation to revoke.")] input: RevokeTeamInvitationInput,
    ) -> Result<Option<Sequential<RevokeTeamInvitationPayload>>> {
        let outcome = command::revoke_invitation(app(ctx), actor(ctx), client(ctx), input).await;
        let (invitation_id, user_errors) = payload(outcome)?;
        Ok(Some(Sequential(RevokeTeamInvitationPayload { invitation_id, user_errors })))
    }

    /// Accepts an invitation to the team. Creates an account with the invited email address and signs its user in. The
    /// emailed link is valid once, for a week.
    #[graphql(directive = public::apply())]
    async fn accept_team_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token from the link and a password.")] input: AcceptTeamInvitationInput,
    ) -> Result<Option<Sequential<AcceptTeamInvitationPayload>>> {
        let transport = input.transport;
        check_transport(ctx, transport)?;
        let (signed_in, user_errors) = payload(command::accept(app(ctx), client(ctx), input).await)?;
        let handed = hand_over(ctx, transport, signed_in);
        Ok(Some(Sequential(AcceptTeamInvitationPayload { handed, user_errors })))
    }
}

/// Returns an invitation to the team, for administrators.
pub(super) async fn invitation_node(ctx: &Context<'_>, id: InvitationId) -> Result<Option<TeamInvitationObject>> {
    if !policy::can_administer(actor(ctx)) {
        return Ok(None);
    }
    let invitation = loaders(ctx).load(InvitationById(id)).await?;
    Ok(invitation.filter(|row| row.expires_at > app(ctx).clock.now()).map(TeamInvitationObject))
}
