//! The catalog's subscriptions.

use async_graphql::{Context, Subscription};
use futures_util::{Stream, StreamExt};

use super::course::course_node;
use super::new_video::{LIST, NewVideoObject};
use crate::catalog::error;
use crate::catalog::event::{LessonPublished, NEW_VIDEOS, new_videos_of};
use crate::catalog::model::CourseId;
use crate::graphql::context::app;
use crate::graphql::guard::public;
use crate::graphql::page::decode_cursor;
use crate::graphql::subscription::timed;
use crate::graphql::{Result, Sequential};
use crate::platform::outbox::feed;

/// The catalog subscriptions.
#[derive(Default)]
pub struct CatalogSubscription;

#[Subscription]
impl CatalogSubscription {
    /// Delivers each lesson when it is published for the first time. Lessons that are published together with their
    /// course are not delivered. To resume after a disconnect, pass the last `cursor` as `after`: missed events come
    /// first, and none comes twice. Without `after`, the stream starts now. After a restore of the server's data, it
    /// completes, and older cursors are refused with the code CURSOR_EXPIRED: query `newVideos` again.
    #[graphql(directive = public::apply())]
    async fn new_video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only lessons of this course; defaults to all courses.")] course_id: Option<CourseId>,
        #[graphql(desc = "The cursor of the last event received.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<NewVideoObject>> + use<>> {
        let topic = topic(ctx, course_id).await?;
        let after = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?;
        let events = feed::follow::<LessonPublished>(app(ctx).clone(), topic, after).await?;
        Ok(timed(ctx, events).map(|event| Sequential(NewVideoObject(event))))
    }
}

/// Returns the topic to follow.
///
/// # Errors
/// The viewer may not see the course, or the database failed.
pub(super) async fn topic(ctx: &Context<'_>, course: Option<CourseId>) -> Result<String> {
    let Some(id) = course else { return Ok(NEW_VIDEOS.to_owned()) };
    course_node(ctx, id).await?.ok_or_else(|| error::no_such("course"))?;
    Ok(new_videos_of(id))
}
