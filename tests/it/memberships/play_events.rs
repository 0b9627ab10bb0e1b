//! What Google Play tells is stored, processed, and shown to administrators.

use lyceum::accounts::UserId;
use lyceum::platform::db::Tx;
use lyceum::platform::jobs;
use uuid::Uuid;

use super::play::{PlayClub, renewed};
use super::*;
use crate::orders::fakes::Fault;
use crate::orders::fakes::google_play::{active, push};

const NO_USER: &str = "The purchase is of no known user: its app has to confirm it.";

impl PlayClub {
    /// What administrators see of the events, in the order of the ids of the messages.
    async fn events(&self) -> Vec<Value> {
        let query = "{ paymentEvents { nodes { id provider externalId kind state attempts lastError order { id } } } }";
        let mut data = self.club.app.data(Some(&self.club.root.token), query, json!({})).await;
        let Value::Array(mut events) = data["paymentEvents"]["nodes"].take() else { panic!("{data:#}") };
        events.sort_by_key(|event| event["externalId"].as_str().unwrap().to_owned());
        events
    }

    /// State, attempts and error of the only event.
    async fn event(&self) -> (String, i64, Option<String>) {
        let events = self.events().await;
        let [event] = &events[..] else { panic!("{events:#?}") };
        let error = event["lastError"].as_str().map(str::to_owned);
        (event["state"].as_str().unwrap().to_owned(), event["attempts"].as_i64().unwrap(), error)
    }

    /// An administrator has the only event processed again.
    async fn replay(&self) {
        let input = json!({ "paymentEventId": self.events().await[0]["id"] });
        let selection = "paymentEvent { state }";
        let replayed = self.club.app.mutate(&self.club.root, "replayPaymentEvent", selection, input).await;
        assert_eq!(replayed["paymentEvent"]["state"], "RECEIVED");
        self.club.settle().await;
    }

    /// The time passes, and only what waits is done.
    async fn wait(&self, time: TimeDelta) {
        self.club.app.app.clock.advance(time);
        self.club.settle().await;
    }

    /// Google does not answer the next question about a purchase.
    fn away(&self, token: &str) {
        // All attempts of one call.
        for _ in 0..3 {
            self.fake.wire.fail(&format!("tokens/{token}"), Fault::Refused(503));
        }
    }

    /// Sam buys a month, and Google is not told who that is.
    fn buy_unnamed(&self, token: &str) {
        self.buy(&self.club.sam, token);
        self.fake.change(token, |purchase| purchase["externalAccountIdentifiers"] = Value::Null);
    }
}

fn processed(attempts: i64) -> (String, i64, Option<String>) {
    ("PROCESSED".into(), attempts, None)
}

fn refused(attempts: i64, why: &str) -> (String, i64, Option<String>) {
    ("REFUSED".into(), attempts, Some(why.into()))
}

