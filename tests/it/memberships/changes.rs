//! Changes of a membership's price: at once with proration, or with the next renewal.

use super::*;

const QUOTE: &str = "quote { price { amount } credit { amount } total { amount } creditLeft { amount } nextBillingAt }";

impl Club {
    async fn quoted(&self, user: &User, id: &str, price: &str, when: &str) -> Value {
        let input = json!({ "membershipId": id, "planPriceId": price, "when": when });
        self.app.mutate(user, "quoteMembershipChange", QUOTE, input).await["quote"].take()
    }

    async fn move_to(&self, user: &User, id: &str, price: &str, when: &str) -> Value {
        let input = json!({ "membershipId": id, "planPriceId": price, "when": when });
        self.app.mutate(user, "changeMembership", "membership { id }", input).await;
        self.settle().await;
        self.seen(id).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_at_once_begins_a_new_period_and_what_is_left_is_taken_off() {
    let mut club = Club::open().await;
    let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
    let id = club.join(&club.sam, &month(&basic), "30").await;
    club.pass(TimeDelta::days(12)).await;
    let quote = club.quoted(&club.sam, &id, &month(&premium), "NOW").await;
    let amount = |field: &str| quote[field]["amount"].as_str().unwrap().to_owned();
    // 18 of 30 days are left of 30 euros.
    assert_eq!(
        [amount("price"), amount("credit"), amount("total"), amount("creditLeft")],
        ["50.00", "18.00", "32.00", "0.00"]
    );
    assert_eq!(club.orders(&id).await.len(), 1, "a quote changes nothing");
    let seen = club.move_to(&club.sam, &id, &month(&premium), "NOW").await;
    assert_eq!((&seen["status"], &seen["planPrice"]["plan"]["name"]), (&json!("ACTIVE"), &json!("Premium")));
    assert_eq!(club.orders(&id).await, ["PAID 32.00", "PAID 30.00"]);
    assert_eq!(time(&seen["periodStartsAt"]), club.now());
    // Down again at once: all of 50 is left, which is more than the price.
    let seen = club.move_to(&club.sam, &id, &month(&basic), "NOW").await;
    assert_eq!((&seen["credit"]["amount"], &seen["planPrice"]["plan"]["name"]), (&json!("20.00"), &json!("Basic")));
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.orders(&id).await[..2], ["PAID 10.00", "PAID 0.00"], "the rest is taken off the renewal");
    assert_eq!(club.seen(&id).await["credit"]["amount"], "0.00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_charged_as_it_was_shown_or_not_at_all() {
    let mut club = Club::open().await;
    let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
    let id = club.join(&club.sam, &month(&basic), "30").await;
    club.pass(TimeDelta::days(12)).await;
    let input = |when: &str, amount: &str, currency: &str| {
        let total = json!({ "amount": amount, "currency": currency });
        json!({ "membershipId": id, "planPriceId": month(&premium), "when": when, "expectedTotal": total })
    };
    for (amount, currency, code) in [
        ("31.99", "EUR", "NOT_ALLOWED"),
        ("32.01", "EUR", "NOT_ALLOWED"),
        ("32.00", "USD", "NOT_ALLOWED"),
        ("32.001", "EUR", "INVALID"),
        ("-1", "EUR", "OUT_OF_RANGE"),
    ] {
        let payload =
            club.app.payload(&club.sam, "changeMembership", "membership { id }", input("NOW", amount, currency)).await;
        let error = &payload["userErrors"][0];
        assert_eq!(
            (&error["code"], &error["field"][0]),
            (&json!(code), &json!("expectedTotal")),
            "{amount} {currency}"
        );
    }
    club.settle().await;
    assert_eq!(club.orders(&id).await, ["PAID 30.00"], "nothing was ordered");
    club.app.mutate(&club.sam, "changeMembership", "membership { id }", input("NOW", "32.00", "EUR")).await;
    club.settle().await;
    assert_eq!(club.orders(&id).await, ["PAID 32.00", "PAID 30.00"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refunded_is_not_taken_off_once_more() {
    let mut club = Club::with(&[("LYCEUM_TAXES", "DE=+10")]).await;
    let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
    let id = club.join(&club.sam, &month(&basic), "33").await;
    let order = club.seen(&id).await["orders"]["nodes"][0]["id"].clone();
    let credit = async |club: &Club| {
        club.quoted(&club.sam, &id, &month(&premium), "NOW").await["credit"]["amount"].as_str().unwrap().to_owned()
    };
    club.pass(TimeDelta::days(15)).await;
    assert_eq!(credit(&club).await, "15.00", "half of the price without tax");
    club.sandbox().set_trouble(Trouble::Away);
    let amount = json!({ "amount": "11", "currency": "EUR" });
    let refund = json!({ "orderId": order, "amount": amount, "reason": "Ill" });
    club.app.mutate(&club.root, "refundOrder", "order { id }", refund).await;
    assert_eq!(credit(&club).await, "10.00", "half of the 20 euros that are left");
    // The provider refuses the refund in the end.
    club.app.sql("UPDATE sandbox_checkouts SET refunded_minor = amount_minor").await;
    club.sandbox().set_trouble(Trouble::None);
    club.app.app.clock.advance(TimeDelta::minutes(2));
    club.settle().await;
    assert_eq!(club.app.sql("SELECT state FROM refunds").await, "FAILED");
    let cents: u32 = credit(&club).await.replace('.', "").parse().unwrap();
    assert!((1498..=1500).contains(&cents), "{cents}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_for_a_change_that_comes_when_less_is_left_goes_back() {
    let mut club = Club::open().await;
    let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
    let id = club.join(&club.sam, &month(&basic), "30").await;
    // Without a stored payment, the change gets a checkout.
    club.app.sql("UPDATE memberships SET authorization_id = NULL, provider = NULL").await;
    club.move_to(&club.sam, &id, &month(&premium), "NOW").await;
    let number = club.numbers(&id).await[0].clone();
    assert_eq!(club.orders(&id).await[0], "PENDING 20.00");
    // It is paid at the last moment, and told after the order has ended.
    club.only_act(&number, "pay").await;
    club.app.sql("UPDATE jobs SET run_at = run_at + interval '5 days' WHERE handler = 'sandbox.send'").await;
    club.app.sql("UPDATE payments SET check_at = check_at + interval '9 days' WHERE check_at IS NOT NULL").await;
    club.pass(TimeDelta::days(4)).await;
    assert_eq!(club.orders(&id).await[0], "EXPIRED 20.00");
    club.pass(TimeDelta::days(2)).await;
    assert_eq!(club.seen(&id).await["planPrice"]["plan"]["name"], "Basic");
    assert_eq!(club.app.sql("SELECT refunded_minor FROM sandbox_checkouts WHERE amount_minor = 2000").await, "2000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_not_paid_changes_nothing() {
    let mut club = Club::open().await;
    let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
    let id = club.join(&club.sam, &month(&basic), "30").await;
    club.act(&club.numbers(&id).await[0], "decline-charges").await;
    let before = club.seen(&id).await;
    let seen = club.move_to(&club.sam, &id, &month(&premium), "NOW").await;
    for field in ["status", "planPrice", "periodEndsAt", "nextBillingAt"] {
        assert_eq!(seen[field], before[field], "{field}");
    }
    assert_eq!(club.orders(&id).await, ["FAILED 20.00", "PAID 30.00"]);
    // Nor is it in the way of the renewal.
    club.act(club.numbers(&id).await.last().unwrap(), "accept-charges").await;
    club.pass(TimeDelta::days(30)).await;
    assert_eq!(club.orders(&id).await[0], "PAID 30.00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_with_the_renewal_waits_for_it_and_can_be_taken_back() {
    let mut club = Club::open().await;
    let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
    let id = club.join(&club.sam, &month(&premium), "50").await;
    let quote = club.quoted(&club.sam, &id, &month(&basic), "RENEWAL").await;
    assert_eq!((&quote["price"]["amount"], &quote["total"]["amount"]), (&json!("30.00"), &json!("0.00")));
    assert_eq!(time(&quote["nextBillingAt"]), club.now() + TimeDelta::days(30));
    let seen = club.move_to(&club.sam, &id, &month(&basic), "RENEWAL").await;
    assert_eq!(seen["pendingPlanPrice"]["id"], json!(month(&basic)));
    let seen = club.move_to(&club.sam, &id, &month(&premium), "RENEWAL").await;
    assert_eq!(seen["pendingPlanPrice"], Value::Null, "taken back");
    club.move_to(&club.sam, &id, &month(&basic), "RENEWAL").await;
    club.pass(TimeDelta::days(30)).await;
    let seen = club.seen(&id).await;
    assert_eq!((&seen["planPrice"]["plan"]["name"], &seen["pendingPlanPrice"]), (&json!("Basic"), &Value::Null));
    assert_eq!(club.orders(&id).await, ["PAID 30.00", "PAID 50.00"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_goes_on_when_it_is_changed() {
    let mut club = Club::open().await;
    let mut prices = [price("30", "MONTH"), price("300", "YEAR")];
    prices[0]["trialDays"] = json!(7);
    let plan = club.plan(json!({ "kind": "ALL_ACCESS", "name": "All", "prices": prices })).await;
    let id = club.join(&club.sam, &month(&plan), "0").await;
    let before = club.seen(&id).await;
    club.pass(TimeDelta::days(1)).await;
    let seen = club.move_to(&club.sam, &id, &price_of(&plan, "YEAR"), "NOW").await;
    assert_eq!((&seen["status"], &seen["periodEndsAt"]), (&json!("TRIALING"), &before["periodEndsAt"]));
    assert_eq!(club.orders(&id).await.len(), 1);
    club.pass(TimeDelta::days(6)).await;
    assert_eq!(club.orders(&id).await, ["PENDING 300.00", "PAID 0.00"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_is_changed_only_to_what_is_for_the_same_and_while_it_runs() {
    let club = Club::open().await;
    let (basic, premium) = (club.hours("Basic", "4", "30").await, club.hours("Premium", "8", "50").await);
    let all = club.all_access().await;
    let mut dollars = price("50", "MONTH");
    dollars["amount"]["currency"] = json!("USD");
    let abroad =
        club.plan(json!({ "kind": "LIVE_CLASS", "name": "Abroad", "liveHoursPerMonth": 8, "prices": [dollars] })).await;
    let id = club.join(&club.sam, &month(&basic), "30").await;
    let input = |price: &str, when: &str| json!({ "membershipId": id, "planPriceId": price, "when": when });
    for (user, price, when, code) in [
        (&club.tim, month(&premium), "NOW", "NOT_FOUND"),
        (&club.root, month(&premium), "NOW", "NOT_FOUND"),
        (&club.sam, month(&basic), "NOW", "NOT_ALLOWED"),
        (&club.sam, month(&all), "NOW", "NOT_ALLOWED"),
        (&club.sam, month(&all), "RENEWAL", "NOT_ALLOWED"),
        (&club.sam, month(&abroad), "NOW", "NOT_ALLOWED"),
        (&club.sam, lyceum::memberships::PlanPriceId::new(uuid::Uuid::nil()).encode(), "NOW", "NOT_FOUND"),
    ] {
        for field in ["quoteMembershipChange", "changeMembership"] {
            assert_eq!(club.code(user, field, input(&price, when)).await, code, "{field} {when}");
        }
    }
    for (field, status) in
        [("pauseMembership", "PAUSED"), ("resumeMembership", "ACTIVE"), ("cancelMembership", "CANCELED")]
    {
        club.change(&club.sam, field, &id).await;
        for when in ["NOW", "RENEWAL"] {
            let code = if status == "ACTIVE" { continue } else { "NOT_ALLOWED" };
            assert_eq!(club.code(&club.sam, "changeMembership", input(&month(&premium), when)).await, code, "{status}");
        }
    }
    assert_eq!(club.orders(&id).await, ["PAID 30.00"]);
}
