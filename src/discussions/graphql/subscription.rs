//! The subscription to what happens in discussions.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, Object, Subscription};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::time::Instant;

use super::question::{QuestionObject, question_node};
use super::reply::{ReplyObject, reply_node};
use crate::catalog::{CourseId, LessonById, LessonId, course_node};
use crate::discussions::command::Subject;
use crate::discussions::error;
use crate::discussions::event::{Activity, Place, topic};
use crate::discussions::model::{PostId, PostKind, QuestionId, ReplyId};
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::loaders::Loaders;
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::subscription::timed;
use crate::graphql::{Error, Result, Scoped, Sequential};
use crate::platform::auth::Actor;
use crate::platform::internal_error::InternalError;
use crate::platform::outbox::{Position, Recorded, feed};

const LIST: &str = "questionActivity";
/// For how long a subscription may use what it knows of the viewer's access to a lesson.
const ACCESS_AGE: Duration = Duration::from_secs(1);

/// Something that happened in a discussion, in the schema.
#[derive(Clone)]
pub(super) struct QuestionEvent {
    position: Position,
    /// `None` for the start of a subscription.
    place: Option<Place>,
}

/// Something that happened in a discussion: a question or a reply was posted, edited, deleted, moderated, voted for or
/// accepted. Show `question` and `reply` as they are now; a post that is null is gone, or hidden from the viewer.
#[Object]
impl QuestionEvent {
    /// The position of the event. Pass the last one that you received as `after` to resume without gaps.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.position)
    }

    /// Whether this is the first message of a subscription: it has a cursor to resume from, and nothing else.
    async fn is_start(&self) -> bool {
        self.place.is_none()
    }

    /// The id of the question or the reply that the event is about; null for the start of a subscription.
    async fn post_id(&self) -> Option<PostId> {
        self.place.as_ref().map(Place::post_id)
    }

    /// The question that it happened to, or to whose reply; null for the start of a subscription, and if it is gone or
    /// hidden from the viewer.
    async fn question(&self, ctx: &Context<'_>) -> Result<Option<Sequential<QuestionObject>>> {
        let Some(place) = &self.place else { return Ok(None) };
        Ok(question_node(ctx, QuestionId::new(place.thread)).await?.map(Sequential))
    }

    /// The reply that it happened to; null if it happened to the question, and if the reply is gone or hidden from the
    /// viewer.
    async fn reply(&self, ctx: &Context<'_>) -> Result<Option<Sequential<ReplyObject>>> {
        let Some(place) = self.place.as_ref().filter(|place| place.kind == PostKind::Reply) else { return Ok(None) };
        Ok(reply_node(ctx, ReplyId::new(place.post)).await?.map(Sequential))
    }
}

/// The subscriptions of discussions.
#[derive(Default)]
pub struct DiscussionSubscription;

#[Subscription]
impl DiscussionSubscription {
    /// Delivers what happens in the discussions of a lesson or a course, in order: new questions and replies, edits,
    /// deletions, moderation, accepted replies; votes at most once a second for each post. Only what happens in lessons
    /// whose content the viewer may see at that time is delivered. The first message is the start, with `isStart` and a
    /// cursor. To resume after a disconnect, pass the last `cursor` as `after`: missed events come next, and none comes
    /// twice. Without `after`, the stream starts now. The log reaches back 30 days: an older cursor, and after a
    /// restore of the server's data every earlier one, is refused with the code CURSOR_EXPIRED; query `questions` then.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadDiscussions)",
        directive = scoped::apply(Role::Student, Scope::ReadDiscussions)
    )]
    async fn question_activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course; pass either this or `lessonId`.")] course_id: Option<CourseId>,
        #[graphql(desc = "The lesson; pass either this or `courseId`.")] lesson_id: Option<LessonId>,
        #[graphql(desc = "The cursor of the last event received.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<QuestionEvent>> + use<>> {
        let actor = within(ctx, Scope::ReadDiscussions);
        let course = match (course_id, lesson_id) {
            (Some(course), None) => {
                course_node(ctx, course).await?.ok_or_else(error::no_such_course)?;
                course
            }
            (None, Some(lesson)) => {
                let row = loaders(ctx).load(LessonById(lesson)).await?.ok_or_else(error::no_such_lesson)?;
                let subject = Subject::load(loaders(ctx), actor, row.course_id, Some(lesson)).await?;
                subject.ok_or_else(error::no_such_lesson)?;
                row.course_id
            }
            _ => return Err(Error::BadInput("Pass either courseId or lessonId.".into())),
        };
        let after = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?;
        let followed = feed::follow::<Activity>(app(ctx).clone(), topic(course), after).await;
        let (start, events) = followed.map_err(|why| Error::unreadable(why, "`questions`"))?;
        let seen = Watcher { loaders: loaders(ctx).clone(), actor: *actor, lesson: lesson_id, known: HashMap::new() };
        let start = stream::iter([QuestionEvent { position: start, place: None }]);
        Ok(timed(ctx, start.chain(visible(seen, events))).map(Sequential))
    }
}

/// Who watches a discussion, with what is known of their access.
struct Watcher {
    loaders: Arc<Loaders>,
    actor: Actor,
    /// The lesson to watch; `None` for all of the course.
    lesson: Option<LessonId>,
    /// Whether the user may see each lesson, and since when that is known.
    known: HashMap<LessonId, (Instant, bool)>,
}

impl Watcher {
    /// Whether an event is delivered; an error if the database cannot say.
    async fn sees(&mut self, place: &Place) -> std::result::Result<bool, InternalError> {
        let Some(lesson) = place.lesson else { return Ok(false) };
        if self.lesson.is_some_and(|watched| watched != lesson) {
            return Ok(false);
        }
        if let Some((_, sees)) = self.known.get(&lesson).filter(|(at, _)| at.elapsed() <= ACCESS_AGE) {
            return Ok(*sees);
        }
        let sees = Subject::load(&self.loaders, &self.actor, place.course, Some(lesson)).await?.is_some();
        self.known.insert(lesson, (Instant::now(), sees));
        Ok(sees)
    }
}

/// Leaves only the events that the viewer may know of.
///
/// Ends if the database cannot say which ones: the client resumes with its cursor and misses nothing.
fn visible(
    watcher: Watcher,
    events: impl Stream<Item = Recorded<Activity>> + Send,
) -> impl Stream<Item = QuestionEvent> + Send {
    stream::unfold((Box::pin(events), watcher), |(mut events, mut watcher)| async move {
        loop {
            let Recorded { position, event: Activity { place } } = events.next().await?;
            let sees = watcher.sees(&place).await.inspect_err(|error| {
                tracing::warn!(error = error.report(), "a subscription ends: the viewer's access is unknown");
            });
            if sees.ok()? {
                return Some((QuestionEvent { position, place: Some(place) }, (events, watcher)));
            }
        }
    })
}