fn waits(attempts: i64, why: &str) -> (String, i64, Option<String>) {
    ("WAITING".into(), attempts, Some(why.into()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_notification_is_stored_once() {
    let play = PlayClub::open().await;
    play.join("token-1").await;
    let asked = play.fake.wire.count("GET /androidpublisher");
    let message = play.message(renewed("token-1")).await;
    for _ in 0..3 {
        assert_eq!(play.post(&play.bearer(), &message).await, 200);
    }
    play.club.settle().await;
    assert_eq!(play.post(&play.bearer(), &message).await, 200);
    play.club.settle().await;
    let mut events = play.events().await;
    events[0].as_object_mut().unwrap().remove("id");
    let expected = json!([{
        "provider": "GOOGLE_PLAY", "externalId": "message-0", "kind": "subscription.renewed", "state": "PROCESSED",
        "attempts": 1, "lastError": null, "order": null,
    }]);
    assert_eq!(Value::Array(events), expected);
    assert_eq!(play.fake.wire.count("GET /androidpublisher") - asked, 1);
    // About no subscription: nothing follows. Another app, or something that cannot be read: it is seen.
    for told in [json!({ "testNotification": {} }), json!({ "oneTimeProductNotification": { "sku": "book" } })] {
        assert_eq!(play.post(&play.bearer(), &play.message(told).await).await, 200);
    }
    let other = push(renewed("token-1"), "another.app");
    for _ in 0..2 {
        assert_eq!(play.post(&play.bearer(), &other).await, 200);
    }
    assert_eq!(play.post("forged", &other).await, 400);
    play.club.settle().await;
    let events = play.events().await;
    let seen: Vec<_> = events.iter().map(|event| (event["kind"].as_str(), event["state"].as_str())).collect();
    let expected = [
        ("subscription.renewed", "PROCESSED"),
        ("test", "PROCESSED"),
        ("product.changed", "PROCESSED"),
        ("unread", "REFUSED"),
    ];
    assert_eq!(seen, expected.map(|(kind, state)| (Some(kind), Some(state))));
    assert_eq!(play.fake.wire.count("GET /androidpublisher") - asked, 1);
    let unread =
        "SELECT string_agg(key, ' ') FROM payment_events, jsonb_object_keys(body) AS key WHERE state = 'REFUSED'";
    assert_eq!(play.club.app.sql(unread).await, "sealed", "what cannot be read may be personal");
    // What cannot be stored is sent again.
    let message = play.message(renewed("token-1")).await;
    play.club.app.sql("ALTER TABLE payment_events RENAME TO payment_events_gone").await;
    assert_eq!(play.post(&play.bearer(), &message).await, 503);
    play.club.app.sql("ALTER TABLE payment_events_gone RENAME TO payment_events").await;
    assert_eq!(play.post(&play.bearer(), &message).await, 200);
    assert_eq!(play.events().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_purchase_waits_for_its_app_and_can_be_replayed() {
    let play = PlayClub::open().await;
    play.buy_unnamed("token-1");
    play.tell("token-1").await;
    assert_eq!(play.event().await, waits(1, NO_USER));
    play.wait(TimeDelta::seconds(11)).await;
    assert_eq!(play.event().await, waits(2, NO_USER));
    play.confirm(&play.club.sam, play.input("token-1")).await;
    // In the meantime, the member has canceled it: Google is asked anew.
    play.set_state("token-1", "CANCELED");
    play.wait(TimeDelta::seconds(21)).await;
    assert_eq!(play.event().await, processed(3));
    assert_eq!(play.club.app.sql("SELECT status FROM memberships").await, "CANCELED");
    let done = json!({ "paymentEventId": play.events().await[0]["id"] });
    assert_eq!(play.club.code(&play.club.root, "replayPaymentEvent", done).await, "NOT_ALLOWED");

    // After three hours it is not asked about any more.
    let play = PlayClub::open().await;
    play.buy_unnamed("token-1");
    play.tell("token-1").await;
    for _ in 0..12 {
        play.wait(TimeDelta::minutes(90)).await;
    }
    assert_eq!(play.event().await, refused(11, NO_USER));
    let input = json!({ "paymentEventId": play.events().await[0]["id"] });
    assert_eq!(play.club.code(&play.club.sam, "replayPaymentEvent", input).await, "FORBIDDEN");
    play.replay().await;
    assert_eq!(play.event().await, waits(1, NO_USER));
    play.confirm(&play.club.sam, play.input("token-1")).await;
    play.replay().await;
    assert_eq!((play.event().await, play.has().await), (processed(1), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_google_does_not_answer_is_asked_again() {
    let away = "Google Play could not be asked about the purchase.";
    let play = PlayClub::open().await;
    play.buy(&play.club.sam, "token-1");
    play.away("token-1");
    play.tell("token-1").await;
    assert_eq!((play.event().await, play.has().await), (waits(1, away), false));
    play.away("token-1");
    play.wait(TimeDelta::seconds(11)).await;
    assert_eq!((play.event().await, play.has().await), (waits(2, away), false));
    play.wait(TimeDelta::seconds(21)).await;
    assert_eq!((play.event().await, play.has().await), (processed(3), true));

    // The same about a purchase that is known.
    let play = PlayClub::open().await;
    play.join("token-1").await;
    play.set_state("token-1", "PAUSED");
    play.away("token-1");
    play.tell("token-1").await;
    assert_eq!((play.event().await, play.has().await), (waits(1, away), true));
    play.wait(TimeDelta::seconds(11)).await;
    assert_eq!((play.event().await, play.has().await), (processed(2), false));

    // The database fails: the job has the error, and the event, too.
    let play = PlayClub::open().await;
    play.buy(&play.club.sam, "token-1");
    play.club.app.sql("ALTER TABLE play_products RENAME TO play_products_gone").await;
    play.tell("token-1").await;
    let (state, attempts, error) = play.event().await;
    assert_eq!((state.as_str(), attempts), ("RECEIVED", 1));
    assert!(error.unwrap().contains("play_products"));
    play.club.app.sql("ALTER TABLE play_products_gone RENAME TO play_products").await;
    play.wait(TimeDelta::seconds(3)).await;
    assert_eq!((play.event().await, play.has().await), (processed(2), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_that_is_no_membership_is_refused_with_its_reason() {
    let play = PlayClub::open().await;
    let weekly = active(&play.club.sam.id, "weekly", play.club.now() + TimeDelta::days(7));
    play.fake.set("token-1", weekly);
    play.tell("token-1").await;
    let why = "The purchase is no membership. Its user would be told: What was bought is not a price of this plan.";
    assert_eq!(play.event().await, refused(1, why));
    play.sell(&month(&play.plan), "weekly").await;
    play.replay().await;
    assert_eq!((play.event().await, play.has().await), (processed(1), true));

    let nobody = UserId::new(Uuid::from_u128(1)).encode();
    for (purchase, user, state) in
        [("over", &play.club.tim.id, "EXPIRED"), ("pending", &play.club.tim.id, "PENDING"), ("gone", &nobody, "ACTIVE")]
    {
        play.fake.set(purchase, active(user, "weekly", play.club.now() + TimeDelta::days(7)));
        play.set_state(purchase, state);
    }
    for (purchase, state, why) in [
        ("over", "PROCESSED", None),
        ("pending", "WAITING", Some("The purchase is not paid yet, or in a state that is not known.")),
        ("unknown", "WAITING", Some("Google Play knows no such subscription, or not yet.")),
        ("gone", "REFUSED", Some("The purchase is of a user who does not exist, or no longer.")),
    ] {
        play.tell(purchase).await;
        let events = play.events().await;
        let latest = events.last().unwrap();
        assert_eq!((latest["state"].as_str(), latest["lastError"].as_str()), (Some(state), why), "{purchase}");
    }
    assert_eq!(play.club.app.sql("SELECT count(*) FROM memberships").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_version_has_enqueued_is_done() {
    let play = PlayClub::open().await;
    play.buy(&play.club.sam, "token-1");
    let (app, payload) = (&play.club.app.app, json!({ "token": "token-1" }));
    let asked =
        async |tx: &mut Tx| jobs::enqueue(tx, &app.clock, "memberships.play_told", &payload, "play_told/1").await;
    app.db.transaction(asked).await.unwrap();
    play.away("token-1");
    play.club.settle().await;
    assert!(!play.has().await, "Google is away");
    play.wait(TimeDelta::seconds(3)).await;
    assert!(play.has().await);
    assert!(play.events().await.is_empty());
}
