//! Stripe Tax: what tax is due on an order, and the records of what was collected and given back.
//!
//! A calculation says what tax is due; a transaction records that it was collected, for Stripe's reports; a reversal
//! that a part of it was given back. All amounts are in minor units of ISO 4217.
//!
//! Source: <https://docs.stripe.com/tax/custom>, <https://docs.stripe.com/api/tax/calculations>,
//! <https://docs.stripe.com/api/tax/transactions>.

use serde::Deserialize;

use super::amount::{charged, minor};
use crate::platform::App;
use crate::platform::internal_error::InternalError;
use crate::platform::payments::{GatewayError, timed};

/// The members of the European Union, with what a VAT ID of each begins with.
const EUROPEAN_UNION: [(&str, &str); 27] = [
    ("AT", "AT"),
    ("BE", "BE"),
    ("BG", "BG"),
    ("CY", "CY"),
    ("CZ", "CZ"),
    ("DE", "DE"),
    ("DK", "DK"),
    ("EE", "EE"),
    ("ES", "ES"),
    ("FI", "FI"),
    ("FR", "FR"),
    ("GR", "EL"),
    ("HR", "HR"),
    ("HU", "HU"),
    ("IE", "IE"),
    ("IT", "IT"),
    ("LT", "LT"),
    ("LU", "LU"),
    ("LV", "LV"),
    ("MT", "MT"),
    ("NL", "NL"),
    ("PL", "PL"),
    ("PT", "PT"),
    ("RO", "RO"),
    ("SE", "SE"),
    ("SI", "SI"),
    ("SK", "SK"),
];

/// What is to be taxed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basket {
    /// The customer's country (ISO 3166-1, two letters).
    pub country: String,
    /// The customer's tax number. Only VAT IDs of the European Union are passed on.
    pub tax_id: Option<String>,
    /// The currency (ISO 4217).
    pub currency: &'static str,
    /// Whether the amounts include the tax; otherwise it is added to them.
    pub is_included: bool,
    /// The amount of each item; 0 for what is not taxed, or costs nothing.
    pub amounts: Vec<i64>,
}

/// What tax is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calculation {
    /// Stripe's id. It is forgotten after 90 days.
    pub id: String,
    /// The tax of each item.
    pub taxes: Vec<i64>,
}

/// What is given back of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct NewReversal<'a> {
    /// Stripe's id of the transaction.
    pub transaction: &'a str,
    /// Our id, which is also the idempotency key: the same id again reverses nothing more.
    pub reference: &'a str,
    /// The currency (ISO 4217).
    pub currency: &'a str,
    /// The parts.
    pub parts: &'a [Part],
}

/// What is given back of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The place of the item in the basket.
    pub place: usize,
    /// The amount, with the tax if that is included.
    pub amount_minor: i64,
    /// The tax.
    pub tax_minor: i64,
}

#[derive(Deserialize)]
struct Calculated {
    id: String,
    line_items: Lines,
}

#[derive(Deserialize)]
struct Lines {
    data: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    reference: String,
    amount: i64,
    amount_tax: i64,
}

#[derive(Deserialize)]
struct Transaction {
    id: String,
}

/// Asks what tax is due.
///
/// # Errors
/// See [`GatewayError`]; `Refused` begins with Stripe's code, such as `tax_id_invalid`.
pub async fn calculate(app: &App, basket: &Basket) -> Result<Calculation, GatewayError> {
    // Nothing is collected by it, so each question may have an answer of its own.
    let key = format!("tax-calculation-{}", app.clock.uuid());
    let calculated: Calculated = post(app, "tax/calculations", &basket.form()?, &key).await?;
    basket.read(calculated)
}

/// Records that the tax of a calculation was collected; returns Stripe's id of the transaction. The same reference
/// again records nothing more.
///
/// # Errors
/// See [`GatewayError`].
pub async fn record(app: &App, calculation: &str, reference: &str) -> Result<String, GatewayError> {
    let form = [("calculation", calculation), ("reference", reference)].map(|(name, value)| pair(name, value));
    let path = "tax/transactions/create_from_calculation";
    let made: Transaction = post(app, path, &form, &format!("tax-transaction-{reference}")).await?;
    Ok(made.id)
}

/// Records that tax was given back; returns Stripe's id of the reversal.
///
/// All of a transaction is reversed by its parts, too: a reversal in full cannot be undone ([`undo`]).
///
/// # Errors
/// See [`GatewayError`].
pub async fn reverse(app: &App, new: &NewReversal<'_>) -> Result<String, GatewayError> {
    let stripe = app.payments.stripe()?;
    let path = format!("tax/transactions/{}/line_items?limit=100", new.transaction);
    let recorded: Lines = timed(stripe.get(app, &path)).await?;
    let mut form =
        vec![pair("mode", "partial"), pair("original_transaction", new.transaction), pair("reference", new.reference)];
    for (number, part) in new.parts.iter().enumerate() {
        let line = recorded.at(part.place)?;
        let mut push = |name: &str, value: String| form.push((format!("line_items[{number}][{name}]"), value));
        push("original_line_item", line.id.clone());
        push("reference", reference(part.place));
        push("amount", (-charged(part.amount_minor, new.currency)?).to_string());
        push("amount_tax", (-charged(part.tax_minor, new.currency)?).to_string());
    }
    let key = format!("tax-reversal-{}", new.reference);
    let made: Transaction = post(app, "tax/transactions/create_reversal", &form, &key).await?;
    Ok(made.id)
}

