//! Months.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};

/// A month of a year from 2000 to 2999, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(NaiveDate);

impl Month {
    /// Returns the month in which a time is.
    pub fn of(at: DateTime<Utc>) -> Month {
        Month(at.date_naive().with_day(1).unwrap_or_default())
    }

    /// Parses a month such as `2026-11`; `None` if it is none.
    pub fn parse(text: &str) -> Option<Month> {
        let is_written_so = text.len() == 7 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok().filter(|_| is_written_so)?;
        (2000..3000).contains(&day.year()).then_some(Month(day))
    }

    /// The first day.
    pub fn first_day(self) -> NaiveDate {
        self.0
    }

    /// When it begins, and when the next one does.
    pub fn bounds(self) -> (DateTime<Utc>, DateTime<Utc>) {
        let at = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        (at(self.0), at(self.0.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)))
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

/// A month of a year, such as `2026-11`. Months begin and end in UTC.
#[Scalar(name = "YearMonth")]
impl ScalarType for Month {
    fn parse(value: Value) -> InputValueResult<Month> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        Month::parse(text).ok_or_else(|| InputValueError::custom("a month is a year and a month, as in 2026-11"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_written_in_one_way() {
        for text in ["2026-11", "2000-01", "2999-12"] {
            assert_eq!(Month::parse(text).map(|month| month.to_string()).as_deref(), Some(text));
        }
        for text in ["2026-13", "2026-1", "1999-12", "3000-01", "2026-11-01", "+026-11", "november", ""] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
        let (from, to) = Month::parse("2026-12").unwrap().bounds();
        assert_eq!(
            (from.to_rfc3339(), to.to_rfc3339()),
            ("2026-12-01T00:00:00+00:00".into(), "2027-01-01T00:00:00+00:00".into())
        );
        assert_eq!(Month::of(to).to_string(), "2027-01");
    }
}
