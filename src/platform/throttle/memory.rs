//! Counters in the memory of this process.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::rules::{Counter, Rule};

/// A counter. Times are in milliseconds since 1970. `shared.rs` implements the same arithmetic in Redis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Window {
    /// The time until which attempts are rejected.
    blocked_until: u64,
    /// When all attempts have decayed: one per longest wait.
    forgotten_at: u64,
}

impl Window {
    /// Returns the milliseconds to wait at `now`.
    fn wait(self, rule: Rule, now: u64) -> u64 {
        let wait = self.blocked_until.saturating_sub(now);
        // A wait longer than the rule allows means that the clock was set back.
        if wait > rule.longest_wait { 0 } else { wait }
    }

    /// Returns the counter after one more attempt.
    fn count(self, rule: Rule, now: u64) -> Window {
        let remembered = self.forgotten_at.saturating_sub(now) + rule.longest_wait;
        let remembered = remembered.min(rule.most() * rule.longest_wait);
        let attempts = remembered.div_ceil(rule.longest_wait);
        Window { blocked_until: now + rule.wait(attempts), forgotten_at: now + remembered }
    }

    /// Returns the counter with one attempt less.
    fn forgive(self, rule: Rule) -> Window {
        Window { forgotten_at: self.forgotten_at.saturating_sub(rule.longest_wait), ..self }
    }
}

/// A bounded number of counters, with LRU eviction.
///
/// moka's default policy may reject new entries, and a counter that is not stored would never reject an attempt.
pub(super) struct Memory {
    windows: Cache<String, Stored>,
    /// Locked from reading an attempt's counters to writing them.
    turn: Mutex<()>,
}

impl Memory {
    pub(super) fn new(most: u64) -> Memory {
        let windows =
            Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru()).expire_after(AfterStored);
        Memory { windows: windows.build(), turn: Mutex::new(()) }
    }

    /// Counts an attempt and returns 0, or returns the milliseconds to wait without counting it.
    pub(super) fn attempt(&self, counters: &[Counter], now: u64) -> u64 {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let windows: Vec<Window> = counters.iter().map(|counter| self.window(counter)).collect();
        let waits = counters.iter().zip(&windows).map(|(counter, window)| window.wait(counter.rule, now));
        let wait = waits.max().unwrap_or_default();
        if wait == 0 {
            for (counter, window) in counters.iter().zip(windows) {
                self.keep(counter, window.count(counter.rule, now), now);
            }
        }
        wait
    }

    /// Removes an attempt from the counters.
    pub(super) fn forgive(&self, counters: &[Counter], now: u64) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        for counter in counters {
            if counter.emptied {
                self.windows.invalidate(&counter.key);
            } else if let Some(stored) = self.windows.get(&counter.key) {
                self.keep(counter, stored.window.forgive(counter.rule), now);
            }
        }
    }

    fn window(&self, counter: &Counter) -> Window {
        self.windows.get(&counter.key).map(|stored| stored.window).unwrap_or_default()
    }

    fn keep(&self, counter: &Counter, window: Window, now: u64) {
        let until = window.forgotten_at.max(window.blocked_until);
        let time = Duration::from_millis(until.saturating_sub(now).max(1));
        self.windows.insert(counter.key.clone(), Stored { window, time });
    }
}

#[derive(Clone, Copy)]
struct Stored {
    window: Window,
    time: Duration,
}

struct AfterStored;

impl Expiry<String, Stored> for AfterStored {
    fn expire_after_create(&self, _: &String, stored: &Stored, _: Instant) -> Option<Duration> {
        Some(stored.time)
    }

    fn expire_after_update(&self, _: &String, stored: &Stored, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(stored.time)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::rules::{Purpose, counters};
    use super::*;

    const NOW: u64 = 1_800_000_000_000;
    const RULE: Rule = Rule { free: 2, first_wait: 1000, longest_wait: 8000 };

    #[test]
    fn a_clock_that_was_put_back_locks_nobody_out() {
        let mut window = Window::default();
        for _ in 0..3 {
            window = window.count(RULE, NOW);
        }
        assert_eq!(window.wait(RULE, NOW), 2000);
        assert_eq!(window.wait(RULE, NOW - 6000), 8000, "a little: it still waits");
        assert_eq!(window.wait(RULE, NOW - 3_600_000), 0);
        let after = window.count(RULE, NOW - 3_600_000);
        assert_eq!(after.wait(RULE, NOW - 3_600_000), 8000, "what it remembers is bounded");
        assert_eq!(after.forgotten_at, NOW - 3_600_000 + RULE.most() * 8000);
    }

    #[test]
    fn a_hundred_thousand_addresses_need_no_more_room_than_the_most() {
        let memory = Memory::new(5_000);
        let from = |number: u32| counters(Purpose::SignIn, IpAddr::V4(Ipv4Addr::from_bits(number)), None);
        for number in 0..100_000 {
            assert_eq!(memory.attempt(&from(number), NOW), 0);
        }
        memory.windows.run_pending_tasks();
        assert_eq!(memory.windows.entry_count(), 5_000);
        let last = from(99_999);
        let passed = (0..100).filter(|_| memory.attempt(&last, NOW) == 0).count();
        assert_eq!(passed, 29, "a newcomer is counted although it is full");
    }
}
