//! News of a lesson in the schema.

use async_graphql::{Context, Object};

use super::course::{CourseObject, course_node};
use super::lesson::{LessonObject, lesson_node};
use crate::catalog::event::LessonPublished;
use crate::graphql::page::encode_cursor;
use crate::graphql::{Result, Sequential};
use crate::platform::outbox::Recorded;

/// The name of the list in cursors: the query `newVideos` and the subscription `newVideo` share theirs.
pub(super) const LIST: &str = "newVideos";

/// News of a lesson in the schema.
#[derive(Clone)]
pub(super) struct NewVideoObject(pub(super) Recorded<LessonPublished>);

impl NewVideoObject {
    pub(super) fn cursor_text(&self) -> String {
        encode_cursor(LIST, &self.0.position)
    }
}

/// The news that a lesson can be seen from now on. Those that come with a new course are no news of their own.
#[Object(name = "NewVideo")]
impl NewVideoObject {
    /// Its place among all news. Pass the last one that you have seen as `after`, and you miss nothing.
    async fn cursor(&self) -> String {
        self.cursor_text()
    }

    /// The lesson; null if it has been withdrawn since.
    async fn lesson(&self, ctx: &Context<'_>) -> Result<Option<Sequential<LessonObject>>> {
        Ok(lesson_node(ctx, self.0.event.lesson_id).await?.map(Sequential))
    }

    /// The lesson's course; null if it has been withdrawn since.
    async fn course(&self, ctx: &Context<'_>) -> Result<Option<Sequential<CourseObject>>> {
        Ok(course_node(ctx, self.0.event.course_id).await?.map(Sequential))
    }
}
