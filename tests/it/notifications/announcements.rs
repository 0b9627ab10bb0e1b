//! What instructors and administrators announce.

use super::live::Listener;
use super::*;

const SELECTION: &str = "announcement { id publishedAt canceledAt deliveredCount audienceSize \
    audience { course { id } channel { id } role everyone } }";

fn input(audience: Value) -> Value {
    json!({ "audience": audience, "title": "Exam", "body": "On Monday.\nBring a pen." })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcement_reaches_its_audience_once_and_can_be_withdrawn() {
    let room = room().await;
    let (app, course) = (&room.app, json!({ "courseId": room.course.id }));
    let mut dry = input(course.clone());
    dry["dryRun"] = json!(true);
    let checked = app.mutate(&room.ada, "createAnnouncement", &format!("{SELECTION} audienceSize"), dry).await;
    assert_eq!((&checked["announcement"], &checked["audienceSize"]), (&Value::Null, &json!(2)));
    let mut once = input(course);
    once["idempotencyKey"] = json!("once");
    let made = app.mutate(&room.ada, "createAnnouncement", SELECTION, once.clone()).await;
    let again = app.mutate(&room.ada, "createAnnouncement", SELECTION, once).await;
    assert_eq!(made["announcement"]["id"], again["announcement"]["id"]);
    assert_eq!(made["announcement"]["audience"]["course"]["id"], room.course.id);
    told(app).await;
    let sam = list(app, &room.sam, "").await;
    let shown = &sam["notifications"]["nodes"][0];
    assert_eq!((&shown["kind"], &shown["title"]), (&json!("ANNOUNCEMENT"), &json!("Exam")));
    assert_eq!((&shown["body"], &shown["actor"]["name"]), (&json!("Ada: On Monday.\nBring a pen."), &json!("Ada")));
    assert_eq!(kinds(app, &room.eve, "").await, [""; 0]);
    let query = "{ announcements { totalCount nodes { id deliveredCount publishedAt } } }";
    let listed = app.data(Some(&room.ada.token), query, json!({})).await;
    let listed = &listed["announcements"];
    assert_eq!((&listed["totalCount"], &listed["nodes"][0]["deliveredCount"]), (&json!(1), &json!(2)));
    let (mut listener, _) = Listener::new(app, &room.sam, None).await;
    let (mut stranger, _) = Listener::new(app, &room.eve, None).await;
    let cancel = json!({ "announcementId": listed["nodes"][0]["id"] });
    app.mutate(&room.ada, "cancelAnnouncement", SELECTION, cancel.clone()).await;
    assert_eq!(kinds(app, &room.sam, "").await, [""; 0]);
    told(app).await;
    listener.expect(&[("(none)", 0)]).await;
    stranger.silent().await;
    app.mutate(&room.ada, "cancelAnnouncement", SELECTION, cancel).await;
    let trail = "{ auditEntries(first: 5, filter: { actions: [ANNOUNCEMENT_CREATED, ANNOUNCEMENT_CANCELED] }) { nodes { \
        action actor { name } target { id } details { ... on AuditAnnouncementDetails { announcementTitle } } } } }";
    let trail = app.data(Some(&room.root.token), trail, json!({})).await;
    let trail = trail["auditEntries"]["nodes"].as_array().unwrap();
    let actions: Vec<&Value> = trail.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["ANNOUNCEMENT_CANCELED", "ANNOUNCEMENT_CREATED"], "canceled once");
    assert_eq!(trail[0]["target"]["id"], made["announcement"]["id"]);
    assert_eq!(
        (&trail[0]["actor"]["name"], &trail[0]["details"]["announcementTitle"]),
        (&json!("Ada"), &json!("Exam"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_says_what_became_of_each_mail_and_outlives_the_deliveries() {
    let room = room().await;
    let app = &room.app;
    let off = json!({ "preferences": [{ "kind": "ANNOUNCEMENT", "inApp": false, "email": true, "push": true }] });
    let enroll = json!({ "courseId": room.course.id });
    for name in ["Una", "Vic", "Wim", "Xan"] {
        let user = app.user(name, lyceum::platform::auth::Role::Student).await;
        app.mutate(&user, "enroll", "entitlement { id }", enroll.clone()).await;
        if name == "Una" {
            app.mutate(&user, "updateNotificationSettings", "notificationSettings { digest }", off.clone()).await;
        }
        if name == "Vic" {
            app.mutate(
                &user,
                "updateNotificationSettings",
                "notificationSettings { digest }",
                json!({ "digest": "WEEKLY" }),
            )
            .await;
        }
    }
    let bounced = [("xan@people.example".to_owned(), lyceum::platform::mail::suppression::Reason::Bounce)];
    lyceum::platform::mail::suppression::suppress(&app.app, &bounced).await.unwrap();
    app.app.clock.advance(TimeDelta::seconds(1));
    app.mutate(&room.ada, "createAnnouncement", SELECTION, input(json!({ "courseId": room.course.id }))).await;
    told(app).await;
    let query = "{ announcements { nodes { id audienceSize deliveredCount delivery { \
        email { waiting sent failed suppressed skipped } push { waiting sent } } } } }";
    let report =
        async |ada: &User| app.data(Some(&ada.token), query, json!({})).await["announcements"]["nodes"][0].take();
    let shown = report(&room.ada).await;
    assert_eq!((&shown["audienceSize"], &shown["deliveredCount"]), (&json!(6), &json!(5)), "Una hides announcements");
    let expected = json!({ "waiting": 1, "sent": 3, "failed": 0, "suppressed": 1, "skipped": 0 });
    assert_eq!(shown["delivery"], json!({ "email": expected, "push": { "waiting": 0, "sent": 0 } }));
    app.app.clock.advance(TimeDelta::days(29));
    app.run("notifications.send").await;
    app.run("notifications.forget_deliveries").await;
    app.app.clock.advance(TimeDelta::days(3));
    app.run("notifications.forget_deliveries").await;
    assert_eq!(app.sql("SELECT count(*) FROM notification_deliveries WHERE status = 'SUPPRESSED'").await, "0");
    let expected = json!({ "waiting": 0, "sent": 4, "failed": 0, "suppressed": 1, "skipped": 0 });
    let ada = signed_in(app, &room.ada).await;
    assert_eq!(report(&ada).await["delivery"]["email"], expected);
    // What is canceled keeps its report, too.
    app.mutate(&ada, "createAnnouncement", SELECTION, input(json!({ "courseId": room.course.id }))).await;
    told(app).await;
    let before = report(&ada).await;
    app.mutate(&ada, "cancelAnnouncement", SELECTION, json!({ "announcementId": before["id"] })).await;
    assert_eq!(report(&ada).await["delivery"], before["delivery"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduled_one_waits_and_a_canceled_one_is_not_published() {
    let room = room().await;
    let app = &room.app;
    let mut later = input(json!({ "everyone": true }));
    later["publishAt"] = json!((app.app.clock.now() + TimeDelta::minutes(10)).to_rfc3339());
    let mut ids = Vec::new();
    for _ in 0..2 {
        let made = app.mutate(&room.root, "createAnnouncement", SELECTION, later.clone()).await;
        ids.push(made["announcement"]["id"].clone());
    }
    assert_eq!(
        app.mutate(&room.root, "cancelAnnouncement", SELECTION, json!({ "announcementId": ids[0] })).await["announcement"]
            ["publishedAt"],
        Value::Null
    );
    app.settle().await;
    assert_eq!(kinds(app, &room.eve, "").await, [""; 0]);
    app.app.clock.advance(TimeDelta::minutes(11));
    app.settle().await;
    assert_eq!(kinds(app, &room.eve, "").await, ["ANNOUNCEMENT 1"]);
    assert_eq!(kinds(app, &room.ada, "").await, ["ANNOUNCEMENT 1"]);
    let states = "{ announcements(filter: { state: CANCELED }) { nodes { id } } }";
    let canceled = app.data(Some(&room.root.token), states, json!({})).await;
    assert_eq!(canceled["announcements"]["nodes"], json!([{ "id": ids[0] }]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_announces_to_others_than_their_own() {
    let room = room().await;
    let (app, bob) = (&room.app, room.app.user("Bob", lyceum::platform::auth::Role::Instructor).await);
    app.app.clock.advance(TimeDelta::seconds(1));
    let channel = "query ($id: ID) { course(id: $id) { channel { id } } }";
    let channel = app.data(None, channel, json!({ "id": room.course.id })).await["course"]["channel"]["id"].take();
    let audiences = [
        json!({ "courseId": room.course.id }),
        json!({ "channelId": channel }),
        json!({ "role": "INSTRUCTOR" }),
        json!({ "everyone": true }),
    ];
    let codes = async |user: &User| {
        let mut codes = Vec::new();
        for audience in &audiences {
            codes.push(code(app, user, "createAnnouncement", input(audience.clone())).await);
        }
        codes
    };
    assert_eq!(codes(&room.sam).await, ["FORBIDDEN"; 4]);
    assert_eq!(codes(&bob).await, ["NOT_FOUND"; 4]);
    assert_eq!(codes(&room.ada).await, ["", "", "NOT_FOUND", "NOT_FOUND"]);
    assert_eq!(codes(&room.root).await, [""; 4]);
    app.settle().await;
    assert_eq!(kinds(app, &bob, "").await, ["ANNOUNCEMENT 1", "ANNOUNCEMENT 1"]);
    let mut past = input(json!({ "everyone": true }));
    past["publishAt"] = json!("2001-01-01T00:00:00Z");
    assert_eq!(code(app, &room.root, "createAnnouncement", past).await, "OUT_OF_RANGE");
    assert_eq!(code(app, &room.root, "createAnnouncement", input(json!({ "everyone": false }))).await, "INVALID");
    let query = "{ announcements { nodes { id } } }";
    assert_eq!(app.data(Some(&bob.token), query, json!({})).await["announcements"]["nodes"], json!([]));
    let id = app.data(Some(&room.ada.token), query, json!({})).await["announcements"]["nodes"][0]["id"].take();
    let cancel = json!({ "announcementId": id });
    assert_eq!(code(app, &bob, "cancelAnnouncement", cancel.clone()).await, "NOT_FOUND");
    let node = "query ($id: ID!) { node(id: $id) { id } }";
    assert_eq!(app.data(Some(&bob.token), node, json!({ "id": id })).await["node"], Value::Null);
    assert_eq!(code(app, &room.root, "cancelAnnouncement", cancel).await, "", "administrators may");
    for _ in 0..18 {
        app.mutate(&room.ada, "createAnnouncement", SELECTION, input(audiences[0].clone())).await;
    }
    assert_eq!(code(app, &room.ada, "createAnnouncement", input(audiences[0].clone())).await, "TOO_OFTEN");
}
