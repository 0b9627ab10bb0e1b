//! One execution of an event for all subscriptions on this node that select the same of it.
//!
//! Each subscription follows its topic by itself, by position, so that it misses nothing and gets nothing twice
//! ([`feed`](crate::platform::outbox::feed)). When an event arrives, the first one executes its selection as usual, and
//! the others with an equal `Selection` wait for the result. If no resolver has asked who the viewer is
//! (`Caller`), the result cannot depend on it, and all get the same JSON; otherwise each executes its own. So what is
//! shared is not declared anywhere: a resolver that asks for the viewer only where it matters makes more of it.
//!
//! A result is shared with those that get to the event before anything has changed on this node since the execution
//! began, so that a client never sees older rows than those that it knows of.

mod selection;

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_graphql::{Context, Response};
use futures_util::stream::{self, Stream, StreamExt};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

pub use selection::Selection;

use super::context::Caller;
use crate::platform::db::{Instant, Invalidation};
use crate::platform::outbox::{Position, Recorded};

/// The maximum number of results that are kept.
const RESULTS: u64 = 512;
/// How long a result is kept: as long as a row in the cache, should a notification be lost.
const KEPT: Duration = Duration::from_secs(1);
/// How long to wait for the result of another subscription. Its client may have stopped reading meanwhile, and an
/// execution rests while a socket is being written to.
const PATIENCE: Duration = Duration::from_millis(200);

/// One result of an operation, as a transport sends it.
pub enum Payload {
    /// The response to one client.
    Own(Box<Response>),
    /// A response without errors as JSON, which other clients get as well.
    Shared(Arc<str>),
}

impl Payload {
    /// Returns whether the result has no errors.
    pub fn is_ok(&self) -> bool {
        match self {
            Payload::Own(response) => response.errors.is_empty(),
            Payload::Shared(_) => true,
        }
    }
}

impl From<Response> for Payload {
    fn from(response: Response) -> Payload {
        Payload::Own(Box::new(response))
    }
}

#[derive(Clone)]
enum Outcome {
    Pending,
    /// The result for all.
    Same(Arc<str>),
    /// Each has to execute the event by itself: the result depends on the viewer, or there was an error.
    Apart,
}

/// An execution that others wait for, or its result.
#[derive(Clone)]
struct Execution {
    /// When it began.
    since: Instant,
    outcome: watch::Receiver<Outcome>,
}

impl Execution {
    /// Returns whether the subscription that ran it ended before there was a result.
    fn is_abandoned(&self) -> bool {
        self.outcome.has_changed().is_err() && matches!(*self.outcome.borrow(), Outcome::Pending)
    }
}

/// The latest results of events on this node; clones are the same.
#[derive(Clone)]
pub struct FanOut {
    executions: Cache<(Arc<Selection>, Position), Execution>,
    invalidation: Invalidation,
}

impl FanOut {
    /// Creates the empty results of a node.
    pub fn new(invalidation: Invalidation) -> FanOut {
        FanOut::keeping(invalidation, KEPT)
    }

    fn keeping(invalidation: Invalidation, kept: Duration) -> FanOut {
        // The default policy may drop a new entry at once, if old ones are used more often.
        let executions = Cache::builder().max_capacity(RESULTS).eviction_policy(EvictionPolicy::lru());
        FanOut { executions: executions.time_to_live(kept).build(), invalidation }
    }
}

/// The part of one subscription; clones are the same.
#[derive(Clone)]
pub struct Share(Arc<Part>);

struct Part {
    fan_out: FanOut,
    selection: Arc<Selection>,
    caller: Arc<Caller>,
    /// Set while this subscription executes an event for others. Dropping it lets one of them take over.
    running: Mutex<Option<watch::Sender<Outcome>>>,
    /// The result of another subscription, until the transport takes it.
    ready: Mutex<Option<Arc<str>>>,
    taken: Notify,
}

