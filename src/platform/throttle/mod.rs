//! Rate limits with exponential backoff for sensitive attempts: sign-in, registration, codes.
//!
//! Each attempt is counted before its work. After a number of free attempts, a client must wait, twice as long each
//! time.
//!
//! **Counters.** An attempt counts for its IP address (the wide counter), with a generous limit because a whole school
//! may share one, and for the account *from this IP address* (the narrow counter), with a strict limit. No counter
//! covers an account across all addresses, because anyone could lock the owner out by filling it. The exceptions are the
//! second factor, see [`Purpose::SecondFactor`], and emails, see [`Throttle::email`].
//!
//! **Waiting.** A rejected attempt is not counted, so that repeated requests do not extend the wait. One attempt decays
//! per [`Rule::longest_wait`]: a client that keeps trying is limited to one attempt in that time, and a client that
//! stops starts afresh after some hours. A successful attempt is removed from the wide counter and resets the narrow
//! one: a hundred users who sign in from one address are not an attack.
//!
//! **Storage.** Counters are in Redis, for all nodes, or in the memory of this process, with a bounded size. If Redis
//! does not respond in time, this node counts on its own until it does, so attempts are neither all allowed nor all
//! rejected.
//!
//! The time is the application's clock. If it is set back, no wait is longer than its rule allows.

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
use rules::{Counter, counters, email_counter};
use shared::Shared;

pub use rules::{Purpose, Rule, network};

/// The timeout for Redis, after which this node counts on its own.
pub const PATIENCE: Duration = Duration::from_millis(100);
/// The maximum number of counters in this process; the least recently used is evicted first.
const MOST_COUNTERS: u64 = 100_000;

/// The rejection of an attempt: the time until the next attempt is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub Duration);

/// Why something that is limited was not done.
#[derive(Debug)]
pub enum Failure {
    /// It was too much; contains when to retry.
    Limited(Wait),
    /// An internal error.
    Internal(InternalError),
}

impl Failure {
    /// Converts to an internal error, for callers that cannot retry, such as the command line.
    pub fn into_internal(self) -> InternalError {
        match self {
            Failure::Limited(_) => InternalError::new("too much at once"),
            Failure::Internal(error) => error,
        }
    }
}

impl From<Wait> for Failure {
    fn from(wait: Wait) -> Failure {
        Failure::Limited(wait)
    }
}

impl<F: Into<InternalError>> From<F> for Failure {
    fn from(error: F) -> Failure {
        Failure::Internal(error.into())
    }
}

/// Counts attempts. Clones share the counters.
#[derive(Clone)]
pub struct Throttle {
    clock: Clock,
    shared: Option<Shared>,
    memory: Arc<Memory>,
    /// Whether the last request to Redis failed.
    alone: Arc<AtomicBool>,
    patience: Duration,
}

/// An attempt that was allowed and counted.
pub struct Attempt {
    counters: Vec<Counter>,
    shared: bool,
}

impl Throttle {
    /// Creates a throttle that counts in the memory of this process.
    pub fn memory(clock: Clock) -> Throttle {
        Throttle {
            clock,
            shared: None,
            memory: Arc::new(Memory::new(MOST_COUNTERS)),
            alone: Arc::default(),
            patience: PATIENCE,
        }
    }

    /// Creates a throttle that counts in Redis, under keys that begin with `prefix`.
    ///
    /// Counts in this process whenever Redis takes longer than `patience` (usually [`PATIENCE`]).
    pub fn redis(link: RedisLink, prefix: &str, clock: Clock, patience: Duration) -> Throttle {
        Throttle { shared: Some(Shared::new(link, prefix)), patience, ..Throttle::memory(clock) }
    }

    /// Counts an attempt from `ip` and, if it concerns one, for `account`. Call it before the work.
    ///
    /// `account` is any text that is the same for the same account, such as the normalized email address from the
    /// input, whether or not the account exists.
    ///
    /// # Errors
    /// Too many attempts were made; this one is not counted.
    pub async fn attempt(&self, purpose: Purpose, ip: IpAddr, account: Option<&str>) -> Result<Attempt, Wait> {
        self.count(counters(purpose, ip, account)).await
    }

    /// Counts an email that anyone can have sent to `address`, such as a registration or a password reset.
    ///
    /// This budget covers all senders. It cannot lock the owner of the address out: each of the emails has a link that
    /// works for half an hour, and another one is allowed sooner than that.
    ///
    /// # Errors
    /// Too many emails were sent; this one is not counted.
    pub async fn email(&self, address: &str) -> Result<(), Wait> {
        self.count(vec![email_counter(address)]).await.map(drop)
    }

    async fn count(&self, counters: Vec<Counter>) -> Result<Attempt, Wait> {
        let now = self.now();
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

    /// Returns an attempt that an earlier request counted, for [`Throttle::succeeded`].
    pub fn earlier(&self, purpose: Purpose, ip: IpAddr, account: Option<&str>) -> Attempt {
        Attempt { counters: counters(purpose, ip, account), shared: self.shared.is_some() }
    }

    /// Removes a successful attempt from the counters.
    ///
    /// Resets the counter of the account from this IP address, and removes one attempt from that of the address.
    pub async fn succeeded(&self, attempt: Attempt) {
        let now = self.now();
        match &self.shared {
            // If this fails, one attempt too many stays counted, and decays like any other.
            Some(shared) if attempt.shared => drop(self.ask(shared.forgive(&attempt.counters, now)).await),
            _ => self.memory.forgive(&attempt.counters, now),
        }
    }

    /// Returns the response of Redis; `None` if it fails or times out.
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

    /// Returns the current time in milliseconds since 1970.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().timestamp_millis()).unwrap_or_default()
    }
}
