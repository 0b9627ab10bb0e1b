//! Memberships that are paid on Google Play, against a fake of its API.

use reqwest::StatusCode;

use super::*;
use crate::orders::fakes::Fault;
use crate::orders::fakes::google_play::{PACKAGE, PlayFake, active, claims, push, sign};

/// A club whose plan of all courses is sold on Google Play, too.
pub(super) struct PlayClub {
    pub(super) club: Club,
    pub(super) fake: PlayFake,
    pub(super) plan: Value,
}

impl PlayClub {
    pub(super) async fn open() -> PlayClub {
        let fake = PlayFake::start().await;
        let club = Club::with(&fake.settings()).await;
        let plan = club.all_access().await;
        let play = PlayClub { club, fake, plan };
        play.sell(&month(&play.plan), "monthly").await;
        play.sell(&price_of(&play.plan, "YEAR"), "yearly").await;
        play
    }

    fn product(price: &str, base_plan: &str) -> Value {
        json!({ "planPriceId": price, "productId": "basic", "basePlanId": base_plan })
    }

    pub(super) async fn sell(&self, price: &str, base_plan: &str) {
        let input = PlayClub::product(price, base_plan);
        self.club.app.mutate(&self.club.root, "setPlayProduct", "planPrice { id }", input).await;
    }

    /// A user buys a month in the app.
    pub(super) fn buy(&self, user: &User, token: &str) {
        self.fake.set(token, active(&user.id, "monthly", self.club.now() + TimeDelta::days(30)));
    }

    pub(super) fn input(&self, token: &str) -> Value {
        json!({ "planId": self.plan["id"], "purchaseToken": token })
    }

    /// Confirms a purchase; returns the membership.
    pub(super) async fn confirm(&self, user: &User, input: Value) -> Value {
        let selection = format!("membership {{ {MEMBERSHIP} isManagedByGooglePlay }}");
        self.club.app.mutate(user, "confirmPlayPurchase", &selection, input).await["membership"].take()
    }

    /// Sam buys and confirms a month; returns the id of the membership.
    pub(super) async fn join(&self, token: &str) -> String {
        self.buy(&self.club.sam, token);
        let made = self.confirm(&self.club.sam, self.input(token)).await;
        self.check().await;
        made["id"].as_str().unwrap().to_owned()
    }

    async fn refused(&self, user: &User, input: Value) -> String {
        self.club.code(user, "confirmPlayPurchase", input).await
    }

    async fn check(&self) {
        self.club.app.run("memberships.check_play").await;
    }

    /// The time passes, and what is due is done.
    async fn pass(&mut self, time: TimeDelta) {
        self.club.pass(time).await;
        self.check().await;
    }

    pub(super) fn set_state(&self, token: &str, state: &str) {
        self.fake.change(token, |purchase| {
            purchase["subscriptionState"] = format!("SUBSCRIPTION_STATE_{state}").into();
        });
    }

    fn set_end(&self, token: &str, end: DateTime<Utc>) {
        self.fake.change(token, |purchase| purchase["lineItems"][0]["expiryTime"] = end.to_rfc3339().into());
    }

    pub(super) async fn post(&self, bearer: &str, body: &Value) -> StatusCode {
        let request = self.club.app.client.post(format!("{}/webhooks/google-play", self.club.app.url));
        request.bearer_auth(bearer).body(body.to_string()).send().await.unwrap().status()
    }

    /// The token of Pub/Sub.
    pub(super) fn bearer(&self) -> String {
        sign(&claims(self.club.now()), "key1")
    }

    /// A message of Pub/Sub, with an id of its own.
    pub(super) async fn message(&self, told: Value) -> Value {
        let mut message = push(told, PACKAGE);
        let id = self.club.app.sql("SELECT 'message-' || count(*) FROM payment_events").await;
        message["message"]["messageId"] = id.into();
        message
    }

    /// Google tells that something has become of a purchase.
    pub(super) async fn tell(&self, token: &str) {
        let message = self.message(renewed(token)).await;
        assert_eq!(self.post(&self.bearer(), &message).await, 200);
        self.club.settle().await;
    }

    pub(super) async fn has(&self) -> bool {
        self.club.has(&self.club.sam, &self.club.course).await
    }

    fn acknowledgements(&self) -> usize {
        self.fake.wire.count(":acknowledge")
    }
}

