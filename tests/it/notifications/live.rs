//! What subscribers are told: each event once and in order, and nothing that does not concern them.

use std::time::Duration;

use super::*;
use crate::support::socket::Socket;

const FOLLOW: &str = "subscription ($after: String) { notificationReceived(after: $after) {
    cursor isStart unreadCount notification { kind title count } } }";

pub(super) struct Listener(Socket);

impl Listener {
    /// Subscribes; returns the cursor of the start, too.
    pub(super) async fn new(app: &TestApp, user: &User, after: Option<&str>) -> (Listener, String) {
        let mut socket = Socket::connect(&app.url, Some(&user.token)).await;
        socket.subscribe("x", FOLLOW, json!({ "after": after })).await;
        let mut listener = Listener(socket);
        let start = listener.next().await;
        assert_eq!((&start["isStart"], &start["notification"]), (&json!(true), &Value::Null));
        let cursor = start["cursor"].as_str().unwrap().to_owned();
        (listener, cursor)
    }

    async fn next(&mut self) -> Value {
        let mut message = self.0.receive().await.unwrap();
        assert_eq!(message["type"], "next", "{message:#}");
        message["payload"]["data"]["notificationReceived"].take()
    }

    /// The titles and numbers of the next events.
    pub(super) async fn expect(&mut self, expected: &[(&str, i64)]) -> String {
        let mut cursor = String::new();
        for (title, unread) in expected {
            let event = self.next().await;
            let found = event["notification"]["title"].as_str().unwrap_or("(none)");
            assert_eq!((found, event["unreadCount"].as_i64().unwrap()), (*title, *unread), "{event:#}");
            cursor = event["cursor"].as_str().unwrap().to_owned();
        }
        cursor
    }

    /// Nothing comes within a moment.
    pub(super) async fn silent(&mut self) {
        let waited = tokio::time::timeout(Duration::from_millis(200), self.0.wait()).await;
        assert!(waited.is_err(), "{waited:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_told_once_and_what_was_missed_comes_first() {
    let room = room().await;
    let (mut sam, start) = Listener::new(&room.app, &room.sam, None).await;
    let (mut eve, _) = Listener::new(&room.app, &room.eve, None).await;
    let (mut ada, _) = Listener::new(&room.app, &room.ada, None).await;
    room.video("Wheels").await;
    sam.expect(&[("New video in “Engines”", 1)]).await;
    let question = room.ask(&room.sam, "How?").await;
    told(&room.app).await;
    ada.expect(&[("New question in “Engines”", 1)]).await;
    room.answer(&room.sam, &question).await;
    room.answer(&room.ada, &question).await;
    // Not of their own, which come between.
    let cursor = sam.expect(&[("New reply to “How?”", 2)]).await;
    room.answer(&room.tim, &question).await;
    sam.expect(&[("2 new replies to “How?”", 2)]).await;
    ada.expect(&[("New reply to “How?”", 2)]).await;
    // Who comes back gets what they missed, as it is now, and then what happens.
    let (mut back, _) = Listener::new(&room.app, &room.sam, Some(&start)).await;
    back.expect(&[("New video in “Engines”", 2), ("2 new replies to “How?”", 2), ("2 new replies to “How?”", 2)]).await;
    let (mut later, _) = Listener::new(&room.app, &room.sam, Some(&cursor)).await;
    later.expect(&[("2 new replies to “How?”", 2)]).await;
    room.video("Levers").await;
    for listener in [&mut sam, &mut back, &mut later] {
        listener.expect(&[("2 new videos in “Engines”", 2)]).await;
        listener.silent().await;
    }
    eve.silent().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_devices_are_told_of_what_is_read() {
    let room = room().await;
    room.video("Wheels").await;
    let (mut sam, _) = Listener::new(&room.app, &room.sam, None).await;
    let (mut tim, _) = Listener::new(&room.app, &room.tim, None).await;
    let cursor = list(&room.app, &room.sam, "").await["notifications"]["pageInfo"]["endCursor"].take();
    mark(&room.app, &room.sam, json!({ "upTo": cursor, "state": "READ" })).await;
    told(&room.app).await;
    sam.expect(&[("(none)", 0)]).await;
    tim.silent().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_counts_at_the_time_of_the_event() {
    let room = room().await;
    let (mut tim, start) = Listener::new(&room.app, &room.tim, None).await;
    let (mut eve, _) = Listener::new(&room.app, &room.eve, None).await;
    let end = "UPDATE entitlements SET ended_at = now(), end_reason = 'REFUNDED' FROM users \
        WHERE users.id = user_id AND name = 'Tim'";
    room.app.sql(end).await;
    room.app.mutate(&room.eve, "enroll", "entitlement { id }", json!({ "courseId": room.course.id })).await;
    room.video("Wheels").await;
    // At once, without a moment in which the old answer counts.
    eve.expect(&[("New video in “Engines”", 1)]).await;
    tim.silent().await;
    let (mut again, _) = Listener::new(&room.app, &room.tim, Some(&start)).await;
    again.silent().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_missed_events_than_a_page_come_in_order_while_others_happen() {
    let room = room().await;
    let question = room.ask(&room.sam, "How?").await;
    told(&room.app).await;
    let (listener, start) = Listener::new(&room.app, &room.sam, None).await;
    drop(listener);
    let id = lyceum::discussions::QuestionId::new(room.app.sql("SELECT post_id FROM questions").await.parse().unwrap());
    let tell = async |number: usize| {
        let new = lyceum::notifications::NewNotification {
            kind: lyceum::notifications::NotificationKind::ReplyReceived,
            audience: lyceum::notifications::Audience::Question(id),
            group: format!("group {number}"),
            subject: question.clone(),
            mute_keys: Vec::new(),
            actor: None,
            occurrence: number.to_string(),
            facts: lyceum::notifications::Facts { detail: Some(number.to_string()), ..Default::default() },
        };
        lyceum::notifications::create(&room.app.app, &new).await.unwrap();
    };
    room.app.app.clock.advance(TimeDelta::seconds(1));
    for number in 0..230 {
        tell(number).await;
    }
    told(&room.app).await;
    let query = "subscription ($after: String) { notificationReceived(after: $after) { isStart notification { id } } }";
    let mut socket = Socket::connect(&room.app.url, Some(&room.sam.token)).await;
    socket.subscribe("x", query, json!({ "after": start })).await;
    for number in 230..250 {
        tell(number).await;
    }
    told(&room.app).await;
    let order = "SELECT string_agg(payload ->> 'notification', ' ' ORDER BY position) FROM events \
        WHERE kind = 'notification_created' AND payload ->> 'audience' LIKE 'question:%'";
    let order = room.app.sql(order).await;
    let expected: Vec<String> =
        order.split(' ').map(|id| lyceum::notifications::NotificationId::new(id.parse().unwrap()).encode()).collect();
    let mut found = Vec::new();
    while found.len() < expected.len() {
        let message = socket.receive().await.unwrap();
        let event = &message["payload"]["data"]["notificationReceived"];
        if event["isStart"] == false {
            found.push(event["notification"]["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!((found.len(), found), (250, expected));
}
