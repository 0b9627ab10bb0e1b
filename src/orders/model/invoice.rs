//! Invoices and credit notes: what they say, which never changes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Order, OrderId, OrderItem, Refund, RefundId, RefundItem};
use crate::config::payments::Seller;
use crate::graphql::money::Money;
use crate::platform::db::schema::invoices;

/// An invoice, or the credit note of a refund.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = invoices, check_for_backend(diesel::pg::Pg))]
pub struct Invoice {
    /// The id.
    pub id: Uuid,
    /// The prefix of the numbers of its series.
    pub(crate) series: String,
    /// The number in its series, from 1 without gaps.
    pub number: i64,
    /// The order.
    pub order_id: OrderId,
    /// The refund, of a credit note.
    pub(crate) refund_id: Option<RefundId>,
    /// When it was issued.
    pub(crate) issued_at: DateTime<Utc>,
    /// An [`InvoiceContent`].
    pub(crate) content: Value,
}

impl Invoice {
    /// The number as people write it, with at least six digits.
    pub fn name(&self) -> String {
        format!("{}{:06}", self.series, self.number)
    }
}

/// A seller or a buyer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Party {
    pub name: String,
    /// The lines of the address.
    pub(crate) address: Vec<String>,
    pub(crate) tax_id: Option<String>,
}

/// A line of an invoice: an item without its discount. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InvoiceLine {
    pub title: String,
    /// Without the tax if that is added to prices.
    pub amount_minor: i64,
}

/// The invoice that a credit note corrects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Corrected {
    /// The number of the invoice.
    pub invoice: String,
    pub(crate) issued_at: DateTime<Utc>,
    /// Why money goes back.
    pub reason: String,
}

/// What an invoice or a credit note says. Amounts are in minor units; those of a credit note are what goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InvoiceContent {
    pub(crate) seller: Party,
    pub buyer: Party,
    /// The buyer's country (ISO 3166-1, two letters).
    pub(crate) country: String,
    /// The number of the order.
    pub order: i64,
    pub paid_at: DateTime<Utc>,
    /// The currency (ISO 4217).
    pub currency: String,
    pub(crate) lines: Vec<InvoiceLine>,
    pub discount_minor: i64,
    pub tax_minor: i64,
    /// The rate of the tax in hundredths of a percent.
    pub(crate) tax_rate: Option<i32>,
    pub tax_included: bool,
    pub total_minor: i64,
    /// Of a credit note.
    pub(crate) corrects: Option<Corrected>,
}

impl InvoiceContent {
    /// What the invoice of a paid order says.
    pub(crate) fn of_order(
        (order, items): (&Order, &[OrderItem]),
        seller: &Seller,
        buyer_name: &str,
        paid_at: DateTime<Utc>,
    ) -> InvoiceContent {
        let added = |tax: i64| if order.tax_included { 0 } else { tax };
        let line = |item: &OrderItem| InvoiceLine {
            title: item.title.clone(),
            amount_minor: item.amount_minor + item.discount_minor - added(item.tax_minor),
        };
        InvoiceContent {
            seller: Party { name: seller.name.clone(), address: seller.address.clone(), tax_id: seller.tax_id.clone() },
            buyer: Party {
                name: order.billing_name.clone().unwrap_or_else(|| buyer_name.to_owned()),
                address: order.billing_address.iter().flat_map(|text| text.lines()).map(str::to_owned).collect(),
                tax_id: order.billing_tax_id.clone(),
            },
            country: order.country.clone(),
            order: order.number,
            paid_at,
            currency: order.currency.code().to_owned(),
            lines: items.iter().map(line).collect(),
            discount_minor: order.discount_minor,
            tax_minor: order.tax_minor,
            tax_rate: order.tax_rate,
            tax_included: order.tax_included,
            total_minor: order.total_minor,
            corrects: None,
        }
    }

