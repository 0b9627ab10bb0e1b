//! Live sessions in the schema.

mod attendance;
mod calendar;
mod eligibility;
mod list;
mod mutation;
mod session;
mod statistics;
mod subscription;
mod usage;

use futures_util::FutureExt;

pub use session::LiveSessionObject;
pub use subscription::LiveSubscription;
pub(crate) use usage::{SubscriptionUsageObject, family_hours_used, usage_of_user};

use crate::graphql::{NodeType, RootFields};

/// Returns the types of this feature that implement `Node`.
pub fn nodes() -> Vec<NodeType> {
    vec![
        NodeType::new(|ctx, id| session::session_node(ctx, id).boxed()),
        NodeType::new(|ctx, id| attendance::attendance_node(ctx, id).boxed()),
    ]
}

/// The queries of live sessions.
pub fn queries() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(list::LiveSessionQuery),
        Box::new(eligibility::EligibilityQuery),
        Box::new(statistics::StatisticsQuery),
    ]
}

/// The sessions and hours of the viewer.
pub fn viewer_fields() -> Vec<Box<dyn RootFields>> {
    vec![Box::new(list::ViewerLiveSessions), Box::new(usage::ViewerUsage)]
}

/// The mutations of live sessions.
pub fn mutations() -> Vec<Box<dyn RootFields>> {
    vec![
        Box::new(mutation::LiveSessionMutation),
        Box::new(attendance::AttendanceMutation),
        Box::new(calendar::CalendarMutation),
    ]
}
