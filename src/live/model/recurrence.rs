//! Recurrence rules (RFC 5545, 3.3.10), expanded to the times of single sessions.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, Unvalidated};

use crate::platform::clock::local_instant;

/// The maximum number of sessions of a rule.
const MOST: u16 = 200;

/// Why a rule is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bad(pub String);

impl Bad {
    fn new<T>(why: impl Into<String>) -> Result<T, Bad> {
        Err(Bad(why.into()))
    }
}

/// Returns the starts of all sessions of a rule, the first of which is `start`, at the same local time in `zone`.
///
/// Only days, weeks, months and years recur: the rules of smaller units may have to be searched for minutes.
///
/// # Errors
/// The rule is malformed, has no end or more than 200 sessions, or does not include `start`.
pub(crate) fn occurrences(rule: &str, zone: Tz, start: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>, Bad> {
    let parsed: RRule<Unvalidated> = match rule.parse() {
        Ok(parsed) => parsed,
        Err(_) => return Bad::new("This is not a recurrence rule, like FREQ=WEEKLY;COUNT=10"),
    };
    let by_day = [Frequency::Daily, Frequency::Weekly, Frequency::Monthly, Frequency::Yearly];
    let timed = [parsed.get_by_hour(), parsed.get_by_minute(), parsed.get_by_second()];
    if !by_day.contains(&parsed.get_freq()) || timed.iter().any(|part| !part.is_empty()) {
        return Bad::new("A rule recurs DAILY, WEEKLY, MONTHLY or YEARLY, without BYHOUR, BYMINUTE and BYSECOND");
    }
    if parsed.get_count().is_none() && parsed.get_until().is_none() {
        return Bad::new("A rule needs an end: COUNT or UNTIL");
    }
    let Ok(set) = parsed.build(start.with_timezone(&rrule::Tz::Tz(zone))) else {
        return Bad::new("This recurrence rule contradicts itself or the start. UNTIL is in UTC");
    };
    let starts: Vec<_> = set.all(MOST + 1).dates.iter().map(DateTime::to_utc).collect();
    match starts.first() {
        _ if starts.len() > usize::from(MOST) => Bad::new(format!("A rule has at most {MOST} sessions")),
        Some(first) if *first == start => Ok(starts),
        _ => Bad::new("The first session of the rule must be at startsAt"),
    }
}

/// Moves a start by as much local time as lies between `from` and `to`.
pub(crate) fn shifted(start: DateTime<Utc>, zone: Tz, (from, to): (DateTime<Utc>, DateTime<Utc>)) -> DateTime<Utc> {
    let local = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
    local_instant(local(start) + (local(to) - local(from)), zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn sessions_keep_their_local_time_over_the_end_of_summer_time() {
        let starts = occurrences("FREQ=WEEKLY;COUNT=3", Tz::Europe__Berlin, at("2026-10-15T16:00:00Z")).unwrap();
        assert_eq!(starts, ["2026-10-15T16:00:00Z", "2026-10-22T16:00:00Z", "2026-10-29T17:00:00Z"].map(at));
        let moved = shifted(starts[2], Tz::Europe__Berlin, (starts[0], at("2026-10-16T15:30:00Z")));
        assert_eq!(moved, at("2026-10-30T16:30:00Z"));
        // A leap day.
        let starts = occurrences("FREQ=YEARLY;COUNT=2", Tz::UTC, at("2028-02-29T10:00:00Z")).unwrap();
        assert_eq!(starts, ["2028-02-29T10:00:00Z", "2032-02-29T10:00:00Z"].map(at));
    }

    #[test]
    fn rules_that_are_not_accepted() {
        for (rule, why) in [
            ("", "not a recurrence rule"),
            ("FREQ=FORTNIGHTLY;COUNT=2", "not a recurrence rule"),
            ("FREQ=MINUTELY;COUNT=2", "recurs DAILY"),
            ("FREQ=DAILY;BYHOUR=1,2,3;COUNT=2", "recurs DAILY"),
            ("FREQ=WEEKLY", "needs an end"),
            ("FREQ=DAILY;COUNT=201", "at most 200"),
            ("FREQ=WEEKLY;UNTIL=20260101T000000Z", ""),
            ("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "must be at startsAt"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", ""),
        ] {
            let bad = occurrences(rule, Tz::UTC, at("2026-11-20T16:00:00Z")).unwrap_err();
            assert!(bad.0.contains(why), "{rule}: {bad:?}");
        }
        assert_eq!(occurrences("FREQ=DAILY;COUNT=200", Tz::UTC, at("2026-11-20T16:00:00Z")).unwrap().len(), 200);
    }
}
