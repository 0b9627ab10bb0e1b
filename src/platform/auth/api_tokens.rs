//! What this process remembers of personal API tokens, so that a request with one costs no database read either.
//!
//! It is bounded everywhere: what is remembered, how many lookups and how many background writes run at a time.
//! `accounts` does the reading and the writing.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::{Actor, TokenHash};

/// How long it is believed what the database said of a token. [`super::Revocations`] tells sooner what has ended.
const FRESH: TimeDelta = TimeDelta::seconds(30);
/// How long a text is remembered that is nobody's token: it will not become one.
const UNKNOWN: TimeDelta = TimeDelta::minutes(10);
/// A token's use from one address is written down this often at most.
const NOTED: TimeDelta = TimeDelta::minutes(1);
/// How many tokens, unknown texts and uses are remembered; the ones that matter least are forgotten first.
const MOST: u64 = 10_000;
/// Lookups at a time.
const LANES: usize = 16;
/// Background writes at a time.
const WRITERS: usize = 2;

/// The memory; a clone is the same one.
#[derive(Clone)]
pub struct ApiTokens {
    known: Cache<TokenHash, Known>,
    unknown: Cache<TokenHash, DateTime<Utc>>,
    uses: Cache<(Uuid, Option<IpAddr>), DateTime<Utc>>,
    /// Who looks a token up takes the lane of its hash, so that equal tokens are looked up once.
    lanes: Arc<[Mutex<()>]>,
    writers: Arc<Semaphore>,
}

#[derive(Clone, Copy)]
struct Known {
    /// Whom it speaks for; `None` when it is over or its user is banned.
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
    /// Whom the token speaks for, `Some(None)` when it is known to be no good; `None` when the database has to be
    /// asked.
    pub fn recall(&self, hash: &TokenHash, now: DateTime<Utc>) -> Option<Option<Actor>> {
        if let Some(known) = self.known.get(hash) {
            return is_within(known.read_at, FRESH, now).then_some(known.actor);
        }
        let read_at = self.unknown.get(hash)?;
        is_within(read_at, UNKNOWN, now).then_some(None)
    }

    /// Whether this is a token that the database has known, lately or not.
    pub fn is_known(&self, hash: &TokenHash) -> bool {
        self.known.contains_key(hash)
    }

    /// Notes what the database said of a token at `now` or later.
    pub fn remember(&self, hash: TokenHash, actor: Option<Actor>, now: DateTime<Utc>) {
        self.known.insert(hash, Known { actor, read_at: now });
    }

    /// Notes that this is nobody's token.
    pub fn remember_unknown(&self, hash: TokenHash, now: DateTime<Utc>) {
        self.known.invalidate(&hash);
        self.unknown.insert(hash, now);
    }

    /// To be held while a token is looked up; look again at what is remembered when you have it.
    pub fn lane(&self, hash: &TokenHash) -> Option<&Mutex<()>> {
        // A hash is evenly distributed.
        let [first, ..] = hash;
        self.lanes.get(usize::from(*first) % LANES)
    }

    /// A permit to write down, in the background, that a token was used from an address; `None` when that was done a
    /// moment ago, or when there is too much of it to do.
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

    /// The use was not written down: the next one will be.
    pub fn forget_use(&self, token: Uuid, ip: Option<IpAddr>) {
        self.uses.invalidate(&(token, ip));
    }
}

/// Whether `now` is in the time that begins at `at`. A clock that was put back makes everything too old.
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
