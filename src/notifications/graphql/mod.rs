//! Notifications in the schema.

mod announcement;
mod mutation;
mod notification;
mod push_subscription;
mod query;
mod settings;
mod subscription;

use futures_util::FutureExt;

pub use subscription::NotificationSubscription;

use self::announcement::announcement_node;
use self::notification::notification_node;
use self::push_subscription::push_subscription_node;
use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![
        NodeType::new(|ctx, id| notification_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| push_subscription_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| announcement_node(ctx, id).boxed()),
    ]
}

/// The notifications of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(query::ViewerNotifications), Box::new(push_subscription::ViewerPushSubscriptions)]
}

/// The queries of notifications.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(push_subscription::PushQuery), Box::new(announcement::AnnouncementQuery)]
}

/// The mutations of notifications.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(mutation::NotificationMutation),
        Box::new(push_subscription::PushSubscriptionMutation),
        Box::new(announcement::AnnouncementMutation),
    ]
}
