//! Money: integer minor units internally, decimal amounts in the schema.

use std::fmt;

use async_graphql::{InputObject, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value};
use diesel::deserialize::{FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{Output, ToSql};
use diesel::sql_types::Text;
use iso_currency::Currency;
use rust_decimal::Decimal;

use super::cost::cost;
use super::error::{Check, UserErrorCode};

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct CurrencyCode(Currency);

impl CurrencyCode {
    /// The US dollar.
    pub const USD: CurrencyCode = CurrencyCode(Currency::USD);

    /// Parses a code of three capital letters; `None` if the currency does not exist.
    pub fn parse(code: &str) -> Option<CurrencyCode> {
        Currency::from_code(code).map(CurrencyCode)
    }

    /// Returns the three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Returns the number of decimals: 2 for most currencies, 0 for the yen.
    ///
    /// ISO 4217 defines none for precious metals and units of account, which are not used for prices; returns 0.
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    /// Converts an amount to minor units. `None` if it has too many decimals or is out of range.
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

/// A currency code of three capital letters (ISO 4217), such as `EUR`.
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
#[graphql(directive = cost::apply(Some(0), None, None))]
pub struct Money {
    /// The amount in the currency's main unit, with all of its decimals, such as 19.90.
    amount: Decimal,
    /// The currency.
    currency: CurrencyCode,
}

impl Money {
    /// Creates an amount from minor units.
    pub fn new(minor: i64, currency: CurrencyCode) -> Money {
        Money { amount: Decimal::new(minor, currency.decimals()), currency }
    }

    /// The amount in the currency's main unit, with all of its decimals.
    pub fn decimal(self) -> Decimal {
        self.amount
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency.code())
    }
}

/// The maximum amount of an input, in the currency's main unit.
const MOST: i64 = 100_000_000;

/// An amount in a currency, from 0 to 100,000,000. It may have as many decimals as the currency.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct MoneyInput {
    /// The amount in the currency's main unit, such as `19.90`. Send it as a string to avoid floating-point rounding.
    pub amount: Decimal,
    /// The currency.
    pub currency: CurrencyCode,
}

impl MoneyInput {
    /// Returns the input of an amount.
    pub fn of(Money { amount, currency }: Money) -> MoneyInput {
        MoneyInput { amount, currency }
    }

    /// Returns the amount in minor units. If it is invalid, adds an error to `check` and returns 0.
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
