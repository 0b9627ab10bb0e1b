//! Loads notifications and settings in batches. They are not cached across requests.

mod device;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::{FutureExt, TryFutureExt};
use uuid::Uuid;

pub use self::device::{DeviceById, DevicesOf};
use super::model::{
    Announcement, AnnouncementId, Audiences, Feed, Notification, NotificationId, NotificationKind, NotificationPlace,
    NotificationState, Report, Settings,
};
use super::query::announcement::{self, Which};
use super::query::feed::{self, Wanted};
use super::query::setting;
use crate::accounts::UserId;
use crate::graphql::loaders::{Load, shared};
use crate::graphql::page::Page;
use crate::platform::App;
use crate::platform::internal_error::InternalError;

/// The stored texts of the kinds that this version of the program knows.
fn kinds() -> Vec<&'static str> {
    NotificationKind::ALL.map(NotificationKind::as_str).to_vec()
}

/// A page of notifications, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FeedPage(pub Arc<Feed>, pub Page<NotificationPlace>);

impl Load for FeedPage {
    type Value = Vec<Arc<Notification>>;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, key| feed::page(conn, &key.0, &key.1).map_ok(shared).boxed());
        read.await
    }
}

/// The number of notifications in a list, up to 100.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FeedCount(pub Arc<Feed>);

impl Load for FeedCount {
    type Value = i64;
    const ALONE: bool = true;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        let read = app.db.read_each(keys, |conn, FeedCount(feed)| {
            async move { feed::count(conn, &[&feed.audiences], &feed.kinds(), feed.state).await }.boxed()
        });
        let counts = read.await?;
        Ok(counts.into_iter().map(|(key, counts)| (key, counts.into_values().sum())).collect())
    }
}

/// The number of a user's unread notifications, up to 100; may be missing if there are none.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UnreadOf(pub Arc<Audiences>);

impl Load for UnreadOf {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        // Two requests of a user may have asked who they are at different times; one of the answers serves both.
        let mut users = HashSet::new();
        let all: Vec<&Audiences> = keys.iter().map(|key| &*key.0).filter(|all| users.insert(all.user)).collect();
        let unread = Some(NotificationState::Unread);
        let counts = feed::count(&*app.db.read().await?, &all, &kinds(), unread).await?;
        Ok(keys.iter().filter_map(|key| Some((key.clone(), *counts.get(&key.0.user)?))).collect())
    }
}

/// A notification as a user sees it; missing if they are not shown it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NotificationFor {
    /// The user, with the audiences that they belong to.
    pub audiences: Arc<Audiences>,
    /// The notification.
    pub id: NotificationId,
}

impl Load for NotificationFor {
    type Value = Arc<Notification>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: HashSet<NotificationId> = keys.iter().map(|key| key.id).collect();
        let ids: Vec<NotificationId> = ids.into_iter().collect();
        let mut conn = app.db.read().await?;
        let audiences = feed::audiences(&mut conn, &ids).await?;
        let wanted = keys.iter().filter_map(|key| {
            let (audience, mute_keys) = audiences.get(&key.id)?;
            let since = key.audiences.told_since(audience, mute_keys)?;
            Some(Wanted { user: key.audiences.user, id: key.id, audience, since })
        });
        let wanted: Vec<Wanted<'_>> = wanted.collect();
        let rows = feed::some(&mut conn, &wanted, &kinds()).await?;
        let rows: HashMap<(UserId, NotificationId), Arc<Notification>> =
            rows.into_iter().map(|row| ((row.user_id, row.id), Arc::new(row))).collect();
        let found = |key: &Self| Some((key.clone(), rows.get(&(key.audiences.user, key.id))?.clone()));
        Ok(keys.iter().filter(|key| key.is_told(&audiences)).filter_map(found).collect())
    }
}

impl NotificationFor {
    /// Whether the user is told of the notification, as far as the key knows.
    fn is_told(&self, audiences: &HashMap<NotificationId, (String, Vec<String>)>) -> bool {
        let found = audiences.get(&self.id);
        found.is_some_and(|(audience, mute_keys)| self.audiences.told_since(audience, mute_keys).is_some())
    }
}

/// How a user wants to be told; missing if they have chosen nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SettingsOf(pub UserId);

impl Load for SettingsOf {
    type Value = Arc<Settings>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let users: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let found = setting::of_users(&mut *app.db.read().await?, &users).await?;
        Ok(found.into_iter().map(|(user, settings)| (SettingsOf(user), Arc::new(settings))).collect())
    }
}

/// One announcement.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnnouncementById(pub AnnouncementId);

impl Load for AnnouncementById {
    type Value = Arc<Announcement>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let ids: Vec<AnnouncementId> = keys.iter().map(|key| key.0).collect();
        let rows = announcement::by_ids(&mut *app.db.read().await?, &ids).await?;
        Ok(rows.into_iter().map(|row| (AnnouncementById(row.id), Arc::new(row))).collect())
    }
}

/// A page of announcements, in the direction of the page.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AnnouncementPage(pub Which, pub Page<Uuid>);

impl Load for AnnouncementPage {
    type Value = Vec<Arc<Announcement>>;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Self::Value>, InternalError> {
        let read = app.db.read_each(keys, |conn, key| announcement::page(conn, key.0, &key.1).map_ok(shared).boxed());
        read.await
    }
}

/// The number of announcements in a list.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnnouncementCount(pub Which);

impl Load for AnnouncementCount {
    type Value = i64;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, i64>, InternalError> {
        app.db.read_each(keys, |conn, key| announcement::count(conn, key.0).boxed()).await
    }
}

/// What became of the mails and push messages of an announcement, as long as their rows are there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveriesOf(pub AnnouncementId);

impl Load for DeliveriesOf {
    type Value = Report;

    async fn load(app: &App, keys: &[Self]) -> Result<HashMap<Self, Report>, InternalError> {
        let ids: Vec<AnnouncementId> = keys.iter().map(|key| key.0).collect();
        let counts = announcement::count_deliveries(&mut *app.db.read().await?, &ids).await?;
        Ok(counts.into_iter().map(|(id, report)| (DeliveriesOf(id), report)).collect())
    }
}
