//! Notifications, their audiences, and how users want to be told.

mod announcement;
mod audience;
mod delivery;
mod kind;
mod list;
mod mark;
mod notification;
mod push_subscription;
mod settings;

pub use announcement::{Announcement, AnnouncementId};
pub(super) use announcement::{
    AnnouncementFilter, AnnouncementState, AudienceInput, CancelAnnouncementInput, CreateAnnouncementInput, Report,
    Tally,
};
pub use audience::Audience;
pub(super) use audience::Audiences;
pub use delivery::DeliveryChannel;
pub(super) use delivery::{Delivery, NewDelivery, Outcome, Parcel, Slot, Walk};
pub use kind::NotificationKind;
pub(super) use list::{Feed, LIST, NotificationFilter, NotificationPlace, NotificationState};
pub(super) use mark::{MarkNotificationsInput, MuteNotificationsInput, MuteSubject, muted_id};
pub use notification::{Facts, NewNotification, Notification, NotificationId, Text};
pub(super) use push_subscription::{DeletePushSubscriptionInput, RegisterPushSubscriptionInput, WebPushInput};
pub use push_subscription::{PushService, PushSubscription, PushSubscriptionId};
pub use settings::{Digest, Preference, Settings};
pub(super) use settings::{PreferenceInput, UpdateNotificationSettingsInput, minutes, time_of_day};
