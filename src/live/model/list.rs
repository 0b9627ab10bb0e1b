//! Lists of live sessions.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};

use super::LiveSessionStatus;
use crate::accounts::UserId;
use crate::catalog::{CategoryId, CourseId};
use crate::graphql::Time;

/// A filter for live sessions; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub(in crate::live) struct LiveSessionFilter {
    /// Sessions about this course.
    pub(in crate::live) course_id: Option<CourseId>,
    /// Sessions about this category as a whole.
    pub(in crate::live) category_id: Option<CategoryId>,
    /// Sessions of this host.
    pub(in crate::live) host_id: Option<UserId>,
    /// Sessions that start at this time or later.
    pub(in crate::live) starts_from: Option<Time>,
    /// Sessions that start before this time.
    pub(in crate::live) starts_to: Option<Time>,
    /// Sessions in one of these states.
    pub(in crate::live) statuses: Option<Vec<LiveSessionStatus>>,
}

/// The sessions of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::live) struct SessionWhich {
    pub(in crate::live) course: Option<CourseId>,
    pub(in crate::live) category: Option<CategoryId>,
    pub(in crate::live) host: Option<UserId>,
    pub(in crate::live) from: Option<DateTime<Utc>>,
    pub(in crate::live) to: Option<DateTime<Utc>>,
    /// The states, with the time at which they are asked for.
    pub(in crate::live) statuses: Option<(Vec<LiveSessionStatus>, DateTime<Utc>)>,
    /// Only sessions that this user hosts or has a place in.
    pub(in crate::live) of: Option<UserId>,
    /// Only sessions whose course, if they have one, is published.
    pub(in crate::live) published: bool,
}
