//! Runs subscriptions: in the span of their request, with a time limit for each event.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use async_graphql::{Context, Response};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::Span;

/// When the event that is being resolved has arrived.
#[derive(Clone, Default)]
pub struct EventClock(Arc<Mutex<Option<Instant>>>);

impl EventClock {
    fn set(&self, arrived: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = arrived;
    }

    fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks the arrival of each event of a subscription, from when on resolving it has the time limit of an operation.
pub fn timed<S: Stream>(ctx: &Context<'_>, events: S) -> impl Stream<Item = S::Item> + use<S> {
    let clock = ctx.data_unchecked::<EventClock>().clone();
    events.inspect(move |_| clock.set(Some(Instant::now())))
}

/// The responses of a subscription until one of them takes longer than `limit`.
///
/// Ends with `None` in that case.
pub fn limited(
    responses: BoxStream<'static, Response>,
    clock: EventClock,
    limit: Duration,
    span: Span,
) -> impl Stream<Item = Option<Response>> {
    let running = Running { responses, clock, limit, span, timeout: None };
    stream::unfold(Some(running), async |running| {
        let mut running = running?;
        match poll_fn(|context| running.poll(context)).await {
            Some(Some(response)) => Some((Some(response), Some(running))),
            Some(None) => Some((None, None)),
            None => None,
        }
    })
}

struct Running {
    responses: BoxStream<'static, Response>,
    clock: EventClock,
    limit: Duration,
    span: Span,
    timeout: Option<Pin<Box<Sleep>>>,
}

impl Running {
    /// Returns the next response, `Some(None)` if it took too long, or `None` at the end.
    fn poll(&mut self, context: &mut TaskContext<'_>) -> Poll<Option<Option<Response>>> {
        let _entered = self.span.enter();
        if let Poll::Ready(response) = self.responses.poll_next_unpin(context) {
            self.clock.set(None);
            self.timeout = None;
            return Poll::Ready(response.map(Some));
        }
        let Some(arrived) = self.clock.get() else { return Poll::Pending };
        let timeout = self.timeout.get_or_insert_with(|| Box::pin(sleep_until(arrived + self.limit)));
        timeout.as_mut().poll(context).map(|()| Some(None))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, Object, Request, Schema, Subscription};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn nothing(&self) -> bool {
            true
        }
    }

    struct Slow(u64);

    #[Object]
    impl Slow {
        async fn value(&self) -> u64 {
            tokio::time::sleep(Duration::from_secs(self.0)).await;
            self.0
        }
    }

    struct Events;

    #[Subscription]
    impl Events {
        /// Two events that are resolved at once, and one that takes ten seconds. Each is waited for.
        async fn slower(&self, ctx: &Context<'_>) -> impl Stream<Item = Slow> + use<> {
            let events = stream::iter([0, 0, 10]).then(async |seconds| {
                tokio::time::sleep(Duration::from_millis(600)).await;
                Slow(seconds)
            });
            timed(ctx, events)
        }
    }

    #[tokio::test]
    async fn an_event_that_takes_too_long_ends_the_subscription_and_waiting_does_not() {
        let schema = Schema::new(Query, EmptyMutation, Events);
        let clock = EventClock::default();
        let responses = schema.execute_stream(Request::new("subscription { slower { value } }").data(clock.clone()));
        let limited = limited(responses.boxed(), clock, Duration::from_millis(500), Span::none());
        let outcomes: Vec<bool> = limited.map(|response| response.is_some()).collect().await;
        assert_eq!(outcomes, [true, true, false]);
    }
}