/// A notification of a renewal.
pub(super) fn renewed(token: &str) -> Value {
    json!({ "subscriptionNotification": { "purchaseToken": token, "notificationType": 2 } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_is_a_membership_that_google_renews() {
    let mut play = PlayClub::open().await;
    let end = play.club.now() + TimeDelta::days(30);
    play.buy(&play.club.sam, "token-1");
    let made = play.confirm(&play.club.sam, play.input("token-1")).await;
    let id = made["id"].as_str().unwrap();
    assert_eq!((&made["status"], &made["isManagedByGooglePlay"]), (&json!("ACTIVE"), &json!(true)));
    assert_eq!((time(&made["periodEndsAt"]), &made["nextBillingAt"]), (end, &Value::Null));
    assert_eq!(
        (&made["entitlement"]["source"], &made["planPrice"]["id"]),
        (&json!("MEMBERSHIP"), &json!(month(&play.plan)))
    );
    assert!(play.has().await);
    // Again, by other names, it is the same one.
    let by_slug = json!({ "planSlug": "all", "purchaseToken": "token-1", "orderId": "GPA.3333-4444-5555-66666..0" });
    for input in [play.input("token-1"), by_slug] {
        assert_eq!(play.confirm(&play.club.sam, input).await["id"], id);
    }
    play.check().await;
    play.check().await;
    assert_eq!((play.acknowledgements(), play.club.told("started").await), (1, "1".into()));
    for renewals in ["1", "2"] {
        let seen = play.club.seen(id).await;
        let end = time(&seen["periodEndsAt"]);
        play.set_end("token-1", end + TimeDelta::days(30));
        play.pass(end - play.club.now()).await;
        let seen = play.club.seen(id).await;
        assert_eq!((time(&seen["periodStartsAt"]), time(&seen["periodEndsAt"])), (end, end + TimeDelta::days(30)));
        assert_eq!((&seen["status"], &seen["nextBillingAt"]), (&json!("ACTIVE"), &Value::Null));
        assert!(play.has().await);
        assert_eq!(play.club.told("renewed").await, renewals);
    }
    assert_eq!(play.club.app.sql("SELECT count(*) FROM orders").await, "0", "our own renewals charge nothing");
    assert_eq!(play.club.app.sql("SELECT count(*) FROM memberships").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_google_does_not_confirm_is_refused() {
    let play = PlayClub::open().await;
    let (sam, tim) = (&play.club.sam, &play.club.tim);
    let other = play.club.hours("Basic", "4", "30").await;
    play.buy(sam, "token-1");
    play.fake.set("wrong-base", active(&sam.id, "weekly", play.club.now() + TimeDelta::days(7)));
    play.buy(sam, "pending");
    play.set_state("pending", "PENDING");
    play.buy(sam, "over");
    play.set_state("over", "EXPIRED");
    for (what, input, code) in [
        ("another plan", json!({ "planId": other["id"], "purchaseToken": "token-1" }), "NOT_ALLOWED"),
        ("no plan", json!({ "purchaseToken": "token-1" }), "BLANK"),
        ("no such plan", json!({ "planSlug": "none", "purchaseToken": "token-1" }), "NOT_FOUND"),
        ("two plans", json!({ "planId": other["id"], "planSlug": "all", "purchaseToken": "token-1" }), "NOT_ALLOWED"),
        (
            "another order",
            json!({ "planSlug": "all", "purchaseToken": "token-1", "orderId": "GPA.3333-4444-5555-7" }),
            "NOT_ALLOWED",
        ),
        ("no such token", play.input("unknown"), "NOT_FOUND"),
        ("no token", play.input(" "), "BLANK"),
        ("another base plan", play.input("wrong-base"), "NOT_ALLOWED"),
        ("not paid", play.input("pending"), "NOT_ALLOWED"),
        ("over", play.input("over"), "NOT_ALLOWED"),
    ] {
        assert_eq!(play.refused(sam, input).await, code, "{what}");
    }
    assert_eq!(play.refused(tim, play.input("token-1")).await, "TAKEN", "the app has named Sam to Google");
    for _ in 0..3 {
        play.fake.wire.fail("tokens/token-1", Fault::Refused(503));
    }
    assert_eq!(play.refused(sam, play.input("token-1")).await, "TRY_AGAIN");
    assert_eq!(play.club.app.sql("SELECT count(*) FROM memberships").await, "0");
    assert_eq!(play.acknowledgements(), 0, "what is refused goes back to the buyer");
    // Without the account, a purchase belongs to whose app confirms it first.
    play.fake.change("token-1", |purchase| purchase["externalAccountIdentifiers"] = Value::Null);
    play.confirm(sam, play.input("token-1")).await;
    assert_eq!(play.refused(tim, play.input("token-1")).await, "TAKEN");
    play.club.join(tim, &month(&play.plan), "10").await;
    play.buy(tim, "token-2");
    assert_eq!(play.refused(tim, play.input("token-2")).await, "TAKEN", "one that we charge is live");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_follows_what_google_says() {
    let mut play = PlayClub::open().await;
    let id = play.join("token-1").await;
    let later = |play: &PlayClub, days: i64| play.club.now() + TimeDelta::days(days);
    play.set_state("token-1", "IN_GRACE_PERIOD");
    play.set_end("token-1", later(&play, 33));
    play.tell("token-1").await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("PAST_DUE", true));
    let order = play.club.order_input(&month(&play.plan), "10");
    assert_eq!(play.club.code(&play.club.sam, "createOrder", order).await, "TAKEN", "it is paid at Google");
    play.pass(TimeDelta::days(33)).await;
    play.set_state("token-1", "ON_HOLD");
    play.tell("token-1").await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("PAUSED", false));
    // The member has paid after all.
    play.set_state("token-1", "ACTIVE");
    play.set_end("token-1", later(&play, 30));
    play.tell("token-1").await;
    let seen = play.club.seen(&id).await;
    assert_eq!((&seen["status"], &seen["pausedAt"], play.has().await), (&json!("ACTIVE"), &Value::Null, true));
    assert_eq!(time(&seen["periodStartsAt"]), play.club.now());
    play.set_state("token-1", "PAUSED");
    play.tell("token-1").await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("PAUSED", false));
    play.set_state("token-1", "ACTIVE");
    play.tell("token-1").await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("ACTIVE", true));
    play.set_state("token-1", "CANCELED");
    play.tell("token-1").await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("CANCELED", true));
    // It ends without a notification.
    play.pass(TimeDelta::days(29)).await;
    assert!(play.has().await);
    play.pass(TimeDelta::days(1)).await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("EXPIRED", false));
    assert_eq!(play.club.told("ended").await, "1");
    // Another one, which Google revokes.
    let id = play.join("token-2").await;
    play.set_state("token-2", "EXPIRED");
    play.set_end("token-2", play.club.now());
    play.tell("token-2").await;
    play.tell("token-2").await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("EXPIRED", false));
    assert_eq!(play.club.told("ended").await, "2");
    assert_eq!(play.club.app.sql("SELECT count(*) FROM play_purchases WHERE check_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_moves_the_membership_to_its_purchase() {
    let mut play = PlayClub::open().await;
    let id = play.join("month").await;
    let yearly = active(&play.club.sam.id, "yearly", play.club.now() + TimeDelta::days(365));
    play.fake.set("year", yearly);
    play.fake.change("year", |purchase| purchase["linkedPurchaseToken"] = "month".into());
    // Google tells before the app does.
    play.set_state("month", "EXPIRED");
    play.tell("year").await;
    play.tell("month").await;
    let made = play.confirm(&play.club.sam, play.input("year")).await;
    assert_eq!((&made["id"], &made["status"]), (&json!(id), &json!("ACTIVE")));
    assert_eq!(made["planPrice"]["id"], price_of(&play.plan, "YEAR"));
    assert_eq!((play.club.told("plan_changed").await, play.club.told("ended").await), ("1".into(), "0".into()));
    play.check().await;
    assert_eq!(play.acknowledgements(), 2);
    play.pass(TimeDelta::days(40)).await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("ACTIVE", true));
    let states = "SELECT string_agg(state, ' ' ORDER BY token) FROM play_purchases";
    assert_eq!(play.club.app.sql(states).await, "REPLACED ACTIVE");

    // For something else, it is another membership.
    let hours = play.club.hours("Basic", "4", "30").await;
    play.sell(&month(&hours), "hours").await;
    play.fake.set("hours", active(&play.club.sam.id, "hours", play.club.now() + TimeDelta::days(30)));
    play.fake.change("hours", |purchase| purchase["linkedPurchaseToken"] = "year".into());
    let input = json!({ "planId": hours["id"], "purchaseToken": "hours" });
    let other = play.confirm(&play.club.sam, input).await;
    assert_ne!(other["id"], json!(id));
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("EXPIRED", false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_tried_again_until_google_knows_that_a_purchase_was_received() {
    let mut play = PlayClub::open().await;
    for _ in 0..4 {
        play.fake.wire.fail(":acknowledge", Fault::Refused(400));
    }
    let id = play.join("token-1").await;
    for (minutes, tries) in [(1, 2), (2, 3), (4, 4), (8, 5), (600, 5)] {
        play.pass(TimeDelta::minutes(minutes)).await;
        assert_eq!(play.acknowledgements(), tries, "after {minutes} minutes");
    }
    let acknowledged = "SELECT acknowledged_at IS NOT NULL FROM play_purchases";
    assert_eq!(play.club.app.sql(acknowledged).await, "t");
    // Google is away when it ends.
    play.set_end("token-1", play.club.now() + TimeDelta::days(2));
    play.tell("token-1").await;
    play.set_state("token-1", "EXPIRED");
    for _ in 0..3 {
        play.fake.wire.fail("GET", Fault::Refused(503));
    }
    play.pass(TimeDelta::days(2)).await;
    assert_eq!(play.club.status(&id).await, "ACTIVE");
    play.pass(TimeDelta::minutes(1)).await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("EXPIRED", false));
    // What Google has forgotten is over when its time is.
    let id = play.join("token-2").await;
    play.fake.forget("token-2");
    play.tell("token-2").await;
    assert_eq!(play.club.status(&id).await, "ACTIVE", "it may be a mistake");
    play.pass(TimeDelta::days(31)).await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("EXPIRED", false));
    assert_eq!(play.club.app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_google_s_notifications_are_heard_and_what_was_bought_in_the_store_is_found() {
    let play = PlayClub::open().await;
    let sam = &play.club.sam;
    play.buy(sam, "token-1");
    let body = push(renewed("token-1"), PACKAGE);
    let mut forged = claims(play.club.now());
    forged["email"] = "evil@example.org".into();
    assert_eq!(play.post(&sign(&forged, "key1"), &body).await, 400);
    assert_eq!(play.post("none", &body).await, 400);
    let good = play.bearer();
    assert_eq!(play.post(&good, &json!("no object")).await, 400);
    play.club.settle().await;
    assert_eq!(play.club.app.sql("SELECT count(*) FROM payment_events").await, "0");
    assert_eq!(play.fake.wire.count("GET /androidpublisher"), 0);
    // Nobody knows whose it is, until its app says so.
    play.fake.change("token-1", |purchase| purchase["externalAccountIdentifiers"] = Value::Null);
    play.tell("token-1").await;
    play.tell("unknown").await;
    assert_eq!(play.club.app.sql("SELECT count(*) FROM memberships").await, "0");
    // It was bought outside of the app, for an account that Google knows.
    play.buy(sam, "token-2");
    play.tell("token-2").await;
    assert!(play.has().await);
    play.check().await;
    assert_eq!(play.acknowledgements(), 1);
    let club = Club::open().await;
    let url = format!("{}/webhooks/google-play", club.app.url);
    let off = club.app.client.post(url).bearer_auth(&good).body(body.to_string()).send().await.unwrap();
    assert_eq!(off.status(), 404, "where nothing is sold on Google Play");
    let input = json!({ "planSlug": "all", "purchaseToken": "token-1" });
    assert_eq!(club.code(&club.sam, "confirmPlayPurchase", input).await, "NOT_ALLOWED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_paid_on_google_play_is_managed_there() {
    let mut play = PlayClub::open().await;
    let id = play.join("token-1").await;
    let (sam, root) = (play.club.sam.clone(), play.club.root.clone());
    for (user, field) in
        [(&sam, "cancelMembership"), (&root, "cancelMembership"), (&sam, "pauseMembership"), (&sam, "resumeMembership")]
    {
        assert_eq!(play.club.code(user, field, json!({ "membershipId": id })).await, "NOT_ALLOWED", "{field}");
    }
    for when in ["NOW", "RENEWAL"] {
        let input = json!({ "membershipId": id, "planPriceId": price_of(&play.plan, "YEAR"), "when": when });
        for field in ["changeMembership", "quoteMembershipChange"] {
            assert_eq!(play.club.code(&sam, field, input.clone()).await, "NOT_ALLOWED", "{field} {when}");
        }
    }
    // A new price, of whose members we would move ours, and the end of the plan leave it as it is.
    let input = json!({ "planId": play.plan["id"], "price": price("12", "MONTH"), "movesMembers": true });
    play.club.app.mutate(&root, "setPlanPrice", "planPrice { id }", input).await;
    play.club.settle().await;
    assert_eq!(play.club.seen(&id).await["pendingPlanPrice"], Value::Null);
    play.club.app.mutate(&root, "archivePlan", "plan { id }", json!({ "planId": play.plan["id"] })).await;
    play.club.settle().await;
    play.set_end("token-1", play.club.now() + TimeDelta::days(60));
    play.pass(TimeDelta::days(40)).await;
    assert_eq!((play.club.status(&id).await.as_str(), play.has().await), ("ACTIVE", true));
    // A deleted member's purchase is forgotten.
    let user: lyceum::accounts::UserId = sam.id.parse().unwrap();
    let deleted = lyceum::accounts::UserDeleted { user_id: user };
    let app = &play.club.app.app;
    let record =
        async |tx: &mut lyceum::platform::db::Tx| lyceum::platform::outbox::record(tx, &app.clock, &deleted).await;
    app.db.transaction(record).await.unwrap();
    play.club.settle().await;
    assert_eq!(play.club.status(&id).await, "EXPIRED");
    assert_eq!(play.club.app.sql("SELECT count(*) FROM play_purchases").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_say_which_product_a_price_is() {
    let play = PlayClub::open().await;
    let (monthly, yearly) = (month(&play.plan), price_of(&play.plan, "YEAR"));
    let product = async |price: &str| {
        let query = "... on PlanPrice { playProduct { productId basePlanId } }";
        play.club.node(&play.club.tim, price, query).await["playProduct"].take()
    };
    assert_eq!(product(&monthly).await, json!({ "productId": "basic", "basePlanId": "monthly" }));
    for (user, input, code) in [
        (&play.club.ada, PlayClub::product(&monthly, "weekly"), "FORBIDDEN"),
        (&play.club.root, PlayClub::product(&monthly, "yearly"), "TAKEN"),
        (&play.club.root, PlayClub::product(&monthly, "every month"), "INVALID"),
        (&play.club.root, json!({ "planPriceId": monthly, "productId": "", "basePlanId": "monthly" }), "BLANK"),
        (&play.club.root, json!({ "planPriceId": monthly, "productId": "x".repeat(151) }), "TOO_LONG"),
    ] {
        assert_eq!(play.club.code(user, "setPlayProduct", input.clone()).await, code, "{input}");
    }
    let input = json!({ "planPriceId": yearly, "productId": "" });
    play.club.app.mutate(&play.club.root, "setPlayProduct", "planPrice { id }", input).await;
    assert_eq!(product(&yearly).await, Value::Null);
    play.sell(&monthly, "yearly").await;
    let audit = "{ auditEntries(first: 1) { nodes { action \
        details { ... on AuditPlayProductDetails { productId basePlanId } } } } }";
    let data = play.club.app.data(Some(&play.club.root.token), audit, json!({})).await;
    let entry = &data["auditEntries"]["nodes"][0];
    assert_eq!(entry["action"], "PLAY_PRODUCT_CHANGED");
    assert_eq!(entry["details"], json!({ "productId": "basic", "basePlanId": "yearly" }));
    // The next version of the price is the same product.
    let input = json!({ "planId": play.plan["id"], "price": price("12", "MONTH") });
    let made = play.club.app.mutate(&play.club.root, "setPlanPrice", "planPrice { id }", input).await;
    let new = made["planPrice"]["id"].as_str().unwrap();
    assert_eq!((product(new).await["basePlanId"].as_str(), product(&monthly).await), (Some("yearly"), Value::Null));
    assert_eq!(
        play.club.code(&play.club.root, "setPlayProduct", PlayClub::product(&monthly, "old")).await,
        "NOT_FOUND"
    );
    play.club.app.mutate(&play.club.root, "archivePlan", "plan { id }", json!({ "planId": play.plan["id"] })).await;
    assert_eq!(product(new).await, Value::Null);
}
