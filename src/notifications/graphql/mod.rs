//! Notifications in the schema.

mod mutation;
mod notification;
mod query;
mod settings;
mod subscription;

use futures_util::FutureExt;

pub use subscription::NotificationSubscription;

use self::notification::notification_node;
use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![NodeType::new(|ctx, id| notification_node(ctx, id).boxed())]
}

/// The notifications of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(query::ViewerNotifications)]
}

/// The mutations of notifications.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(mutation::NotificationMutation)]
}