impl Share {
    /// Creates the part of a subscription.
    pub fn new(fan_out: FanOut, selection: Selection, caller: Arc<Caller>) -> Share {
        let (running, ready, taken) = (Mutex::default(), Mutex::default(), Notify::new());
        Share(Arc::new(Part { fan_out, selection: Arc::new(selection), caller, running, ready, taken }))
    }

    /// Returns the result of another subscription for the event at `position`, waiting for it if need be.
    ///
    /// `None` if the event is to be executed here.
    async fn claim(&self, position: Position) -> Option<Arc<str>> {
        let Part { fan_out: FanOut { executions, invalidation }, selection, caller, running, .. } = &*self.0;
        let mut stuck: Option<watch::Receiver<Outcome>> = None;
        loop {
            let since = invalidation.now();
            let mut first = None;
            let begin = || {
                let (sender, outcome) = watch::channel(Outcome::Pending);
                first = Some(sender);
                Execution { since, outcome }
            };
            let is_useless = |known: &Execution| {
                let is_stuck = stuck.as_ref().is_some_and(|stuck| stuck.same_channel(&known.outcome));
                known.since != since || known.is_abandoned() || is_stuck
            };
            let key = (selection.clone(), position);
            // Most find it, which takes no lock.
            let known = executions.get(&key).filter(|known| !is_useless(known));
            let execution =
                known.unwrap_or_else(|| executions.entry(key).or_insert_with_if(begin, is_useless).into_value());
            if let Some(sender) = first {
                *running.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
                caller.forget();
                return None;
            }
            let mut outcome = execution.outcome;
            let waiting = outcome.wait_for(|outcome| !matches!(outcome, Outcome::Pending));
            let waited = timeout(PATIENCE, waiting).await.map(|settled| settled.map(|outcome| outcome.clone()));
            match waited {
                Ok(Ok(Outcome::Same(json))) => return Some(json),
                Ok(Ok(Outcome::Pending | Outcome::Apart)) => return None,
                // The other subscription has ended without a result.
                Ok(Err(_)) => {}
                Err(_) => stuck = Some(outcome),
            }
        }
    }

    /// Gives a result of another subscription to the transport, and returns when it has taken it.
    async fn hand_over(&self, json: Arc<str>) {
        *self.0.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(json);
        self.0.taken.notified().await;
    }

    fn take(&self) -> Option<Arc<str>> {
        let json = self.0.ready.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        self.0.taken.notify_one();
        Some(json)
    }

    /// Shares a response, if this subscription has executed an event for others.
    pub fn settle(&self, response: Response) -> Payload {
        let running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(sender) = running else { return response.into() };
        let same = !self.0.caller.was_asked_for() && response.errors.is_empty();
        let json = same.then(|| serde_json::to_string(&response).ok()).flatten();
        let Some(json) = json.map(Arc::<str>::from) else {
            sender.send_replace(Outcome::Apart);
            return response.into();
        };
        sender.send_replace(Outcome::Same(json.clone()));
        Payload::Shared(json)
    }

    /// Adds the results of other subscriptions to `own`, the results that this one executes.
    pub fn merge(self, own: impl Stream<Item = Payload> + Send + 'static) -> impl Stream<Item = Payload> + Send {
        let mut own = own.boxed();
        stream::poll_fn(move |context| match own.poll_next_unpin(context) {
            // Polling has run `shared`, which waits until the result is taken before it goes on: the order is kept.
            Poll::Pending => self.take().map_or(Poll::Pending, |json| Poll::Ready(Some(Payload::Shared(json)))),
            ready => ready,
        })
    }
}

