//! Queries for channels.

use std::collections::HashMap;

use async_graphql::{Context, Object};

use super::channel::{ChannelObject, channel_node};
use super::invitation::ChannelInvitationObject;
use crate::accounts::viewer;
use crate::channels::loader::{ChannelBySlug, FollowedCount, FollowedPage, InvitationsOf, TaughtIn};
use crate::channels::model::ChannelId;
use crate::graphql::caching::cache_control;
use crate::graphql::context::{actor, loaders};
use crate::graphql::guard::{Requires, Role, public, requires};
use crate::graphql::id::Name;
use crate::graphql::page::{encode_cursor, slice, wants_total};
use crate::graphql::{Connection, PageArgs, Result, Sequential};

const FOLLOWED: &str = "followedChannels";

/// The channel queries.
#[derive(Default)]
pub(super) struct ChannelsQuery;

#[Object]
impl ChannelsQuery {
    /// A channel by its id or its slug; null if there is none. Earlier slugs of the channel work, too: if its `slug` is
    /// not the one that you passed, a site can redirect to it.
    #[graphql(directive = public::apply(), directive = cache_control::apply(300))]
    async fn channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel's id; pass either this or `slug`.")] id: Option<ChannelId>,
        #[graphql(desc = "The channel's URL slug; pass either this or `id`.")] slug: Option<String>,
    ) -> Result<Option<Sequential<ChannelObject>>> {
        let channel = match Name::of(id, slug)? {
            Name::Id(id) => channel_node(ctx, id).await?,
            Name::Slug(slug) => loaders(ctx).load(ChannelBySlug(slug)).await?.map(ChannelObject),
        };
        Ok(channel.map(Sequential))
    }
}

/// The channels of the viewer.
#[derive(Default)]
pub(super) struct ViewerChannels;

#[Object]
impl ViewerChannels {
    /// The channels that the user teaches in, in the order in which they joined.
    #[graphql(guard = "Requires(Role::Instructor)", directive = requires::apply(Role::Instructor))]
    async fn channels(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<ChannelObject>>>> {
        let rows = loaders(ctx).load(TaughtIn(viewer(actor(ctx))?)).await?.unwrap_or_default();
        let joined: HashMap<ChannelId, i64> =
            rows.iter().map(|(channel, at)| (channel.id, at.timestamp_micros())).collect();
        let channels = rows.into_iter().map(|(channel, _)| ChannelObject(channel)).collect();
        let args = PageArgs { first, after, last, before };
        let key = move |ChannelObject(channel): &ChannelObject| {
            (joined.get(&channel.id).copied().unwrap_or_default(), channel.id.uuid())
        };
        Ok(Some(Sequential(slice(args, "viewer.channels", channels, key)?)))
    }

    /// The channels that the user is invited to teach in, in the order in which the invitations were sent.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn channel_invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<ChannelInvitationObject>>>> {
        let user = viewer(actor(ctx))?;
        let rows = loaders(ctx).load(InvitationsOf(user)).await?.unwrap_or_default();
        let invitations = rows.into_iter().map(|row| ChannelInvitationObject { user, row }).collect();
        let args = PageArgs { first, after, last, before };
        let key = |ChannelInvitationObject { row, .. }: &ChannelInvitationObject| {
            (row.invited_at.timestamp_micros(), row.channel_id.uuid())
        };
        Ok(Some(Sequential(slice(args, "channelInvitations", invitations, key)?)))
    }

    /// The channels that the user follows, most recently followed first.
    #[graphql(guard = "Requires(Role::Student)", directive = requires::apply(Role::Student))]
    async fn followed_channels(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<ChannelObject>>>> {
        let viewer = viewer(actor(ctx))?;
        let page = PageArgs { first, after, last, before }.timed_page(FOLLOWED)?;
        let rows = loaders(ctx).load(FollowedPage(viewer, page.clone())).await?.unwrap_or_default();
        let since: HashMap<ChannelId, i64> =
            rows.iter().map(|(channel, at)| (channel.id, at.timestamp_micros())).collect();
        let channels = rows.into_iter().map(|(channel, _)| channel).collect();
        let connection = page.connection(channels, ChannelObject, move |ChannelObject(channel)| {
            encode_cursor(FOLLOWED, &(since.get(&channel.id).copied().unwrap_or_default(), channel.id))
        });
        if !wants_total(ctx) {
            return Ok(Some(Sequential(connection)));
        }
        let total = loaders(ctx).load(FollowedCount(viewer)).await?.unwrap_or_default();
        Ok(Some(Sequential(connection.with_total(total))))
    }
}
