//! Who is told by email, and how.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_told_to_the_team_and_a_reply_to_who_follows() {
    let room = Room::open().await;
    mailed(&room.app).await;
    let id = room.ask(&room.sam, "How?").await;
    assert_eq!(mailed(&room.app).await, ["ada: New question in “Engines”"]);
    room.reply(&room.tim, &id, "So.").await;
    assert_eq!(mailed(&room.app).await, ["sam: New reply to “How?”"]);
    room.reply(&room.ada, &id, "Or so.").await;
    // Sam has not read the first one. Tim is not told of his own.
    assert_eq!(mailed(&room.app).await, ["sam: 2 new replies to “How?”", "tim: New reply to “How?”"]);
    room.app
        .mutate(&room.sam, "followQuestion", "question { id }", json!({ "questionId": id, "following": false }))
        .await;
    room.reply(&room.sam, &id, "Thanks.").await;
    assert_eq!(mailed(&room.app).await, ["ada: New reply to “How?”", "tim: 2 new replies to “How?”"]);
    // The team's own questions are no news to it.
    room.ask(&room.ada, "What do you think?").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_their_access_or_account_gets_no_mail() {
    let (room, id) = asked(TestApp::start().await).await;
    room.reply(&room.tim, &id, "So.").await;
    mailed(&room.app).await;
    room.app
        .sql(
            "UPDATE entitlements SET ended_at = now(), end_reason = 'REFUNDED' FROM users \
        WHERE users.id = user_id AND name = 'Tim'",
        )
        .await;
    room.app.sql("UPDATE users SET banned_at = now(), ban_reason = 'Spam' WHERE name = 'Sam'").await;
    room.app.forget_rows();
    room.reply(&room.ada, &id, "Or so.").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    assert_eq!(count(&room.app, "PENDING").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_is_in_the_language_of_its_reader_and_leads_to_what_it_is_about() {
    let (room, id) = asked(TestApp::with(&[("LYCEUM_APP_URL", "https://school.example")]).await).await;
    profile(&room.app, "Sam", "de-CH", "Europe/Zurich").await;
    room.reply(&room.tim, &id, "So.").await;
    work(&room.app).await;
    let [mail] = &list_mails(&room.app)[..] else { panic!("one mail") };
    assert_eq!(mail.subject, "Neue Antwort auf „How?“");
    assert!(
        mail.text.starts_with("Hallo Sam,\n\nNeue Antwort auf „How?“\n\nVon Tim.\n\nAnsehen:\n\n"),
        "{}",
        mail.text
    );
    let link = format!("https://school.example/open?id={id}");
    let html = mail.html.as_ref().unwrap();
    assert!(mail.text.contains(&link) && html.contains(&format!("href=\"{link}\"")), "{}", mail.text);
    assert!(html.contains("<html lang=\"de\">"), "{html}");
    let list = mail.list.as_ref().unwrap();
    assert_eq!(list.name, "reply-received");
    assert!(list.unsubscribe.contains("/unsubscribe?token=REPLY_RECEIVED."), "{}", list.unsubscribe);
    assert!(mail.text.contains(&list.unsubscribe) && html.contains(&list.unsubscribe), "{}", mail.text);
    // What identifies the mail is stored before it is sent.
    let sent = room.app.sql(&format!("SELECT status FROM notification_deliveries WHERE id = '{}'", mail.id)).await;
    assert_eq!(sent, "SENT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_read_it_or_does_not_want_it_gets_no_mail() {
    let (room, id) = asked(TestApp::start().await).await;
    settings(&room.app, &room.ada, preference("QUESTION_ASKED", false, false)).await;
    room.ask(&room.tim, "Why?").await;
    assert_eq!(mailed(&room.app).await, [""; 0], "not by email");
    settings(&room.app, &room.ada, preference("QUESTION_ASKED", true, false)).await;
    let muted = json!({ "subjectId": room.course.id, "muted": true });
    room.app.mutate(&room.ada, "muteNotifications", "notificationSettings { digest }", muted).await;
    room.ask(&room.tim, "When?").await;
    assert_eq!(mailed(&room.app).await, [""; 0], "the course is muted");
    // What is read before it is sent needs no mail.
    settings(&room.app, &room.sam, json!({ "quietFrom": "08:00", "quietTo": "10:00" })).await;
    room.reply(&room.tim, &id, "So.").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    let list = "{ viewer { notifications { nodes { id } } } }";
    let list = room.app.data(Some(&room.sam.token), list, json!({})).await;
    let ids = json!([list["viewer"]["notifications"]["nodes"][0]["id"]]);
    let input = json!({ "ids": ids, "state": "READ" });
    room.app.mutate(&room.sam, "markNotifications", "unreadNotificationCount", input).await;
    room.app.app.clock.advance(chrono::TimeDelta::hours(2));
    room.app.run("notifications.send").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    assert_eq!(count(&room.app, "SKIPPED").await, "1");
}