    /// What the credit note of a refund says. `earlier` has the parts of the refunds before it.
    pub(crate) fn of_refund(
        (refund, parts): (&Refund, &[RefundItem]),
        earlier: &[RefundItem],
        items: &[OrderItem],
        invoice: (&Invoice, InvoiceContent),
    ) -> InvoiceContent {
        let (invoice, content) = invoice;
        let mut tax_minor = 0;
        let mut lines = Vec::new();
        for item in items {
            let sum = |parts: &[RefundItem]| -> i64 {
                parts.iter().filter(|part| part.item_id == item.id).map(|part| part.amount_minor).sum()
            };
            let (before, part) = (sum(earlier), sum(parts));
            if part > 0 {
                let tax = part_of(item.tax_minor, item.amount_minor, before, part);
                let amount_minor = if content.tax_included { part } else { part - tax };
                lines.push(InvoiceLine { title: item.title.clone(), amount_minor });
                tax_minor += tax;
            }
        }
        let corrects =
            Corrected { invoice: invoice.name(), issued_at: invoice.issued_at, reason: refund.reason.clone() };
        InvoiceContent {
            lines,
            discount_minor: 0,
            tax_minor,
            total_minor: refund.amount_minor,
            corrects: Some(corrects),
            ..content
        }
    }
}

/// What the receipt of a paid order says. The amounts are those of its invoice.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The items and what they cost: without the discount, and without the tax if that is added to prices.
    pub lines: Vec<(String, Money)>,
    /// What a coupon took off.
    pub discount: Option<Money>,
    /// The tax: its rate and country, and the amount.
    pub tax: Option<(String, Money)>,
    /// Whether the tax is in the prices already.
    pub is_tax_included: bool,
    /// What was paid.
    pub total: Money,
    /// Whether there is an invoice: not of what costs nothing.
    pub has_invoice: bool,
}

impl Receipt {
    /// The receipt of a paid order.
    pub(crate) fn of_order((order, items): (&Order, &[OrderItem]), seller: &Seller, paid_at: DateTime<Utc>) -> Receipt {
        let content = InvoiceContent::of_order((order, items), seller, "", paid_at);
        let money = |minor: i64| Money::new(minor, order.currency);
        let rate = content.tax_rate.map(|rate| Decimal::new(i64::from(rate), 2).normalize());
        let rate = rate.map(|rate| format!("{rate} % ")).unwrap_or_default();
        let has_tax = content.tax_minor > 0 || content.tax_rate.is_some();
        Receipt {
            lines: content.lines.into_iter().map(|line| (line.title, money(line.amount_minor))).collect(),
            discount: Some(content.discount_minor).filter(|minor| *minor > 0).map(money),
            tax: has_tax.then(|| (format!("{rate}({})", content.country), money(content.tax_minor))),
            is_tax_included: content.tax_included,
            total: money(content.total_minor),
            has_invoice: content.total_minor > 0,
        }
    }
}

/// Returns how much of `amount` belongs to a part of the `whole` that comes after `before`.
///
/// It is the difference of two rounded sums, so that all parts of the whole have exactly the amount, in whatever steps.
pub(crate) fn part_of(amount: i64, whole: i64, before: i64, part: i64) -> i64 {
    let until = |sum: i64| match whole {
        0 => 0,
        _ => (i128::from(amount) * i128::from(sum) + i128::from(whole) / 2).div_euclid(i128::from(whole)),
    };
    i64::try_from(until(before + part) - until(before)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_whole_have_all_of_its_tax() {
        for (amount, whole) in [(318, 1990), (0, 1990), (100, 100), (1, 3), (0, 0), (7, 1_000_000_007), (-13, 40)] {
            for steps in [vec![whole], vec![1, whole - 1], vec![whole / 3, whole / 2, whole - whole / 3 - whole / 2]] {
                let mut before = 0;
                let parts: i64 = steps
                    .iter()
                    .map(|step| {
                        let part = part_of(amount, whole, before, *step);
                        before += step;
                        part
                    })
                    .sum();
                assert_eq!(parts, if whole == 0 { 0 } else { amount }, "{amount} of {whole} in {steps:?}");
            }
        }
    }
}
