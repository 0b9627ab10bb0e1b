//! Amounts as PayPal writes them.

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::platform::payments::GatewayError;

/// The currencies that PayPal takes:
/// <https://developer.paypal.com/docs/reports/reference/paypal-supported-currencies/>.
const CURRENCIES: [&str; 24] = [
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN", "MYR", "NOK",
    "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
];
/// Those of them that PayPal takes without decimals.
const WHOLE: [&str; 3] = ["HUF", "JPY", "TWD"];

/// An amount as PayPal writes it.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Amount {
    pub(super) currency_code: String,
    pub(super) value: String,
}

impl Amount {
    /// Returns the amount in minor units of ISO 4217 and the currency.
    pub(super) fn minor(&self) -> Option<(i64, String)> {
        let decimals = u32::from(Currency::from_code(&self.currency_code)?.exponent()?);
        let value: Decimal = self.value.parse().ok()?;
        let minor = value.checked_mul(Decimal::from(10_u64.pow(decimals)))?;
        if !minor.fract().is_zero() {
            return None;
        }
        Some((i64::try_from(minor).ok()?, self.currency_code.clone()))
    }

    /// The amount of minor units of ISO 4217; `None` if PayPal cannot charge it exactly.
    fn of(minor: i64, currency: &str) -> Option<Amount> {
        let decimals = u32::from(Currency::from_code(currency).filter(|_| CURRENCIES.contains(&currency))?.exponent()?);
        let value = Decimal::new(minor, decimals);
        let is_whole = WHOLE.contains(&currency);
        if is_whole && !value.fract().is_zero() {
            return None;
        }
        let value = if is_whole { value.trunc().to_string() } else { value.to_string() };
        Some(Amount { currency_code: currency.to_owned(), value })
    }
}

/// Whether PayPal can charge this amount.
pub(in crate::payments) fn can_charge(minor: i64, currency: &str) -> bool {
    Amount::of(minor, currency).is_some()
}

pub(super) fn charged(minor: i64, currency: &str) -> Result<Amount, GatewayError> {
    Amount::of(minor, currency)
        .ok_or_else(|| GatewayError::Refused(format!("no such amount of {currency} can be charged")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_paypal_wants_them() {
        for (minor, currency, written) in [
            (1990, "EUR", Some("19.90")),
            (5, "USD", Some("0.05")),
            (500, "JPY", Some("500")),
            (50_000, "HUF", Some("500")),
            (50_050, "HUF", None),
            (50_000, "TWD", Some("500")),
            (1990, "INR", None),
            (5120, "KWD", None),
        ] {
            let amount = Amount::of(minor, currency);
            assert_eq!(amount.as_ref().map(|amount| amount.value.as_str()), written, "{minor} {currency}");
            if let Some(amount) = amount {
                assert_eq!(amount.minor(), Some((minor, currency.to_owned())));
            }
        }
    }
}
