//! Batched loading of channels. What does not depend on the viewer is cached.

mod audience;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, TryFutureExt};

pub use self::audience::{EditableSince, FollowedSince};
use super::model::{Channel, ChannelId, ChannelInvitation, channel_key, slug_key, stats_key};
use super::query::{self, FollowKey};
use crate::accounts::UserId;
use crate::graphql::loaders::{Load, Loaders, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::db::CacheKey;
use crate::platform::internal_error::InternalError;

/// One channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChannelById(pub ChannelId);

impl Load for ChannelById {
    type Value = Arc<Channel>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![channel_key(self.0)]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Channel>>, InternalError> {
        let ids: Vec<ChannelId> = keys.iter().map(|key| key.0).collect();
        let rows = query::by_ids(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (ChannelById(row.id), Arc::new(row))).collect())
    }
}

/// One channel by its current URL slug or an earlier one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ChannelBySlug(pub String);

impl Load for ChannelBySlug {
    type Value = Arc<Channel>;
    const CACHED: bool = true;

    fn is_valid(&self) -> bool {
        // PostgreSQL rejects a text with a NUL.
        !self.0.contains('\0')
    }

    fn depends_on(&self, channel: Option<&Self::Value>) -> Vec<CacheKey> {
        let mut keys = vec![slug_key(&self.0)];
        keys.extend(channel.map(|channel| channel_key(channel.id)));
        keys
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Arc<Channel>>, InternalError> {
        let mut slugs: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let conn = app.db.read().await?;
        let rows = query::by_slugs(&conn, &slugs).await?;
        let mut found: HashMap<Self, Arc<Channel>> =
            rows.into_iter().map(|row| (ChannelBySlug(row.slug.clone()), Arc::new(row))).collect();
        slugs.retain(|slug| !found.contains_key(&ChannelBySlug((*slug).to_owned())));
        if !slugs.is_empty() {
            let rows = query::slug::channels_once_called(&conn, &slugs).await?;
            found.extend(rows.into_iter().map(|(slug, channel)| (ChannelBySlug(slug), Arc::new(channel))));
        }
        Ok(found)
    }
}

/// The channels whose names match a `tsquery`, in the order of their names; at most 500.
///
/// A channel that gets a matching name is found after a second at most.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ChannelsNamed(pub String);

impl Load for ChannelsNamed {
    type Value = Arc<Vec<Arc<Channel>>>;
    const CACHED: bool = true;
    const ALONE: bool = true;

    fn depends_on(&self, channels: Option<&Self::Value>) -> Vec<CacheKey> {
        channels.into_iter().flat_map(|channels| channels.iter()).map(|channel| channel_key(channel.id)).collect()
    }

    fn rows(channels: &Self::Value) -> usize {
        1 + channels.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read =
            app.db.read_each(keys, |conn, key| query::named(conn, &key.0).map_ok(shared).map_ok(Arc::new).boxed());
        read.await
    }
}

/// The number of a channel's followers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FollowerCount(pub ChannelId);

impl Load for FollowerCount {
    type Value = i32;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&i32>) -> Vec<CacheKey> {
        vec![stats_key(self.0)]
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i32>, InternalError> {
        let ids: Vec<ChannelId> = keys.iter().map(|key| key.0).collect();
        let rows = query::follower_counts(&*app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|(id, count)| (FollowerCount(id), count)).collect())
    }
}

/// A channel's members with the times at which they joined, in that order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MembersOf(pub ChannelId);

impl Load for MembersOf {
    type Value = Arc<Vec<(DateTime<Utc>, UserId)>>;
    const CACHED: bool = true;

    fn depends_on(&self, _: Option<&Self::Value>) -> Vec<CacheKey> {
        vec![channel_key(self.0)]
    }

    fn rows(members: &Self::Value) -> usize {
        1 + members.len()
    }

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<ChannelId> = keys.iter().map(|key| key.0).collect();
        let mut groups: HashMap<ChannelId, Vec<(DateTime<Utc>, UserId)>> = HashMap::new();
        for (channel, joined_at, user) in query::members(&*app.db.read().await?, &ids).await? {
            groups.entry(channel).or_default().push((joined_at, user));
        }
        Ok(groups.into_iter().map(|(channel, members)| (MembersOf(channel), Arc::new(members))).collect())
    }
}

