//! Notifications: what has happened, for those whom it concerns.
//!
//! An event is written once for an audience, however many users are in it, and similar events are one notification.
//! Who is in an audience is asked when it is read, so that nobody is told of what they may no longer see. What a user
//! has read is written when they read it. A notification has ids and small facts; its text is made when it is shown, in
//! the language of the reader, of what they may see then.

mod command;
mod error;
mod event;
mod graphql;
mod job;
mod loader;
mod model;
mod policy;
mod query;

pub use command::{Unsubscription, create, my_data, read_unsubscription, unsubscribe};
pub use event::NotificationCreated;
pub use graphql::{NotificationSubscription, mutations, nodes, queries, viewer_fields};
pub use job::{handlers, mails, push_messages};
pub use model::{
    Announcement, AnnouncementId, Audience, DeliveryChannel, Digest, Facts, NewNotification, Notification,
    NotificationId, NotificationKind, Preference, PushService, PushSubscription, PushSubscriptionId, Settings, Text,
};
