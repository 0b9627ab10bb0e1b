//! The subscription to the hours of the viewer.

use async_graphql::{Context, Object, Subscription};
use futures_util::stream::{self, Stream, StreamExt};

use super::usage::{SubscriptionUsageObject, usage_of_user};
use crate::accounts::{UserId, viewer};
use crate::graphql::context::{app, within};
use crate::graphql::guard::{Role, Scope, scoped};
use crate::graphql::page::{decode_cursor, encode_cursor};
use crate::graphql::subscription::timed;
use crate::graphql::{Error, Result, Scoped, Sequential, YearMonth};
use crate::live::event::{LiveUsageChanged, usage_topic};
use crate::platform::outbox::{Position, feed};

const LIST: &str = "subscriptionUsageChanged";

/// A change of the viewer's hours in the schema.
#[derive(Clone)]
pub(super) struct SubscriptionUsageEvent {
    position: Position,
    user: UserId,
    /// `None` for the start of a subscription.
    month: Option<YearMonth>,
}

/// A change of the hours of live classes that the viewer has.
#[Object]
impl SubscriptionUsageEvent {
    /// The position of the event. Pass the last one that you received as `after` to resume without gaps.
    async fn cursor(&self) -> String {
        encode_cursor(LIST, &self.position)
    }

    /// Whether this is the first message of a subscription, which tells of no change.
    async fn is_start(&self) -> bool {
        self.month.is_none()
    }

    /// The hours as they are now, in the month that has changed; at the start, in the current one.
    async fn usage(&self, ctx: &Context<'_>) -> Result<Option<Sequential<SubscriptionUsageObject>>> {
        usage_of_user(ctx, self.user, self.month).await
    }
}

/// The subscriptions of live sessions.
#[derive(Default)]
pub struct LiveSubscription;

#[Subscription]
impl LiveSubscription {
    /// Delivers each change of the viewer's hours of live classes: a seat was taken or given back, a session was settled
    /// or corrected, their membership or family has changed. The first message is the start, with the hours of the
    /// current month and a cursor. To resume after a
    /// disconnect, pass the last `cursor` as `after`: missed events come next, and none comes twice. The log reaches
    /// back 30 days: an older cursor, and after a restore of the server's data every earlier one, is refused with the
    /// code CURSOR_EXPIRED; query `subscriptionUsage` then.
    #[graphql(
        guard = "Scoped(Role::Student, Scope::ReadLearning)",
        directive = scoped::apply(Role::Student, Scope::ReadLearning)
    )]
    async fn subscription_usage_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cursor of the last event received.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Sequential<SubscriptionUsageEvent>> + use<>> {
        let user = viewer(within(ctx, Scope::ReadLearning))?;
        let after = after.map(|cursor| decode_cursor(LIST, "after", &cursor)).transpose()?;
        let followed = feed::follow::<LiveUsageChanged>(app(ctx).clone(), usage_topic(user), after).await;
        let (start, events) = followed.map_err(|why| Error::unreadable(why, "`subscriptionUsage`"))?;
        let event = move |position, month| SubscriptionUsageEvent { position, user, month };
        let events =
            events.map(move |recorded| event(recorded.position, Some(YearMonth::of_day(recorded.event.month))));
        Ok(timed(ctx, stream::iter([event(start, None)]).chain(events)).map(Sequential))
    }
}
