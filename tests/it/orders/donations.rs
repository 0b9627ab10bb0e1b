//! Donations that are repeated each month.

use super::stripe::StripeShop;
use super::*;

const DONATIONS: &str = "{ viewer { donations { totalCount nodes { id amount { amount currency } status isCharged \
    nextAt startedAt endedAt } } } }";

impl Shop {
    /// The input of an order of 7 euros a month.
    fn monthly(&self) -> Value {
        let mut input = self.input(&[], "7");
        input["items"] = json!([{ "monthlyDonation": { "amount": "7", "currency": "EUR" } }]);
        input
    }

    /// The only repeated donation of a user.
    async fn donation(&self, user: &User) -> Value {
        let data = self.app.data(Some(&user.token), DONATIONS, json!({})).await;
        assert_eq!(data["viewer"]["donations"]["totalCount"], 1);
        data["viewer"]["donations"]["nodes"][0].clone()
    }

    /// The next month begins, for all.
    async fn month(&self) {
        self.app.sql("UPDATE donations SET next_at = '2026-11-20' WHERE next_at IS NOT NULL").await;
        for _ in 0..2 {
            self.app.run("orders.donate").await;
        }
        self.settle().await;
    }

    /// The states of all orders, in the order of their numbers.
    async fn statuses(&self) -> String {
        self.app.sql("SELECT string_agg(status, ' ' ORDER BY number) FROM orders").await
    }

    /// Why donations have ended, as recorded.
    async fn ends(&self) -> String {
        let ends = "SELECT string_agg(payload ->> 'why', ' ' ORDER BY id) FROM events WHERE kind = 'donation_ended'";
        self.app.sql(ends).await
    }