/// Undoes a reversal, by one of its own; returns Stripe's id of that. The same reference again records nothing more.
///
/// # Errors
/// See [`GatewayError`].
pub async fn undo(app: &App, reversal: &str, reference: &str) -> Result<String, GatewayError> {
    let form = [("mode", "full"), ("original_transaction", reversal), ("reference", reference)];
    let form = form.map(|(name, value)| pair(name, value));
    let key = format!("tax-reversal-{reference}");
    let made: Transaction = post(app, "tax/transactions/create_reversal", &form, &key).await?;
    Ok(made.id)
}

async fn post<T: for<'a> Deserialize<'a>>(
    app: &App,
    path: &str,
    form: &[(String, String)],
    key: &str,
) -> Result<T, GatewayError> {
    let stripe = app.payments.stripe()?;
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    timed(stripe.post(app, path, &form, key)).await
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// What Stripe calls the item at a place.
fn reference(place: usize) -> String {
    format!("item-{place}")
}

impl Lines {
    /// Returns the line of the item at a place.
    fn at(&self, place: usize) -> Result<&Line, InternalError> {
        let reference = reference(place);
        let line = self.data.iter().find(|line| line.reference == reference);
        line.ok_or_else(|| InternalError::new(format!("Stripe Tax does not tell of {reference}")))
    }
}

impl Basket {
    fn form(&self) -> Result<Vec<(String, String)>, GatewayError> {
        let mut form = vec![
            ("currency".to_owned(), self.currency.to_lowercase()),
            pair("customer_details[address][country]", &self.country),
            pair("customer_details[address_source]", "billing"),
            pair("expand[0]", "line_items"),
        ];
        if let Some(vat_id) = self.tax_id.as_deref().and_then(|id| european_vat_id(&self.country, id)) {
            form.push(pair("customer_details[tax_ids][0][type]", "eu_vat"));
            form.push(("customer_details[tax_ids][0][value]".to_owned(), vat_id));
        }
        let behavior = if self.is_included { "inclusive" } else { "exclusive" };
        for (number, (place, amount)) in self.taxed().enumerate() {
            let mut push = |name: &str, value: String| form.push((format!("line_items[{number}][{name}]"), value));
            push("amount", charged(amount, self.currency)?.to_string());
            push("reference", reference(place));
            push("tax_behavior", behavior.to_owned());
        }
        Ok(form)
    }

    /// The items that are taxed: their places and amounts.
    fn taxed(&self) -> impl Iterator<Item = (usize, i64)> + '_ {
        self.amounts.iter().copied().enumerate().filter(|(_, amount)| *amount > 0)
    }

    fn read(&self, calculated: Calculated) -> Result<Calculation, GatewayError> {
        let mut taxes = Vec::new();
        for (place, amount) in self.amounts.iter().copied().enumerate() {
            if amount == 0 {
                taxes.push(0);
                continue;
            }
            let line = calculated.line_items.at(place)?;
            if line.amount != charged(amount, self.currency)? {
                return Err(InternalError::new("Stripe Tax has taxed another amount").into());
            }
            let tax = minor(line.amount_tax, self.currency).map(|(tax, _)| tax);
            taxes.push(tax.ok_or_else(|| InternalError::new("Stripe Tax says an amount that cannot be read"))?);
        }
        Ok(Calculation { id: calculated.id, taxes })
    }
}

/// Returns a tax number as Stripe wants it, if it is a VAT ID of the European Union.
fn european_vat_id(country: &str, tax_id: &str) -> Option<String> {
    let (_, prefix) = EUROPEAN_UNION.iter().find(|(member, _)| *member == country)?;
    let id: String = tax_id.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    id.starts_with(prefix).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_vat_ids_of_the_european_union_are_passed_on() {
        for (country, tax_id, passed) in [
            ("DE", "DE 123.456-789", Some("DE123456789")),
            ("GR", "el123456789", Some("EL123456789")),
            ("GR", "GR123456789", None),
            ("DE", "123/456/789", None),
            ("CH", "CHE-123.456.789 MWST", None),
        ] {
            assert_eq!(european_vat_id(country, tax_id).as_deref(), passed, "{country} {tax_id}");
        }
    }

    #[test]
    fn items_that_are_not_taxed_are_left_out_and_keep_their_places() {
        let basket = Basket {
            country: "IS".into(),
            tax_id: None,
            currency: "ISK",
            is_included: false,
            amounts: vec![0, 1000, 0, 500],
        };
        let form = basket.form().unwrap();
        let of = |name: &str| form.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        // Stripe counts whole krónur in hundredths.
        assert_eq!((of("line_items[0][amount]"), of("line_items[0][reference]")), (Some("100000"), Some("item-1")));
        assert_eq!((of("line_items[1][amount]"), of("line_items[1][reference]")), (Some("50000"), Some("item-3")));
        assert_eq!((of("line_items[2][amount]"), of("line_items[0][tax_behavior]")), (None, Some("exclusive")));
        let line = |place: usize, amount: i64, amount_tax: i64| Line {
            id: "tax_li_1".into(),
            reference: reference(place),
            amount,
            amount_tax,
        };
        let answer = |data: Vec<Line>| Calculated { id: "taxcalc_1".into(), line_items: Lines { data } };
        let read = basket.read(answer(vec![line(3, 50_000, 12_000), line(1, 100_000, 24_000)])).unwrap();
        assert_eq!(read, Calculation { id: "taxcalc_1".into(), taxes: vec![0, 240, 0, 120] });
        for wrong in [vec![line(1, 100_000, 0)], vec![line(1, 100_000, 0), line(3, 1, 0)]] {
            assert!(basket.read(answer(wrong)).is_err());
        }
    }
}
