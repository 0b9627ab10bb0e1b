//! The current time. Nothing else reads the operating system's clock, so that tests can control time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use diesel::data_types::PgInterval;
use uuid::{ContextV7, Timestamp, Uuid};

/// Counts within a millisecond, so that a process's ids sort in the order of creation.
static WITHIN_MILLISECOND: Mutex<ContextV7> = Mutex::new(ContextV7::new());

/// Returns the instant of a local time: the first one of two, and an hour later where the clocks skip it.
pub fn local_instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let at = |local: NaiveDateTime| zone.from_local_datetime(&local).earliest();
    let found = at(local).or_else(|| at(local + TimeDelta::hours(1)));
    found.map_or_else(|| local.and_utc(), |at| at.to_utc())
}

/// The wall clock, or one that a test sets.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The operating system's clock.
    System,
    /// A clock that stands still until it is advanced; microseconds since 1970 UTC.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `start`.
    pub fn manual(start: DateTime<Utc>) -> Clock {
        Clock::Manual(Arc::new(AtomicI64::new(start.timestamp_micros())))
    }

    /// Returns the current time, truncated to microseconds, the precision of PostgreSQL.
    ///
    /// So a value compares equal after it was stored and loaded.
    #[allow(clippy::disallowed_methods)]
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match self {
            Clock::System => Utc::now().timestamp_micros(),
            Clock::Manual(micros) => micros.load(Ordering::SeqCst),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or_default()
    }

    /// Returns how far the clock is ahead of the operating system's; zero for the system clock.
    ///
    /// Added to the database's time where all nodes must use the same clock.
    #[allow(clippy::disallowed_methods)]
    pub fn offset(&self) -> PgInterval {
        match self {
            Clock::System => PgInterval::from_microseconds(0),
            Clock::Manual(_) => {
                PgInterval::from_microseconds((self.now() - Utc::now()).num_microseconds().unwrap_or_default())
            }
        }
    }

    /// Advances a manual clock; does nothing to the system clock.
    pub fn advance(&self, by: TimeDelta) {
        if let Clock::Manual(micros) = self {
            micros.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Returns a new id that sorts by time (UUID version 7, RFC 9562 section 5.7).
    pub fn uuid(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Uuid::new_v7(Timestamp::from_unix(&WITHIN_MILLISECOND, seconds, now.timestamp_subsec_nanos()))
    }

    /// Returns a new id that sorts as if it had been made at `at`, for what is imported.
    pub fn uuid_of(&self, at: DateTime<Utc>) -> Uuid {
        let mut bytes = self.uuid().into_bytes();
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default().to_be_bytes();
        // The time is in the first six bytes.
        bytes.iter_mut().zip(millis.iter().skip(2)).for_each(|(byte, of_time)| *byte = *of_time);
        Uuid::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        assert_eq!(clock.now(), clock.now());
        clock.advance(TimeDelta::minutes(61));
        assert_eq!(clock.now().to_rfc3339(), "1970-01-01T01:01:00+00:00");
    }

    #[test]
    fn ids_of_another_time_sort_by_it_and_differ() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(9));
        let at = |day| clock.uuid_of(DateTime::UNIX_EPOCH + TimeDelta::days(day));
        assert!(at(3) < at(4) && at(8) < clock.uuid() && clock.uuid() < at(10));
        assert_ne!(at(3), at(3));
        assert_eq!(at(3).get_version_num(), 7);
    }
}
