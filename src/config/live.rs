//! Settings of live classes.

use chrono::TimeDelta;

use super::reader::Reader;

/// The settings of live classes.
#[derive(Clone, Debug)]
pub struct Live {
    /// How long a session may be, in minutes; never empty.
    pub minutes: Vec<i32>,
    /// The minutes per month of users without a membership for live classes; 0 means that only members take part.
    pub free_minutes: i32,
    /// Whether a session costs only the minutes that were attended of it.
    pub has_partial_attendance: bool,
    /// How long attendances are retained after their session is settled; `None` for good.
    pub attendance_age: Option<TimeDelta>,
}

/// The lengths that the database accepts, in minutes.
const LENGTHS: [&str; 4] = ["30", "45", "60", "90"];

/// The fewest days for which attendances are retained: the month of a session is over by then, and so are its hours.
const SHORTEST_DAYS: u64 = 32;

impl Live {
    pub(super) fn read(reader: &mut Reader) -> Live {
        let mut minutes = reader.list("LYCEUM_LIVE_MINUTES");
        if let Some(wrong) = minutes.iter().find(|length| !LENGTHS.contains(&length.as_str())) {
            reader.problem(format!("LYCEUM_LIVE_MINUTES contains {wrong:?}; it must be a list out of 30, 45, 60, 90"));
        }
        if minutes.is_empty() {
            minutes = vec![reader.text_or_default("LYCEUM_LIVE_MINUTES").to_owned()];
        }
        let days = reader.number("LYCEUM_ATTENDANCE_DAYS", 0..=3650);
        if (1..SHORTEST_DAYS).contains(&days) {
            reader.problem(format!("LYCEUM_ATTENDANCE_DAYS is {days}; it must be 0 or at least {SHORTEST_DAYS}"));
        }
        let free = i32::try_from(reader.number("LYCEUM_LIVE_FREE_HOURS", 0..=744)).unwrap_or_default();
        Live {
            minutes: minutes.iter().filter_map(|length| length.parse().ok()).collect(),
            free_minutes: 60 * free,
            has_partial_attendance: reader.choice("LYCEUM_LIVE_PARTIAL_ATTENDANCE", &["off", "on"]) == "on",
            attendance_age: (days > 0).then(|| TimeDelta::days(days.cast_signed())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn attendances_are_kept_until_their_month_is_over() {
        for (days, age, problems) in [
            ("0", None, 0),
            ("32", Some(TimeDelta::days(32)), 0),
            ("3650", Some(TimeDelta::days(3650)), 0),
            ("31", Some(TimeDelta::days(31)), 1),
            ("3651", None, 1),
        ] {
            let vars = BTreeMap::from([("LYCEUM_ATTENDANCE_DAYS".to_owned(), days.to_owned())]);
            let mut reader = Reader::new(vars);
            assert_eq!(Live::read(&mut reader).attendance_age, age, "{days}");
            assert_eq!(reader.problems().len(), problems, "{days}");
        }
    }
}
