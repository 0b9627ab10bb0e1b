//! New videos in the schema.

use async_graphql::{Context, Object};
use chrono::{DateTime, Utc};

use super::course::{CourseObject, course_node};
use super::lesson::{LessonObject, lesson_node};
use crate::catalog::event::LessonPublished;
use crate::graphql::page::encode_cursor;
use crate::graphql::{Result, Sequential};
use crate::platform::outbox::{Position, Recorded};

/// The name of the list in cursors, which `newVideos` and `newVideo` share.
pub(super) const LIST: &str = "newVideos";

/// A new video in the schema.
#[derive(Clone)]
pub(super) struct NewVideoObject {
    position: Position,
    /// `None` for the start of a subscription.
    event: Option<LessonPublished>,
}

impl NewVideoObject {
    /// The first message of a subscription that follows from `position`.
    pub(super) fn start(position: Position) -> NewVideoObject {
        NewVideoObject { position, event: None }
    }

    pub(super) fn cursor_text(&self) -> String {
        encode_cursor(LIST, &self.position)
    }
}

impl From<Recorded<LessonPublished>> for NewVideoObject {
    fn from(Recorded { position, event }: Recorded<LessonPublished>) -> NewVideoObject {
        NewVideoObject { position, event: Some(event) }
    }
}

/// A video lesson that was published for the first time. Lessons that are published together with their course are not
/// included.
#[Object(name = "NewVideo")]
impl NewVideoObject {
    /// The position among all new videos. Pass the last one that you received as `after` to resume without gaps.
    async fn cursor(&self) -> String {
        self.cursor_text()
    }

    /// Whether this is the first message of a subscription: it has a cursor to resume from, and no video.
    async fn is_start(&self) -> bool {
        self.event.is_none()
    }

    /// When the lesson was published; null for the start of a subscription, and if a server of an earlier version
    /// published it.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.event.as_ref()?.published_at
    }

    /// The lesson; null if the viewer cannot see it anymore, for example because it was unpublished.
    async fn lesson(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LessonObject>>> {
        let Some(event) = &self.event else { return Ok(None) };
        Ok(lesson_node(ctx, event.lesson_id).await?.map(Sequential))
    }

    /// The lesson's course; null if the viewer cannot see it anymore, for example because it was unpublished.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        let Some(event) = &self.event else { return Ok(None) };
        Ok(course_node(ctx, event.course_id).await?.map(Sequential))
    }
}
