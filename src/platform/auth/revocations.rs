//! Which access tokens are no longer good although they have not expired: an ended session's, and those that were
//! issued before a user's role changed.
//!
//! The list is in memory, so that a request costs no read to know its sender. `accounts` brings it up to date from the
//! database several times a second; when that fails, [`Revocations::is_fresh`] says so, and whoever authenticates asks
//! the database instead. Entries are kept for as long as a token can live.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Actor;

/// A list that is older is not believed. With it, a session that has ended is refused on every node a second later.
const FRESH: Duration = Duration::from_secs(1);

/// The list; a clone is the same list.
#[derive(Clone)]
pub struct Revocations {
    state: Arc<Mutex<State>>,
    kept: Duration,
}

struct State {
    /// As of when the list is complete; `None` before the first reading.
    complete_at: Option<Instant>,
    ended: HashMap<Uuid, Instant>,
    versions: HashMap<Uuid, (i32, Instant)>,
    /// Open sockets: who, and what closes it.
    watched: Vec<(Actor, CancellationToken)>,
}

impl Revocations {
    /// An empty list that keeps what it learns for `kept`, the longest life of an access token.
    pub fn new(kept: Duration) -> Revocations {
        let state = State { complete_at: None, ended: HashMap::new(), versions: HashMap::new(), watched: Vec::new() };
        // Nodes' clocks may differ by a little.
        Revocations { state: Arc::new(Mutex::new(state)), kept: kept + Duration::from_secs(60) }
    }

    /// Whether the list is complete as of at most a second ago.
    pub fn is_fresh(&self) -> bool {
        self.lock().complete_at.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Whether the actor's token is on the list.
    pub fn refuse(&self, actor: &Actor) -> bool {
        self.lock().refuse(actor)
    }

    /// Cancelled when the actor's token gets on the list. Whoever asked cancels it when the answer does not matter any
    /// more; it is forgotten then.
    pub fn watch(&self, actor: &Actor) -> CancellationToken {
        let token = CancellationToken::new();
        let mut state = self.lock();
        if state.refuse(actor) {
            token.cancel();
        } else if actor.id().is_some() {
            state.watched.push((*actor, token.clone()));
        }
        token
    }

    /// Adds sessions that have ended and users' newest token versions, and closes their sockets.
    pub fn learn(&self, ended: impl IntoIterator<Item = Uuid>, versions: impl IntoIterator<Item = (Uuid, i32)>) {
        let now = Instant::now();
        let mut state = self.lock();
        let known = (state.ended.len(), state.versions.len());
        for session in ended {
            state.ended.entry(session).or_insert(now);
        }
        for (user, version) in versions {
            let entry = state.versions.entry(user).or_insert((version, now));
            if version > entry.0 {
                *entry = (version, now);
            }
        }
        if known != (state.ended.len(), state.versions.len()) || !state.watched.is_empty() {
            let watched = std::mem::take(&mut state.watched);
            let (over, on): (Vec<_>, Vec<_>) = watched.into_iter().partition(|(actor, _)| state.refuse(actor));
            state.watched = on;
            for (_, token) in over {
                token.cancel();
            }
        }
    }

    /// Notes that everything that was committed before `at` has been learned, and forgets what no token can claim
    /// any more.
    pub fn complete(&self, at: Instant) {
        let kept = self.kept;
        let mut state = self.lock();
        state.complete_at = Some(at);
        state.ended.retain(|_, since| at.duration_since(*since) < kept);
        state.versions.retain(|_, (_, since)| at.duration_since(*since) < kept);
        state.watched.retain(|(_, token)| !token.is_cancelled());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refuse(&self, actor: &Actor) -> bool {
        let Actor::User { id, session, version, .. } = actor else { return false };
        self.ended.contains_key(session) || self.versions.get(id).is_some_and(|(newest, _)| version < newest)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::platform::auth::Role;

    fn actor(user: u128, session: u128, version: i32) -> Actor {
        Actor::User {
            id: Uuid::from_u128(user),
            role: Role::Student,
            session: Uuid::from_u128(session),
            version,
            expires_at: DateTime::<Utc>::MAX_UTC,
            scopes: None,
        }
    }

    #[test]
    fn what_is_on_the_list_is_refused_and_its_sockets_close() {
        let list = Revocations::new(Duration::from_secs(600));
        let (one, other, newer) = (actor(1, 10, 0), actor(1, 11, 0), actor(1, 11, 1));
        let (closes, stays) = (list.watch(&one), list.watch(&newer));
        list.learn([Uuid::from_u128(10)], []);
        assert!(list.refuse(&one) && closes.is_cancelled() && list.watch(&one).is_cancelled());
        assert!(!list.refuse(&other) && !stays.is_cancelled());
        let old = list.watch(&other);
        list.learn([], [(Uuid::from_u128(1), 1)]);
        list.learn([], [(Uuid::from_u128(1), 0)]);
        assert!(list.refuse(&other) && old.is_cancelled());
        assert!(!list.refuse(&newer) && !stays.is_cancelled());
        assert!(!list.refuse(&Actor::Anonymous));
        stays.cancel();
        list.complete(Instant::now());
        assert!(list.lock().watched.is_empty());
    }

    #[test]
    fn a_list_is_believed_for_a_second_and_entries_are_kept_as_long_as_tokens_live() {
        let list = Revocations::new(Duration::from_secs(600));
        assert!(!list.is_fresh());
        list.learn([Uuid::from_u128(10)], []);
        let now = Instant::now();
        list.complete(now - Duration::from_secs(1));
        assert!(!list.is_fresh());
        list.complete(now);
        assert!(list.is_fresh());
        list.complete(now + Duration::from_secs(650));
        assert!(list.refuse(&actor(1, 10, 0)));
        list.complete(now + Duration::from_secs(661));
        assert!(!list.refuse(&actor(1, 10, 0)));
    }
}
