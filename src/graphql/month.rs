//! Months.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// A calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearMonth(NaiveDate);

impl YearMonth {
    /// Returns the month of a day.
    pub fn of_day(day: NaiveDate) -> YearMonth {
        YearMonth(day.with_day(1).unwrap_or(day))
    }

    /// Returns the month of an instant in a time zone.
    pub fn of(at: DateTime<Utc>, zone: Tz) -> YearMonth {
        YearMonth::of_day(at.with_timezone(&zone).date_naive())
    }

    /// Returns its first day, as which it is stored.
    pub fn first_day(self) -> NaiveDate {
        self.0
    }

    /// Returns its first instant in a time zone: the first one after a gap if its clocks skip midnight.
    pub fn start(self, zone: Tz) -> DateTime<Utc> {
        let midnight = self.0.and_time(NaiveTime::MIN);
        let hours =
            (0..24).filter_map(|hour| zone.from_local_datetime(&(midnight + TimeDelta::hours(hour))).earliest());
        hours.map(|at| at.to_utc()).next().unwrap_or_else(|| midnight.and_utc())
    }

    /// Returns when it begins and ends in a time zone.
    pub fn bounds(self, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.start(zone), self.next().start(zone))
    }

    /// Returns the month after it.
    pub fn next(self) -> YearMonth {
        YearMonth(self.0.checked_add_months(Months::new(1)).unwrap_or(self.0))
    }

    /// Returns the month that is `months` earlier.
    pub fn back(self, months: u32) -> YearMonth {
        YearMonth(self.0.checked_sub_months(Months::new(months)).unwrap_or(self.0))
    }

    /// Parses the form `2026-11`, with a year from 1970 to 9999.
    pub fn parse(text: &str) -> Option<YearMonth> {
        let (year, month) = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2)?;
        let digits = |part: &str| part.bytes().all(|digit| digit.is_ascii_digit());
        let year = year.parse().ok().filter(|number| digits(year) && (1970..=9999).contains(number))?;
        NaiveDate::from_ymd_opt(year, month.parse().ok().filter(|_| digits(month))?, 1).map(YearMonth)
    }
}

impl std::fmt::Display for YearMonth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

/// A calendar month in the form `2026-11`, with a year from 1970 to 9999.
#[Scalar(name = "YearMonth", specified_by_url = "https://www.rfc-editor.org/rfc/rfc9557.html")]
impl ScalarType for YearMonth {
    fn parse(value: Value) -> InputValueResult<YearMonth> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        YearMonth::parse(text).ok_or_else(|| InputValueError::custom(format!("{text:?} is not a month, like 2026-11")))
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_written_as_it_is_read() {
        for text in ["2026-11", "1970-01", "9999-12"] {
            assert_eq!(YearMonth::parse(text).unwrap().to_string(), text);
        }
        for text in ["2026-13", "2026-1", "26-11", "2026-11-01", "+026-11", "2026-00", "", "1969-12", "2026-+1"] {
            assert_eq!(YearMonth::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_begins_at_the_first_midnight_of_its_zone_or_right_after() {
        let start = |text: &str, zone: Tz| YearMonth::parse(text).unwrap().start(zone).to_rfc3339();
        assert_eq!(start("2026-11", Tz::UTC), "2026-11-01T00:00:00+00:00");
        assert_eq!(start("2026-11", Tz::Asia__Kolkata), "2026-10-31T18:30:00+00:00");
        // Before and after the end of summer time.
        assert_eq!(start("2026-10", Tz::Europe__Berlin), "2026-09-30T22:00:00+00:00");
        assert_eq!(start("2026-11", Tz::Europe__Berlin), "2026-10-31T23:00:00+00:00");
        // Clocks in Paraguay went from 0:00 to 1:00 on October 1, 2017.
        assert_eq!(start("2017-10", Tz::America__Asuncion), "2017-10-01T04:00:00+00:00");
        let month = YearMonth::of("2026-10-31T23:30:00Z".parse().unwrap(), Tz::Europe__Berlin);
        assert_eq!((month.to_string(), month.next().to_string()), ("2026-11".into(), "2026-12".into()));
        assert_eq!(month.back(11).to_string(), "2025-12");
    }
}
