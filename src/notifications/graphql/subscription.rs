//! The subscription to notifications.
//!
//! A user is in many audiences, so a subscription follows the topic of all notifications and delivers those that its user
//! is shown at that time. What it missed it reads from the topics of the user's audiences, whose positions are the same.

use std::sync::Arc;

use async_graphql::{Context, Object, Subscription};
use futures_util::stream::{self, Stream, StreamExt};

use super::notification::NotificationObject;
use crate::accounts::{UserId, viewer};
use crate::graphql::context::{app, loaders, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::loaders::Loaders;
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::subscription::timed;
use crate::graphql::{Error, Result, Scoped, Sequential};
use crate::notifications::command::audiences_of;
use crate::notifications::event::{ALL, Activity, topic};
use crate::notifications::loader::{NotificationFor, UnreadOf};
use crate::notifications::model::{Audience, Notification};
use crate::platform::internal_error::InternalError;
use crate::platform::outbox::{Position, Recorded, Unreadable, feed};

const LIST: &str = "notificationReceived";
/// The number of missed events that are read at once.
const PAGE: i64 = 100;

/// What a subscription to notifications delivers, in the schema.
#[derive(Clone)]
pub(super) struct NotificationEvent {
    position: Position,
    is_start: bool,
    user: UserId,
    notification: Option<Arc<Notification>>,
}

/// Something of which the viewer is told, or a change of their number of unread notifications.
#[Object]
impl NotificationEvent {
    /// The position of the event. Pass the last one that you received as `after` to resume without gaps.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.position)
    }

    /// Whether this is the first message of a subscription: it has a cursor to resume from and the number of unread
    /// notifications.
    async fn is_start(&self) -> bool {
        self.is_start
    }

    /// The notification as it is now, which may be an older one to which the event was added; null for the start of a
    /// subscription, and if the viewer has marked notifications or changed their settings, maybe on another device.
    async fn notification(&self) -> Option<Sequential<NotificationObject>> {
        self.notification.clone().map(NotificationObject::new).map(Sequential)
    }

    /// The number of unread notifications at this time; it stops at 100.
    async fn unread_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let audiences = audiences_of(loaders(ctx), self.user).await?;
        Ok(loaders(ctx).load(UnreadOf(audiences)).await?.unwrap_or_default())
    }
}

/// The subscriptions of notifications.
#[derive(Default)]
pub struct NotificationSubscription;

#[Subscription]
impl NotificationSubscription {
    /// Delivers what happens and concerns the viewer, in order, and changes of their number of unread notifications, such
    /// as on another device. The first message is the start, with `isStart` and a cursor. To resume after a disconnect,
    /// pass the last `cursor` as `after`: missed events come next, and none comes twice. Without `after`, the stream
    /// starts now. The log reaches back 30 days: an older cursor, and after a restore of the server's data every earlier
    /// one, is refused with the code CURSOR_EXPIRED; query `viewer.notifications` then.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadNotifications)",
        directive = scoped::apply(Role::Student, Scope::ReadNotifications)
    )]
    async fn notification_received(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cursor of the last event received.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<NotificationEvent>> + use<>> {
        let user = viewer(within(ctx, Scope::ReadNotifications))?;
        let after: Option<Position> = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?;
        let unreadable = |why| Error::unreadable(why, "`viewer.notifications`");
        let app = app(ctx).clone();
        // Follow before reading what was missed: an event in between arrives both ways, and its position says so.
        let (now, events) = feed::follow::<Activity>(app.clone(), ALL.to_owned(), None).await.map_err(unreadable)?;
        if let Some(after) = after {
            feed::check(&app, after).await.map_err(unreadable)?;
        }
        let watcher = Watcher { loaders: loaders(ctx).clone(), user, last: after.unwrap_or(now) };
        let start = NotificationEvent { position: watcher.last, is_start: true, user, notification: None };
        let missed = if after.is_some() { Missed::Unread } else { Missed::Nothing };
        Ok(timed(ctx, stream::iter([start]).chain(seen(watcher, missed, events))).map(Sequential))
    }
}

