//! Amounts as Stripe counts them.

use crate::platform::payments::GatewayError;

/// How Stripe counts the minor units of a currency, compared with ISO 4217.
enum Units {
    /// In the same way.
    Same,
    /// The least amount is so many minor units of ISO 4217, and so many of Stripe.
    Steps(i64, i64),
    /// It is not known for sure.
    Unknown,
}

/// Source: <https://docs.stripe.com/currencies>, "Zero-decimal", "Three-decimal", "Special cases".
fn units(currency: &str) -> Units {
    match currency {
        // Whole krónur, counted in hundredths.
        "ISK" => Units::Steps(1, 100),
        // Two decimals in ISO 4217, none at Stripe.
        "MGA" => Units::Steps(100, 1),
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => Units::Steps(10, 10),
        // Its page lists it among those without decimals and among those that are counted in hundredths.
        "UGX" => Units::Unknown,
        _ => Units::Same,
    }
}

/// Converts minor units of ISO 4217 to those of Stripe; `None` if Stripe cannot charge the amount exactly.
pub(in crate::payments) fn amount(minor: i64, currency: &str) -> Option<i64> {
    match units(currency) {
        Units::Same => Some(minor),
        Units::Steps(iso, stripe) if minor % iso == 0 => (minor / iso).checked_mul(stripe),
        Units::Steps(..) | Units::Unknown => None,
    }
}

/// Converts what Stripe says to minor units of ISO 4217 and its code.
pub(super) fn minor(amount: i64, currency: &str) -> Option<(i64, String)> {
    let currency = currency.to_uppercase();
    let minor = match units(&currency) {
        Units::Same => amount,
        Units::Steps(iso, stripe) if amount % stripe == 0 => (amount / stripe).checked_mul(iso)?,
        Units::Steps(..) | Units::Unknown => return None,
    };
    Some((minor, currency))
}

pub(super) fn charged(minor: i64, currency: &str) -> Result<i64, GatewayError> {
    amount(minor, currency).ok_or_else(|| GatewayError::Refused(format!("no such amount of {currency} can be charged")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_exponents_of_stripe() {
        for (iso, currency, stripe) in [
            (1990, "EUR", Some(1990)),
            (500, "JPY", Some(500)),
            (5, "ISK", Some(500)),
            (500, "MGA", Some(5)),
            (550, "MGA", None),
            (5120, "KWD", Some(5120)),
            (5124, "KWD", None),
            (1990, "HUF", Some(1990)),
            (1990, "TWD", Some(1990)),
            (1, "UGX", None),
        ] {
            assert_eq!(amount(iso, currency), stripe, "{iso} {currency}");
            if let Some(stripe) = stripe {
                assert_eq!(minor(stripe, &currency.to_lowercase()), Some((iso, currency.to_owned())));
            }
        }
    }
}
