//! Taxes that Stripe Tax calculates, against a fake of its API.

use super::fakes::Fault;
use super::fakes::stripe::event;
use super::stripe::StripeShop;
use super::*;

const QUOTE: &str = "orderQuote { tax { amount } isTaxIncluded total { amount currency } }";
const TAXED: &str = "order { id number tax { amount } isTaxIncluded total { amount } items { id } }";
const CALCULATE: &str = "POST /v1/tax/calculations";
const UNRECORDED: &str = "SELECT count(*) FROM jobs WHERE handler LIKE 'orders.record%'";

/// The type and the reference of what Stripe keeps of a tax, and each line's amount with its tax, in minor units.
type Known = (String, String, Vec<(i64, i64)>);

/// A school whose taxes Stripe calculates, and whose orders are paid in the sandbox.
async fn open() -> StripeShop {
    let settings = [("LYCEUM_TAX", "stripe"), ("LYCEUM_TAX_ADDED_IN", "CH"), ("LYCEUM_PAYMENTS", "sandbox")];
    StripeShop::with(&settings).await
}

impl StripeShop {
    /// The input of an order of the first course from a country, paid in the sandbox.
    fn input(&self, country: &str, tax_id: Value, total: &str) -> Value {
        let mut input = self.shop.input(&[&self.shop.course], total);
        input["billing"] = json!({ "country": country, "currency": "EUR", "taxId": tax_id });
        input["provider"] = "SANDBOX".into();
        input
    }

    async fn placed(&self, user: &User, input: Value) -> Value {
        self.shop.app.mutate(user, "createOrder", TAXED, input).await["order"].take()
    }

    async fn quoted(&self, user: &User, input: &Value) -> Value {
        let input = json!({ "items": input["items"], "billing": input["billing"] });
        self.shop.app.mutate(user, "quoteOrder", QUOTE, input).await["orderQuote"].take()
    }

    /// Stripe Tax is away for the next call of this kind.
    fn away(&self, call: &str) {
        for _ in 0..3 {
            self.fake.wire.fail(call, Fault::Refused(500));
        }
    }

