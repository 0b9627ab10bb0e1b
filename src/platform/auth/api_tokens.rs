//! An in-process cache of personal API tokens.
//!
//! It saves the database read when a request authenticates with such a token. The cached entries, the concurrent
//! lookups, and the concurrent background writes are all bounded. `accounts` does the reading and writing.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::{Actor, TokenHash};

/// How long a token's database state is cached. [`super::Revocations`] reports ended tokens sooner.
const FRESH: TimeDelta = TimeDelta::seconds(30);
/// How long an unknown token is cached; it cannot become valid later.
const UNKNOWN: TimeDelta = TimeDelta::minutes(10);
/// The shortest interval between two recorded uses of a token from one IP address.
const NOTED: TimeDelta = TimeDelta::minutes(1);
/// The capacity of each cache: known tokens, unknown tokens, and uses.
const MOST: u64 = 10_000;
/// The number of locks that serialize lookups.
const LANES: usize = 16;
/// The maximum number of concurrent background writes.
const WRITERS: usize = 2;

/// The cache; a clone is the same cache.
#[derive(Clone)]
pub struct ApiTokens {
    known: Cache<TokenHash, Known>,
    unknown: Cache<TokenHash, DateTime<Utc>>,
    uses: Cache<(Uuid, Option<IpAddr>), DateTime<Utc>>,
    /// Locks for lookups, chosen by the token's hash. So concurrent requests with one token look it up once.
    lanes: Arc<[Mutex<()>]>,
    writers: Arc<Semaphore>,
}

#[derive(Clone, Copy)]
struct Known {
    /// The user for whom the token authenticates; `None` if it has ended or the user is banned.
    actor: Option<Actor>,
    read_at: DateTime<Utc>,
}

impl Default for ApiTokens {
    fn default() -> ApiTokens {
        ApiTokens {
            known: Cache::new(MOST),
            unknown: Cache::new(MOST),
            uses: Cache::new(MOST),
            lanes: (0..LANES).map(|_| Mutex::default()).collect(),
            writers: Arc::new(Semaphore::new(WRITERS)),
        }
    }
}

impl ApiTokens {
    /// Returns the cached result of authenticating with a token.
    ///
    /// `Some(None)` if the token is known to be invalid; `None` if the database has to be queried.
    pub fn recall(&self, hash: &TokenHash, now: DateTime<Utc>) -> Option<Option<Actor>> {
        if let Some(known) = self.known.get(hash) {
            return is_within(known.read_at, FRESH, now).then_some(known.actor);
        }
        let read_at = self.unknown.get(hash)?;
        is_within(read_at, UNKNOWN, now).then_some(None)
    }

    /// Whether the token was found in the database before, even if the cached entry is stale.
    pub fn is_known(&self, hash: &TokenHash) -> bool {
        self.known.contains_key(hash)
    }

    /// Caches the database state of a token, as read at `now` or later.
    pub fn remember(&self, hash: TokenHash, actor: Option<Actor>, now: DateTime<Utc>) {
        self.known.insert(hash, Known { actor, read_at: now });
    }

    /// Caches that no such token exists.
    pub fn remember_unknown(&self, hash: TokenHash, now: DateTime<Utc>) {
        self.known.invalidate(&hash);
        self.unknown.insert(hash, now);
    }

    /// The lock to hold while a token is looked up. Check the cache again after acquiring it.
    pub fn lane(&self, hash: &TokenHash) -> Option<&Mutex<()>> {
        // Hashes are evenly distributed.
        let [first, ..] = hash;
        self.lanes.get(usize::from(*first) % LANES)
    }

