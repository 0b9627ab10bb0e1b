//! The link in each mail.

use lyceum::platform::auth::Role;

use super::*;

struct Link {
    url: String,
}

impl Link {
    /// The link in the only mail since the last time.
    async fn of(room: &Room, question: &str) -> Link {
        room.reply(&room.tim, question, "So.").await;
        work(&room.app).await;
        let mails = list_mails(&room.app);
        let [mail] = &mails[..] else { panic!("one mail: {mails:?}") };
        let (_, path) = mail.list.as_ref().unwrap().unsubscribe.split_once("/unsubscribe").unwrap();
        Link { url: format!("{}/unsubscribe{path}", room.app.url) }
    }

    async fn get(&self, room: &Room) -> (u16, String) {
        let answer = room.app.client.get(&self.url).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"), "{policy}");
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn post(&self, room: &Room, body: &str) -> (u16, String) {
        let request = room.app.client.post(&self.url).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_click_ends_the_kind_for_good_and_opening_the_link_ends_nothing() {
    let (room, id) = asked(TestApp::start().await).await;
    let link = Link::of(&room, &id).await;
    let (status, page) = link.get(&room).await;
    assert_eq!(status, 200);
    assert!(
        page.contains("<form method=\"post\">") && page.contains("No more emails about replies to questions"),
        "{page}"
    );
    assert!(!page.contains("sam@") && !page.contains("<script"), "{page}");
    room.reply(&room.tim, &id, "And so.").await;
    assert_eq!(mailed(&room.app).await, ["sam: 2 new replies to “How?”"]);
    // RFC 8058, as a mail program does it.
    let (status, page) = link.post(&room, "List-Unsubscribe=One-Click").await;
    assert!(status == 200 && page.contains("no more emails about replies to questions that you follow"), "{page}");
    room.reply(&room.tim, &id, "Or so.").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    // It lasts in another course, too, and ends nothing else.
    let bob = room.app.user("Bob", Role::Instructor).await;
    let course = room.app.course(&bob, "Mills", 1).await;
    room.app.mutate(&room.sam, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
    let settings = "{ viewer { notificationSettings { preferences { kind inApp email push } } } }";
    let settings = room.app.data(Some(&room.sam.token), settings, json!({})).await;
    let all = settings["viewer"]["notificationSettings"]["preferences"].as_array().unwrap();
    let of = |kind: &str| all.iter().find(|preference| preference["kind"] == kind).unwrap();
    assert_eq!((&of("REPLY_RECEIVED")["email"], &of("REPLY_RECEIVED")["inApp"]), (&json!(false), &json!(true)));
    assert_eq!(of("REPLY_ACCEPTED")["email"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_can_end_all_emails_until_the_settings_say_otherwise() {
    let (room, id) = asked(TestApp::start().await).await;
    let link = Link::of(&room, &id).await;
    let (status, page) = link.post(&room, "emails=all").await;
    assert!(status == 200 && page.contains("no more notifications by email."), "{page}");
    room.reply(&room.tim, &id, "Or so.").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    let reset = json!({ "email": "sam@people.example" });
    room.app.mutate(&room.sam, "requestPasswordReset", "expiresAt", reset).await;
    room.app.settle().await;
    assert_eq!(room.app.mails.lock().unwrap().drain(..).count(), 1, "what one asks for is sent");
    settings(&room.app, &room.sam, preference("REPLY_RECEIVED", true, true)).await;
    room.reply(&room.tim, &id, "And so.").await;
    assert_eq!(mailed(&room.app).await, ["sam: 3 new replies to “How?”"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_are_in_the_language_of_the_user_or_else_of_the_browser() {
    let (room, id) = asked(TestApp::start().await).await;
    let link = Link::of(&room, &id).await;
    let ask = async |accepted: &str| {
        let answer = room.app.client.get(&link.url).header("accept-language", accepted).send().await.unwrap();
        answer.text().await.unwrap()
    };
    let english = ["<html lang=\"en\">", "No more emails about replies to questions that you follow"];
    let german = ["<html lang=\"de\">", "Keine E-Mails mehr über Antworten auf Fragen, denen du folgst"];
    for (accepted, expected) in [("de-CH,en;q=0.5", german), ("fr", english), ("", english)] {
        let page = ask(accepted).await;
        assert!(expected.iter().all(|text| page.contains(text)), "{accepted}: {page}");
    }
    profile(&room.app, "Sam", "de-AT", "UTC").await;
    let page = ask("en").await;
    assert!(german.iter().all(|text| page.contains(text)), "{page}");
    let (_, page) = link.post(&room, "List-Unsubscribe=One-Click").await;
    assert!(page.contains("keine E-Mails mehr über Antworten auf Fragen, denen du folgst"), "{page}");
    let (_, page) = link.post(&room, "emails=all").await;
    assert!(page.contains("keine Benachrichtigungen mehr per E-Mail"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_changed_is_a_plain_page() {
    let (room, id) = asked(TestApp::start().await).await;
    let link = Link::of(&room, &id).await;
    let (start, token) = link.url.split_once("token=").unwrap();
    let (_, signature) = token.split_once('.').unwrap();
    let other = if signature.ends_with('A') { "E" } else { "A" };
    for wrong in [
        String::new(),
        "x".into(),
        "ALL.x".into(),
        format!("ALL.{signature}"),
        format!("NEW_VIDEO.{signature}"),
        format!("KIND.{signature}"),
        format!("REPLY_RECEIVED.{}{other}", &signature[..signature.len() - 1]),
    ] {
        let link = Link { url: format!("{start}token={wrong}") };
        for (status, page) in [link.get(&room).await, link.post(&room, "List-Unsubscribe=One-Click").await] {
            assert!(status == 400 && page.contains("This link does not work"), "{wrong}: {status} {page}");
        }
    }
    room.reply(&room.tim, &id, "Or so.").await;
    assert_eq!(mailed(&room.app).await.len(), 1);
}