    /// What Stripe knows of taxes.
    fn known(&self) -> Vec<Known> {
        let line = |line: &Value| (line["amount"].as_i64().unwrap(), line["amount_tax"].as_i64().unwrap());
        let known = |own: &Value| {
            let lines = own["line_items"]["data"].as_array().unwrap().iter().map(line).collect();
            (own["type"].as_str().unwrap().to_owned(), own["reference"].as_str().unwrap().to_owned(), lines)
        };
        self.fake.taxes().iter().map(known).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stripe_says_what_tax_is_in_a_price_and_is_told_what_was_collected_and_given_back() {
    let stripe = open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let mut input = stripe.input("DE", Value::Null, "21.90");
    input["items"].as_array_mut().unwrap().insert(0, json!({ "donation": { "amount": "2", "currency": "EUR" } }));
    let quote = stripe.quoted(&shop.sam, &input).await;
    assert_eq!((&quote["tax"]["amount"], &quote["isTaxIncluded"]), (&json!("3.18"), &json!(true)));
    assert_eq!(quote["total"], json!({ "amount": "21.90", "currency": "EUR" }));
    let order = stripe.placed(&shop.sam, input).await;
    assert_eq!((&order["tax"]["amount"], &order["total"]["amount"]), (&json!("3.18"), &json!("21.90")));
    assert_eq!(fake.wire.count(CALCULATE), 2, "once for each");
    shop.settle().await;
    assert!(stripe.known().is_empty(), "nothing is collected yet");

    shop.act(&order, "pay").await;
    // A donation is not taxed.
    let collected = ("transaction".to_owned(), text(&order["id"]), vec![(1990, 318)]);
    assert_eq!(stripe.known(), std::slice::from_ref(&collected));
    let tax = "SELECT -sum(amount_minor) FROM ledger_entries WHERE account = 'TAX'";
    assert_eq!(shop.app.sql(tax).await, "318");
    assert_eq!(shop.app.sql("SELECT content ->> 'tax_minor' FROM invoices").await, "318");

    // Half of the course, then the rest of all.
    let amount = json!({ "amount": "9.95", "currency": "EUR" });
    let half = shop.refund(&order, json!({ "itemIds": [order["items"][1]["id"]], "amount": amount })).await;
    shop.settle().await;
    let rest = shop.refund(&order, json!({})).await;
    shop.settle().await;
    let reversal = |made: &Value| ("reversal".to_owned(), text(&made["refund"]["id"]), vec![(-995, -159)]);
    assert_eq!(stripe.known(), [collected, reversal(&half), reversal(&rest)]);
    assert_eq!(shop.app.sql(tax).await, "0");

    // Told again, long after: nothing more is recorded, and Stripe is not asked.
    fake.forget_keys();
    for (handler, kind) in [("orders.record_tax", "order_paid"), ("orders.record_refunded_tax", "order_refund_done")] {
        let again = format!(
            "INSERT INTO jobs (id, handler, dedupe_key, payload, run_at, created_at) SELECT gen_random_uuid(), \
             '{handler}', 'again' || id, payload, recorded_at, recorded_at FROM events WHERE kind = '{kind}'"
        );
        shop.app.sql(&again).await;
    }
    shop.settle().await;
    assert_eq!(stripe.known().len(), 3);
    assert_eq!(fake.wire.count("POST /v1/tax/transactions"), 3);
    assert_eq!(shop.app.sql(UNRECORDED).await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tax_of_stripe_is_added_to_prices_where_the_settings_say_so() {
    let stripe = open().await;
    let shop = &stripe.shop;
    let quote = stripe.quoted(&shop.sam, &stripe.input("CH", Value::Null, "21.51")).await;
    assert_eq!((&quote["tax"]["amount"], &quote["isTaxIncluded"]), (&json!("1.61"), &json!(false)));
    assert_eq!(quote["total"]["amount"], "21.51");
    // Without the tax, nothing is ordered.
    let without = stripe.input("CH", Value::Null, "19.90");
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", without).await, "NOT_ALLOWED");
    let order = stripe.placed(&shop.sam, stripe.input("CH", Value::Null, "21.51")).await;
    assert_eq!(order["isTaxIncluded"], false);
    shop.act(&order, "pay").await;
    shop.refund(&order, json!({ "amount": { "amount": "10", "currency": "EUR" } })).await;
    shop.settle().await;
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    let amounts: Vec<_> = stripe.known().into_iter().map(|(_, _, lines)| lines).collect();
    assert_eq!(amounts, [vec![(1990, 161)], vec![(-925, -75)], vec![(-1065, -86)]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_company_abroad_pays_no_tax_and_what_cannot_be_taxed_is_not_sold() {
    let stripe = open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    for (tax_id, tax) in [(Value::Null, "3.32"), (json!("ATU 12345678"), "0.00"), (json!("12/345"), "3.32")] {
        let quote = stripe.quoted(&shop.sam, &stripe.input("AT", tax_id.clone(), "19.90")).await;
        assert_eq!((&quote["tax"]["amount"], &quote["total"]["amount"]), (&json!(tax), &json!("19.90")), "{tax_id}");
    }
    let order = stripe.placed(&shop.sam, stripe.input("AT", json!("ATU 12345678"), "19.90")).await;
    shop.act(&order, "pay").await;
    assert_eq!(stripe.known(), [("transaction".to_owned(), text(&order["id"]), vec![(1990, 0)])]);
    for (country, tax_id, code) in [("AT", json!("ATU1"), "INVALID"), ("US", Value::Null, "NOT_ALLOWED")] {
        let input = stripe.input(country, tax_id, "19.90");
        let quote = json!({ "items": input["items"], "billing": input["billing"] });
        assert_eq!(shop.code(Some(&shop.tim), "quoteOrder", quote).await, code, "{country}");
        assert_eq!(shop.code(Some(&shop.tim), "createOrder", input).await, code, "{country}");
    }
    assert_eq!(shop.app.sql("SELECT count(*) FROM orders").await, "1");
    // What costs nothing has no tax, wherever the buyer is.
    shop.price(&shop.course, "0", "EUR").await;
    let asked = fake.wire.count(CALCULATE);
    let free = stripe.placed(&shop.tim, stripe.input("US", Value::Null, "0")).await;
    assert_eq!(shop.status(&free).await, "PAID");
    shop.settle().await;
    assert_eq!((fake.wire.count(CALCULATE), stripe.known().len()), (asked, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_stripe_is_away_nothing_is_ordered_and_later_all_is_recorded_once() {
    let stripe = open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let mut input = stripe.input("DE", Value::Null, "19.90");
    input["idempotencyKey"] = "once".into();
    let quote = json!({ "items": input["items"], "billing": input["billing"] });
    for (field, input) in [("quoteOrder", &quote), ("createOrder", &input)] {
        stripe.away(CALCULATE);
        assert_eq!(shop.code(Some(&shop.sam), field, input.clone()).await, "TRY_AGAIN", "{field}");
    }
    assert_eq!(shop.app.sql("SELECT count(*) FROM orders").await, "0", "never without its tax");
    let order = stripe.placed(&shop.sam, input.clone()).await;
    // The same request again needs no tax.
    let asked = fake.wire.count(CALCULATE);
    stripe.away(CALCULATE);
    assert_eq!(stripe.placed(&shop.sam, input).await["id"], order["id"]);
    assert_eq!(fake.wire.count(CALCULATE), asked);

    // Away when the order is paid; then its answer is lost.
    stripe.away("create_from_calculation");
    shop.act(&order, "pay").await;
    assert_eq!((shop.status(&order).await.as_str(), stripe.known().len()), ("PAID", 0));
    for _ in 0..3 {
        fake.wire.fail("create_from_calculation", Fault::AnswerLost(500));
    }
    // The refund is done before the tax is known to be collected.
    shop.refund(&order, json!({})).await;
    shop.settle().await;
    shop.pass(TimeDelta::minutes(2)).await;
    shop.pass(TimeDelta::minutes(2)).await;
    let kinds: Vec<_> = stripe.known().into_iter().map(|(kind, _, lines)| (kind, lines)).collect();
    let (collected, reversed) = ("transaction".to_owned(), "reversal".to_owned());
    assert_eq!(kinds, [(collected, vec![(1990, 318)]), (reversed, vec![(-1990, -318)])]);
    assert_eq!(shop.app.sql(UNRECORDED).await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_fails_gives_no_tax_back() {
    let stripe = open().await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    let mut input = stripe.input("DE", Value::Null, "19.90");
    input["provider"] = "STRIPE".into();
    let order = stripe.placed(&shop.sam, input).await;
    stripe.tell(&fake.pay(0)).await;
    let part = json!({ "amount": { "amount": "5", "currency": "EUR" } });
    let made = shop.refund(&order, part.clone()).await;
    shop.settle().await;
    assert_eq!(stripe.known().len(), 2);
    let mut failed = fake.refunds()[0].clone();
    failed["status"] = "failed".into();
    for _ in 0..2 {
        stripe.tell(&event("refund.failed", failed.clone())).await;
    }
    assert_eq!(shop.status(&order).await, "PAID");
    let (kind, reference, _) = stripe.known().pop().unwrap();
    assert_eq!((kind, reference), ("reversal".to_owned(), format!("{}-failed", text(&made["refund"]["id"]))));
    let taxes = fake.taxes();
    assert_eq!((taxes.len(), &taxes[2]["reversal"]["original_transaction"]), (3, &taxes[1]["id"]));
    // Another attempt gives it back.
    shop.refund(&order, part).await;
    shop.settle().await;
    assert_eq!(stripe.known().pop().unwrap().2, [(-500, -80)]);
}