    /// Returns a permit to record in the background that a token was used from an IP address.
    ///
    /// `None` if a use was recorded within the last minute, or if too many writes are in flight.
    pub fn note_use(&self, token: Uuid, ip: Option<IpAddr>, now: DateTime<Utc>) -> Option<OwnedSemaphorePermit> {
        let is_old = |noted_at: &DateTime<Utc>| !is_within(*noted_at, NOTED, now);
        if !self.uses.entry((token, ip)).or_insert_with_if(|| now, is_old).is_fresh() {
            return None;
        }
        let permit = self.writers.clone().try_acquire_owned().ok();
        if permit.is_none() {
            self.forget_use(token, ip);
        }
        permit
    }

    /// Forgets a use that could not be recorded, so that the next one is recorded.
    pub fn forget_use(&self, token: Uuid, ip: Option<IpAddr>) {
        self.uses.invalidate(&(token, ip));
    }
}

/// Whether `now` is within `time` after `at`. If the clock was set back, every entry counts as stale.
fn is_within(at: DateTime<Utc>, time: TimeDelta, now: DateTime<Utc>) -> bool {
    (at..at + time).contains(&now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::auth::{Role, Scope, Scopes};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn actor() -> Actor {
        Actor::User {
            id: Uuid::from_u128(1),
            role: Role::Student,
            session: Uuid::from_u128(2),
            version: 0,
            expires_at: at(1_000_000),
            scopes: Some(Scopes::from_iter([Scope::ReadAccount])),
        }
    }

    #[test]
    fn what_is_remembered_is_believed_for_a_while() {
        let tokens = ApiTokens::default();
        let (good, over, foreign) = ([1; 32], [2; 32], [3; 32]);
        tokens.remember(good, Some(actor()), at(100));
        tokens.remember(over, None, at(100));
        tokens.remember_unknown(foreign, at(100));
        for (now, known, unknown) in [(99, false, false), (100, true, true), (129, true, true), (130, false, true)] {
            assert_eq!(tokens.recall(&good, at(now)), known.then_some(Some(actor())), "{now}");
            assert_eq!(tokens.recall(&over, at(now)), known.then_some(None), "{now}");
            assert_eq!(tokens.recall(&foreign, at(now)), unknown.then_some(None), "{now}");
        }
        assert_eq!(tokens.recall(&foreign, at(700)), None);
        assert_eq!(tokens.recall(&[4; 32], at(100)), None);
        assert!(tokens.is_known(&good) && tokens.is_known(&over) && !tokens.is_known(&foreign));
        tokens.remember_unknown(good, at(131));
        assert_eq!(tokens.recall(&good, at(131)), Some(None), "it was deleted");
    }

    #[test]
    fn memory_is_bounded() {
        let tokens = ApiTokens::default();
        for number in 0..3 * MOST {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            tokens.remember_unknown(hash, at(0));
            tokens.remember(hash, None, at(0));
            drop(tokens.note_use(Uuid::from_u128(number.into()), None, at(0)));
        }
        tokens.known.run_pending_tasks();
        tokens.unknown.run_pending_tasks();
        tokens.uses.run_pending_tasks();
        for count in [tokens.known.entry_count(), tokens.unknown.entry_count(), tokens.uses.entry_count()] {
            assert!(count <= MOST, "{count}");
        }
    }

    #[test]
    fn a_use_is_noted_once_a_minute_for_each_address_and_never_too_many_at_a_time() {
        let tokens = ApiTokens::default();
        let (one, two) = (Some([192, 0, 2, 1].into()), Some([192, 0, 2, 2].into()));
        let token = Uuid::from_u128(1);
        let noted = |ip, now| tokens.note_use(token, ip, at(now)).is_some();
        assert!(noted(one, 0) && !noted(one, 0) && noted(two, 1) && !noted(one, 59));
        assert!(noted(one, 60) && !noted(one, 119));

        let permits: Vec<_> = (10..14).map(|id| tokens.note_use(Uuid::from_u128(id), one, at(0))).collect();
        assert_eq!(permits.iter().flatten().count(), WRITERS);
        drop(permits);
        assert!(tokens.note_use(Uuid::from_u128(13), one, at(0)).is_some(), "what was not noted is due still");
    }
}