    async fn cancel(&self, user: &User, donation: &Value) -> String {
        self.code(Some(user), "cancelDonation", json!({ "donationId": donation["id"] })).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monthly_donation_is_charged_once_a_month_until_it_is_canceled() {
    let shop = Shop::open().await;
    let order = shop.ordered(&shop.sam, shop.monthly()).await;
    assert_eq!(order["items"][0]["kind"], "DONATION");
    let pending = shop.donation(&shop.sam).await;
    assert_eq!((&pending["status"], &pending["nextAt"]), (&json!("PENDING"), &Value::Null));
    shop.act(&order, "pay-thrice").await;
    let active = shop.donation(&shop.sam).await;
    assert_eq!(active["amount"], json!({ "amount": "7.00", "currency": "EUR" }));
    assert_eq!((&active["status"], &active["isCharged"]), (&json!("ACTIVE"), &json!(true)));
    assert_eq!(active["nextAt"], "2026-12-20T09:00:00+00:00");
    shop.app.run("orders.donate").await;
    assert_eq!(shop.statuses().await, "PAID", "not before it is due");
    shop.month().await;
    shop.month().await;
    assert_eq!(shop.statuses().await, "PAID PAID PAID");
    let charged = "SELECT count(*) FROM sandbox_checkouts WHERE state = 'PAID' AND authorization_id IS NOT NULL";
    assert_eq!(shop.app.sql(charged).await, "2");
    assert_eq!(shop.app.sql("SELECT count(*) FROM entitlements").await, "0");

    // For the donor and administrators only.
    let id = active["id"].as_str().unwrap();
    for (user, sees) in [(&shop.sam, true), (&shop.root, true), (&shop.tim, false)] {
        assert_eq!(shop.node(Some(user), id, "id").await["id"] == id, sees);
    }
    assert_eq!(shop.cancel(&shop.tim, &active).await, "NOT_FOUND");
    assert_eq!(shop.cancel(&shop.sam, &active).await, "");
    assert_eq!(shop.cancel(&shop.sam, &active).await, "NOT_ALLOWED");
    assert_eq!(shop.ends().await, "CANCELED");
    let ended = shop.donation(&shop.sam).await;
    assert_eq!((&ended["status"], &ended["nextAt"]), (&json!("ENDED"), &Value::Null));
    shop.month().await;
    assert_eq!(shop.statuses().await, "PAID PAID PAID");
    assert_eq!(shop.app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_donation_that_is_not_paid_three_times_in_succession_ends_and_its_donor_is_told() {
    let shop = Shop::open().await;
    // Users are told of nothing from the instant at which their accounts were made.
    shop.app.app.clock.advance(TimeDelta::seconds(1));
    let order = shop.ordered(&shop.sam, shop.monthly()).await;
    shop.act(&order, "pay").await;
    shop.act(&order, "decline-charges").await;
    shop.month().await;
    shop.month().await;
    shop.act(&order, "accept-charges").await;
    shop.month().await;
    assert_eq!(shop.statuses().await, "PAID FAILED FAILED PAID");
    shop.act(&order, "decline-charges").await;
    for status in ["ACTIVE", "ACTIVE", "ENDED", "ENDED"] {
        shop.month().await;
        assert_eq!(shop.donation(&shop.sam).await["status"], status);
    }
    assert_eq!(shop.statuses().await, "PAID FAILED FAILED PAID FAILED FAILED FAILED");
    assert_eq!(shop.ends().await, "UNPAID");
    let told = "{ viewer { notifications { nodes { kind title count subject { id } } } } }";
    let data = shop.app.data(Some(&shop.sam.token), told, json!({})).await;
    let nodes = data["viewer"]["notifications"]["nodes"].as_array().unwrap();
    let ended: Vec<&Value> = nodes.iter().filter(|node| node["title"] == "Your monthly donation has ended").collect();
    let donation = shop.donation(&shop.sam).await;
    let subject = json!({ "id": donation["id"] });
    assert_eq!(
        ended,
        [&json!({
            "kind": "ORDER_FAILED", "title": "Your monthly donation has ended", "count": 1, "subject": subject,
        })]
    );
    shop.app.run("notifications.send").await;
    let mails = shop.app.mails.lock().unwrap().clone();
    assert_eq!(mails.iter().filter(|mail| mail.subject == "Your monthly donation has ended").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_donation_that_is_not_begun_ends_with_its_order_and_one_of_a_deleted_user_too() {
    let shop = Shop::open().await;
    let order = shop.ordered(&shop.sam, shop.monthly()).await;
    shop.app.mutate(&shop.sam, "cancelOrder", "order { id }", json!({ "orderId": order["id"] })).await;
    shop.settle().await;
    assert_eq!(shop.donation(&shop.sam).await["status"], "ENDED");
    // Canceled with its order, which has nothing else in it.
    let order = shop.ordered(&shop.tim, shop.monthly()).await;
    let donation = shop.donation(&shop.tim).await;
    assert_eq!(shop.cancel(&shop.root, &donation).await, "");
    shop.settle().await;
    assert_eq!((shop.status(&order).await.as_str(), shop.statuses().await.as_str()), ("CANCELED", "CANCELED CANCELED"));
    assert_eq!(shop.ends().await, "NOT_BEGUN CANCELED");

    let eve = shop.app.user("Eve", Role::Student).await;
    let order = shop.ordered(&eve, shop.monthly()).await;
    shop.act(&order, "pay").await;
    let user = eve.id.parse::<lyceum::accounts::UserId>().unwrap().uuid();
    shop.app.sql(&format!("UPDATE users SET deletion_due_at = '2026-11-20' WHERE id = '{user}'")).await;
    shop.app.run("accounts.delete_due").await;
    shop.settle().await;
    let ended = "SELECT count(*) FROM donations WHERE ended_at IS NOT NULL AND next_at IS NULL";
    assert_eq!(shop.app.sql(ended).await, "3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_is_charged_again_each_month_is_paid_on_a_page() {
    let stripe = StripeShop::with(&[]).await;
    let (shop, fake) = (&stripe.shop, &stripe.fake);
    shop.ordered(&shop.sam, shop.monthly()).await;
    stripe.tell(&fake.pay(0)).await;
    let donation = shop.donation(&shop.sam).await;
    assert_eq!((&donation["status"], &donation["isCharged"]), (&json!("ACTIVE"), &json!(false)));
    shop.month().await;
    assert_eq!(shop.statuses().await, "PAID PENDING");
    assert_eq!(shop.donation(&shop.sam).await["nextAt"], Value::Null, "one after the other");
    let page = "{ viewer { orders(filter: { statuses: [PENDING] }) { nodes { checkoutUrl } } } }";
    let data = shop.app.data(Some(&shop.sam.token), page, json!({})).await;
    assert_eq!(data["viewer"]["orders"]["nodes"][0]["checkoutUrl"], fake.sessions()[1]["url"]);
    stripe.tell(&fake.pay(1)).await;
    assert_eq!(shop.statuses().await, "PAID PAID");
    assert_eq!(shop.donation(&shop.sam).await["nextAt"], "2026-12-20T09:00:00+00:00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monthly_donation_is_checked_like_another() {
    let shop = Shop::open().await;
    let once = json!({ "donation": { "amount": "2", "currency": "EUR" } });
    let monthly =
        |amount: &str, currency: &str| json!({ "monthlyDonation": { "amount": amount, "currency": currency } });
    for (items, code) in [
        (json!([monthly("0.99", "EUR")]), "OUT_OF_RANGE"),
        (json!([monthly("7", "USD")]), "NOT_ALLOWED"),
        (json!([once, monthly("7", "EUR")]), "TAKEN"),
    ] {
        let mut input = shop.input(&[], "7");
        input["items"] = items;
        assert_eq!(shop.code(Some(&shop.sam), "createOrder", input).await, code);
    }
    // Beside a course, of which it is no part.
    let mut input = shop.input(&[&shop.other], "12");
    input["items"].as_array_mut().unwrap().push(monthly("7", "EUR"));
    let order = shop.ordered(&shop.sam, input).await;
    shop.act(&order, "pay").await;
    shop.month().await;
    let totals = shop.app.sql("SELECT string_agg(total_minor::text, ' ' ORDER BY number) FROM orders").await;
    assert_eq!(totals, "1200 700");
}
