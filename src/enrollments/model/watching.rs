//! What is believed of the reports of a player.
//!
//! A report says which seconds of a lesson were watched since the previous one. The result depends on the set of the
//! reports alone: not on the order in which they arrive, and not on how often.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::ranges::Ranges;

/// How late a report may arrive.
pub(crate) const LATEST: TimeDelta = TimeDelta::days(30);
/// How many seconds of a video can be watched in a second.
const FASTEST: i64 = 2;
/// 2020-01-01, from which the times in the database count, so that they are integers of 32 bits.
const EPOCH: i64 = 1_577_836_800;
/// The maximum length of the column with the reports: what a player sends in an hour, and more.
const LONGEST: usize = 4000;

/// What was reported of a user's lesson.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watching {
    /// What the reports up to `settled_at` amount to.
    settled: Ranges,
    /// The time of the last report that is settled: there will be none before.
    settled_at: Option<i64>,
    /// The later reports: the time in seconds since 1970, and the seconds that were watched.
    reports: BTreeMap<i64, Ranges>,
}

impl Watching {
    /// Reads what [`Watching::to_columns`] has written.
    pub(crate) fn of_columns(settled: &[i32], settled_at: Option<i32>, reports: &[i32]) -> Watching {
        let mut numbers = reports;
        let mut read = BTreeMap::new();
        while let [at, count, rest @ ..] = numbers {
            let size = usize::try_from(*count).unwrap_or_default().saturating_mul(2).min(rest.len());
            let (ranges, others) = rest.split_at(size);
            read.insert(seconds(*at), Ranges::of_column(ranges));
            numbers = others;
        }
        Watching { settled: Ranges::of_column(settled), settled_at: settled_at.map(seconds), reports: read }
    }

    /// The columns: the settled seconds, until when they are, and the reports as time, number of ranges, from, to….
    pub(crate) fn to_columns(&self) -> (Vec<i32>, Option<i32>, Vec<i32>) {
        let mut reports = Vec::with_capacity(self.column_length());
        for (at, watched) in &self.reports {
            let ranges = watched.to_column();
            reports.push(short(*at));
            reports.push(i32::try_from(ranges.len() / 2).unwrap_or(i32::MAX));
            reports.extend(ranges);
        }
        (self.settled.to_column(), self.settled_at.map(short), reports)
    }

    /// Adds a report. The same one again, or one from before what is settled, changes nothing.
    pub(crate) fn add(&mut self, at: DateTime<Utc>, watched: &Ranges) {
        let at = at.timestamp();
        if self.settled_at.is_none_or(|settled| settled < at) {
            self.reports.entry(at).or_default().add(watched);
        }
    }

    /// Returns the seconds that count, for a user whose access began at `since`.
    ///
    /// Of a report count at most twice as many seconds as have passed since the one before, or since the access began.
    pub(crate) fn watched(&self, since: DateTime<Utc>) -> Ranges {
        let mut counted = self.settled.clone();
        let mut previous = self.settled_at.unwrap_or(since.timestamp());
        for (at, watched) in &self.reports {
            counted.add(&believed(watched, previous, *at));
            previous = *at;
        }
        counted
    }

    /// Merges the reports that are older than any that can still arrive, and the oldest ones if there are too many.
    pub(crate) fn settle(&mut self, since: DateTime<Utc>, now: DateTime<Utc>) {
        let oldest = (now - LATEST).timestamp();
        let mut length = self.column_length();
        let longest = if length > LONGEST { LONGEST / 2 } else { LONGEST };
        while let Some(first) = self.reports.first_entry() {
            if *first.key() >= oldest && length <= longest {
                return;
            }
            let (at, watched) = first.remove_entry();
            length = length.saturating_sub(2 + 2 * watched.iter().count());
            self.settled.add(&believed(&watched, self.settled_at.unwrap_or(since.timestamp()), at));
            self.settled_at = Some(at);
        }
    }

    fn column_length(&self) -> usize {
        self.reports.values().map(|watched| 2 + 2 * watched.iter().count()).sum()
    }
}

/// What counts of a report at `at`, after one at `previous`.
fn believed(watched: &Ranges, previous: i64, at: i64) -> Ranges {
    let most = at.saturating_sub(previous).max(0).saturating_mul(FASTEST);
    watched.first(i32::try_from(most).unwrap_or(i32::MAX))
}

fn short(at: i64) -> i32 {
    i32::try_from(at.saturating_sub(EPOCH)).unwrap_or(i32::MAX)
}

