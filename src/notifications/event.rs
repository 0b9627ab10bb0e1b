//! The events of notifications.
//!
//! All of them are in one topic, which each server follows, and in that of their audience, from which a subscriber reads
//! what it missed: positions are the same in both. No field ends with `_id`; see
//! [`Invalidation::reached`](crate::platform::db::Invalidation::reached).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::model::{Audience, NotificationId, NotificationKind};
use crate::accounts::UserId;
use crate::platform::outbox::Event;

/// The topic of all notifications.
pub const ALL: &str = "notifications";

/// The topic of the notifications of an audience, by its key.
pub fn topic(audience: &str) -> String {
    format!("{ALL}:{audience}")
}

/// Something has happened of which an audience is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NotificationCreated {
    /// The notification that the event belongs to, which may be an older one.
    pub notification: NotificationId,
    /// The event.
    pub occurrence: Uuid,
    /// The kind, as it is stored.
    pub kind: NotificationKind,
    /// The key of the audience; see [`Audience`].
    pub audience: String,
    /// Who caused it and is not told.
    pub actor: Option<UserId>,
    /// When; who joins the audience later is not told.
    pub at: DateTime<Utc>,
}

impl Event for NotificationCreated {
    const KIND: &'static str = "notification_created";

    fn topics(&self) -> Vec<String> {
        vec![ALL.to_owned(), topic(&self.audience)]
    }
}

/// A user has marked notifications, or changed which they are shown; or one was withdrawn from an audience: the number of
/// unread ones may have changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NotificationsMarked {
    /// The key of the audience.
    audience: String,
}

impl NotificationsMarked {
    /// The event of an audience, mostly one user.
    pub(crate) fn of(audience: Audience) -> NotificationsMarked {
        NotificationsMarked { audience: audience.to_string() }
    }
}

impl Event for NotificationsMarked {
    const KIND: &'static str = "notifications_marked";

    fn topics(&self) -> Vec<String> {
        vec![ALL.to_owned(), topic(&self.audience)]
    }
}

/// What a subscriber reads of both events. Never recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Activity {
    /// For whom.
    pub audience: String,
    /// `None` if only the number of unread ones may have changed.
    pub notification: Option<NotificationId>,
    /// Who caused it, and is not told.
    pub actor: Option<UserId>,
    /// Missing if `notification` is, and in events of an earlier version.
    pub at: Option<DateTime<Utc>>,
}

impl Event for Activity {
    const KIND: &'static str = "notification_activity";
}
