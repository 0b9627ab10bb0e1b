//! Access tokens that were revoked before they expired.
//!
//! These are the tokens of ended sessions, and those that were issued before the user's role changed.
//!
//! The list is in memory, so that authenticating a request costs no database read. `accounts` updates it from the
//! database several times a second. If that fails, [`Revocations::is_fresh`] returns false, and authentication queries
//! the database instead. Entries are kept for the lifetime of an access token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Actor;

/// The age at which the list is stale. Every node rejects an ended session within this time.
const FRESH: Duration = Duration::from_secs(1);

/// The list of revoked tokens; a clone is the same list.
#[derive(Clone)]
pub struct Revocations {
    state: Arc<Mutex<State>>,
    kept: Duration,
}

struct State {
    /// When the list was last complete; `None` before the first read.
    complete_at: Option<Instant>,
    ended: HashMap<Uuid, Instant>,
    versions: HashMap<Uuid, (i32, Instant)>,
    /// Open sockets: the actor, and the token that closes the socket.
    watched: Vec<(Actor, CancellationToken)>,
}

impl Revocations {
    /// Returns an empty list whose entries are kept for `kept`, the lifetime of an access token.
    pub fn new(kept: Duration) -> Revocations {
        let state = State { complete_at: None, ended: HashMap::new(), versions: HashMap::new(), watched: Vec::new() };
        // A margin for clock differences between nodes.
        Revocations { state: Arc::new(Mutex::new(state)), kept: kept + Duration::from_secs(60) }
    }

    /// Whether the list was complete at most a second ago.
    pub fn is_fresh(&self) -> bool {
        self.lock().complete_at.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Whether the actor's token is revoked.
    pub fn rejects(&self, actor: &Actor) -> bool {
        self.lock().rejects(actor)
    }

    /// Returns a token that is canceled when the actor's access token is revoked.
    ///
    /// The caller cancels it when it is no longer needed, which removes it from the list.
    pub fn watch(&self, actor: &Actor) -> CancellationToken {
        let token = CancellationToken::new();
        let mut state = self.lock();
        if state.rejects(actor) {
            token.cancel();
        } else if actor.id().is_some() {
            state.watched.push((*actor, token.clone()));
        }
        token
    }

    /// Adds ended sessions and users' current token versions, and closes the affected sockets.
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
            let (over, on): (Vec<_>, Vec<_>) = watched.into_iter().partition(|(actor, _)| state.rejects(actor));
            state.watched = on;
            for (_, token) in over {
                token.cancel();
            }
        }
    }

    /// Marks the list as complete for everything that was committed before `at`. Also removes expired entries.
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
    fn rejects(&self, actor: &Actor) -> bool {
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
        assert!(list.rejects(&one) && closes.is_cancelled() && list.watch(&one).is_cancelled());
        assert!(!list.rejects(&other) && !stays.is_cancelled());
        let old = list.watch(&other);
        list.learn([], [(Uuid::from_u128(1), 1)]);
        list.learn([], [(Uuid::from_u128(1), 0)]);
        assert!(list.rejects(&other) && old.is_cancelled());
        assert!(!list.rejects(&newer) && !stays.is_cancelled());
        assert!(!list.rejects(&Actor::Anonymous));
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
        assert!(list.rejects(&actor(1, 10, 0)));
        list.complete(now + Duration::from_secs(661));
        assert!(!list.rejects(&actor(1, 10, 0)));
    }
}