/// Executes each event once for all subscriptions on this node that select the same of it.
///
/// The resolver of a subscription passes its events through this function before it makes objects of them. Such an
/// object must be derived from the event and its position alone, not from the viewer or the field's arguments. Which
/// events there are may depend on both.
pub fn shared<E, S>(ctx: &Context<'_>, events: S) -> impl Stream<Item = Recorded<E>> + Send + use<E, S>
where
    E: Send,
    S: Stream<Item = Recorded<E>> + Send,
{
    let share = ctx.data_unchecked::<Share>().clone();
    stream::unfold((Box::pin(events), share), async |(mut events, share)| {
        loop {
            let event = events.next().await?;
            match share.claim(event.position).await {
                None => return Some((event, (events, share))),
                Some(json) => share.hand_over(json).await,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use async_graphql::parser::parse_query;
    use async_graphql::{EmptyMutation, Object, Request, Schema, Subscription, Variables};
    use futures_util::future::join_all;
    use tokio::sync::broadcast;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::context::bearer;
    use crate::platform::auth::{Actor, Client};

    /// How often each field was resolved.
    #[derive(Default)]
    struct Calls {
        plain: AtomicUsize,
        viewers: AtomicUsize,
    }

    struct Query;

    #[Object]
    impl Query {
        async fn nothing(&self) -> bool {
            true
        }
    }

    struct News(u32);

    #[Object]
    impl News {
        async fn number(&self, ctx: &Context<'_>, #[graphql(default)] plus: u32) -> u32 {
            ctx.data_unchecked::<Arc<Calls>>().plain.fetch_add(1, SeqCst);
            // Long enough for the others to wait.
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.0 + plus
        }

        async fn viewer(&self, ctx: &Context<'_>) -> bool {
            ctx.data_unchecked::<Arc<Calls>>().viewers.fetch_add(1, SeqCst);
            bearer(ctx).id().is_some()
        }

        async fn broken(&self, ctx: &Context<'_>) -> async_graphql::Result<u32> {
            ctx.data_unchecked::<Arc<Calls>>().plain.fetch_add(1, SeqCst);
            Err("no luck".into())
        }
    }

    struct Events;

    #[Subscription]
    impl Events {
        async fn news(&self, ctx: &Context<'_>, #[graphql(default)] after: u32) -> impl Stream<Item = News> + use<> {
            let events = ctx.data_unchecked::<broadcast::Sender<(Position, u32)>>().subscribe();
            let events = stream::unfold(events, async |mut events| {
                let (position, event) = events.recv().await.ok()?;
                Some((Recorded { position, event }, events))
            });
            let later = events.filter(move |recorded| std::future::ready(recorded.event > after));
            shared(ctx, later).map(|recorded| News(recorded.event))
        }
    }

    struct School {
        schema: Schema<Query, EmptyMutation, Events>,
        fan_out: FanOut,
        events: broadcast::Sender<(Position, u32)>,
        calls: Arc<Calls>,
    }

    impl School {
        fn open() -> School {
            let (calls, events) = (Arc::<Calls>::default(), broadcast::Sender::new(16));
            let schema = Schema::build(Query, EmptyMutation, Events).data(calls.clone()).data(events.clone()).finish();
            School { schema, fan_out: FanOut::keeping(Invalidation::default(), Duration::from_secs(60)), events, calls }
        }

        fn subscribe(&self, query: &str, after: u32) -> stream::BoxStream<'static, Payload> {
            let variables = Variables::from_json(serde_json::json!({ "after": after, "plus": 0 }));
            let document = parse_query(query).unwrap();
            let (_, operation) = document.operations.iter().next().unwrap();
            let selection = Selection::of((1, &document), (Some(query), Some(&operation.node)), &variables);
            let caller = Arc::new(Caller::new(Actor::Anonymous, Arc::new(Client::default())));
            let share = Share::new(self.fan_out.clone(), selection, caller.clone());
            let request = Request::new(query).variables(variables).data(caller).data(share.clone());
            let (responses, own) = (self.schema.execute_stream(request), share.clone());
            share.merge(responses.map(move |response| own.settle(response))).boxed()
        }

        /// Lets `count` subscriptions follow and publishes events; what each of them got.
        async fn follow(&self, count: usize, query: &str, published: std::ops::Range<u32>) -> Vec<Vec<String>> {
            let (wanted, tasks) = (published.len(), TaskTracker::new());
            let following = (0..count).map(|_| {
                let payloads = self.subscribe(query, 0).take(wanted).map(|payload| match payload {
                    Payload::Own(response) => serde_json::to_string(&response).unwrap(),
                    Payload::Shared(json) => json.to_string(),
                });
                tasks.spawn(payloads.collect::<Vec<String>>())
            });
            let following: Vec<_> = following.collect();
            while self.events.receiver_count() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            published.for_each(|number| self.publish(number));
            join_all(following).await.into_iter().map(Result::unwrap).collect()
        }

        fn publish(&self, number: u32) {
            let position = serde_json::json!({ "epoch": 1, "number": number });
            self.events.send((serde_json::from_value(position).unwrap(), number)).unwrap();
        }
    }

    /// Polls once; whether there is nothing yet.
    fn poll(payloads: &mut stream::BoxStream<'static, Payload>) -> bool {
        payloads.poll_next_unpin(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_does_not_depend_on_the_viewer_is_executed_once() {
        let school = School::open();
        let got = school.follow(100, "subscription ($after: Int!) { news(after: $after) { number } }", 1..6).await;
        let expected: Vec<_> = (1..6).map(|number| format!(r#"{{"data":{{"news":{{"number":{number}}}}}}}"#)).collect();
        assert!(got.iter().all(|own| *own == expected), "in order, each once");
        assert_eq!(school.calls.plain.load(SeqCst), 5);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_depends_on_the_viewer_or_fails_is_executed_for_each() {
        let school = School::open();
        school.follow(20, "subscription { news { viewer } }", 1..3).await;
        assert_eq!(school.calls.viewers.load(SeqCst), 40);
        school.follow(20, "subscription { news { broken } }", 1..3).await;
        assert_eq!(school.calls.plain.load(SeqCst), 40);
    }

    #[tokio::test]
    async fn a_change_makes_a_result_useless() {
        let school = School::open();
        let query = "subscription { news { number } }";
        school.follow(5, query, 1..2).await;
        school.follow(5, query, 1..2).await;
        assert_eq!(school.calls.plain.load(SeqCst), 1, "the same event later");
        school.fan_out.invalidation.everything_changed();
        school.follow(5, query, 1..2).await;
        assert_eq!(school.calls.plain.load(SeqCst), 2);
    }

    #[tokio::test]
    async fn others_take_over_when_the_one_that_executes_leaves() {
        let school = School::open();
        let query = "subscription { news { number } }";
        let mut leaving = school.subscribe(query, 0);
        let mut staying = school.subscribe(query, 0);
        // Both have to be polled to follow.
        assert!(poll(&mut leaving) && poll(&mut staying));
        school.publish(1);
        assert!(poll(&mut leaving) && poll(&mut staying));
        assert_eq!(school.calls.plain.load(SeqCst), 1, "one executes, the other waits");
        drop(leaving);
        let Some(Payload::Shared(json)) = staying.next().await else { panic!("no result") };
        assert_eq!((&*json, school.calls.plain.load(SeqCst)), (r#"{"data":{"news":{"number":1}}}"#, 2));
    }

    #[tokio::test]
    async fn others_do_not_wait_for_an_execution_that_rests() {
        let school = School::open();
        let query = "subscription { news { number } }";
        let mut resting = school.subscribe(query, 0);
        let mut others: Vec<_> = (0..20).map(|_| school.subscribe(query, 0)).collect();
        assert!(poll(&mut resting) && others.iter_mut().all(poll));
        school.publish(1);
        // It begins the execution, and is not polled anymore: its client does not read.
        assert!(poll(&mut resting));
        let heard = join_all(others.iter_mut().map(|other| other.next())).await;
        assert!(heard.iter().all(|payload| matches!(payload, Some(Payload::Shared(_)))));
        assert_eq!(school.calls.plain.load(SeqCst), 2, "one of them takes over for all");
    }
}
