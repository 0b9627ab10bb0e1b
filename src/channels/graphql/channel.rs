//! A channel in the schema.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;

use crate::accounts::{UserId, UserObject, user_node};
use crate::catalog::{CourseConnection, CourseFilter, CourseSort, courses_of_channel};
use crate::channels::loader::{ChannelById, FollowerCount, Follows, MembersOf};
use crate::channels::model::{Channel, ChannelId};
use crate::graphql::YearMonth;
use crate::graphql::context::{actor, loaders, viewer_loaders};
use crate::graphql::guard::{Role, Scope, owned};
use crate::graphql::page::encode_cursor;
use crate::graphql::{Connection, Error, ImageObject, PageArgs, Result, Sequential};
use crate::media::{self, FileId};
use crate::orders::{
    EarningsStatement, SaleFilter, SaleObject, channel_earnings, channel_sales, channel_sales_csv_url,
};
use crate::platform::internal_error::InternalError;

const MEMBERS: &str = "channelMembers";

/// A channel in the schema.
#[derive(Clone)]
pub struct ChannelObject(pub Arc<Channel>);

/// A channel: a name under which one or more instructors teach.
#[Object(name = "Channel")]
impl ChannelObject {
    /// The id of the channel.
    pub async fn id(&self) -> ChannelId {
        self.0.id
    }

    /// The URL slug; unique.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The description as plain text; may be empty.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// The image; null if there is none. See `setChannelImage`.
    async fn image(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ImageObject>>> {
        let Some(id) = self.0.image_id else { return Ok(None) };
        media::image(ctx, FileId::new(id), &self.0.name).await
    }

    /// The number of followers.
    async fn follower_count(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(loaders(ctx).load(FollowerCount(self.0.id)).await?.unwrap_or_default())
    }

    /// Whether all members may edit the courses in the channel, and not only their instructors.
    async fn members_may_edit(&self) -> bool {
        self.0.members_edit
    }

    /// The version, incremented by each edit. Pass it to updates: an update with a stale version is rejected.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// When the channel was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Whether the viewer follows the channel; null for anonymous viewers.
    async fn viewer_follows(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        let Some(viewer) = actor(ctx).id().map(UserId::new) else { return Ok(None) };
        Ok(Some(viewer_loaders(ctx).load(Follows(viewer, self.0.id)).await?.is_some()))
    }

    /// The owner, who decides who teaches in the channel.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Sequential<UserObject>> {
        user(ctx, self.0.owner_id).await.map(Sequential)
    }

    /// The users who teach in the channel, including its owner, in the order in which they joined; at most 100.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<Connection<UserObject>>> {
        let members = loaders(ctx).load(MembersOf(self.0.id)).await?.unwrap_or_default();
        let args = PageArgs { first, after, last, before };
        // A cursor contains the time of joining and the id; a user's object has only the id.
        let page = args.timed_page(MEMBERS)?;
        let key = |at: DateTime<Utc>, id: UserId| (at, id.uuid());
        let mut rows: Vec<(DateTime<Utc>, UserId)> = members.iter().copied().collect();
        rows.retain(|(at, id)| page.after.is_none_or(|after| key(*at, *id) > after));
        rows.retain(|(at, id)| page.before.is_none_or(|before| key(*at, *id) < before));
        if page.backward {
            rows.reverse();
        }
        rows.truncate(page.limit + 1);
        let users = try_join_all(rows.iter().map(|(_, id)| user(ctx, *id))).await?;
        let joined: HashMap<UserId, i64> = members.iter().map(|(at, id)| (*id, at.timestamp_micros())).collect();
        let connection = page.connection(
            users,
            |user| user,
            move |user: &UserObject| {
                let id = user.user_id();
                encode_cursor(MEMBERS, &(joined.get(&id).copied().unwrap_or_default(), id))
            },
        );
        Ok(Sequential(connection.with_total(i64::try_from(members.len())?)))
    }

    /// The published courses of the channel, newest first unless they are sorted otherwise.
    #[allow(clippy::too_many_arguments)]
    async fn courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which courses to return; defaults to all.")] filter: Option<CourseFilter>,
        #[graphql(desc = "The sort order. A cursor is valid for one sort field only.")] sort: Option<CourseSort>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Sequential<CourseConnection>> {
        let args = PageArgs { first, after, last, before };
        courses_of_channel(ctx, self.0.id, filter, sort, args).await.map(Sequential)
    }

    /// What the sales of the channel have brought it in a month. Visible to its owner and administrators; for others it is
    /// null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadOrders)))]
    async fn earnings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month.")] month: YearMonth,
    ) -> Result<Option<Sequential<EarningsStatement>>> {
        channel_earnings(ctx, &self.0, month).map(|statement| Some(Sequential(statement)))
    }

    /// The items of the channel that were sold, latest first. Visible to its owner and administrators; for others it is
    /// null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadOrders)))]
    #[allow(clippy::too_many_arguments)]
    async fn sales(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones to return; defaults to all.")] filter: Option<SaleFilter>,
        #[graphql(desc = "The number of items from the start of the list: 1 to 100; defaults to 20 without `last`.")]
        first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Option<Sequential<Connection<SaleObject>>>> {
        channel_sales(ctx, &self.0, filter.unwrap_or_default(), PageArgs { first, after, last, before }).await
    }

    /// The URL of the list of sales as a table (CSV), latest first. It works for an hour, for all who have it, while
    /// the viewer is the channel's owner or an administrator. Visible to these; for others it is null, with an error.
    #[graphql(directive = owned::apply(Role::Admin, Some(Scope::ReadOrders)))]
    async fn sales_csv_url(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones to return; defaults to all.")] filter: Option<SaleFilter>,
    ) -> Result<Option<String>> {
        channel_sales_csv_url(ctx, &self.0, filter.unwrap_or_default())
    }
}

async fn user(ctx: &Context<'_>, id: UserId) -> Result<UserObject> {
    let user = user_node(ctx, id).await?;
    user.ok_or_else(|| Error::from(InternalError::new("a member of a channel does not exist")))
}

/// Returns the channel with this id.
///
/// # Errors
/// The database failed.
pub async fn channel_node(ctx: &Context<'_>, id: ChannelId) -> Result<Option<ChannelObject>> {
    Ok(loaders(ctx).load(ChannelById(id)).await?.map(ChannelObject))
}