/// The channels that a user teaches in, with the times at which they joined, in that order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaughtIn(pub UserId);

impl Load for TaughtIn {
    type Value = Vec<(Arc<Channel>, DateTime<Utc>)>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| query::taught_in(conn, key.0).map_ok(with_times).boxed()).await
    }
}

/// The channels that a user owns, also those that were deleted since; missing if there are none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OwnedBy(pub UserId);

impl Load for OwnedBy {
    type Value = Arc<Vec<ChannelId>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let owners: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<UserId, Vec<ChannelId>> = HashMap::new();
        for (owner, channel) in query::owned_by(&*app.db.read().await?, &owners).await? {
            found.entry(owner).or_default().push(channel);
        }
        Ok(found.into_iter().map(|(owner, channels)| (OwnedBy(owner), Arc::new(channels))).collect())
    }
}

/// Whether a user follows a channel; missing if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Follows(pub UserId, pub ChannelId);

impl Load for Follows {
    type Value = ();

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, ()>, InternalError> {
        let users: HashSet<UserId> = keys.iter().map(|key| key.0).collect();
        let users: Vec<UserId> = users.into_iter().collect();
        let ids: Vec<ChannelId> = keys.iter().map(|key| key.1).collect();
        let rows = query::follows(&*app.db.read().await?, &users, &ids).await?;
        Ok(rows.into_iter().map(|(user, channel)| (Follows(user, channel), ())).collect())
    }
}

/// A page of the channels that a user follows, in the page's direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FollowedPage(pub UserId, pub Page<FollowKey>);

impl Load for FollowedPage {
    type Value = Vec<(Arc<Channel>, DateTime<Utc>)>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| query::followed_by(conn, key.0, &key.1).map_ok(with_times).boxed()).await
    }
}

/// The number of channels that a user follows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FollowedCount(pub UserId);

impl Load for FollowedCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| query::count_followed(conn, key.0).boxed()).await
    }
}

fn with_times(rows: Vec<(Channel, DateTime<Utc>)>) -> Vec<(Arc<Channel>, DateTime<Utc>)> {
    rows.into_iter().map(|(channel, at)| (Arc::new(channel), at)).collect()
}

/// The number of channels in [`followed`].
const FOLLOWED: i64 = 1000;

/// Returns the channels that a user follows: the 1,000 that they followed last.
///
/// # Errors
/// The database failed.
pub async fn followed(app: &App, user: UserId) -> Result<Vec<ChannelId>, InternalError> {
    Ok(query::followed(&mut *app.db.read().await?, user, FOLLOWED).await?)
}

/// Returns the next `limit` followers of a channel, in the order of their ids, after a user.
///
/// # Errors
/// The database failed.
pub async fn followers_after(
    app: &App,
    channel: ChannelId,
    after: UserId,
    limit: i64,
) -> Result<Vec<UserId>, InternalError> {
    Ok(query::audience::followers_after(&mut *app.db.read().await?, channel, after, limit).await?)
}

/// Returns whether a user may edit the courses in a channel because its owner lets members do so.
///
/// # Errors
/// The database failed.
pub async fn is_channel_editor(loaders: &Loaders, user: UserId, channel: ChannelId) -> Result<bool, InternalError> {
    let editable = loaders.load(ChannelById(channel)).await?.is_some_and(|channel| channel.members_edit);
    if !editable {
        return Ok(false);
    }
    let members = loaders.load(MembersOf(channel)).await?.unwrap_or_default();
    Ok(members.iter().any(|(_, member)| *member == user))
}

/// Returns who may edit the courses in a channel because its owner lets members do so; nobody if the owner does not.
///
/// # Errors
/// The database failed.
pub async fn channel_editors(app: &App, channel: ChannelId) -> Result<Vec<UserId>, InternalError> {
    let editable = ChannelById(channel).load_one(app).await?.is_some_and(|channel| channel.members_edit);
    if !editable {
        return Ok(Vec::new());
    }
    let members = MembersOf(channel).load_one(app).await?.unwrap_or_default();
    Ok(members.iter().map(|(_, member)| *member).collect())
}

/// The invitations of a user, in the order in which they were sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvitationsOf(pub UserId);

impl Load for InvitationsOf {
    type Value = Vec<ChannelInvitation>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        app.db.read_each(keys, |conn, key| query::invitations_of(conn, key.0).boxed()).await
    }
}
