//! Counters in this process.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::rules::{Counter, Rule};

/// A counter; both instants are milliseconds since 1970. `shared.rs` does the same sums in Redis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Gate {
    /// Until when attempts are refused.
    opens: u64,
    /// When all attempts are forgotten: one in each longest wait.
    forgotten: u64,
}

impl Gate {
    /// How long to wait at `now`.
    fn wait(self, rule: Rule, now: u64) -> u64 {
        let wait = self.opens.saturating_sub(now);
        // No rule makes anybody wait so long: the clock was put back.
        if wait > rule.longest_wait { 0 } else { wait }
    }

    /// After one more attempt.
    fn count(self, rule: Rule, now: u64) -> Gate {
        let remembered = self.forgotten.saturating_sub(now) + rule.longest_wait;
        let remembered = remembered.min(rule.most() * rule.longest_wait);
        let attempts = remembered.div_ceil(rule.longest_wait);
        Gate { opens: now + rule.wait(attempts), forgotten: now + remembered }
    }

    /// After one attempt was taken back.
    fn forgive(self, rule: Rule) -> Gate {
        Gate { forgotten: self.forgotten.saturating_sub(rule.longest_wait), ..self }
    }
}

/// A bounded number of counters. When it is full, the least recently used is forgotten: not the newest, as is moka's
/// usual policy, because a counter that isn't kept would never close.
pub(super) struct Gates {
    gates: Cache<String, Kept>,
    /// Held from reading an attempt's counters to writing them.
    turn: Mutex<()>,
}

impl Gates {
    pub(super) fn new(most: u64) -> Gates {
        let gates = Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru()).expire_after(AsKept);
        Gates { gates: gates.build(), turn: Mutex::new(()) }
    }

    /// Counts an attempt and returns 0, or returns how long to wait and counts nothing.
    pub(super) fn attempt(&self, counters: &[Counter], now: u64) -> u64 {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let gates: Vec<Gate> = counters.iter().map(|counter| self.gate(counter)).collect();
        let waits = counters.iter().zip(&gates).map(|(counter, gate)| gate.wait(counter.rule, now));
        let wait = waits.max().unwrap_or_default();
        if wait == 0 {
            for (counter, gate) in counters.iter().zip(gates) {
                self.keep(counter, gate.count(counter.rule, now), now);
            }
        }
        wait
    }

    /// Takes an attempt back.
    pub(super) fn forgive(&self, counters: &[Counter], now: u64) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        for counter in counters {
            if counter.emptied {
                self.gates.invalidate(&counter.key);
            } else if let Some(kept) = self.gates.get(&counter.key) {
                self.keep(counter, kept.gate.forgive(counter.rule), now);
            }
        }
    }

    fn gate(&self, counter: &Counter) -> Gate {
        self.gates.get(&counter.key).map(|kept| kept.gate).unwrap_or_default()
    }

    fn keep(&self, counter: &Counter, gate: Gate, now: u64) {
        let until = gate.forgotten.max(gate.opens);
        let time = Duration::from_millis(until.saturating_sub(now).max(1));
        self.gates.insert(counter.key.clone(), Kept { gate, time });
    }
}

#[derive(Clone, Copy)]
struct Kept {
    gate: Gate,
    time: Duration,
}

struct AsKept;

impl Expiry<String, Kept> for AsKept {
    fn expire_after_create(&self, _: &String, kept: &Kept, _: Instant) -> Option<Duration> {
        Some(kept.time)
    }

    fn expire_after_update(&self, _: &String, kept: &Kept, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(kept.time)
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
        let mut gate = Gate::default();
        for _ in 0..3 {
            gate = gate.count(RULE, NOW);
        }
        assert_eq!(gate.wait(RULE, NOW), 2000);
        assert_eq!(gate.wait(RULE, NOW - 6000), 8000, "a little: it still waits");
        assert_eq!(gate.wait(RULE, NOW - 3_600_000), 0);
        let after = gate.count(RULE, NOW - 3_600_000);
        assert_eq!(after.wait(RULE, NOW - 3_600_000), 8000, "what it remembers is bounded");
        assert_eq!(after.forgotten, NOW - 3_600_000 + RULE.most() * 8000);
    }

    #[test]
    fn a_hundred_thousand_addresses_need_no_more_room_than_the_most() {
        let gates = Gates::new(5_000);
        let from = |number: u32| counters(Purpose::SignIn, IpAddr::V4(Ipv4Addr::from_bits(number)), None);
        for number in 0..100_000 {
            assert_eq!(gates.attempt(&from(number), NOW), 0);
        }
        gates.gates.run_pending_tasks();
        assert_eq!(gates.gates.entry_count(), 5_000);
        let last = from(99_999);
        let passed = (0..100).filter(|_| gates.attempt(&last, NOW) == 0).count();
        assert_eq!(passed, 29, "a newcomer is counted although it is full");
    }
}
