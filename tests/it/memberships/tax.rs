//! Memberships whose tax Stripe Tax calculates, paid in the sandbox.

use super::*;
use crate::orders::fakes::Fault;
use crate::orders::fakes::stripe::StripeFake;

const CALCULATE: &str = "POST /v1/tax/calculations";

struct TaxClub {
    club: Club,
    fake: StripeFake,
}

impl TaxClub {
    async fn open() -> TaxClub {
        let fake = StripeFake::start().await;
        let tax = [("LYCEUM_TAX", "stripe"), ("LYCEUM_TAX_ADDED_IN", "CH"), ("LYCEUM_PAYMENTS", "sandbox")];
        let settings: Vec<_> = fake.settings().into_iter().chain(tax).collect();
        TaxClub { club: Club::with(&settings).await, fake }
    }

    /// A user becomes a member for a total of so many euros; returns the id of the membership.
    async fn join(&self, user: &User, price: &str, billing: Value, total: &str) -> String {
        let mut input = self.club.order_input(price, total);
        input["billing"] = billing;
        input["provider"] = "SANDBOX".into();
        let selection = "order { number items { membership { id } } }";
        let order = self.club.app.mutate(user, "createOrder", selection, input).await["order"].take();
        self.club.act(order["number"].as_str().unwrap(), "pay").await;
        order["items"][0]["membership"]["id"].as_str().unwrap().to_owned()
    }

    /// The tax of each order of all memberships, in the order of their numbers.
    async fn taxes(&self) -> String {
        self.club.app.sql("SELECT string_agg(tax_minor::text, ' ' ORDER BY number) FROM orders").await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_period_is_taxed_by_stripe_and_a_company_abroad_is_one_also_when_it_is_renewed() {
    let mut own = TaxClub::open().await;
    let plan = own.club.all_access().await;
    let company = json!({ "country": "AT", "currency": "EUR", "taxId": "ATU12345678" });
    let person = json!({ "country": "CH", "currency": "EUR" });
    own.join(&own.club.sam, &month(&plan), company, "10").await;
    own.join(&own.club.tim, &month(&plan), person, "10.81").await;
    assert_eq!(own.taxes().await, "0 81");
    own.club.pass(TimeDelta::days(30)).await;
    let amounts = own.club.app.sql("SELECT string_agg(total_minor::text, ' ' ORDER BY total_minor) FROM orders").await;
    assert_eq!(amounts, "1000 1000 1081 1081");
    let taxed =
        "SELECT count(*) FROM orders WHERE status = 'PAID' AND tax_minor = CASE country WHEN 'CH' THEN 81 ELSE 0 END";
    assert_eq!(own.club.app.sql(taxed).await, "4");
    let numbers = "SELECT count(*) FROM orders WHERE country = 'AT' AND billing_tax_id = 'ATU12345678'";
    assert_eq!(own.club.app.sql(numbers).await, "2");
    assert_eq!(own.fake.taxes().len(), 4, "each is recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_waits_for_stripe_tax_and_the_access_lasts() {
    let mut own = TaxClub::open().await;
    let plan = own.club.all_access().await;
    let billing = json!({ "country": "DE", "currency": "EUR" });
    let id = own.join(&own.club.sam, &month(&plan), billing, "10").await;
    for _ in 0..3 {
        own.fake.wire.fail(CALCULATE, Fault::Refused(500));
    }
    own.club.pass(TimeDelta::days(30)).await;
    let seen = own.club.seen(&id).await;
    assert_eq!(
        (&seen["status"], &seen["orders"]["totalCount"]),
        (&json!("ACTIVE"), &json!(1)),
        "never without its tax"
    );
    assert_eq!(time(&seen["nextBillingAt"]), own.club.now() + TimeDelta::hours(1));
    own.club.pass(TimeDelta::minutes(59)).await;
    assert!(own.club.has(&own.club.sam, &own.club.course).await);
    own.club.pass(TimeDelta::minutes(1)).await;
    assert_eq!(own.club.orders(&id).await, ["PAID 10.00", "PAID 10.00"]);
    assert_eq!(own.taxes().await, "160 160");
    assert!(own.club.has(&own.club.sam, &own.club.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_charged_has_access_as_long_as_if_charges_failed() {
    let mut own = TaxClub::open().await;
    let plan = own.club.all_access().await;
    let billing = json!({ "country": "DE", "currency": "EUR" });
    let id = own.join(&own.club.sam, &month(&plan), billing, "10").await;
    for (days, has_access) in [(30, true), (5, true), (10, false), (10, false)] {
        for _ in 0..3 {
            own.fake.wire.fail(CALCULATE, Fault::Refused(500));
        }
        own.club.pass(TimeDelta::days(days)).await;
        assert_eq!(own.club.has(&own.club.sam, &own.club.course).await, has_access, "{days} days later");
        assert_eq!(own.club.seen(&id).await["status"], "ACTIVE");
    }
    own.club.pass(TimeDelta::hours(1)).await;
    assert_eq!(own.club.orders(&id).await, ["PAID 10.00", "PAID 10.00"]);
    assert!(own.club.has(&own.club.sam, &own.club.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_quoted_and_charged_with_the_tax_of_stripe() {
    let mut own = TaxClub::open().await;
    let (basic, premium) = (own.club.hours("Basic", "4", "30").await, own.club.hours("Premium", "8", "50").await);
    let billing = json!({ "country": "CH", "currency": "EUR" });
    let id = own.join(&own.club.sam, &month(&basic), billing, "32.43").await;
    own.club.pass(TimeDelta::days(15)).await;
    let input = json!({ "membershipId": id, "planPriceId": month(&premium), "when": "NOW" });
    let quote = "quote { price { amount } credit { amount } total { amount } }";
    let quoted = own.club.app.mutate(&own.club.sam, "quoteMembershipChange", quote, input.clone()).await;
    let amounts = ["price", "credit", "total"].map(|name| quoted["quote"][name]["amount"].as_str().unwrap().to_owned());
    assert_eq!(amounts, ["54.05", "15.00", "37.84"], "50 and 35 with 8.1 percent");
    for _ in 0..3 {
        own.fake.wire.fail(CALCULATE, Fault::Refused(500));
    }
    assert_eq!(own.club.code(&own.club.sam, "changeMembership", input.clone()).await, "TRY_AGAIN");
    own.club.app.mutate(&own.club.sam, "changeMembership", "membership { id }", input).await;
    own.club.settle().await;
    assert_eq!(own.club.orders(&id).await, ["PAID 37.84", "PAID 32.43"]);
}
