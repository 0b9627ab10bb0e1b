//! Families in the schema.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::accounts::{UserId, UserObject, user_node, viewer};
use crate::graphql::context::{actor, app, loaders, within};
use crate::graphql::error::payload;
use crate::graphql::guard::{Role, Scope, requires, scoped};
use crate::graphql::{Requires, Result, Scoped, Sequential, UserError};
use crate::live::family_hours_used;
use crate::memberships::loader::FamilyOf;
use crate::memberships::model::{
    Family, FamilyInvitation, FamilyMember, InviteFamilyMemberInput, JoinFamilyInput, LeaveFamilyInput,
    RemoveFamilyMemberInput, RevokeFamilyInvitationInput, hours_of,
};
use crate::memberships::{command, policy};

/// A family in the schema.
#[derive(Clone)]
pub(super) struct FamilyObject(Arc<Family>);

/// Users who share the hours of live classes of a membership: its owner, and members whom they have invited.
#[Object(name = "Family")]
impl FamilyObject {
    /// The owner of the membership.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.0.membership.user_id).await?.map(Sequential))
    }

    /// How many members beside the owner the plan allows.
    async fn size(&self) -> i32 {
        self.0.plan.family_size.unwrap_or_default()
    }

    /// How many of the hours each of these members can use a month at most; null for no limit of their own.
    async fn member_hours(&self) -> Option<Decimal> {
        self.0.plan.family_member_minutes.map(hours_of)
    }

    /// The members beside the owner, in the order in which they joined; at most 10.
    async fn members(&self) -> Vec<Sequential<FamilyMemberObject>> {
        let owner = self.0.membership.user_id;
        self.0.members.iter().map(|row| Sequential(FamilyMemberObject { row: row.clone(), owner })).collect()
    }

    /// The invitations that can be accepted, in the order in which they were sent; null unless the viewer is the owner.
    async fn invitations(&self, ctx: &Context<'_>) -> Option<Vec<Sequential<FamilyInvitationObject>>> {
        if !policy::can_see(within(ctx, Scope::ReadOrders), self.0.membership.user_id) {
            return None;
        }
        Some(self.0.invitations.iter().map(|row| Sequential(FamilyInvitationObject(row.clone()))).collect())
    }
}

/// A member of a family in the schema.
#[derive(Clone)]
pub(super) struct FamilyMemberObject {
    row: FamilyMember,
    owner: UserId,
}

/// A user who shares the hours of another user's membership.
#[Object(name = "FamilyMember")]
impl FamilyMemberObject {
    /// The user.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<Sequential<UserObject>>> {
        Ok(user_node(ctx, self.row.user_id).await?.map(Sequential))
    }

    /// When they joined.
    async fn joined_at(&self) -> DateTime<Utc> {
        self.row.joined_at
    }

    /// The hours of this month that they have used: of sessions that they attended, and of their seats in sessions that
    /// are not over. Null unless the viewer is the owner of the family or this member.
    async fn used_hours(&self, ctx: &Context<'_>) -> Result<Option<Decimal>> {
        let viewer = within(ctx, Scope::ReadLearning);
        if !policy::can_see(viewer, self.owner) && !policy::can_see(viewer, self.row.user_id) {
            return Ok(None);
        }
        family_hours_used(ctx, self.row.user_id, self.owner).await.map(Some)
    }
}

/// An invitation to a family in the schema.
#[derive(Clone)]
pub(super) struct FamilyInvitationObject(FamilyInvitation);

/// An invitation to a family, as its owner sees it. It is no longer listed after it is accepted.
#[Object(name = "FamilyInvitation")]
impl FamilyInvitationObject {
    /// The invited email address.
    async fn email(&self) -> &str {
        &self.0.email
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

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
struct Invite;
struct Revoke;
struct Join;
struct Remove;

/// The payload of a mutation of a family.
#[derive(SimpleObject)]
#[graphql(concrete(name = "InviteFamilyMemberPayload", params(Invite)))]
#[graphql(concrete(name = "RevokeFamilyInvitationPayload", params(Revoke)))]
#[graphql(concrete(name = "JoinFamilyPayload", params(Join)))]
#[graphql(concrete(name = "RemoveFamilyMemberPayload", params(Remove)))]
struct FamilyPayload<M: Send + Sync> {
    /// The family; null if there are `userErrors`.
    family: Option<Sequential<FamilyObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of `leaveFamily`.
#[derive(SimpleObject)]
struct LeaveFamilyPayload {
    /// The owner of the family that the viewer has left; null if there are `userErrors`.
    owner: Option<Sequential<UserObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The family of the viewer.
#[derive(Default)]
pub(super) struct ViewerFamily;

#[Object]
impl ViewerFamily {
    /// The family whose hours the user shares, or that of their own membership; null if there is none.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadOrders)",
        directive = scoped::apply(Role::Student, Scope::ReadOrders)
    )]
    async fn family(&self, ctx: &Context<'_>) -> Result<Option<Sequential<FamilyObject>>> {
        let user = viewer(within(ctx, Scope::ReadOrders))?;
        Ok(loaders(ctx).load(FamilyOf(user)).await?.map(|row| Sequential(FamilyObject(row))))
    }
}

/// The mutations of families.
#[derive(Default)]
pub(super) struct FamilyMutation;

#[Object]
impl FamilyMutation {
    /// Invites an email address to share the hours of a membership. The address is mailed a link, at most once a day,
    /// whether it belongs to an account or not; it is valid for 14 days.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn invite_family_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership and the email address.")] input: InviteFamilyMemberInput,
    ) -> Result<Option<Sequential<FamilyPayload<Invite>>>> {
        answer(command::invite_family_member(app(ctx), actor(ctx), input).await)
    }

    /// Revokes an invitation to a family: its link becomes invalid.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn revoke_family_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership and the email address.")] input: RevokeFamilyInvitationInput,
    ) -> Result<Option<Sequential<FamilyPayload<Revoke>>>> {
        answer(command::revoke_family_invitation(app(ctx), actor(ctx), input).await)
    }

    /// Joins the family to which the viewer is invited: they share the hours of the owner's membership from now on. A
    /// user is in one family at a time, and has no membership for live classes of their own.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn join_family(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation.")] input: JoinFamilyInput,
    ) -> Result<Option<Sequential<FamilyPayload<Join>>>> {
        answer(command::join_family(app(ctx), actor(ctx), input).await)
    }

    /// Leaves a family. The viewer's seats in sessions to come are given back, with their hours.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn leave_family(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The owner of the family.")] input: LeaveFamilyInput,
    ) -> Result<Option<Sequential<LeaveFamilyPayload>>> {
        let (left, user_errors) = payload(command::leave_family(app(ctx), actor(ctx), input).await)?;
        let owner = match left {
            Some(owner) => user_node(ctx, owner).await?.map(Sequential),
            None => None,
        };
        Ok(Some(Sequential(LeaveFamilyPayload { owner, user_errors })))
    }

    /// Removes a member from the family of a membership. Their seats in sessions to come are given back, with their
    /// hours.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn remove_family_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership and the member.")] input: RemoveFamilyMemberInput,
    ) -> Result<Option<Sequential<FamilyPayload<Remove>>>> {
        answer(command::remove_family_member(app(ctx), actor(ctx), input).await)
    }
}

fn answer<M: Send + Sync>(outcome: Result<Family>) -> Result<Option<Sequential<FamilyPayload<M>>>> {
    let (row, user_errors) = payload(outcome)?;
    let family = row.map(|row| Sequential(FamilyObject(Arc::new(row))));
    Ok(Some(Sequential(FamilyPayload { family, user_errors, mutation: PhantomData })))
}
