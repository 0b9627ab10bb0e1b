//! Money: whole minor units inside, decimals of the currency in the schema.

use std::fmt;

use async_graphql::{InputObject, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use diesel::sql_types::Text;
use iso_currency::Currency;
use rust_decimal::Decimal;

use super::error::{Check, UserErrorCode};

/// A currency by its code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct CurrencyCode(Currency);

impl CurrencyCode {
    /// The dollar of the United States.
    pub const USD: CurrencyCode = CurrencyCode(Currency::USD);

    /// The currency with this code of three capital letters; `None` if there is none.
    pub fn parse(code: &str) -> Option<CurrencyCode> {
        Currency::from_code(code).map(CurrencyCode)
    }

    /// The three letters.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals amounts have: 2 for most, 0 for the yen. ISO 4217 gives precious metals and units of account
    /// none; nothing is sold in them.
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    /// The amount in minor units; `None` if it has more decimals than the currency, or is out of range.
    pub fn minor(self, amount: Decimal) -> Option<i64> {
        let scaled = amount.checked_mul(Decimal::from(10_u64.pow(self.decimals())))?;
        if scaled.fract().is_zero() { i64::try_from(scaled).ok() } else { None }
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A currency by its three capital letters (ISO 4217), as in `EUR`.
#[Scalar(name = "CurrencyCode", specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<CurrencyCode> {
        match &value {
            Value::String(code) => CurrencyCode::parse(code)
                .ok_or_else(|| InputValueError::custom("a currency is three capital letters of ISO 4217, as in EUR")),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.code())
    }
}

impl ToSql<Text, Pg> for CurrencyCode {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        <str as ToSql<Text, Pg>>::to_sql(self.code(), out)
    }
}

impl FromSql<Text, Pg> for CurrencyCode {
    fn from_sql(value: PgValue<'_>) -> diesel::deserialize::Result<CurrencyCode> {
        let code = <String as FromSql<Text, Pg>>::from_sql(value)?;
        Ok(CurrencyCode::parse(&code).ok_or_else(|| format!("{code:?} is no currency"))?)
    }
}

/// An amount in a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, SimpleObject)]
pub struct Money {
    /// How much, in the currency's main unit and with its decimals: 19.90.
    amount: Decimal,
    /// Of which currency.
    currency: CurrencyCode,
}

impl Money {
    /// So many minor units of a currency.
    pub fn new(minor: i64, currency: CurrencyCode) -> Money {
        Money { amount: Decimal::new(minor, currency.decimals()), currency }
    }
}

/// The most that anything costs, in the currency's main unit.
const MOST: i64 = 100_000_000;

/// An amount in a currency, from 0 to 100,000,000, with no more decimals than the currency has.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct MoneyInput {
    /// How much, in the currency's main unit: 19.90. As a text it keeps its digits in every JSON library.
    pub amount: Decimal,
    /// Of which currency.
    pub currency: CurrencyCode,
}

impl MoneyInput {
    /// The amount in minor units; 0 when something is wrong with it.
    pub fn minor(&self, check: &mut Check, field: &str) -> i64 {
        let MoneyInput { amount, currency } = self;
        if *amount < Decimal::ZERO || *amount > Decimal::from(MOST) {
            let message = format!("An amount is between 0 and {MOST}; this one is {amount}.");
            check.error(UserErrorCode::OutOfRange, field, message);
            return 0;
        }
        currency.minor(*amount).unwrap_or_else(|| {
            let (code, decimals) = (currency.code(), currency.decimals());
            let message = format!("An amount in {code} has at most {decimals} decimals; this one is {amount}.");
            check.error(UserErrorCode::Invalid, field, message);
            0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_go_there_and_back_in_every_currency() {
        for (code, minor, amount) in [("EUR", 1990, "19.90"), ("JPY", 1990, "1990"), ("KWD", 1990, "1.990")] {
            let currency = CurrencyCode::parse(code).unwrap();
            let money = Money::new(minor, currency);
            assert_eq!(money.amount.to_string(), amount, "{code}");
            assert_eq!(currency.minor(money.amount), Some(minor), "{code}");
        }
        let [euro, yen] = ["EUR", "JPY"].map(|code| CurrencyCode::parse(code).unwrap());
        assert_eq!(euro.minor("0.005".parse().unwrap()), None, "half a cent");
        assert_eq!(euro.minor("0.0100".parse().unwrap()), Some(1), "zeros say nothing");
        assert_eq!(yen.minor("0.5".parse().unwrap()), None, "half a yen");
        assert_eq!(euro.minor(Decimal::MAX), None);
        assert_eq!(euro.minor("92233720368547758.08".parse().unwrap()), None, "one more than fits");
        assert_eq!(CurrencyCode::parse("eur"), None);
        assert_eq!(CurrencyCode::parse("EURO"), None);
    }
}
