//! Settings of orders and payments.

use std::collections::{BTreeMap, BTreeSet};

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

/// Who says what tax is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taxes {
    /// These settings, by country (ISO 3166-1, two letters).
    Rates(BTreeMap<String, TaxRate>),
    /// Stripe Tax, for each order.
    Stripe {
        /// The countries in which the tax is added to prices; in the others, prices include it.
        added_in: BTreeSet<String>,
    },
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
    /// Who says what tax is due.
    pub taxes: Taxes,
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
        let taxes = taxes(reader, gateways.stripe.is_some());
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

/// Reads who says what tax is due.
fn taxes(reader: &mut Reader, has_stripe: bool) -> Taxes {
    let (rates, added_in) = (rates(reader), added_in(reader));
    if reader.choice("LYCEUM_TAX", &["rates", "stripe"]) == "rates" {
        if !added_in.is_empty() {
            reader.problem("LYCEUM_TAX_ADDED_IN is for LYCEUM_TAX=stripe; in LYCEUM_TAXES, a plus says the same");
        }
        return Taxes::Rates(rates);
    }
    if !has_stripe {
        reader.problem("LYCEUM_TAX is stripe, but Stripe is not set up: LYCEUM_STRIPE_SECRET_KEY is required");
    }
    if !rates.is_empty() {
        reader.problem("LYCEUM_TAXES is for LYCEUM_TAX=rates; with stripe, only Stripe says what tax is due");
    }
    Taxes::Stripe { added_in }
}

/// Reads taxes such as `DE=19,US=+8.25`: the plus means that the tax is added to prices.
fn rates(reader: &mut Reader) -> BTreeMap<String, TaxRate> {
    let mut taxes = BTreeMap::new();
    for entry in reader.list("LYCEUM_TAXES") {
        match entry.split_once('=').and_then(|(country, rate)| Some((country.trim(), rate_of(rate.trim())?))) {
            Some((country, rate)) if is_country(country) => {
                taxes.insert(country.to_owned(), rate);
            }
            _ => reader.problem(format!(
                "LYCEUM_TAXES has {entry:?}; it must be countries with percents, such as DE=19,AT=20,US=+8.25"
            )),
        }
    }
    taxes
}

/// Reads the countries in which the tax is added to prices.
fn added_in(reader: &mut Reader) -> BTreeSet<String> {
    let mut countries = BTreeSet::new();
    for country in reader.list("LYCEUM_TAX_ADDED_IN") {
        if is_country(&country) {
            countries.insert(country);
        } else {
            reader.problem(format!("LYCEUM_TAX_ADDED_IN has {country:?}; it must be countries, such as US,CA"));
        }
    }
    countries
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
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

    fn read(vars: &[(&str, &str)], has_stripe: bool) -> (Taxes, String) {
        let vars = vars.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let mut reader = Reader::new(vars);
        let taxes = taxes(&mut reader, has_stripe);
        (taxes, reader.problems().join("\n"))
    }

    #[test]
    fn either_rates_or_stripe_say_what_tax_is_due() {
        let (taxes, problems) = read(&[("LYCEUM_TAX", "stripe"), ("LYCEUM_TAX_ADDED_IN", "US, CA")], true);
        let added_in = ["CA", "US"].map(str::to_owned).into();
        assert_eq!((taxes, problems.as_str()), (Taxes::Stripe { added_in }, ""));
        assert_eq!(read(&[], false), (Taxes::Rates(BTreeMap::new()), String::new()));
        for (vars, has_stripe, problem) in [
            (vec![("LYCEUM_TAX", "stripe")], false, "Stripe is not set up"),
            (vec![("LYCEUM_TAX", "stripe"), ("LYCEUM_TAXES", "DE=19")], true, "LYCEUM_TAXES is for LYCEUM_TAX=rates"),
            (vec![("LYCEUM_TAX_ADDED_IN", "US")], true, "LYCEUM_TAX_ADDED_IN is for LYCEUM_TAX=stripe"),
            (vec![("LYCEUM_TAX", "stripe"), ("LYCEUM_TAX_ADDED_IN", "usa")], true, "it must be countries"),
            (vec![("LYCEUM_TAX", "avalara")], true, "it must be rates or stripe"),
        ] {
            let (_, problems) = read(&vars, has_stripe);
            assert!(problems.contains(problem), "{vars:?}: {problems}");
        }
    }

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