/// What is left of the missed events.
enum Missed {
    /// They were not read from the log yet, or only in part.
    Unread,
    /// Those that were read, newest first; whether there may be more.
    Some(Vec<Recorded<Activity>>, bool),
    /// None.
    Nothing,
}

/// Who is told.
struct Watcher {
    loaders: Arc<Loaders>,
    user: UserId,
    /// The position of the last event.
    last: Position,
}

impl Watcher {
    /// Returns what an event is for the user; `None` if it does not concern them.
    async fn see(&self, event: Recorded<Activity>) -> std::result::Result<Option<NotificationEvent>, InternalError> {
        let Recorded { position, event: Activity { audience, notification, actor, at } } = event;
        let own = Audience::User(self.user).to_string();
        let told = |notification| NotificationEvent { position, is_start: false, user: self.user, notification };
        let Some(id) = notification else {
            let concerns = audience == own
                || (!audience.starts_with("user:")
                    && audiences_of(&self.loaders, self.user).await?.since(&audience).is_some());
            return Ok(concerns.then(|| told(None)));
        };
        if actor == Some(self.user) || (audience.starts_with("user:") && audience != own) {
            return Ok(None);
        }
        // Who the user is, is asked for each event, and all subscriptions of this node ask at once.
        let audiences = audiences_of(&self.loaders, self.user).await?;
        if audiences.since(&audience).is_none_or(|since| at.is_some_and(|at| at < since)) {
            return Ok(None);
        }
        Ok(self.loaders.load(NotificationFor { audiences, id }).await?.map(|row| told(Some(row))))
    }

    /// Reads missed events from the log of the user's audiences.
    async fn missed(&self) -> std::result::Result<Missed, Unreadable> {
        let audiences = audiences_of(&self.loaders, self.user).await?;
        let topics: Vec<String> = audiences.since.iter().map(|(key, _)| topic(key)).collect();
        let page = (Some(self.last), None);
        let mut events = feed::read::<Activity>(self.loaders.app(), &topics, page, true, PAGE).await?;
        let more = i64::try_from(events.len()).is_ok_and(|count| count == PAGE);
        events.reverse();
        Ok(Missed::Some(events, more))
    }
}

/// Leaves only the events that concern the user, after those that they missed.
///
/// Ends if the database cannot say which ones: the client resumes with its cursor and misses nothing.
fn seen(
    watcher: Watcher,
    missed: Missed,
    events: impl Stream<Item = Recorded<Activity>> + Send,
) -> impl Stream<Item = NotificationEvent> + Send {
    stream::unfold((watcher, missed, Box::pin(events)), |(mut watcher, mut missed, mut events)| async move {
        loop {
            let event = match &mut missed {
                Missed::Unread => {
                    missed = watcher.missed().await.inspect_err(ended).ok()?;
                    continue;
                }
                Missed::Some(some, more) => match some.pop() {
                    Some(event) => event,
                    None => {
                        missed = if *more { Missed::Unread } else { Missed::Nothing };
                        continue;
                    }
                },
                Missed::Nothing => events.next().await?,
            };
            if event.position <= watcher.last {
                continue;
            }
            watcher.last = event.position;
            let seen = watcher.see(event).await.map_err(Unreadable::Failed).inspect_err(ended).ok()?;
            if let Some(seen) = seen {
                return Some((seen, (watcher, missed, events)));
            }
        }
    })
}

fn ended(why: &Unreadable) {
    match why {
        Unreadable::Expired => tracing::debug!("a subscription to notifications ends: the log was rewound"),
        Unreadable::Failed(error) => {
            tracing::warn!(error = error.report(), "a subscription ends: the viewer's notifications are unknown");
        }
    }
}
