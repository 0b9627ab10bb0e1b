//! Settings of orders and payments.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::Environment;
use super::gateways::Gateways;
use super::reader::Reader;

/// The tax of a country on what is sold there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaxRate {
    /// The rate in hundredths of a percent: 1900 for 19 %.
    pub hundredths: u32,
    /// Whether prices include the tax; otherwise it is added to them.
    pub included: bool,
}

/// Who sells, as invoices say it.
#[derive(Clone, Debug)]
pub struct Seller {
    /// The name.
    pub name: String,
    /// The lines of the address.
    pub address: Vec<String>,
    /// The tax number, such as a VAT ID.
    pub tax_id: Option<String>,
}

/// The settings of orders and payments.
#[derive(Clone, Debug)]
pub struct Payments {
    /// Whether the sandbox takes payments.
    pub sandbox: bool,
    /// The providers that take money.
    pub gateways: Gateways,
    /// How long an order waits for its payment.
    pub order_lifetime: TimeDelta,
    /// After what time the buyer of an unpaid order is reminded; `None` for never.
    pub reminder: Option<TimeDelta>,
    /// What part of the sales of a channel is its own, in percent of the price without tax.
    pub channel_share: i16,
    /// How long a gift can be claimed.
    pub gift_lifetime: TimeDelta,
    /// The days after a renewal has failed on which it is tried again, ascending.
    pub dunning_days: Vec<u32>,
    /// The taxes by country (ISO 3166-1, two letters).
    pub taxes: BTreeMap<String, TaxRate>,
    /// Who sells.
    pub seller: Seller,
    /// What the numbers of invoices begin with. Another prefix begins another series.
    pub invoice_prefix: String,
    /// What the numbers of credit notes begin with.
    pub credit_note_prefix: String,
}

impl Payments {
    pub(super) fn read(reader: &mut Reader, environment: Environment) -> Payments {
        let gateways = Gateways::read(reader, environment);
        let sandbox = match reader.text("LYCEUM_PAYMENTS") {
            None => environment == Environment::Development && gateways.is_empty(),
            Some("sandbox") => {
                if environment == Environment::Production {
                    reader.problem(
                        "LYCEUM_PAYMENTS is sandbox, which gives away everything for nothing; in production it must be \
                         off",
                    );
                }
                true
            }
            Some("off") => false,
            Some(other) => {
                let problem = format!("LYCEUM_PAYMENTS is {other:?}; it must be sandbox or off");
                reader.problem(problem);
                false
            }
        };
        let minutes = |minutes: u64| TimeDelta::minutes(minutes.cast_signed());
        let lifetime = reader.number("LYCEUM_ORDER_MINUTES", 5..=44_640);
        let reminder = reader.number("LYCEUM_ORDER_REMINDER_MINUTES", 0..=44_640);
        let channel_share = i16::try_from(reader.number("LYCEUM_CHANNEL_SHARE", 0..=100)).unwrap_or_default();
        let gift_days = reader.number("LYCEUM_GIFT_DAYS", 1..=3650);
        let taxes = taxes(reader);
        let [invoice_prefix, credit_note_prefix] = prefixes(reader);
        let dunning_days = dunning_days(reader);
        Payments {
            channel_share,
            gift_lifetime: TimeDelta::days(gift_days.cast_signed()),
            taxes,
            seller: seller(reader),
            invoice_prefix,
            credit_note_prefix,
            dunning_days,
            sandbox,
            gateways,
            order_lifetime: minutes(lifetime),
            reminder: (1..lifetime).contains(&reminder).then(|| minutes(reminder)),
        }
    }
}

/// Reads taxes such as `DE=19,US=+8.25`: the plus means that the tax is added to prices.
fn taxes(reader: &mut Reader) -> BTreeMap<String, TaxRate> {
    let mut taxes = BTreeMap::new();
    for entry in reader.list("LYCEUM_TAXES") {
        match entry.split_once('=').and_then(|(country, rate)| Some((country.trim(), rate_of(rate.trim())?))) {
            Some((country, rate)) if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                taxes.insert(country.to_owned(), rate);
            }
            _ => reader.problem(format!(
                "LYCEUM_TAXES has {entry:?}; it must be countries with percents, such as DE=19,AT=20,US=+8.25"
            )),
        }
    }
    taxes
}

fn seller(reader: &Reader) -> Seller {
    let lines = reader.text("LYCEUM_SELLER_ADDRESS").unwrap_or_default().split('|').map(str::trim);
    Seller {
        name: reader.text("LYCEUM_SELLER_NAME").unwrap_or(reader.text_or_default("LYCEUM_SITE_NAME")).to_owned(),
        address: lines.filter(|line| !line.is_empty()).map(str::to_owned).collect(),
        tax_id: reader.text("LYCEUM_SELLER_TAX_ID").map(str::to_owned),
    }
}

/// Reads the prefixes of invoices and of credit notes, which are different.
fn prefixes(reader: &mut Reader) -> [String; 2] {
    let names = ["LYCEUM_INVOICE_PREFIX", "LYCEUM_CREDIT_NOTE_PREFIX"];
    let prefixes = names.map(|name| reader.text_or_default(name).to_owned());
    for (name, prefix) in names.iter().zip(&prefixes) {
        if prefix.len() > 20 || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-./".contains(&byte)) {
            reader.problem(format!(
                "{name} is {prefix:?}; it must be at most 20 letters, digits, hyphens, dots and slashes, such as INV-"
            ));
        }
    }
    let [invoices, credit_notes] = &prefixes;
    if invoices == credit_notes {
        reader.problem(format!("LYCEUM_INVOICE_PREFIX and LYCEUM_CREDIT_NOTE_PREFIX are both {invoices:?}"));
    }
    prefixes
}

/// Reads days such as `1,3,5`.
fn dunning_days(reader: &mut Reader) -> Vec<u32> {
    let list: Vec<&str> = reader.text_or_default("LYCEUM_DUNNING_DAYS").split(',').map(str::trim).collect();
    let days: Vec<u32> = list.iter().filter_map(|day| day.parse().ok()).collect();
    let is_valid = days.len() == list.len() && days.len() <= 10 && days.is_sorted_by(|one, next| one < next);
    if !is_valid || days.iter().any(|day| !(1..=60).contains(day)) {
        reader.problem("LYCEUM_DUNNING_DAYS must be at most ten ascending days of 1 to 60, such as 1,3,5");
    }
    days
}

fn rate_of(text: &str) -> Option<TaxRate> {
    let (percent, included) = text.strip_prefix('+').map_or((text, true), |percent| (percent, false));
    let hundredths = percent.parse::<Decimal>().ok()?.checked_mul(Decimal::ONE_HUNDRED)?;
    let hundredths = u32::try_from(hundredths).ok().filter(|_| hundredths.fract().is_zero())?;
    (hundredths <= 10_000).then_some(TaxRate { hundredths, included })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_two_decimals_and_may_be_added() {
        for (text, rate) in [
            ("19", Some((1900, true))),
            ("+8.25", Some((825, false))),
            ("0", Some((0, true))),
            ("100", Some((10_000, true))),
            ("100.01", None),
            ("8.255", None),
            ("-1", None),
            ("", None),
            ("+", None),
            ("x", None),
        ] {
            let expected = rate.map(|(hundredths, included)| TaxRate { hundredths, included });
            assert_eq!(rate_of(text), expected, "{text}");
        }
    }
}
