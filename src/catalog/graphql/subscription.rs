//! The catalog's subscriptions.

use std::collections::HashSet;
use std::time::Duration;

use async_graphql::{Context, Subscription};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::time::Instant;

use super::course::course_node;
use super::new_video::{LIST, NewVideoObject};
use crate::accounts::{UserId, viewer};
use crate::catalog::error;
use crate::catalog::event::{LessonPublished, NEW_VIDEOS, new_videos_of};
use crate::catalog::model::CourseId;
use crate::channels::{self, ChannelId, channel_node};
use crate::graphql::context::{actor, app};
use crate::graphql::fan_out::shared;
use crate::graphql::guard::public;
use crate::graphql::page::decode_cursor;
use crate::graphql::subscription::timed;
use crate::graphql::{Error, Result, Sequential};
use crate::platform::App;
use crate::platform::outbox::{Recorded, feed};

/// For how long a subscription may use the list of the channels that its viewer follows.
const FOLLOWED_AGE: Duration = Duration::from_secs(1);

/// The catalog subscriptions.
#[derive(Default)]
pub struct CatalogSubscription;

#[Subscription]
impl CatalogSubscription {
    /// Delivers each video lesson when it is published for the first time, which is when it can be watched. Lessons
    /// that are published together with their course are not delivered. The first message is the start, with `isStart`
    /// and a cursor. To resume after a disconnect, pass the last `cursor` as `after`: missed events come next, and none
    /// comes twice. Without `after`, the stream starts now. The log reaches back 30 days: an older cursor, and after a
    /// restore of the server's data every earlier one, is refused with the code CURSOR_EXPIRED; query `newVideos` then.
    #[graphql(directive = public::apply())]
    async fn new_video(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only lessons of this course.")] course_id: Option<CourseId>,
        #[graphql(desc = "Only lessons of courses of this channel; pass at most one of the three.")] channel_id: Option<
            ChannelId,
        >,
        #[graphql(
            default,
            desc = "Whether to deliver only lessons of courses of channels that the viewer follows at that time."
        )]
        following: bool,
        #[graphql(desc = "The cursor of the last event received.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<NewVideoObject>> + use<>> {
        let subject = Subject::of(ctx, course_id, channel_id, following).await?;
        let after = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?;
        let app = app(ctx).clone();
        let followed = feed::follow::<LessonPublished>(app.clone(), subject.topic(), after).await;
        let (start, events) = followed.map_err(|why| Error::unreadable(why, "`newVideos`"))?;
        let events = match subject {
            Subject::Followed(user) => of_followed(app, user, events).left_stream(),
            _ => events.right_stream(),
        };
        let start = stream::iter([NewVideoObject::start(start)]);
        Ok(timed(ctx, start.chain(shared(ctx, events).map(NewVideoObject::from))).map(Sequential))
    }
}

/// Whose new videos to deliver.
pub(super) enum Subject {
    /// Those of all courses.
    All,
    /// Those of one course or channel.
    One(String),
    /// Those of the channels that this user follows.
    Followed(UserId),
}

impl Subject {
    /// Returns the subject of these arguments.
    ///
    /// # Errors
    /// There is more than one argument; the viewer may not see the course or channel, or is not signed in; the database
    /// failed.
    pub(super) async fn of(
        ctx: &Context<'_>,
        course: Option<CourseId>,
        channel: Option<ChannelId>,
        following: bool,
    ) -> Result<Subject> {
        match (course, channel, following) {
            (None, None, false) => Ok(Subject::All),
            (Some(id), None, false) => {
                course_node(ctx, id).await?.ok_or_else(|| error::no_such("course"))?;
                Ok(Subject::One(new_videos_of(id.uuid())))
            }
            (None, Some(id), false) => {
                channel_node(ctx, id).await?.ok_or_else(|| error::no_such("channel"))?;
                Ok(Subject::One(new_videos_of(id.uuid())))
            }
            (None, None, true) => Ok(Subject::Followed(viewer(actor(ctx))?)),
            _ => Err(Error::BadInput("Pass only one of courseId, channelId and following.".into())),
        }
    }

    /// Returns the topic that has all of their events, and possibly others.
    fn topic(&self) -> String {
        match self {
            Subject::One(topic) => topic.clone(),
            Subject::All | Subject::Followed(_) => NEW_VIDEOS.to_owned(),
        }
    }

    /// Returns the topics that have exactly their events.
    ///
    /// # Errors
    /// The database failed.
    pub(super) async fn topics(&self, app: &App) -> Result<Vec<String>> {
        match self {
            Subject::All | Subject::One(_) => Ok(vec![self.topic()]),
            Subject::Followed(user) => {
                let followed = channels::followed(app, *user).await?;
                Ok(followed.into_iter().map(|id| new_videos_of(id.uuid())).collect())
            }
        }
    }
}

/// Leaves only the lessons of channels that the user follows.
///
/// Ends if the database cannot say which ones: the client resumes with its cursor and misses nothing.
fn of_followed(
    app: App,
    user: UserId,
    events: impl Stream<Item = Recorded<LessonPublished>> + Send,
) -> impl Stream<Item = Recorded<LessonPublished>> + Send {
    let followed: Option<(Instant, HashSet<ChannelId>)> = None;
    stream::unfold((Box::pin(events), followed), move |(mut events, mut followed)| {
        let app = app.clone();
        async move {
            loop {
                let event = events.next().await?;
                let Some(channel) = event.event.channel_id else { continue };
                if followed.as_ref().is_none_or(|(at, _)| at.elapsed() > FOLLOWED_AGE) {
                    let ids = channels::followed(&app, user).await;
                    let ids = ids.inspect_err(|error| {
                        tracing::warn!(
                            error = error.report(),
                            "a subscription ends: the followed channels are unknown"
                        );
                    });
                    followed = Some((Instant::now(), ids.ok()?.into_iter().collect()));
                }
                if followed.as_ref().is_some_and(|(_, ids)| ids.contains(&channel)) {
                    return Some((event, (events, followed)));
                }
            }
        }
    })
}
