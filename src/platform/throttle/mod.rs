//! Attempts that somebody may want to repeat endlessly: sign-in, registration, codes. Each is counted before the work,
//! and who has used up the free ones waits, twice as long each time.
//!
//! **What is counted.** An attempt counts for the address it comes from, generously, because a whole school may share
//! one, and for the account *from this address*, strictly. Nothing counts for an account over all addresses: whoever
//! fills such a counter locks the owner out. The one exception is the second factor, see [`Purpose::SecondFactor`].
//!
//! **Waiting.** An attempt that is rejected counts nothing and costs nothing, so that hammering does not make the wait
//! longer. One attempt is forgotten in each [`Rule::longest_wait`]; who keeps trying ends up at one attempt in that
//! time, and who has stopped is back at the start after some hours. An attempt that succeeds is taken back from the
//! wide counter and empties the narrow one: a hundred people who sign in behind one address are no attack.
//!
//! **Where.** In Redis, for all nodes, or in this process, bounded. When Redis does not answer at once, this node
//! counts alone for the time being: neither does everybody pass, nor nobody.
//!
//! Time is the application's clock. A clock that was put back locks nobody out: no wait is longer than its rule says.

mod memory;
mod rules;
mod shared;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::clock::Clock;
use super::internal_error::InternalError;
use super::redis::RedisLink;
use memory::Memory;
use rules::{Counter, counters};
use shared::Shared;

pub use rules::{Purpose, Rule};

/// How long to wait for Redis before this node counts alone.
pub const PATIENCE: Duration = Duration::from_millis(100);
/// How many counters are kept in this process; the least recently used is forgotten first.
const MOST_COUNTERS: u64 = 100_000;

/// Refused: how long until the next attempt is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub Duration);

/// Counts attempts; a clone counts in the same place.
#[derive(Clone)]
pub struct Throttle {
    clock: Clock,
    shared: Option<Shared>,
    memory: Arc<Memory>,
    /// Whether Redis did not answer the last time.
    alone: Arc<AtomicBool>,
    patience: Duration,
}

/// An attempt that was let through and counted.
pub struct Attempt {
    counters: Vec<Counter>,
    shared: bool,
}

impl Throttle {
    /// Counts in this process.
    pub fn memory(clock: Clock) -> Throttle {
        Throttle {
            clock,
            shared: None,
            memory: Arc::new(Memory::new(MOST_COUNTERS)),
            alone: Arc::default(),
            patience: PATIENCE,
        }
    }

    /// Counts in Redis under keys that begin with `prefix`, and in this process whenever Redis takes longer than
    /// `patience` (usually [`PATIENCE`]).
    pub fn redis(link: RedisLink, prefix: &str, clock: Clock, patience: Duration) -> Throttle {
        Throttle { shared: Some(Shared::new(link, prefix)), patience, ..Throttle::memory(clock) }
    }

    /// Counts an attempt from `ip`, on `account` if it concerns one: any text that is the same for the same account
    /// (the normalised address that somebody typed, say), whether there is such an account or not. Call it before the
    /// work.
    ///
    /// # Errors
    /// Too many attempts were made; this one does not count.
    pub async fn attempt(&self, purpose: Purpose, ip: IpAddr, account: Option<&str>) -> Result<Attempt, Wait> {
        let (counters, now) = (counters(purpose, ip, account), self.now());
        let answer = match &self.shared {
            Some(shared) => self.ask(shared.attempt(&counters, now)).await,
            None => None,
        };
        let shared = answer.is_some();
        match answer.unwrap_or_else(|| self.memory.attempt(&counters, now)) {
            0 => Ok(Attempt { counters, shared }),
            wait => Err(Wait(Duration::from_millis(wait))),
        }
    }

    /// An attempt that an earlier request counted, for [`Throttle::succeeded`].
    pub fn earlier(&self, purpose: Purpose, ip: IpAddr, account: Option<&str>) -> Attempt {
        Attempt { counters: counters(purpose, ip, account), shared: self.shared.is_some() }
    }

    /// Takes a counted attempt back because it was no guess: the account starts afresh from this address, and the
    /// address itself has one attempt less.
    pub async fn succeeded(&self, attempt: Attempt) {
        let now = self.now();
        match &self.shared {
            // If it is lost now, an attempt too many is counted; that is forgotten like any other.
            Some(shared) if attempt.shared => drop(self.ask(shared.forgive(&attempt.counters, now)).await),
            _ => self.memory.forgive(&attempt.counters, now),
        }
    }

    /// Redis' answer, if it comes in time.
    async fn ask<T>(&self, question: impl Future<Output = Result<T, InternalError>>) -> Option<T> {
        let answer = tokio::time::timeout(self.patience, question).await;
        let alone = !matches!(answer, Ok(Ok(_)));
        let changed = self.alone.swap(alone, Ordering::Relaxed) != alone;
        match &answer {
            Ok(Ok(_)) if changed => tracing::info!("attempts are counted in Redis again"),
            Ok(Err(error)) if changed => {
                tracing::warn!(error = error.report(), "attempts are counted by this node alone");
            }
            Err(_) if changed => tracing::warn!("Redis is slow: attempts are counted by this node alone"),
            _ => {}
        }
        answer.ok()?.ok()
    }

    /// Milliseconds since 1970.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().timestamp_millis()).unwrap_or_default()
    }
}
