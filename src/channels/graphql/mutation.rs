//! Changing and following channels.

use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::channel::ChannelObject;
use crate::channels::command;
use crate::channels::model::{
    AddChannelMemberInput, Channel, CreateChannelInput, FollowChannelInput, RemoveChannelMemberInput,
    UnfollowChannelInput, UpdateChannelInput,
};
use crate::graphql::context::{actor, app};
use crate::graphql::error::{Edit, edit_payload};
use crate::graphql::guard::{Requires, Role, requires};
use crate::graphql::{Result, Sequential, UserError};

// Which mutation a payload answers: each has a type of its own in the schema, with a name to find it by.
pub(super) struct Create;
pub(super) struct Update;
pub(super) struct AddMember;
pub(super) struct RemoveMember;
pub(super) struct Follow;
pub(super) struct Unfollow;

/// The answer to a mutation of a channel.
#[derive(SimpleObject)]
#[graphql(concrete(name = "CreateChannelPayload", params(Create)))]
#[graphql(concrete(name = "UpdateChannelPayload", params(Update)))]
#[graphql(concrete(name = "AddChannelMemberPayload", params(AddMember)))]
#[graphql(concrete(name = "RemoveChannelMemberPayload", params(RemoveMember)))]
#[graphql(concrete(name = "FollowChannelPayload", params(Follow)))]
#[graphql(concrete(name = "UnfollowChannelPayload", params(Unfollow)))]
pub(super) struct ChannelPayload<M: Send + Sync> {
    /// The channel as it is now, also after a conflict; null when there are other userErrors.
    channel: Option<Sequential<ChannelObject>>,
    /// What is wrong with the input.
    user_errors: Vec<Sequential<UserError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// The mutations of channels.
#[derive(Default)]
pub(super) struct ChannelsMutation;

#[Object]
impl ChannelsMutation {
    /// Makes a channel of the viewer's, beside the one that every instructor has.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn create_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new channel.")] input: CreateChannelInput,
    ) -> Result<Option<Sequential<ChannelPayload<Create>>>> {
        channel(command::create_channel(app(ctx), actor(ctx), input).await)
    }

    /// Changes a channel of the viewer's.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn update_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel, and what changes.")] input: UpdateChannelInput,
    ) -> Result<Option<Sequential<ChannelPayload<Update>>>> {
        edited(command::update_channel(app(ctx), actor(ctx), input).await)
    }

    /// Lets another instructor teach in a channel of the viewer's. Who does already still does.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn add_channel_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel, and who.")] input: AddChannelMemberInput,
    ) -> Result<Option<Sequential<ChannelPayload<AddMember>>>> {
        channel(command::add_channel_member(app(ctx), actor(ctx), input).await)
    }

    /// Ends that somebody teaches in a channel: its owner removes others, and everybody may leave. Their courses stay in it.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn remove_channel_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel, and who.")] input: RemoveChannelMemberInput,
    ) -> Result<Option<Sequential<ChannelPayload<RemoveMember>>>> {
        channel(command::remove_channel_member(app(ctx), actor(ctx), input).await)
    }

    /// Follows a channel. Following it again changes nothing.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn follow_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel.")] input: FollowChannelInput,
    ) -> Result<Option<Sequential<ChannelPayload<Follow>>>> {
        channel(command::follow_channel(app(ctx), actor(ctx), input).await)
    }

    /// Follows a channel no longer.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn unfollow_channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which channel.")] input: UnfollowChannelInput,
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
