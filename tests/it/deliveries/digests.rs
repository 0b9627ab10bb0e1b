//! Quiet hours and digests. The clock of each test begins on a Friday at nine in the morning, UTC.

use chrono::TimeDelta;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_disturbed_in_their_quiet_hours() {
    let (room, id) = asked(TestApp::start().await).await;
    profile(&room.app, "Sam", "en", "Asia/Tokyo").await;
    // Until seven in Tokyo it is ten in the evening here.
    settings(&room.app, &room.sam, json!({ "quietFrom": "17:30", "quietTo": "07:00" })).await;
    room.reply(&room.tim, &id, "So.").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    room.reply(&room.ada, &id, "Or so.").await;
    assert_eq!(mailed(&room.app).await, ["tim: New reply to “How?”"]);
    room.app.app.clock.advance(TimeDelta::hours(13) - TimeDelta::minutes(1));
    room.app.run("notifications.send").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    room.app.app.clock.advance(TimeDelta::minutes(1));
    room.app.run("notifications.send").await;
    // One mail tells of both.
    assert_eq!(mailed(&room.app).await, ["sam: 2 new replies to “How?”"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_is_one_mail_about_everything() {
    let (room, first) = asked(TestApp::start().await).await;
    let second = room.ask(&room.sam, "Why?").await;
    mailed(&room.app).await;
    settings(&room.app, &room.sam, json!({ "digest": "DAILY" })).await;
    settings(&room.app, &room.ada, json!({ "digest": "WEEKLY" })).await;
    room.reply(&room.tim, &first, "So.").await;
    room.reply(&room.tim, &second, "Therefore.").await;
    room.ask(&room.tim, "When?").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    room.app.app.clock.advance(TimeDelta::hours(23));
    room.app.run("notifications.send").await;
    room.app.settle().await;
    let [mail] = &list_mails(&room.app)[..] else { panic!("one mail") };
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("sam@people.example", "What is new at Lyceum"));
    for title in ["New reply to “How?”", "New reply to “Why?”"] {
        assert!(mail.text.contains(&format!("* {title}\n  By Tim.\n")), "{}", mail.text);
    }
    assert!(mail.list.as_ref().unwrap().unsubscribe.contains("token=ALL."), "{:?}", mail.list);
    assert_eq!(count(&room.app, "SENT").await, "4", "two before, and two in the digest");
    // Ada's comes on Monday.
    room.app.app.clock.advance(TimeDelta::hours(47));
    room.app.run("notifications.send").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    room.app.app.clock.advance(TimeDelta::hours(1));
    room.app.run("notifications.send").await;
    assert_eq!(mailed(&room.app).await, ["ada: What is new at Lyceum"]);
}
