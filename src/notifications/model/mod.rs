//! Notifications, their audiences, and how users want to be told.

mod audience;
mod kind;
mod list;
mod mark;
mod notification;
mod settings;

pub use audience::Audience;
pub(super) use audience::Audiences;
pub use kind::NotificationKind;
pub(super) use list::{Feed, LIST, NotificationFilter, NotificationPlace, NotificationState};
pub(super) use mark::{MarkNotificationsInput, MuteNotificationsInput, MuteSubject, muted_id};
pub use notification::{Facts, NewNotification, Notification, NotificationId, Text};
pub use settings::{Digest, Preference, Settings};
pub(super) use settings::{PreferenceInput, UpdateNotificationSettingsInput, minutes, time_of_day};
