//! Stripe Tax: calculations, transactions and reversals. The school collects tax in the European Union and Switzerland.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::stripe::refused;

/// The rates of countries in hundredths of a percent; elsewhere no tax is collected.
const RATES: [(&str, i64); 3] = [("DE", 1900), ("AT", 2000), ("CH", 810)];
/// Where the school is: VAT IDs of other countries take the tax off.
const HOME: &str = "DE";

#[derive(Default)]
pub(super) struct TaxFake {
    calculations: Vec<Value>,
    /// Transactions and reversals.
    pub(super) transactions: Vec<Value>,
}

impl TaxFake {
    pub(super) fn calculate(&mut self, form: &HashMap<String, String>) -> (u16, Value) {
        let country = form["customer_details[address][country]"].as_str();
        assert_eq!((&*form["customer_details[address_source]"], &*form["expand[0]"]), ("billing", "line_items"));
        if country == "US" {
            return refused(400, "customer_tax_location_invalid", "The postal code is missing.");
        }
        let vat_id = form.get("customer_details[tax_ids][0][value]");
        if vat_id.is_some_and(|id| id.len() < 8) {
            return refused(400, "tax_id_invalid", "The tax ID is not valid.");
        }
        let is_reversed = vat_id.is_some() && country != HOME;
        let rate = RATES.iter().find(|(own, _)| *own == country).map_or(0, |(_, rate)| *rate);
        let rate = if is_reversed { 0 } else { rate };
        let number = self.calculations.len();
        let mut lines = Vec::new();
        while let Some(amount) = form.get(&format!("line_items[{}][amount]", lines.len())) {
            let field = |name: &str| &form[&format!("line_items[{}][{name}]", lines.len())];
            let amount: i64 = amount.parse().unwrap();
            assert!(amount > 0, "what costs nothing is not taxed");
            let behavior = field("tax_behavior").as_str();
            let whole = if behavior == "inclusive" { 10_000 + rate } else { 10_000 };
            let line = json!({
                "id": format!("tax_li_calc{number}_{}", lines.len()),
                "object": "tax.calculation_line_item",
                "amount": amount,
                "amount_tax": (amount * rate + whole / 2) / whole,
                "livemode": false,
                "quantity": 1,
                "reference": field("reference"),
                "tax_behavior": behavior,
                "tax_code": "txcd_10000000",
            });
            lines.push(line);
        }
        assert!(!lines.is_empty(), "there is something to tax");
        let calculation = json!({
            "id": format!("taxcalc_{number}Lyceum"),
            "object": "tax.calculation",
            "currency": form["currency"],
            "customer_details": { "address": { "country": country }, "address_source": "billing" },
            "line_items": { "object": "list", "data": lines, "has_more": false },
        });
        self.calculations.push(calculation.clone());
        (200, calculation)
    }

    pub(super) fn record(&mut self, form: &HashMap<String, String>) -> (u16, Value) {
        if self.is_taken(&form["reference"]) {
            return refused(400, "resource_already_exists", "The reference is in use.");
        }
        let of = |calculation: &&Value| calculation["id"] == *form["calculation"];
        let mut lines = self.calculations.iter().find(of).unwrap()["line_items"].clone();
        let number = self.transactions.len();
        for (place, line) in lines["data"].as_array_mut().unwrap().iter_mut().enumerate() {
            line["id"] = format!("tax_li_{number}_{place}").into();
            line["object"] = "tax.transaction_line_item".into();
        }
        self.push("transaction", lines, &form["reference"], Value::Null)
    }

    pub(super) fn reverse(&mut self, form: &HashMap<String, String>) -> (u16, Value) {
        if self.is_taken(&form["reference"]) {
            return refused(400, "resource_already_exists", "The reference is in use.");
        }
        let original = form["original_transaction"].as_str();
        let reversed = self.transactions.iter().find(|own| own["id"] == original).unwrap();
        let reversal = json!({ "original_transaction": original });
        if form["mode"] == "full" {
            assert_eq!(reversed["type"], "reversal", "only a reversal is undone");
            let lines = reversed["line_items"].clone();
            return self.push("reversal", lines, &form["reference"], reversal);
        }
        let mut lines: Vec<Value> = Vec::new();
        while let Some(line) = form.get(&format!("line_items[{}][original_line_item]", lines.len())) {
            let field = |name: &str| &form[&format!("line_items[{}][{name}]", lines.len())];
            let (amount, tax): (i64, i64) = (field("amount").parse().unwrap(), field("amount_tax").parse().unwrap());
            let data = reversed["line_items"]["data"].as_array().unwrap();
            let own = data.iter().find(|own| own["id"] == *line.as_str()).unwrap();
            let (whole, whole_tax) = (own["amount"].as_i64().unwrap(), own["amount_tax"].as_i64().unwrap());
            let (before, tax_before) = self.reversed(original, line);
            if amount > 0 || tax > 0 || whole + before + amount < 0 || whole_tax + tax_before + tax < 0 {
                return refused(400, "parameter_invalid", "The amount is more than what is left.");
            }
            let made = json!({
                "id": format!("tax_li_{}_{}", self.transactions.len(), lines.len()),
                "amount": amount,
                "amount_tax": tax,
                "reference": field("reference"),
                "reversal": { "original_line_item": line },
            });
            lines.push(made);
        }
        assert!(!lines.is_empty(), "there is something to reverse");
        self.push("reversal", json!({ "data": lines }), &form["reference"], reversal)
    }

    pub(super) fn lines(&self, path: &str) -> (u16, Value) {
        let id = path.strip_suffix("/line_items?limit=100").unwrap();
        let found = self.transactions.iter().find(|own| own["id"] == id).unwrap();
        (200, found["line_items"].clone())
    }

    fn is_taken(&self, reference: &str) -> bool {
        self.transactions.iter().any(|own| own["reference"] == reference)
    }

    fn push(&mut self, kind: &str, lines: Value, reference: &str, reversal: Value) -> (u16, Value) {
        let transaction = json!({
            "id": format!("tax_{}Lyceum", self.transactions.len()),
            "object": "tax.transaction",
            "type": kind,
            "reference": reference,
            "line_items": lines,
            "reversal": reversal,
        });
        self.transactions.push(transaction.clone());
        (200, transaction)
    }

    /// What is reversed of a line, with its tax, by reversals that are not undone.
    fn reversed(&self, transaction: &str, line: &str) -> (i64, i64) {
        let of = |original: &str| {
            let own = self.transactions.iter();
            own.filter(|own| own["reversal"]["original_transaction"] == *original).collect::<Vec<_>>()
        };
        let mut sums = (0, 0);
        for reversal in of(transaction).into_iter().filter(|own| of(own["id"].as_str().unwrap()).is_empty()) {
            let data = reversal["line_items"]["data"].as_array().unwrap();
            for own in data.iter().filter(|own| own["reversal"]["original_line_item"] == *line) {
                sums.0 += own["amount"].as_i64().unwrap();
                sums.1 += own["amount_tax"].as_i64().unwrap();
            }
        }
        sums
    }
}
