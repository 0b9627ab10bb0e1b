//! Mutations of channels.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::channel::ChannelObject;
use crate::catalog;
use crate::channels::command;
use crate::channels::model::{
    AcceptChannelInvitationInput, AddChannelMemberInput, Channel, ChannelId, CreateChannelInput,
    DeclineChannelInvitationInput, DeleteChannelInput, FollowChannelInput, RemoveChannelMemberInput,
    UnfollowChannelInput, UpdateChannelInput,
};
use crate::graphql::context::{actor, app, client};
use crate::graphql::error::{Edit, edit_payload, payload};
use crate::graphql::guard::{Requires, Role, requires};
use crate::graphql::{Result, Sequential, UserError};

// Markers: each mutation has a payload type of its own in the schema, which is named after it.
pub(super) struct Create;
pub(super) struct Update;
pub(super) struct AddMember;
pub(super) struct AcceptInvitation;
pub(super) struct DeclineInvitation;
pub(super) struct RemoveMember;
pub(super) struct Follow;
pub(super) struct Unfollow;

/// The payload of a mutation of a channel.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateChannelPayload", params(Create)))]
#[graphql(concrete(name = "UpdateChannelPayload", params(Update)))]
#[graphql(concrete(name = "AddChannelMemberPayload", params(AddMember)))]
#[graphql(concrete(name = "AcceptChannelInvitationPayload", params(AcceptInvitation)))]
#[graphql(concrete(name = "DeclineChannelInvitationPayload", params(DeclineInvitation)))]
#[graphql(concrete(name = "RemoveChannelMemberPayload", params(RemoveMember)))]
#[graphql(concrete(name = "FollowChannelPayload", params(Follow)))]
#[graphql(concrete(name = "UnfollowChannelPayload", params(Unfollow)))]
pub(super) struct ChannelPayload<M: Send + Sync> {
    /// The channel in its current state; null if there are `userErrors`. If the input has a `version`, it is returned
    /// with CONFLICT, too.
    channel: Option<Sequential<ChannelObject>>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The payload of `deleteChannel`.
#[derive(SimpleObject)]
pub(super) struct DeleteChannelPayload {
    /// The id of the deleted channel; null if there are `userErrors`.
    deleted_channel_id: Option<ChannelId>,
    /// Errors in the input; empty on success.
    user_errors: Vec<Sequential<UserError>>,
}

/// The channel mutations.
#[derive(Default)]
pub(super) struct ChannelsMutation;

#[Object]
impl ChannelsMutation {
    /// Creates a channel that the viewer owns, in addition to their default channel.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn create_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new channel.")] input: CreateChannelInput,
    ) -> Result<Option<Sequential<ChannelPayload<Create>>>> {
        channel(command::create_channel(app(ctx), actor(ctx), input).await)
    }

    /// Changes a channel. The viewer must own it or be an administrator.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn update_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel and the fields to change.")] input: UpdateChannelInput,
    ) -> Result<Option<Sequential<ChannelPayload<Update>>>> {
        edited(command::update_channel(app(ctx), actor(ctx), input).await)
    }

    /// Deletes a channel without courses, which the viewer must own or administer; this cannot be undone. Its slug is
    /// free again. Every instructor keeps their default channel. Courses must be moved to another channel before, with
    /// `updateCourse`.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn delete_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel.")] input: DeleteChannelInput,
    ) -> Result<Option<Sequential<DeleteChannelPayload>>> {
        let deleted = catalog::delete_channel(app(ctx), actor(ctx), client(ctx), input).await;
        let (deleted_channel_id, user_errors) = payload(deleted)?;
        Ok(Some(Sequential(DeleteChannelPayload { deleted_channel_id, user_errors })))
    }

    /// Invites an instructor to teach in a channel, which the viewer must own or administer. An email tells them; they
    /// become a member with `acceptChannelInvitation`. Inviting them again, or a member, changes nothing. For an email
    /// address, the payload is the same whether or not an instructor has it, except for administrators.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn add_channel_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel and the user.")] input: AddChannelMemberInput,
    ) -> Result<Option<Sequential<ChannelPayload<AddMember>>>> {
        channel(command::add_channel_member(app(ctx), actor(ctx), input).await)
    }

    /// Makes the viewer a member of a channel that they were invited to.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn accept_channel_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel.")] input: AcceptChannelInvitationInput,
    ) -> Result<Option<Sequential<ChannelPayload<AcceptInvitation>>>> {
        channel(command::accept_channel_invitation(app(ctx), actor(ctx), input).await)
    }

    /// Declines an invitation to a channel.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn decline_channel_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel.")] input: DeclineChannelInvitationInput,
    ) -> Result<Option<Sequential<ChannelPayload<DeclineInvitation>>>> {
        channel(command::decline_channel_invitation(app(ctx), actor(ctx), input).await)
    }

    /// Removes a member from a channel, or revokes an invitation. The member's courses stay in it. The owner and
    /// administrators may remove others, and members may leave.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn remove_channel_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel and the user.")] input: RemoveChannelMemberInput,
    ) -> Result<Option<Sequential<ChannelPayload<RemoveMember>>>> {
        channel(command::remove_channel_member(app(ctx), actor(ctx), input).await)
    }

    /// Follows a channel. Following it again changes nothing.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn follow_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel.")] input: FollowChannelInput,
    ) -> Result<Option<Sequential<ChannelPayload<Follow>>>> {
        channel(command::follow_channel(app(ctx), actor(ctx), input).await)
    }

    /// Unfollows a channel. If the viewer does not follow it, nothing changes.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn unfollow_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel.")] input: UnfollowChannelInput,
    ) -> Result<Option<Sequential<ChannelPayload<Unfollow>>>> {
        channel(command::unfollow_channel(app(ctx), actor(ctx), input).await)
    }
}

fn channel<M: Send + Sync>(outcome: Result<Channel>) -> Result<Option<Sequential<ChannelPayload<M>>>> {
    edited(outcome.map(Edit::Saved))
}

fn edited<M: Send + Sync>(outcome: Result<Edit<Channel>>) -> Result<Option<Sequential<ChannelPayload<M>>>> {
    let (row, user_errors) = edit_payload(outcome)?;
    let channel = row.map(|row| Sequential(ChannelObject(Arc::new(row))));
    Ok(Some(Sequential(ChannelPayload { channel, user_errors, mutation: PhantomData })))
}
