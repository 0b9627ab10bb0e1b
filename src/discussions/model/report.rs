//! Reports of posts, and moderation.

use std::sync::Arc;

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;
use diesel::{Queryable, Selectable};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PostId;
use crate::accounts::UserId;
use crate::catalog::CourseId;
use crate::graphql::{Entity, Id};
use crate::platform::db::schema::post_reports;
use crate::platform::db::stored_as_text;

/// A report's id: `report_01j…`.
pub type ReportId = Id<Report>;

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[graphql(name = "ReportResolution")]
pub enum Resolution {
    /// A moderator has left the post as it is.
    Dismissed,
    /// A moderator has hidden the post.
    Hidden,
    /// A moderator has shown the post again.
    Restored,
    /// A moderator has deleted the post.
    Removed,
    /// The author has deleted the post.
    Deleted,
}

stored_as_text!(Resolution {
    Dismissed = "DISMISSED",
    Hidden = "HIDDEN",
    Restored = "RESTORED",
    Removed = "REMOVED",
    Deleted = "DELETED",
});

/// That a user, or the server itself, holds a post for something that should not be there.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = post_reports, check_for_backend(diesel::pg::Pg))]
pub struct Report {
    /// The id.
    pub id: ReportId,
    /// The course.
    pub course_id: CourseId,
    /// The post; `None` if it is deleted.
    pub post_id: Option<Uuid>,
    /// The user; `None` if the post was held automatically.
    pub reporter_id: Option<UserId>,
    /// The reason.
    pub reason: String,
    /// When it was reported.
    pub created_at: DateTime<Utc>,
    /// When it was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// What became of it.
    pub resolution: Option<Resolution>,
}

impl Entity for Report {
    const PREFIX: &'static str = "report";
}

/// A filter for reports; its conditions are combined with AND. Omitted fields restrict nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, InputObject)]
pub struct ReportFilter {
    /// Reports of posts in this course. If omitted, administrators get those of all courses, and instructors those of
    /// the courses that they teach; those of other courses that they may edit are found with this filter only.
    pub course_id: Option<CourseId>,
    /// Whether the reports are resolved.
    pub is_resolved: Option<bool>,
}

/// The reports in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WhichReports {
    /// Those of these courses; of any if `None`.
    pub courses: Option<Arc<[CourseId]>>,
    /// Whether they are resolved.
    pub is_resolved: Option<bool>,
}

/// The input of `reportPost`.
#[derive(Clone, Debug, InputObject)]
pub struct ReportPostInput {
    /// The post.
    pub post_id: PostId,
    /// What is wrong with it, 1 to 500 characters.
    pub reason: String,
}

/// What a moderator does with a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Moderation {
    /// Pin the question to the top of all lists.
    Pin,
    /// Unpin the question.
    Unpin,
    /// Close the question for replies.
    Lock,
    /// Open the question for replies again.
    Unlock,
    /// Hide the post from all but its author and the course's team; resolves its reports.
    Hide,
    /// Show the post again; resolves its reports.
    Restore,
    /// Delete the post as its author could; resolves its reports.
    Remove,
    /// Leave the post as it is; resolves its reports.
    Dismiss,
}

/// The input of `moderatePost`.
#[derive(Clone, Debug, InputObject)]
pub struct ModeratePostInput {
    /// The post.
    pub post_id: PostId,
    /// What to do with it.
    pub action: Moderation,
    /// The reason, at most 500 characters, for the audit trail.
    #[graphql(default)]
    pub reason: String,
}
