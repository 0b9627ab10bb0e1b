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
pub use announcement::{AnnouncementFilter, CancelAnnouncementInput, CreateAnnouncementInput, Report, Tally};
pub(crate) use announcement::{AnnouncementState, AudienceInput};
pub use audience::Audience;
pub(crate) use audience::Audiences;
pub use delivery::DeliveryChannel;
pub(crate) use delivery::{Delivery, NewDelivery, Outcome, Parcel, Slot, Walk};
pub use kind::NotificationKind;
pub use list::{Feed, LIST, NotificationFilter};
pub(crate) use list::{NotificationPlace, NotificationState};
pub(crate) use mark::MuteSubject;
pub use mark::{MarkNotificationsInput, MuteNotificationsInput, muted_id};
pub use notification::{Facts, NewNotification, Notification, NotificationId, Text};
pub(crate) use push_subscription::WebPushInput;
pub use push_subscription::{DeletePushSubscriptionInput, RegisterPushSubscriptionInput};
pub use push_subscription::{PushService, PushSubscription, PushSubscriptionId};
pub use settings::{Digest, Preference, Settings};
pub(crate) use settings::{PreferenceInput, minutes};
pub use settings::{UpdateNotificationSettingsInput, time_of_day};
