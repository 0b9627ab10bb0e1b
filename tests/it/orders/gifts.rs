//! Gifts, which others claim, and donations, which nobody does.

use super::*;

const GIFT: &str = "id recipientEmail message code sendAt sentAt claimedAt claimedBy { name } expiresAt course { id }";

impl Shop {
    fn gift(&self, more: Value) -> Value {
        let mut gift = json!({ "courseId": self.course.id, "recipientEmail": "Tim@people.example" });
        gift.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut input = self.input(&[], "19.90");
        input["items"] = json!([{ "gift": gift }]);
        input
    }

    /// Sam orders a gift and pays for it.
    async fn given(&self, more: Value) -> Value {
        let order = self.ordered(&self.sam, self.gift(more)).await;
        self.act(&order, "pay").await;
        order
    }

    /// The gift of an order, as a user sees it.
    async fn seen_gift(&self, user: &User, order: &Value) -> Value {
        let query =
            format!("... on Order {{ items {{ kind title gift {{ {GIFT} }} entitlement {{ source endedAt }} }} }}");
        let mut order = self.node(Some(user), order["id"].as_str().unwrap(), &query).await;
        order["items"][0].take()
    }

    async fn code_of(&self, order: &Value) -> String {
        self.seen_gift(&self.sam, order).await["gift"]["code"].as_str().unwrap().to_owned()
    }

    async fn claimed(&self, user: &User, code: &str) -> String {
        self.code(Some(user), "claimGift", json!({ "code": code })).await
    }

