//! Memberships that a subscription at the provider renews.

use lyceum::platform::payments::{GatewayEvent, GatewayFact};

use super::gateway::{SUB, StripeClub, told};
use super::*;
use crate::orders::fakes::Fault;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_charge_of_the_subscription_pays_a_period() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.ordered(&stripe.club.sam, &month(&stripe.plan), "10").await;
    let first_charge = stripe.club.now() + TimeDelta::days(30);
    stripe.club.pass(TimeDelta::hours(3)).await;
    assert_eq!(stripe.renewal(&id).await, Value::Null, "it has not begun");
    stripe.pay(&id, SUB).await;
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], stripe.renewal(&id).await), (&json!("ACTIVE"), json!("AUTOMATIC")));
    assert_eq!(time(&seen["nextBillingAt"]), first_charge, "when the checkout has said");
    assert_eq!(time(&seen["periodEndsAt"]), first_charge + TimeDelta::hours(3), "an interval from the payment on");
    let sessions = stripe.fake.sessions();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    for (renewals, transaction) in [(1, "pi_a"), (2, "pi_b")] {
        let before = stripe.club.seen(&id).await;
        let due = time(&before["nextBillingAt"]);
        stripe.club.pass(due - stripe.club.now() + TimeDelta::minutes(50)).await;
        assert_eq!(stripe.club.orders(&id).await.len(), renewals, "nothing is charged by this server");
        assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await);
        stripe.charged(SUB, transaction, 1000).await;
        let seen = stripe.club.seen(&id).await;
        assert_eq!(stripe.club.orders(&id).await, vec!["PAID 10.00"; renewals + 1]);
        assert_eq!((&seen["status"], &seen["periodStartsAt"]), (&json!("ACTIVE"), &before["periodEndsAt"]));
        assert!(time(&seen["nextBillingAt"]) > due + TimeDelta::days(27));
    }
    assert_eq!(stripe.club.told("renewed").await, "2");
    assert_eq!(stripe.club.app.sql("SELECT count(*) FROM invoices WHERE refund_id IS NULL").await, "3");
    assert_eq!(stripe.club.app.sql("SELECT sum(amount_minor) FROM ledger_entries").await, "0");
    assert_eq!(stripe.fake.sessions().len(), 1, "one page for all");
    assert_eq!(stripe.events().await, "PROCESSED");
    let of_order = "query ($id: ID!) { paymentEvents(filter: { orderId: $id }) { totalCount } }";
    let order = stripe.club.seen(&id).await["orders"]["nodes"][0]["id"].take();
    let data = stripe.club.app.data(Some(&stripe.club.root.token), of_order, json!({ "id": order })).await;
    assert_eq!(data["paymentEvents"]["totalCount"], 1, "the event is about the order that it has paid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_first_twice_late_or_never_is_charged_once() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.ordered(&stripe.club.sam, &month(&stripe.plan), "10").await;
    stripe.fake.begin(SUB);
    stripe.club.app.app.clock.advance(TimeDelta::minutes(1));
    // Before it is known that the page has started it.
    stripe.charged(SUB, "pi_early", 1000).await;
    assert_eq!((stripe.club.status(&id).await, stripe.events().await), ("PENDING".into(), "WAITING".into()));
    let first = stripe.paid_event(&id, Some(SUB)).await;
    stripe.tell(&first).await;
    stripe.club.app.app.clock.advance(TimeDelta::minutes(1));
    stripe.club.settle().await;
    assert_eq!(stripe.club.orders(&id).await, ["PAID 10.00", "PAID 10.00"]);
    // Again, each of them.
    stripe.tell(&told(SUB, GatewayFact::SubscriptionPaid, Some(("pi_early", 1000)))).await;
    stripe.tell(&GatewayEvent { id: "evt_again".into(), ..first }).await;
    // Of what failed before, it is told now; and two are told as one.
    stripe.tell(&told(SUB, GatewayFact::SubscriptionFailed, None)).await;
    let now = stripe.club.now();
    stripe.fake.known(SUB, "pi_b", 1000, now);
    stripe.charged(SUB, "pi_c", 1000).await;
    stripe.tell(&told(SUB, GatewayFact::SubscriptionPaid, Some(("pi_b", 1000)))).await;
    assert_eq!(stripe.club.orders(&id).await, vec!["PAID 10.00"; 4]);
    assert_eq!(stripe.club.app.sql("SELECT max(period) FROM memberships").await, "4");
    assert_eq!(stripe.club.status(&id).await, "ACTIVE");
    // No webhook comes: it is asked an hour after the end of the period.
    let end = time(&stripe.club.seen(&id).await["periodEndsAt"]);
    stripe.fake.known(SUB, "pi_d", 1000, end);
    stripe.club.pass(end - stripe.club.now() + TimeDelta::minutes(59)).await;
    assert_eq!(stripe.club.orders(&id).await.len(), 4);
    stripe.fake.wire.fail("GET /v1/subscriptions", Fault::Refused(500));
    stripe.club.pass(TimeDelta::minutes(1)).await;
    stripe.club.pass(TimeDelta::minutes(5)).await;
    assert_eq!(stripe.club.orders(&id).await, vec!["PAID 10.00"; 5]);
    assert_eq!(stripe.club.app.sql("SELECT count(*) FROM provider_subscriptions WHERE attempts > 0").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_answers_one_makes_the_order() {
    let stripe = StripeClub::open().await;
    let id = stripe.join().await;
    let (one, two) = (stripe.club.app.peer().await, stripe.club.app.peer().await);
    stripe.club.app.app.clock.advance(TimeDelta::days(30) + TimeDelta::hours(1));
    stripe.fake.known(SUB, "pi_a", 1000, stripe.club.now());
    let job = "orders.follow_subscriptions";
    tokio::join!(stripe.charged(SUB, "pi_b", 1000), one.run(job), two.run(job), stripe.club.app.run(job));
    stripe.club.settle().await;
    assert_eq!(stripe.club.app.sql("SELECT count(*) FROM orders WHERE status = 'PAID'").await, "3");
    assert_eq!(stripe.club.app.sql("SELECT count(*) FROM orders").await, "3");
    assert!(id.starts_with("membership_"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_cannot_be_used_is_recorded_and_goes_back() {
    // Of a membership that is canceled.
    let mut stripe = StripeClub::open().await;
    let id = stripe.join().await;
    stripe.club.change(&stripe.club.sam, "cancelMembership", &id).await;
    stripe.charged(SUB, "pi_late", 1000).await;
    assert_eq!(stripe.club.orders(&id).await, ["CANCELED 10.00", "PAID 10.00"]);
    assert_eq!(stripe.fake.refunded("pi_late"), 1000);
    assert_eq!(stripe.club.status(&id).await, "CANCELED");
    // Of one that has ended: it is asked once more after the subscription was ended.
    stripe.club.sweep().await;
    assert!(stripe.fake.is_ended(SUB));
    stripe.fake.known(SUB, "pi_raced", 1000, stripe.club.now());
    stripe.fake.set(SUB, "canceled");
    stripe.club.pass(TimeDelta::hours(1)).await;
    assert_eq!(stripe.fake.refunded("pi_raced"), 1000);
    let asked = stripe.fake.wire.count("GET /v1/subscriptions");
    stripe.club.pass(TimeDelta::days(40)).await;
    assert_eq!(stripe.fake.wire.count("GET /v1/subscriptions"), asked, "and then not anymore");
    assert_eq!(stripe.club.status(&id).await, "EXPIRED");
    assert_eq!(stripe.club.app.sql("SELECT count(*) FROM refunds WHERE state = 'DONE'").await, "2");
    assert_eq!(stripe.club.app.sql("SELECT count(*) FROM membership_periods").await, "1");
    // Another amount or currency than the price's: it would be charged each time, so it is ended.
    for (currency, cents) in [("EUR", 999), ("USD", 1000)] {
        let mut stripe = StripeClub::open().await;
        let id = stripe.join().await;
        stripe.club.pass(TimeDelta::days(29)).await;
        stripe.fake.known_in(currency, SUB, "pi_other", (cents, stripe.club.now()));
        stripe.tell(&told(SUB, GatewayFact::SubscriptionPaid, Some(("pi_other", cents)))).await;
        assert_eq!(stripe.fake.refunded("pi_other"), cents);
        stripe.club.sweep().await;
        assert!(stripe.fake.is_ended(SUB), "{currency} {cents}");
        assert_eq!((stripe.club.status(&id).await, stripe.renewal(&id).await), ("ACTIVE".into(), json!("BY_PAGE")));
        assert_eq!(
            stripe.club.app.sql("SELECT sum(amount_minor) FROM ledger_entries WHERE account = 'BANK'").await,
            ""
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_that_fails_is_tried_by_the_provider_and_in_the_end_on_a_page() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.join().await;
    stripe.club.pass(TimeDelta::days(30)).await;
    stripe.failed(SUB).await;
    stripe.failed(SUB).await;
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], stripe.renewal(&id).await), (&json!("PAST_DUE"), json!("AUTOMATIC")));
    assert_eq!(stripe.club.told("payment_failed").await, "1", "once");
    stripe.club.pass(TimeDelta::days(4)).await;
    assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await);
    assert_eq!(stripe.club.orders(&id).await, ["PAID 10.00"], "the provider tries");
    stripe.charged(SUB, "pi_a", 1000).await;
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], &seen["orders"]["totalCount"]), (&json!("ACTIVE"), &json!(2)));
    // The next one fails for good. The page of the last day starts a new subscription.
    stripe.club.pass(time(&seen["nextBillingAt"]) - stripe.club.now()).await;
    stripe.failed(SUB).await;
    stripe.club.pass(TimeDelta::days(5)).await;
    assert!(stripe.fake.is_ended(SUB));
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], &seen["orders"]["nodes"][0]["status"]), (&json!("PAST_DUE"), &json!("PENDING")));
    assert!(seen["checkoutUrl"].is_string() && stripe.renewal(&id).await == json!("BY_PAGE"));
    stripe.pay(&id, "sub_2").await;
    assert_eq!((stripe.club.status(&id).await, stripe.renewal(&id).await), ("ACTIVE".into(), json!("AUTOMATIC")));
    let end = time(&stripe.club.seen(&id).await["periodEndsAt"]);
    assert_eq!(time(&stripe.club.seen(&id).await["nextBillingAt"]), end, "from the end of what was paid on");
    // The next one is not paid.
    stripe.club.pass(end - stripe.club.now()).await;
    stripe.failed("sub_2").await;
    for days in [5, 1, 1] {
        stripe.club.pass(TimeDelta::days(days)).await;
    }
    assert_eq!(stripe.club.status(&id).await, "EXPIRED");
    assert!(!stripe.club.has(&stripe.club.sam, &stripe.club.course).await);
    assert!(stripe.fake.is_ended("sub_2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_that_does_not_come_counts_as_failed() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.join().await;
    stripe.club.pass(TimeDelta::days(30) + TimeDelta::hours(1)).await;
    assert_eq!(stripe.club.status(&id).await, "ACTIVE");
    for _ in 0..20 {
        stripe.club.pass(TimeDelta::hours(1)).await;
        assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await);
    }
    assert_eq!(stripe.club.status(&id).await, "PAST_DUE");
    assert!(stripe.fake.wire.count("GET /v1/subscriptions") < 15, "asked less and less often");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_ends_at_the_provider_cancels_or_is_followed_by_a_page() {
    let mut stripe = StripeClub::open().await;
    let id = stripe.join().await;
    stripe.ended(SUB).await;
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], &seen["nextBillingAt"]), (&json!("CANCELED"), &Value::Null));
    assert_eq!(stripe.club.told("canceled").await, "1");
    assert!(stripe.club.has(&stripe.club.sam, &stripe.club.course).await, "until the end of the period");
    // Resumed, it is paid on a page.
    stripe.club.change(&stripe.club.sam, "resumeMembership", &id).await;
    assert_eq!(stripe.renewal(&id).await, "BY_PAGE");
    stripe.club.pass(TimeDelta::days(30)).await;
    stripe.pay(&id, "sub_2").await;
    // After a failure, the days that are left are for pages.
    let due = time(&stripe.club.seen(&id).await["nextBillingAt"]);
    stripe.club.pass(due - stripe.club.now()).await;
    stripe.failed("sub_2").await;
    stripe.club.pass(TimeDelta::days(2)).await;
    stripe.ended("sub_2").await;
    stripe.club.sweep().await;
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], &seen["orders"]["nodes"][0]["status"]), (&json!("PAST_DUE"), &json!("PENDING")));
    stripe.club.pass(TimeDelta::hours(25)).await;
    let next = time(&stripe.club.seen(&id).await["nextBillingAt"]);
    assert_eq!(next, due + TimeDelta::days(5), "the last of one, three and five days");
    stripe.club.pass(next - stripe.club.now()).await;
    stripe.pay(&id, "sub_3").await;
    assert_eq!((stripe.club.status(&id).await, stripe.renewal(&id).await), ("ACTIVE".into(), json!("AUTOMATIC")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_changes_the_next_charge_ends_the_subscription() {
    for what in ["cancel", "pause", "renewal", "now", "move", "archive", "refund", "delete"] {
        let stripe = StripeClub::open().await;
        let id = stripe.join().await;
        let (sam, root) = (stripe.club.sam.clone(), stripe.club.root.clone());
        let app = &stripe.club.app;
        match what {
            "cancel" | "pause" => {
                stripe.club.change(&sam, &format!("{what}Membership"), &id).await;
            }
            "renewal" | "now" => {
                let year = price_of(&stripe.plan, "YEAR");
                let input = json!({ "membershipId": id, "planPriceId": year, "when": what.to_uppercase() });
                app.mutate(&sam, "changeMembership", "membership { id }", input).await;
            }
            "move" => {
                let input = json!({ "planId": stripe.plan["id"], "price": price("12", "MONTH"), "movesMembers": true });
                app.mutate(&root, "setPlanPrice", "plan { id }", input).await;
            }
            "archive" => {
                app.mutate(&root, "archivePlan", "plan { id }", json!({ "planId": stripe.plan["id"] })).await;
            }
            "refund" => {
                let order = stripe.club.seen(&id).await["orders"]["nodes"][0]["id"].take();
                let input = json!({ "orderId": order, "reason": "Ill" });
                app.mutate(&root, "refundOrder", "order { id }", input).await;
            }
            _ => {
                let user = sam.id.parse::<lyceum::accounts::UserId>().unwrap().uuid();
                app.sql(&format!("UPDATE users SET deletion_due_at = '2026-11-20' WHERE id = '{user}'")).await;
                app.run("accounts.delete_due").await;
            }
        }
        stripe.club.settle().await;
        if what == "now" {
            let kept = app.sql("SELECT subscription_id FROM memberships").await;
            assert_eq!(kept, SUB, "the change is not paid yet");
            stripe.pay(&id, "sub_2").await;
            assert_eq!(app.sql("SELECT subscription_id FROM memberships").await, "sub_2");
        } else {
            assert_eq!(app.sql("SELECT subscription_id FROM memberships").await, "", "{what}");
        }
        assert!(!stripe.fake.is_ended(SUB), "{what}: by a job");
        // It fails within the call, too, which tries thrice.
        for _ in 0..3 {
            stripe.fake.wire.fail("DELETE /v1/subscriptions", Fault::Refused(500));
        }
        stripe.club.sweep().await;
        assert!(!stripe.fake.is_ended(SUB), "{what}: Stripe is away");
        stripe.club.app.app.clock.advance(TimeDelta::minutes(1));
        stripe.club.sweep().await;
        assert!(stripe.fake.is_ended(SUB), "{what}");
        let state = format!("SELECT state FROM provider_subscriptions WHERE external_id = '{SUB}'");
        assert_eq!(stripe.club.app.sql(&state).await, "ENDED", "{what}");
        let called = stripe.fake.wire.count("DELETE /v1/subscriptions");
        stripe.club.app.app.clock.advance(TimeDelta::minutes(10));
        stripe.club.sweep().await;
        assert_eq!(stripe.fake.wire.count("DELETE /v1/subscriptions"), called, "{what}: once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_starts_a_subscription_only_if_that_charges_what_a_renewal_costs() {
    let starts = "SELECT (subscription_starts_at IS NOT NULL)::text FROM payments";
    for (taxes, total, begins) in [("DE=19", "10", "true"), ("DE=+10", "11", "false"), ("FR=+10", "10", "true")] {
        let stripe = StripeClub::with(&[("LYCEUM_TAXES", taxes)]).await;
        stripe.ordered(&stripe.club.sam, &month(&stripe.plan), total).await;
        assert_eq!(stripe.club.app.sql(starts).await, begins, "{taxes}");
    }
    // A price that is not ready at the provider has no plan there.
    let stripe = StripeClub::open().await;
    stripe.club.app.sql("UPDATE plan_gateways SET external_id = NULL").await;
    stripe.ordered(&stripe.club.sam, &month(&stripe.plan), "10").await;
    assert_eq!(stripe.club.app.sql(starts).await, "false");
    // What is left of a year is credit for the months after.
    let mut stripe = StripeClub::open().await;
    let id = stripe.ordered(&stripe.club.sam, &price_of(&stripe.plan, "YEAR"), "100").await;
    stripe.pay(&id, SUB).await;
    let input = json!({ "membershipId": id, "planPriceId": month(&stripe.plan), "when": "NOW" });
    stripe.club.app.mutate(&stripe.club.sam, "changeMembership", "membership { id }", input).await;
    stripe.club.sweep().await;
    assert!(stripe.fake.is_ended(SUB));
    assert_eq!(stripe.renewal(&id).await, "BY_PAGE");
    stripe.club.pass(TimeDelta::days(31)).await;
    assert_eq!(stripe.club.orders(&id).await, ["PAID 0.00", "PAID 0.00", "PAID 100.00"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_is_followed_by_a_page_that_starts_the_subscription() {
    let mut stripe = StripeClub::open().await;
    let mut monthly = price("30", "MONTH");
    monthly["trialDays"] = json!(7);
    let input = json!({ "kind": "LIVE_CLASS", "name": "Hours", "liveHoursPerMonth": "4", "prices": [monthly] });
    let plan = stripe.club.plan(input).await;
    let id = stripe.club.join(&stripe.club.sam, &month(&plan), "0").await;
    assert_eq!((stripe.club.status(&id).await, stripe.renewal(&id).await), ("TRIALING".into(), json!("BY_PAGE")));
    assert_eq!(stripe.fake.sessions().len(), 0);
    stripe.club.pass(TimeDelta::days(7)).await;
    stripe.pay(&id, SUB).await;
    let seen = stripe.club.seen(&id).await;
    assert_eq!((&seen["status"], stripe.renewal(&id).await), (&json!("ACTIVE"), json!("AUTOMATIC")));
    assert_eq!(seen["nextBillingAt"], seen["periodEndsAt"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_no_membership_can_use_is_ended() {
    let mut stripe = StripeClub::open().await;
    // The order was canceled, and there is another membership by the time that its money comes.
    let id = stripe.ordered(&stripe.club.sam, &month(&stripe.plan), "10").await;
    stripe.fake.begin("sub_late");
    let late = stripe.paid_event(&id, Some("sub_late")).await;
    stripe.club.change(&stripe.club.sam, "cancelMembership", &id).await;
    let other = stripe.join().await;
    stripe.tell(&late).await;
    stripe.club.sweep().await;
    assert!(stripe.fake.is_ended("sub_late") && !stripe.fake.is_ended(SUB));
    assert_eq!(stripe.fake.refunded(late.transaction.as_deref().unwrap()), 1000);
    assert_eq!((stripe.club.status(&id).await, stripe.renewal(&other).await), ("EXPIRED".into(), json!("AUTOMATIC")));
    // One of which nothing is known waits, and is refused in the end; so is one of another account.
    stripe.tell(&told("sub_unknown", GatewayFact::SubscriptionPaid, Some(("pi_x", 1000)))).await;
    let foreign = GatewayEvent { account: "acct_other".into(), ..told(SUB, GatewayFact::SubscriptionEnded, None) };
    stripe.tell(&foreign).await;
    for _ in 0..11 {
        stripe.club.pass(TimeDelta::hours(2)).await;
    }
    let refused = "SELECT count(*) FROM payment_events WHERE state = 'REFUSED'";
    assert_eq!(stripe.club.app.sql(refused).await, "2");
    assert_eq!(stripe.club.status(&other).await, "ACTIVE");
}
