//! Notifications: what has happened, for those whom it concerns.
//!
//! An event is written once for an audience, however many users are in it, and similar events are one notification.
//! Who is in an audience is asked when it is read, so that nobody is told of what they may no longer see. What a user
//! has read is written when they read it. A notification has ids and small facts; its text is made when it is shown, in
//! the language of the reader, of what they may see then.

use crate as notifications;
use lyceum_accounts as accounts;
use lyceum_catalog as catalog;
use lyceum_channels as channels;
use lyceum_discussions as discussions;
use lyceum_enrollments as enrollments;
use lyceum_entitlements as entitlements;
use lyceum_graphql as graphql;
use lyceum_live as live;
use lyceum_memberships as memberships;
use lyceum_orders as orders;
use lyceum_platform as platform;
use lyceum_reviews as reviews;

pub mod command;
pub mod error;
pub mod event;
pub mod job;
pub mod loader;
pub mod model;
pub mod policy;
pub mod query;

pub use command::{Unsubscription, create, my_data, read_unsubscription, unsubscribe};
pub use event::NotificationCreated;
pub use job::{handlers, mails, push_messages};
pub use model::{
    Announcement, AnnouncementId, Audience, DeliveryChannel, Digest, Facts, NewNotification, Notification,
    NotificationId, NotificationKind, Preference, PushService, PushSubscription, PushSubscriptionId, Settings, Text,
};