    /// The texts of the mails to an address that tell of a gift.
    fn gift_mails(&self, to: &str) -> Vec<String> {
        let mails = self.app.mails.lock().unwrap();
        mails
            .iter()
            .filter(|mail| mail.to == to && mail.text.contains("claim it until"))
            .map(|mail| mail.text.clone())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_is_mailed_when_it_is_paid_and_claimed_with_its_code() {
    let shop = Shop::open().await;
    let order = shop.ordered(&shop.sam, shop.gift(json!({ "message": "Happy birthday!\nSam" }))).await;
    shop.settle().await;
    let item = shop.seen_gift(&shop.sam, &order).await;
    assert_eq!((&item["kind"], &item["title"]), (&json!("GIFT"), &json!("Gift: Engines")));
    assert_eq!((&item["gift"]["code"], &item["gift"]["expiresAt"]), (&Value::Null, &Value::Null), "it is not paid");
    assert_eq!(shop.gift_mails("tim@people.example"), [""; 0]);
    shop.act(&order, "pay").await;
    let item = shop.seen_gift(&shop.sam, &order).await;
    let code = item["gift"]["code"].as_str().unwrap().to_owned();
    assert_eq!(
        (&item["gift"]["expiresAt"], &item["gift"]["sentAt"]),
        (&json!("2027-05-19T09:00:00+00:00"), &json!("2026-11-20T09:00:00+00:00"))
    );
    let mails = shop.gift_mails("tim@people.example");
    assert_eq!(mails.len(), 1);
    for part in ["Sam gives you this course", "Engines", "> Happy birthday!", "> Sam", &code, "19 May 2027"] {
        assert!(mails[0].contains(part), "{part} in {}", mails[0]);
    }
    // Only who gives it sees the code.
    assert_eq!(shop.seen_gift(&shop.root, &order).await["gift"]["code"], Value::Null);
    assert!(!shop.has(&shop.sam, &shop.course).await && !shop.has(&shop.tim, &shop.course).await);

    for wrong in ["", "AAAA-AAAA-AAAA-AAAA", &code[..18]] {
        assert_eq!(shop.claimed(&shop.tim, wrong).await, "NOT_FOUND", "{wrong}");
    }
    let typed = code.to_lowercase().replace('-', " ");
    let selection = format!("gift {{ {GIFT} }} enrollment {{ course {{ id }} }}");
    let claimed = shop.app.mutate(&shop.tim, "claimGift", &selection, json!({ "code": typed })).await;
    assert_eq!(claimed["enrollment"]["course"]["id"], shop.course.id.as_str());
    let gift = &claimed["gift"];
    assert_eq!(
        (&gift["recipientEmail"], &gift["code"], &gift["expiresAt"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(gift["claimedBy"]["name"], "Tim");
    assert!(shop.has(&shop.tim, &shop.course).await && !shop.has(&shop.sam, &shop.course).await);
    assert_eq!(shop.students(&shop.course).await, 1);
    assert_eq!(shop.seen_gift(&shop.root, &order).await["entitlement"]["source"], "GIFT");
    // Again by the same user, and by another one.
    assert_eq!(shop.claimed(&shop.tim, &code).await, "");
    let eve = shop.app.user("Eve", Role::Student).await;
    assert_eq!(shop.claimed(&eve, &code).await, "TAKEN");
    for (user, sees) in [(&shop.sam, true), (&shop.tim, true), (&shop.root, true), (&eve, false)] {
        let node = shop.node(Some(user), gift["id"].as_str().unwrap(), "... on Gift { message }").await;
        assert_eq!(node["message"] == "Happy birthday!\nSam", sees);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_can_be_claimed_once_by_one_of_many() {
    let shop = Shop::open().await;
    let code = shop.code_of(&shop.given(json!({})).await).await;
    let mut users = vec![shop.tim.clone()];
    for name in ["Eve", "Kim", "Bob"] {
        users.push(shop.app.user(name, Role::Student).await);
    }
    let mut codes = futures_util::future::join_all(users.iter().map(|user| shop.claimed(user, &code))).await;
    codes.sort();
    assert_eq!(codes, ["", "TAKEN", "TAKEN", "TAKEN"]);
    assert_eq!(shop.app.sql("SELECT count(*) FROM entitlements").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_the_course_leaves_the_gift_to_others_and_a_giver_may_have_it() {
    let shop = Shop::open().await;
    let own = shop.order(&shop.sam).await;
    shop.act(&own, "pay").await;
    // Twice the same course, for two others, in one order.
    let mut input = shop.gift(json!({}));
    let gift = input["items"][0].clone();
    input["items"] = json!([gift, gift]);
    input["expectedTotal"]["amount"] = "39.80".into();
    let order = shop.ordered(&shop.sam, input).await;
    shop.act(&order, "pay").await;
    let code = shop.code_of(&order).await;
    assert_eq!(shop.claimed(&shop.sam, &code).await, "TAKEN", "the giver has it");
    assert_eq!(shop.claimed(&shop.tim, &code).await, "");
    let other =
        shop.node(Some(&shop.sam), order["id"].as_str().unwrap(), "... on Order { items { gift { code } } }").await;
    let other = other["items"][1]["gift"]["code"].as_str().unwrap();
    assert_eq!(shop.claimed(&shop.tim, other).await, "TAKEN", "he has it now");
    // A free course is no gift, and neither is a draft.
    shop.price(&shop.other, "0", "EUR").await;
    for (change, code) in [
        (json!({ "courseId": shop.other.id }), "NOT_ALLOWED"),
        (json!({ "courseId": shop.app.course(&shop.ada, "Draft", 0).await.id }), "NOT_FOUND"),
        (json!({ "recipientEmail": "nobody" }), "INVALID"),
        (json!({ "recipientEmail": " " }), "BLANK"),
        (json!({ "message": "x".repeat(1001) }), "TOO_LONG"),
        (json!({ "sendAt": "2028-01-01T00:00:00Z" }), "OUT_OF_RANGE"),
    ] {
        assert_eq!(shop.code(Some(&shop.sam), "createOrder", shop.gift(change.clone())).await, code, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_is_mailed_on_its_date_and_again_to_a_corrected_address() {
    let shop = Shop::open().await;
    let order = shop.given(json!({ "sendAt": "2026-11-20T20:00:00Z", "recipientEmail": "timm@people.example" })).await;
    assert_eq!(shop.gift_mails("timm@people.example").len(), 0);
    shop.pass(TimeDelta::hours(11)).await;
    assert_eq!(shop.gift_mails("timm@people.example").len(), 1);
    assert_eq!(shop.seen_gift(&shop.sam, &order).await["gift"]["expiresAt"], "2027-05-19T20:00:00+00:00");
    let (gift, old) = (shop.seen_gift(&shop.sam, &order).await["gift"]["id"].clone(), shop.code_of(&order).await);
    let again = |email: &str| json!({ "giftId": gift, "recipientEmail": email });
    assert_eq!(shop.code(Some(&shop.tim), "resendGift", again("x@people.example")).await, "NOT_FOUND");
    assert_eq!(shop.code(Some(&shop.sam), "resendGift", json!({ "giftId": gift })).await, "");
    shop.settle().await;
    assert_eq!(shop.gift_mails("timm@people.example").len(), 2);
    assert_eq!(shop.code_of(&order).await, old);
    assert_eq!(shop.code(Some(&shop.sam), "resendGift", again("tim@people.example")).await, "");
    shop.settle().await;
    assert_eq!(shop.gift_mails("tim@people.example").len(), 1);
    assert_eq!(shop.claimed(&shop.tim, &old).await, "NOT_FOUND", "who got it by mistake cannot claim it");
    for _ in 0..7 {
        assert_eq!(shop.code(Some(&shop.sam), "resendGift", json!({ "giftId": gift })).await, "");
    }
    assert_eq!(shop.code(Some(&shop.sam), "resendGift", json!({ "giftId": gift })).await, "TOO_OFTEN");
    assert_eq!(shop.claimed(&shop.tim, &shop.code_of(&order).await).await, "");
    assert_eq!(shop.code(Some(&shop.sam), "resendGift", json!({ "giftId": gift })).await, "NOT_ALLOWED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_that_nobody_claims_is_refunded() {
    let shop = Shop::with(&[("LYCEUM_GIFT_DAYS", "1"), ("LYCEUM_TOKEN_MINUTES", "1440")]).await;
    let order = shop.given(json!({})).await;
    let code = shop.code_of(&order).await;
    shop.app.app.clock.advance(TimeDelta::minutes(1439));
    shop.app.run("orders.expire_gifts").await;
    assert_eq!(shop.status(&order).await, "PAID");
    shop.app.app.clock.advance(TimeDelta::minutes(1));
    shop.app.run("orders.expire_gifts").await;
    shop.settle().await;
    let sql = "SELECT concat_ws(' ', orders.status, refunded_minor, reason, refunds.state) FROM orders JOIN refunds ON order_id = orders.id";
    assert_eq!(shop.app.sql(sql).await, "REFUNDED 1990 The gift was not claimed in time. DONE");
    assert_eq!(shop.app.sql("SELECT count(*) FROM gifts WHERE expires_at IS NOT NULL").await, "0");
    let tim = shop.app.user("Tom", Role::Student).await;
    assert_eq!(shop.claimed(&tim, &code).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_or_a_dispute_takes_a_gift_back() {
    let shop = Shop::open().await;
    // Before it is claimed, after a dispute that was won.
    let order = shop.given(json!({})).await;
    let code = shop.code_of(&order).await;
    shop.act(&order, "dispute").await;
    assert_eq!(shop.claimed(&shop.tim, &code).await, "NOT_FOUND");
    shop.act(&order, "win-dispute").await;
    assert_eq!(shop.code_of(&order).await, code);
    assert_eq!(shop.gift_mails("tim@people.example").len(), 1, "it is not mailed again");
    shop.refund(&order, json!({})).await;
    assert_eq!(shop.claimed(&shop.tim, &code).await, "NOT_FOUND");
    shop.settle().await;
    // After it was claimed.
    let order = shop.given(json!({})).await;
    assert_eq!(shop.claimed(&shop.tim, &shop.code_of(&order).await).await, "");
    shop.act(&order, "dispute").await;
    assert!(!shop.has(&shop.tim, &shop.course).await);
    shop.act(&order, "win-dispute").await;
    assert!(shop.has(&shop.tim, &shop.course).await);
    shop.refund(&order, json!({})).await;
    assert!(!shop.has(&shop.tim, &shop.course).await);
    assert_eq!(shop.students(&shop.course).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_donation_gives_nothing_back_and_is_not_taxed() {
    let shop = Shop::with(&[("LYCEUM_TAXES", "DE=+19")]).await;
    let donated = |amount: &str, currency: &str, total: &str| {
        let mut input = shop.input(&[], total);
        input["items"] = json!([{ "donation": { "amount": amount, "currency": currency } }]);
        input
    };
    for (amount, currency, code) in
        [("0.99", "EUR", "OUT_OF_RANGE"), ("5", "USD", "NOT_ALLOWED"), ("5.001", "EUR", "INVALID")]
    {
        let input = donated(amount, currency, "5");
        assert_eq!(shop.code(Some(&shop.sam), "createOrder", input).await, code, "{amount} {currency}");
    }
    let mut twice = donated("2", "EUR", "4");
    twice["items"] = json!([twice["items"][0], twice["items"][0]]);
    assert_eq!(shop.code(Some(&shop.sam), "createOrder", twice).await, "TAKEN");
    let order = shop.ordered(&shop.sam, donated("1", "EUR", "1")).await;
    let item = &order["items"][0];
    assert_eq!(
        (&item["kind"], &item["title"], &item["course"]),
        (&json!("DONATION"), &json!("Donation"), &Value::Null)
    );
    shop.app.app.clock.advance(TimeDelta::seconds(1));
    shop.act(&order, "pay").await;
    assert_eq!(shop.status(&order).await, "PAID");
    let told = "{ viewer { notifications { nodes { kind body } } } }";
    let data = shop.app.data(Some(&shop.sam.token), told, json!({})).await;
    assert_eq!(data["viewer"]["notifications"]["nodes"][0], json!({ "kind": "ORDER_PAID", "body": "Thank you!" }));

    // Beside a course, with a coupon and a tax, which are for the course only.
    let coupon = json!({ "code": "HALF", "percent": 50 });
    shop.app.mutate(&shop.root, "createCoupon", "coupon { id }", coupon).await;
    let mut input = shop.input(&[&shop.other], "12.98");
    input["items"] = json!([{ "courseId": shop.other.id }, { "donation": { "amount": "10", "currency": "EUR" } }]);
    input["couponCode"] = "HALF".into();
    let order = shop.ordered(&shop.sam, input).await;
    let amounts = [&order["items"][0]["amount"]["amount"], &order["items"][1]["amount"]["amount"]];
    assert_eq!(amounts, ["2.98", "10.00"]);
    shop.act(&order, "pay").await;
    let only = json!({ "itemIds": [order["items"][1]["id"]] });
    assert_eq!(shop.refund(&order, only).await["order"]["status"], "PARTIALLY_REFUNDED");
    assert!(shop.has(&shop.sam, &shop.other).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_bought_gives_access_again_when_the_gift_of_it_is_refunded() {
    let shop = Shop::open().await;
    let bought = shop.order(&shop.tim).await;
    shop.act(&bought, "pay").await;
    shop.act(&bought, "dispute").await;
    let given = shop.given(json!({})).await;
    let code = shop.code_of(&given).await;
    assert_eq!(shop.claimed(&shop.tim, &code).await, "");
    shop.act(&bought, "win-dispute").await;
    shop.refund(&given, json!({})).await;
    shop.settle().await;
    assert_eq!((shop.status(&bought).await.as_str(), shop.status(&given).await.as_str()), ("PAID", "REFUNDED"));
    assert!(shop.has(&shop.tim, &shop.course).await);
    assert_eq!(shop.students(&shop.course).await, 1);
}
