//! Times in inputs.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Datelike, Utc};

/// A time (RFC 3339) with a year from 1 to 9999, which PostgreSQL and all clients can represent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Time(pub DateTime<Utc>);

/// A time in RFC 3339 format, such as `2026-11-20T09:00:00Z`, with a year from 1 to 9999.
#[Scalar(name = "DateTime", specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339")]
impl ScalarType for Time {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| time.to_utc())
            .filter(|time| (1..=9999).contains(&time.year()))
            .map(Time)
            .ok_or_else(|| {
                InputValueError::custom(format!(
                    "{text:?} is not a time; expected the form 2026-11-20T09:00:00Z with a year from 1 to 9999"
                ))
            })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_everyone_can_read_is_a_time() {
        for (text, good) in [
            ("2026-11-20T09:00:00Z", true),
            ("2026-11-20t09:00:00.123456+05:30", true),
            ("0001-01-01T00:00:00Z", true),
            ("9999-12-31T23:59:59Z", true),
            ("9999-12-31T23:59:59-01:00", false),
            ("0000-12-31T00:00:00Z", false),
            ("+10000-01-01T00:00:00Z", false),
            ("2026-11-20", false),
            ("soon", false),
        ] {
            assert_eq!(Time::parse(Value::from(text)).is_ok(), good, "{text}");
        }
        assert!(Time::parse(Value::from(1)).is_err());
    }
}