fn seconds(at: i32) -> i64 {
    EPOCH + i64::from(at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const START: i64 = EPOCH + 200_000_000;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(START + second, 0).unwrap()
    }

    fn report() -> impl Strategy<Value = (i64, Vec<(i32, i32)>)> {
        (0..200_i64, prop::collection::vec((0..100_i32, 0..100_i32), 0..3))
    }

    /// Every second by itself: the reports in the order of their time, each with its seconds in ascending order.
    fn model(reports: &[(i64, Vec<(i32, i32)>)]) -> BTreeSet<i32> {
        let mut all: BTreeMap<i64, BTreeSet<i32>> = BTreeMap::new();
        for (at, ranges) in reports {
            all.entry(*at).or_default().extend(ranges.iter().flat_map(|(from, to)| *from..*to));
        }
        let mut counted = BTreeSet::new();
        let mut previous = 0;
        for (at, seconds) in all {
            counted.extend(seconds.iter().take(usize::try_from((at - previous) * 2).unwrap()));
            previous = at;
        }
        counted
    }

    fn numbers(ranges: &Ranges) -> BTreeSet<i32> {
        ranges.iter().flat_map(|(from, to)| from..to).collect()
    }

    /// Adds the reports in batches; after each, what is known goes through the columns.
    fn saved(reports: &[(i64, Vec<(i32, i32)>)], batch: usize) -> Watching {
        let mut watching = Watching::default();
        for batch in reports.chunks(batch) {
            for (second, ranges) in batch {
                watching.add(at(*second), &Ranges::new(ranges.clone()));
            }
            watching.settle(at(0), at(300));
            let (settled, settled_at, reports) = watching.to_columns();
            let read = Watching::of_columns(&settled, settled_at, &reports);
            assert_eq!(read, watching);
            watching = read;
        }
        watching
    }

    proptest! {
        #[test]
        fn reports_that_are_doubled_reordered_and_replayed_give_the_same(
            reports in prop::collection::vec(report(), 0..12),
            order in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..20),
            batch in 1..5_usize,
        ) {
            let expected = model(&reports);
            let in_order = saved(&reports, batch);
            prop_assert_eq!(numbers(&in_order.watched(at(0))), expected.clone());
            let mut shuffled = reports.clone();
            for (one, other) in order.iter().filter(|_| !reports.is_empty()) {
                let (one, other) = (one.index(shuffled.len()), other.index(shuffled.len()));
                shuffled.swap(one, other);
                shuffled.push(shuffled[one].clone());
            }
            prop_assert_eq!(&saved(&shuffled, batch), &in_order);
            // Months later everything is settled, and a replay changes nothing.
            let mut late = in_order;
            late.settle(at(0), at(0) + TimeDelta::days(90));
            prop_assert_eq!(late.to_columns().2, Vec::<i32>::new());
            for (second, ranges) in &shuffled {
                late.add(at(*second), &Ranges::new(ranges.clone()));
            }
            prop_assert_eq!(numbers(&late.watched(at(0))), expected);
        }
    }

    #[test]
    fn no_more_counts_than_can_be_watched_in_the_time() {
        let watched = |reports: &[(i64, (i32, i32))]| {
            let mut watching = Watching::default();
            for (second, range) in reports {
                watching.add(at(*second), &Ranges::new(vec![*range]));
            }
            watching.watched(at(0)).to_column()
        };
        assert_eq!(watched(&[(10, (0, 500))]), [0, 20], "twice the time since the access began");
        assert_eq!(watched(&[(10, (0, 10)), (15, (10, 500))]), [0, 20], "twice the time since the one before");
        assert_eq!(watched(&[(15, (10, 500)), (10, (0, 10))]), [0, 20], "whichever came first");
        assert_eq!(watched(&[(100, (0, 5)), (100, (5, 10))]), [0, 10], "at one time: one report");
        assert_eq!(watched(&[(-5, (0, 5))]), [0_i32; 0], "before the access began");
    }

    #[test]
    fn the_reports_of_a_lesson_do_not_grow_without_end() {
        let mut watching = Watching::default();
        for number in 0..5000 {
            watching.add(at(5 * number), &Ranges::new(vec![(0, 5)]));
            watching.settle(at(0), at(5 * number));
        }
        assert!(watching.to_columns().2.len() <= LONGEST, "{}", watching.to_columns().2.len());
        assert_eq!(watching.watched(at(0)).to_column(), [0, 5]);
    }
}
