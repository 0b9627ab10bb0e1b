//! How users want to be told.

use super::*;

const SETTINGS: &str = "notificationSettings { preferences { kind inApp email push } quietFrom quietTo digest \
    muted { __typename id } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_muted_or_turned_off_is_not_shown_until_it_is_turned_on_again() {
    let room = room().await;
    room.video("Wheels").await;
    let question = room.ask(&room.sam, "How?").await;
    room.answer(&room.tim, &question).await;
    let both = ["REPLY_RECEIVED 1", "NEW_VIDEO 1"];
    assert_eq!(kinds(&room.app, &room.sam, "").await, both);
    let mute = async |id: &str, muted: bool| {
        let input = json!({ "subjectId": id, "muted": muted });
        room.app.mutate(&room.sam, "muteNotifications", SETTINGS, input).await["notificationSettings"]["muted"].take()
    };
    assert_eq!(mute(&question, true).await, json!([{ "__typename": "Question", "id": question }]));
    assert_eq!(kinds(&room.app, &room.sam, "").await, ["NEW_VIDEO 1"]);
    assert_eq!(unread(&room.app, &room.sam).await, 1);
    mute(&room.course.id, true).await;
    assert_eq!((kinds(&room.app, &room.sam, "").await, unread(&room.app, &room.sam).await), (vec![], 0));
    assert_eq!(unread(&room.app, &room.tim).await, 1, "of Tim nothing is muted");
    mute(&question, false).await;
    assert_eq!(kinds(&room.app, &room.sam, "").await, [""; 0], "the question is in the course");
    assert_eq!(mute(&room.course.id, false).await, json!([]));
    assert_eq!(kinds(&room.app, &room.sam, "").await, both);
    let off = json!({ "preferences": [{ "kind": "NEW_VIDEO", "inApp": false, "email": true, "push": true }] });
    room.app.mutate(&room.sam, "updateNotificationSettings", SETTINGS, off).await;
    assert_eq!(kinds(&room.app, &room.sam, "").await, ["REPLY_RECEIVED 1"]);
    assert_eq!(unread(&room.app, &room.sam).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_changed_field_by_field() {
    let room = room().await;
    let read = async || {
        let data = room.app.data(Some(&room.sam.token), &format!("{{ viewer {{ {SETTINGS} }} }}"), json!({})).await;
        data["viewer"]["notificationSettings"].clone()
    };
    let of = |settings: &Value, kind: &str| {
        let all = settings["preferences"].as_array().unwrap();
        let found = all.iter().find(|one| one["kind"] == kind).unwrap();
        [&found["inApp"], &found["email"], &found["push"]].map(|chosen| chosen.as_bool().unwrap())
    };
    let start = read().await;
    assert_eq!(of(&start, "NEW_VIDEO"), [true, false, true]);
    assert_eq!((&start["quietFrom"], &start["digest"], &start["muted"]), (&Value::Null, &json!("OFF"), &json!([])));
    let update = async |input: Value| {
        room.app.mutate(&room.sam, "updateNotificationSettings", SETTINGS, input).await;
        read().await
    };
    let quiet = update(json!({ "quietFrom": "22:00", "quietTo": "07:30", "digest": "WEEKLY" })).await;
    assert_eq!((&quiet["quietFrom"], &quiet["quietTo"]), (&json!("22:00"), &json!("07:30")));
    let mail = [("NEW_VIDEO", [true, true, false]), ("SECURITY", [true, false, false])];
    for (kind, [in_app, email, push]) in mail {
        let one = json!({ "kind": kind, "inApp": in_app, "email": email, "push": push });
        update(json!({ "preferences": [one] })).await;
    }
    let end = update(json!({ "quietFrom": null, "quietTo": null })).await;
    assert_eq!((&end["quietFrom"], &end["digest"]), (&Value::Null, &json!("WEEKLY")));
    for (kind, expected) in mail {
        assert_eq!(of(&end, kind), expected);
    }
    let hidden = json!({ "preferences": [{ "kind": "SECURITY", "inApp": false, "email": true, "push": true }] });
    for (input, expected) in [
        (json!({ "quietFrom": "25:00", "quietTo": "07:00" }), "INVALID"),
        (json!({ "quietFrom": "22:00" }), "INVALID"),
        (json!({ "quietFrom": "22:00", "quietTo": null }), "INVALID"),
        (hidden, "NOT_ALLOWED"),
    ] {
        assert_eq!(code(&room.app, &room.sam, "updateNotificationSettings", input.clone()).await, expected, "{input}");
    }
    for id in ["", "user_01h455vb4pex5vsknk084sn02q", "course_01h455vb4pex5vsknk084sn02q", "nonsense"] {
        let input = json!({ "subjectId": id, "muted": true });
        assert_eq!(code(&room.app, &room.sam, "muteNotifications", input).await, "NOT_FOUND", "{id}");
    }
    // A user who may not see the course is not told that there is such a question.
    let question = room.ask(&room.sam, "How?").await;
    let input = json!({ "subjectId": question, "muted": true });
    assert_eq!(code(&room.app, &room.eve, "muteNotifications", input).await, "NOT_FOUND");
}
