//! Lists of live sessions.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};

use super::LiveSessionStatus;
use crate::accounts::UserId;
use crate::catalog::{CategoryId, CourseId};
use crate::graphql::Time;

/// A filter for live sessions; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Debug, Default, InputObject)]
pub struct LiveSessionFilter {
    /// Sessions about this course.
    pub course_id: Option<CourseId>,
    /// Sessions about this category as a whole.
    pub category_id: Option<CategoryId>,
    /// Sessions of this host.
    pub host_id: Option<UserId>,
    /// Sessions that start at this time or later.
    pub starts_from: Option<Time>,
    /// Sessions that start before this time.
    pub starts_to: Option<Time>,
    /// Sessions in one of these states.
    pub statuses: Option<Vec<LiveSessionStatus>>,
}

/// The sessions of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionWhich {
    /// Of this course.
    pub course: Option<CourseId>,
    /// Of this category.
    pub category: Option<CategoryId>,
    /// With this host.
    pub host: Option<UserId>,
    /// That start at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// That start before this time.
    pub to: Option<DateTime<Utc>>,
    /// The states, with the time at which they are asked for.
    pub statuses: Option<(Vec<LiveSessionStatus>, DateTime<Utc>)>,
    /// Only sessions that this user hosts or has a place in.
    pub of: Option<UserId>,
    /// Only sessions whose course, if they have one, is published.
    pub published: bool,
}
