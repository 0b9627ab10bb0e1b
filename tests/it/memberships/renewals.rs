//! Renewals: each period is charged once, what fails is tried again, and what is over ends.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_period_is_charged_once_to_the_stored_payment() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    for renewals in 1..=3 {
        let due = time(&club.seen(&id).await["nextBillingAt"]);
        club.pass(due - club.now() - TimeDelta::seconds(1)).await;
        assert_eq!(club.orders(&id).await.len(), renewals, "not before it is due");
        club.pass(TimeDelta::seconds(1)).await;
        club.sweep().await;
        let seen = club.seen(&id).await;
        assert_eq!(seen["orders"]["totalCount"], renewals + 1, "once, however often the job runs");
        assert_eq!((&seen["status"], time(&seen["periodStartsAt"])), (&json!("ACTIVE"), due));
        assert_eq!(seen["orders"]["nodes"][0]["status"], "PAID");
        assert!(club.has(&club.sam, &club.course).await);
    }
    assert_eq!(club.told("renewed").await, "3");
    let charged = "SELECT count(*) FROM sandbox_checkouts WHERE state = 'PAID' AND authorization_id IS NOT NULL";
    assert_eq!(club.app.sql(charged).await, "3");
    assert_eq!(club.app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_at_what_time_of_the_day_it_is_charged() {
    let mut club = Club::with(&[("LYCEUM_TIMEZONE", "Europe/Berlin")]).await;
    let input =
        json!({ "kind": "ALL_ACCESS", "name": "All", "renewalCron": "0 6 * * *", "prices": [price("10", "MONTH")] });
    let plan = club.plan(input).await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    let seen = club.seen(&id).await;
    // 10 o'clock in Berlin until 10 o'clock; six in the morning before that.
    assert_eq!(time(&seen["periodEndsAt"]), time(&json!("2026-12-20T09:00:00Z")));
    assert_eq!(time(&seen["nextBillingAt"]), time(&json!("2026-12-20T05:00:00Z")));
    club.pass(time(&json!("2026-12-20T05:00:00Z")) - club.now()).await;
    let seen = club.seen(&id).await;
    assert_eq!(
        (time(&seen["periodStartsAt"]), time(&seen["periodEndsAt"])),
        (time(&json!("2026-12-20T09:00:00Z")), time(&json!("2027-01-20T09:00:00Z")))
    );
    assert!(club.has(&club.sam, &club.course).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_fails_is_tried_on_days_one_three_and_five_and_then_given_up() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let (sam, tim) = (club.join(&club.sam, &month(&plan), "10").await, club.join(&club.tim, &month(&plan), "10").await);
    for id in [&sam, &tim] {
        club.act(&club.numbers(id).await[0], "decline-charges").await;
    }
    club.pass(TimeDelta::days(30)).await;
    for (failures, days) in [(1, 1), (2, 2), (3, 2)] {
        let seen = club.seen(&sam).await;
        assert_eq!((&seen["status"], &seen["orders"]["totalCount"]), (&json!("PAST_DUE"), &json!(failures + 1)));
        assert_eq!(seen["orders"]["nodes"][0]["status"], "FAILED");
        assert!(club.has(&club.sam, &club.course).await, "access lasts while it is tried");
        assert_eq!(time(&seen["nextBillingAt"]), club.now() + TimeDelta::days(days));
        if failures == 3 {
            // Tim's bank has changed its mind.
            club.act(club.numbers(&tim).await.last().unwrap(), "accept-charges").await;
        }
        club.pass(TimeDelta::days(days)).await;
    }
    let seen = club.seen(&sam).await;
    assert_eq!((&seen["status"], &seen["nextBillingAt"]), (&json!("EXPIRED"), &Value::Null));
    assert_eq!(seen["entitlement"]["endReason"], "EXPIRED");
    assert!(!club.has(&club.sam, &club.course).await);
    let seen = club.seen(&tim).await;
    let start = crate::support::app::start() + TimeDelta::days(30);
    assert_eq!(
        (&seen["status"], time(&seen["periodStartsAt"])),
        (&json!("ACTIVE"), start),
        "as if it had been paid in time"
    );
    assert!(club.has(&club.tim, &club.course).await);
    assert_eq!((club.told("payment_failed").await, club.told("ended").await), ("6".into(), "1".into()));
    let again = club.join(&club.sam, &month(&plan), "10").await;
    assert_ne!(again, sam, "a new one can be bought");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_who_is_past_due_pays_by_themselves_with_what_is_charged_then() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    club.act(&club.numbers(&id).await[0], "decline-charges").await;
    club.pass(TimeDelta::days(30)).await;
    assert_eq!(club.status(&id).await, "PAST_DUE");
    let order = club.order(&club.sam, &month(&plan), "10").await;
    assert_eq!(order["items"][0]["membership"]["id"], json!(id), "the same membership");
    assert_eq!(club.seen(&id).await["checkoutUrl"], order["checkoutUrl"]);
    // Giving that up changes nothing.
    club.app.mutate(&club.sam, "cancelOrder", "order { id }", json!({ "orderId": order["id"] })).await;
    assert_eq!(club.status(&id).await, "PAST_DUE");
    let order = club.order(&club.sam, &month(&plan), "10").await;
    club.act(order["number"].as_str().unwrap(), "pay").await;
    assert_eq!(club.status(&id).await, "ACTIVE");
    club.pass(TimeDelta::days(31)).await;
    assert_eq!(club.orders(&id).await[0], "PAID 10.00", "charged to the new payment");
    let other = club.order_input(&month(&plan), "10");
    assert_eq!(club.code(&club.sam, "createOrder", other).await, "TAKEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_period_that_is_paid_after_its_own_end_begins_then() {
    let mut club = Club::with(&[("LYCEUM_DUNNING_DAYS", "1,40")]).await;
    let plan = club.all_access().await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    club.act(&club.numbers(&id).await[0], "decline-charges").await;
    for days in [30, 1] {
        club.pass(TimeDelta::days(days)).await;
    }
    club.act(club.numbers(&id).await.last().unwrap(), "accept-charges").await;
    club.pass(TimeDelta::days(39)).await;
    let seen = club.seen(&id).await;
    assert_eq!((&seen["status"], time(&seen["periodStartsAt"])), (&json!("ACTIVE"), club.now()));
    assert!(time(&seen["nextBillingAt"]) > club.now() + TimeDelta::days(27));
    club.pass(TimeDelta::hours(1)).await;
    assert_eq!(club.orders(&id).await, ["PAID 10.00", "FAILED 10.00", "FAILED 10.00", "PAID 10.00"], "charged once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_is_not_used_in_another_currency() {
    let mut club = Club::open().await;
    let dollars = json!({ "amount": { "amount": "10", "currency": "USD" }, "interval": "MONTH" });
    let plan = json!({ "kind": "ALL_ACCESS", "name": "All", "prices": [price("10", "MONTH"), dollars] });
    let plan = club.plan(plan).await;
    let of = |currency: &str| {
        let prices = plan["prices"].as_array().unwrap();
        prices.iter().find(|price| price["amount"]["currency"] == currency).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let id = club.join(&club.sam, &of("EUR"), "10").await;
    club.act(&club.numbers(&id).await[0], "decline-charges").await;
    club.pass(TimeDelta::days(30)).await;
    assert_eq!(club.status(&id).await, "PAST_DUE");
    let mut input = club.order_input(&of("USD"), "10");
    input["billing"]["currency"] = json!("USD");
    input["expectedTotal"]["currency"] = json!("USD");
    assert_eq!(club.code(&club.sam, "createOrder", input).await, "NOT_ALLOWED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_away_or_loses_its_answer_is_asked_again_and_charges_once() {
    for trouble in [Trouble::Away, Trouble::AnswersLost] {
        let mut club = Club::open().await;
        let plan = club.all_access().await;
        let id = club.join(&club.sam, &month(&plan), "10").await;
        club.sandbox().set_trouble(trouble);
        club.app.app.clock.advance(TimeDelta::days(30));
        club.app.run("orders.renew").await;
        if trouble == Trouble::AnswersLost {
            // No webhook comes, either.
            club.app.sql("DELETE FROM jobs WHERE handler = 'sandbox.send'").await;
        }
        club.sign_in().await;
        assert!(club.has(&club.sam, &club.course).await, "{trouble:?}: until it is decided");
        club.sandbox().set_trouble(Trouble::None);
        club.pass(TimeDelta::minutes(2)).await;
        club.pass(TimeDelta::minutes(2)).await;
        assert_eq!(club.orders(&id).await, ["PAID 10.00", "PAID 10.00"], "{trouble:?}");
        let charged = "SELECT count(*) FROM sandbox_checkouts WHERE authorization_id IS NOT NULL";
        assert_eq!(club.app.sql(charged).await, "1", "{trouble:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_renewals_one_charges() {
    let club = Club::open().await;
    let plan = club.all_access().await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    let (one, two) = (club.app.peer().await, club.app.peer().await);
    club.app.app.clock.advance(TimeDelta::days(30));
    tokio::join!(club.app.run("orders.renew"), one.run("orders.renew"), two.run("orders.renew"));
    club.settle().await;
    assert_eq!(club.app.sql("SELECT count(*) FROM orders").await, "2");
    let live = "SELECT count(*) FROM sandbox_checkouts WHERE state = 'PAID'";
    assert_eq!(club.app.sql(live).await, "2");
    assert_eq!(id.split('_').next(), Some("membership"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceled_membership_lasts_until_its_period_ends_and_can_be_resumed_until_then() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    assert_eq!(club.code(&club.tim, "cancelMembership", json!({ "membershipId": id })).await, "NOT_FOUND");
    let canceled = club.change(&club.sam, "cancelMembership", &id).await;
    assert_eq!((&canceled["status"], &canceled["nextBillingAt"]), (&json!("CANCELED"), &Value::Null));
    assert_eq!(club.code(&club.sam, "cancelMembership", json!({ "membershipId": id })).await, "NOT_ALLOWED");
    let resumed = club.change(&club.sam, "resumeMembership", &id).await;
    assert_eq!((&resumed["status"], &resumed["nextBillingAt"]), (&json!("ACTIVE"), &canceled["periodEndsAt"]));
    club.change(&club.root, "cancelMembership", &id).await;
    club.pass(TimeDelta::days(29)).await;
    assert!(club.has(&club.sam, &club.course).await);
    club.pass(TimeDelta::days(1)).await;
    assert_eq!((club.status(&id).await, club.has(&club.sam, &club.course).await), ("EXPIRED".into(), false));
    assert_eq!(club.orders(&id).await.len(), 1);
    for field in ["resumeMembership", "pauseMembership", "cancelMembership"] {
        assert_eq!(club.code(&club.sam, field, json!({ "membershipId": id })).await, "NOT_ALLOWED", "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_keeps_the_days_that_are_left() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    club.pass(TimeDelta::days(10)).await;
    let paused = club.change(&club.sam, "pauseMembership", &id).await;
    assert_eq!((&paused["status"], time(&paused["pausedAt"])), (&json!("PAUSED"), club.now()));
    assert!(!club.has(&club.sam, &club.course).await);
    club.pass(TimeDelta::days(100)).await;
    assert_eq!(club.orders(&id).await.len(), 1, "nothing is charged");
    let resumed = club.change(&club.sam, "resumeMembership", &id).await;
    let end = club.now() + TimeDelta::days(20);
    assert_eq!((time(&resumed["periodEndsAt"]), time(&resumed["nextBillingAt"])), (end, end));
    assert!(club.has(&club.sam, &club.course).await);
    club.pass(TimeDelta::days(20)).await;
    assert_eq!(club.orders(&id).await, ["PAID 10.00", "PAID 10.00"]);
    let again = club.change(&club.sam, "pauseMembership", &id).await;
    assert_eq!(again["nextStatuses"], json!(["EXPIRED", "ACTIVE"]));
    assert_eq!(club.change(&club.sam, "cancelMembership", &id).await["status"], "EXPIRED", "nothing of it is running");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_reminded_of_a_year_a_week_before() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    club.join(&club.sam, &price_of(&plan, "YEAR"), "100").await;
    club.join(&club.tim, &month(&plan), "10").await;
    club.pass(TimeDelta::days(357)).await;
    assert_eq!(club.told("renews_soon").await, "0");
    club.pass(TimeDelta::days(1)).await;
    assert_eq!(club.told("renews_soon").await, "1");
    club.pass(TimeDelta::days(1)).await;
    assert_eq!(club.told("renews_soon").await, "1", "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_user_is_no_member() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    let user = club.sam.id.parse::<lyceum::accounts::UserId>().unwrap().uuid();
    club.app.sql(&format!("UPDATE users SET deletion_due_at = '2026-11-20' WHERE id = '{user}'")).await;
    club.app.run("accounts.delete_due").await;
    club.settle().await;
    let seen = club.seen(&id).await;
    assert_eq!((&seen["status"], &seen["nextBillingAt"]), (&json!("EXPIRED"), &Value::Null));
    assert_eq!(club.app.sql("SELECT end_reason FROM entitlements").await, "ACCOUNT_DELETED");
    club.app.app.clock.advance(TimeDelta::days(31));
    club.sweep().await;
    club.root.token = token(&club.app, &club.root.id).await;
    assert_eq!(club.orders(&id).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_that_cannot_be_renewed_does_not_keep_the_others_from_it() {
    let mut club = Club::open().await;
    let plan = club.all_access().await;
    let id = club.join(&club.sam, &month(&plan), "10").await;
    let other = club.join(&club.tim, &month(&plan), "10").await;
    // Neither its period nor its access can be written.
    let user = club.sam.id.parse::<accounts::UserId>().unwrap().uuid();
    let broken = club.app.sql(&format!("SELECT id FROM memberships WHERE user_id = '{user}'")).await;
    club.app
        .sql(&format!(
            "ALTER TABLE membership_periods ADD CONSTRAINT broken CHECK (membership_id <> '{broken}') NOT VALID; \
                ALTER TABLE entitlements ADD CONSTRAINT broken CHECK (user_id <> '{user}') NOT VALID"
        ))
        .await;
    club.pass(TimeDelta::days(30)).await;
    assert_eq!(club.orders(&id).await, ["PAID 10.00"]);
    assert_eq!(club.orders(&other).await, ["PAID 10.00", "PAID 10.00"]);
    let due = format!("SELECT billing_at > '{}' FROM memberships WHERE id = '{broken}'", club.now());
    assert_eq!(club.app.sql(&due).await, "t", "it is tried again later");
    club.app
        .sql("ALTER TABLE membership_periods DROP CONSTRAINT broken; ALTER TABLE entitlements DROP CONSTRAINT broken")
        .await;
    club.pass(TimeDelta::hours(1)).await;
    assert_eq!(club.orders(&id).await, ["PAID 10.00", "PAID 10.00"]);
    assert!(club.has(&club.sam, &club.course).await);
}
