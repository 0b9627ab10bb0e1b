//! The topics with subscribers on this node.
//!
//! One lock protects all state and is held only for map operations, never across an await. In a hub with a link to
//! Redis, the topics are the *desired* subscriptions; the link task applies them to Redis and confirms them. Only that
//! task subscribes and unsubscribes, so a subscriber that joins while another leaves cannot interleave with its steps.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, broadcast, oneshot};

use super::{Message, Signal};

/// The number of signals buffered for a slow subscriber. When it falls behind, it has to read the log.
pub(super) const CAPACITY: usize = 64;

pub(super) struct Hub {
    inner: Mutex<Inner>,
    /// Wakes the link task when there are changes to apply.
    pub(super) changed: Notify,
}

struct Inner {
    state: State,
    topics: HashMap<Arc<str>, Topic>,
    /// The topics that were added or removed since the link task last looked. Empty unless the link is up.
    changed: HashSet<Arc<str>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No Redis: a topic is live as soon as it is added.
    Local,
    /// Redis is subscribed to each topic.
    Up,
    /// The link is lost. When it is back, all topics are subscribed again.
    Down,
    Closed,
}

struct Topic {
    signals: broadcast::Sender<Signal>,
    subscribers: usize,
    /// Whether messages of this topic reach this node.
    live: bool,
    /// Subscribers that wait for the topic to become live.
    waiting: Vec<oneshot::Sender<()>>,
}

/// The result of joining a topic.
pub(super) struct Membership {
    pub(super) place: Place,
    pub(super) receiver: broadcast::Receiver<Signal>,
    pub(super) ready: Readiness,
}

pub(super) enum Readiness {
    Live,
    /// Completes with the confirmation. Fails if the link is lost or the hub is closed meanwhile.
    Pending(oneshot::Receiver<()>),
    LinkDown,
}

/// A subscriber's membership in a topic; dropping it unsubscribes.
pub(super) struct Place {
    hub: Arc<Hub>,
    topic: Arc<str>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.leave(&self.topic);
    }
}

/// The subscriptions that the link task has to change in Redis.
pub(super) struct Changes {
    pub(super) subscribe: Vec<Arc<str>>,
    pub(super) unsubscribe: Vec<Arc<str>>,
}

impl Hub {
    /// Returns a hub without Redis.
    pub(super) fn local() -> Hub {
        Hub::new(State::Local)
    }

    /// Returns a hub with a link to Redis, which is still down.
    pub(super) fn linked() -> Hub {
        Hub::new(State::Down)
    }

    fn new(state: State) -> Hub {
        let inner = Inner { state, topics: HashMap::new(), changed: HashSet::new() };
        Hub { inner: Mutex::new(inner), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No operation below leaves the maps inconsistent if it panics.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a subscriber, and the topic if it is the first one.
    pub(super) fn join(hub: &Arc<Hub>, name: &str) -> Membership {
        let mut inner = hub.lock();
        let state = inner.state;
        let known = inner.topics.get_key_value(name).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| name.into());
        let place = Place { hub: hub.clone(), topic: name.clone() };
        if state == State::Closed {
            let (_, receiver) = broadcast::channel(1);
            // Dropping the place takes the lock.
            drop(inner);
            return Membership { place, receiver, ready: Readiness::Live };
        }
        let mut added = false;
        let topic = inner.topics.entry(name.clone()).or_insert_with(|| {
            added = true;
            let signals = broadcast::Sender::new(CAPACITY);
            Topic { signals, subscribers: 0, live: state == State::Local, waiting: Vec::new() }
        });
        topic.subscribers += 1;
        let receiver = topic.signals.subscribe();
        let ready = match state {
            _ if topic.live => Readiness::Live,
            State::Down => Readiness::LinkDown,
            _ => {
                let (sender, confirmed) = oneshot::channel();
                // The wait is short: Redis either confirms soon or the link is lost, which ends it.
                topic.waiting.push(sender);
                Readiness::Pending(confirmed)
            }
        };
        if added && state == State::Up {
            inner.changed.insert(name);
            hub.changed.notify_one();
        }
        Membership { place, receiver, ready }
    }

    /// Whether messages of other nodes reach this one, or there are none.
    pub(super) fn is_linked(&self) -> bool {
        self.lock().state != State::Down
    }

    fn leave(&self, name: &Arc<str>) {
        let mut inner = self.lock();
        let Some(topic) = inner.topics.get_mut(name) else { return };
        topic.subscribers -= 1;
        if topic.subscribers == 0 {
            inner.topics.remove(name);
            if inner.state == State::Up {
                inner.changed.insert(name.clone());
                self.changed.notify_one();
            }
        }
    }

    /// Delivers a message to the subscribers of a topic, if there are any.
    pub(super) fn deliver(&self, name: &str, payload: Bytes) {
        if let Some(topic) = self.lock().topics.get(name) {
            // Fails only while the last subscriber is leaving.
            _ = topic.signals.send(Signal::Message(Message::new(payload)));
        }
    }

    /// Returns the changes since the last call.
    ///
    /// They are relative to the topics that Redis has confirmed (`subscribed`). A topic that was removed and added
    /// again in between needs no command and is live at once.
    pub(super) fn take_changes(&self, subscribed: &HashSet<Arc<str>>) -> Changes {
        let mut changes = Changes { subscribe: Vec::new(), unsubscribe: Vec::new() };
        let inner = &mut *self.lock();
        for name in inner.changed.drain() {
            match (inner.topics.get_mut(&name), subscribed.contains(&name)) {
                (Some(topic), true) => topic.go_live(),
                (Some(_), false) => changes.subscribe.push(name),
                (None, true) => changes.unsubscribe.push(name),
                (None, false) => {}
            }
        }
        changes
    }

    /// Marks topics as live after Redis has confirmed them.
    pub(super) fn confirm(&self, names: &[Arc<str>]) {
        let inner = &mut *self.lock();
        for name in names {
            if let Some(topic) = inner.topics.get_mut(name) {
                topic.go_live();
            }
        }
    }

    /// Marks the link as lost: no topic is live.
    ///
    /// Waiting subscribers continue, because all of them receive [`Hub::missed`] later.
    pub(super) fn link_down(&self) {
        let mut inner = self.lock();
        if inner.state == State::Up {
            inner.state = State::Down;
        }
        inner.changed.clear();
        for topic in inner.topics.values_mut() {
            topic.live = false;
            topic.waiting.clear();
        }
    }

    /// Marks the link as back and returns the topics to subscribe to first. From now on changes are tracked.
    pub(super) fn link_up(&self) -> Vec<Arc<str>> {
        let mut inner = self.lock();
        if inner.state == State::Down {
            inner.state = State::Up;
        }
        inner.topics.keys().cloned().collect()
    }

    /// Notifies all subscribers that messages may have been missed.
    pub(super) fn missed(&self) {
        for topic in self.lock().topics.values() {
            _ = topic.signals.send(Signal::Missed);
        }
    }

    /// Ends all subscriptions permanently.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.state = State::Closed;
        inner.changed.clear();
        // Without senders, receivers end after their buffered signals.
        inner.topics.clear();
    }

