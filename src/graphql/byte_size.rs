//! The `ByteSize` scalar, because GraphQL's 32-bit `Int` ends at 2 GiB.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// JavaScript's `Number.MAX_SAFE_INTEGER`.
const LARGEST: i64 = (1 << 53) - 1;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub i64);

/// A number of bytes: an integer from 0 to 9,007,199,254,740,991 (2^53 - 1).
#[Scalar(name = "ByteSize")]
impl ScalarType for ByteSize {
    fn parse(value: Value) -> InputValueResult<ByteSize> {
        let Value::Number(number) = &value else { return Err(InputValueError::expected_type(value)) };
        match number.as_i64().filter(|bytes| (0..=LARGEST).contains(bytes)) {
            Some(bytes) => Ok(ByteSize(bytes)),
            None => Err(InputValueError::custom("a number of bytes is whole and from 0 to 9007199254740991")),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_that_everybody_can_count_to() {
        for good in [0, 1, 5 << 30, LARGEST] {
            assert_eq!(ByteSize::parse(Value::from(good)).ok(), Some(ByteSize(good)), "{good}");
        }
        for bad in [Value::from(-1), Value::from(LARGEST + 1), Value::from(1.5), Value::from("1"), Value::Null] {
            assert!(ByteSize::parse(bad.clone()).is_err(), "{bad}");
        }
    }
}
