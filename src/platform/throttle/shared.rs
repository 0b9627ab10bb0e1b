//! Counters in Redis, for all nodes. All counters of an attempt are read and written atomically.

use std::sync::Arc;

use redis::Cmd;

use super::rules::Counter;
use crate::platform::internal_error::{Context, InternalError};
use crate::platform::redis::RedisLink;

/// Counts an attempt, with the arithmetic of `Window` in memory.rs.
///
/// Arguments: now, then for each key the free attempts, the first wait, the longest wait and the maximum of attempts.
const ATTEMPT: &str = "local now, wait, remembered = tonumber(ARGV[1]), 0, {}
for i, key in ipairs(KEYS) do
  local longest = tonumber(ARGV[i * 4])
  local window = redis.call('HMGET', key, 'blocked_until', 'forgotten_at')
  local own = math.max(0, (tonumber(window[1]) or 0) - now)
  if own <= longest then wait = math.max(wait, own) end
  remembered[i] = math.max(0, (tonumber(window[2]) or 0) - now) + longest
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  local free, first = tonumber(ARGV[i * 4 - 2]), tonumber(ARGV[i * 4 - 1])
  local longest, most = tonumber(ARGV[i * 4]), tonumber(ARGV[i * 4 + 1])
  local left = math.min(remembered[i], most * longest)
  local over = math.ceil(left / longest) - free
  local own = 0
  if over >= 0 then own = math.min(first * 2 ^ over, longest) end
  redis.call('HSET', key, 'blocked_until', string.format('%.0f', now + own), 'forgotten_at', string.format('%.0f', now + left))
  redis.call('PEXPIRE', key, string.format('%.0f', math.max(left, own, 1)))
end
return 0";

/// Removes an attempt. Arguments: now, then for each key whether to reset it, and the longest wait.
const FORGIVE: &str = "local now = tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  if ARGV[i * 2] == '1' then
    redis.call('DEL', key)
  else
    local window = redis.call('HMGET', key, 'blocked_until', 'forgotten_at')
    if window[2] then
      local forgotten = math.max(0, tonumber(window[2]) - tonumber(ARGV[i * 2 + 1]))
      redis.call('HSET', key, 'forgotten_at', string.format('%.0f', forgotten))
      redis.call('PEXPIRE', key, string.format('%.0f', math.max(forgotten - now, tonumber(window[1]) - now, 1)))
    end
  end
end
return 0";

/// Counters in Redis. Clones share the counters.
#[derive(Clone)]
pub(super) struct Shared {
    link: RedisLink,
    prefix: Arc<str>,
}

impl Shared {
    pub(super) fn new(link: RedisLink, prefix: &str) -> Shared {
        Shared { link, prefix: prefix.into() }
    }

    /// Counts an attempt and returns 0, or returns the milliseconds to wait without counting it.
    pub(super) async fn attempt(&self, counters: &[Counter], now: u64) -> Result<u64, InternalError> {
        let mut script = self.script(ATTEMPT, counters, now);
        for Counter { rule, .. } in counters {
            script.arg(rule.free).arg(rule.first_wait).arg(rule.longest_wait).arg(rule.most());
        }
        self.link.query(&script).await.context("count an attempt")
    }

    /// Removes an attempt from the counters.
    pub(super) async fn forgive(&self, counters: &[Counter], now: u64) -> Result<(), InternalError> {
        let mut script = self.script(FORGIVE, counters, now);
        for counter in counters {
            script.arg(u8::from(counter.emptied)).arg(counter.rule.longest_wait);
        }
        self.link.query::<u64>(&script).await.context("forgive an attempt").map(drop)
    }

    fn script(&self, code: &str, counters: &[Counter], now: u64) -> Cmd {
        let mut script = redis::cmd("EVAL");
        script.arg(code).arg(counters.len());
        for counter in counters {
            script.arg(format!("{}{}", self.prefix, counter.key));
        }
        script.arg(now);
        script
    }
}
