//! New videos in the schema.

use async_graphql::{Context, Object};

use super::course::{CourseObject, course_node};
use super::lesson::{LessonObject, lesson_node};
use crate::catalog::event::LessonPublished;
use crate::graphql::page::encode_cursor;
use crate::graphql::{Result, Sequential};
use crate::platform::outbox::Recorded;

/// The name of the list in cursors, which `newVideos` and `newVideo` share.
pub(super) const LIST: &str = "newVideos";

/// A new video in the schema.
#[derive(Clone)]
pub(super) struct NewVideoObject(pub(super) Recorded<LessonPublished>);

impl NewVideoObject {
    pub(super) fn cursor_text(&self) -> String {
        encode_cursor(LIST, &self.0.position)
    }
}

/// A lesson that became visible for the first time. Lessons that are published together with their course are not
/// included.
#[Object(name = "NewVideo")]
impl NewVideoObject {
    /// The position among all new videos. Pass the last one that you received as `after` to resume without gaps.
    async fn cursor(&self) -> String {
        self.cursor_text()
    }

    /// The lesson; null if the viewer cannot see it anymore, for example because it was unpublished.
    async fn lesson(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LessonObject>>> {
        Ok(lesson_node(ctx, self.0.event.lesson_id).await?.map(Sequential))
    }

    /// The lesson's course; null if the viewer cannot see it anymore, for example because it was unpublished.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        Ok(course_node(ctx, self.0.event.course_id).await?.map(Sequential))
    }
}