    #[cfg(test)]
    pub(super) fn topics(&self) -> usize {
        self.lock().topics.len()
    }
}

impl Topic {
    fn go_live(&mut self) {
        self.live = true;
        for waiting in self.waiting.drain(..) {
            // A subscriber that stopped waiting may have read the log too early.
            if waiting.send(()).is_err() {
                _ = self.signals.send(Signal::Missed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked() -> Arc<Hub> {
        let hub = Hub::linked();
        hub.link_up();
        Arc::new(hub)
    }

    fn pending(membership: &mut Membership) -> &mut oneshot::Receiver<()> {
        match &mut membership.ready {
            Readiness::Pending(confirmed) => confirmed,
            _ => panic!("not pending"),
        }
    }

    fn set(names: &[Arc<str>]) -> HashSet<Arc<str>> {
        names.iter().cloned().collect()
    }

    #[test]
    fn a_subscriber_waits_for_the_confirmation_of_its_topic() {
        let hub = linked();
        let mut first = Hub::join(&hub, "a");
        let mut second = Hub::join(&hub, "a");
        let changes = hub.take_changes(&HashSet::new());
        assert_eq!(changes.subscribe, [Arc::from("a")]);
        assert!(pending(&mut first).try_recv().is_err());
        hub.confirm(&changes.subscribe);
        assert!(pending(&mut first).try_recv().is_ok() && pending(&mut second).try_recv().is_ok());
        assert!(matches!(Hub::join(&hub, "a").ready, Readiness::Live));
        assert!(first.receiver.try_recv().is_err(), "nobody missed anything");
    }

    #[test]
    fn who_gave_up_waiting_is_told_when_the_confirmation_comes() {
        let hub = linked();
        let Membership { place: _place, mut receiver, ready } = Hub::join(&hub, "a");
        drop(ready);
        let changes = hub.take_changes(&HashSet::new());
        hub.confirm(&changes.subscribe);
        assert_eq!(receiver.try_recv(), Ok(Signal::Missed));
    }

    #[test]
    fn a_topic_that_comes_back_before_it_was_given_up_is_live_at_once() {
        let hub = linked();
        let first = Hub::join(&hub, "a");
        let subscribed = set(&hub.take_changes(&HashSet::new()).subscribe);
        drop(first);
        let mut second = Hub::join(&hub, "a");
        let changes = hub.take_changes(&subscribed);
        assert!(changes.subscribe.is_empty() && changes.unsubscribe.is_empty());
        assert!(pending(&mut second).try_recv().is_ok());
    }

    #[test]
    fn a_topic_that_comes_back_while_it_is_given_up_is_asked_for_again() {
        let hub = linked();
        let first = Hub::join(&hub, "a");
        let subscribed = set(&hub.take_changes(&HashSet::new()).subscribe);
        drop(first);
        assert_eq!(hub.take_changes(&subscribed).unsubscribe, [Arc::from("a")]);
        let mut second = Hub::join(&hub, "a");
        assert!(pending(&mut second).try_recv().is_err());
        assert_eq!(hub.take_changes(&HashSet::new()).subscribe, [Arc::from("a")]);
    }

    #[test]
    fn a_lost_link_ends_the_waiting_and_asks_for_everything_again() {
        let hub = linked();
        let mut waiting = Hub::join(&hub, "a");
        hub.link_down();
        assert_eq!(pending(&mut waiting).try_recv(), Err(oneshot::error::TryRecvError::Closed));
        let mut late = Hub::join(&hub, "b");
        assert!(matches!(late.ready, Readiness::LinkDown));
        assert_eq!(set(&hub.link_up()), set(&["a".into(), "b".into()]));
        assert!(hub.take_changes(&HashSet::new()).subscribe.is_empty(), "they are asked for by link_up already");
        hub.missed();
        assert_eq!(late.receiver.try_recv(), Ok(Signal::Missed));
        assert_eq!(waiting.receiver.try_recv(), Ok(Signal::Missed));
    }
}
