//! Addresses that do not exist, and people who call our mails spam.

use reqwest::StatusCode;

use super::*;

const SECRET: &str = "Kd83ks02Lxm5PqR7tYzW";

async fn report(app: &TestApp, report: Value) -> StatusCode {
    let request = app.client.post(format!("{}/hooks/mail", app.url)).bearer_auth(SECRET);
    request.json(&report).send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounce_ends_notifications_until_a_mail_has_reached_its_reader() {
    let (room, id) = asked(TestApp::with(&[("LYCEUM_MAIL_HOOK_SECRET", SECRET)]).await).await;
    let bounce = json!({ "address": "Sam@People.example", "kind": "bounce" });
    assert_eq!(report(&room.app, bounce).await, StatusCode::NO_CONTENT);
    room.reply(&room.tim, &id, "So.").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
    assert_eq!(count(&room.app, "SUPPRESSED").await, "1");
    // What the user asks for is sent, and proves that the address works.
    let reset = async |email: &str| {
        room.app.mutate(&room.tim, "requestPasswordReset", "expiresAt", json!({ "email": email })).await;
        room.app.settle().await;
        let mails: Vec<Mail> = room.app.mails.lock().unwrap().drain(..).collect();
        let text = &mails.iter().find(|mail| mail.text.contains("/reset-password?token=")).unwrap().text;
        let token = text.split_once("token=").unwrap().1.split_whitespace().next().unwrap();
        let input = json!({ "token": token, "newPassword": "correct horse battery" });
        room.app.mutate(&room.tim, "resetPassword", "user { id }", input).await;
    };
    reset("sam@people.example").await;
    room.reply(&room.tim, &id, "Or so.").await;
    assert_eq!(mailed(&room.app).await, ["sam: 2 new replies to “How?”"]);
    // A complaint is about us, not about the address.
    let complaint = json!({ "RecordType": "SpamComplaint", "Email": "sam@people.example" });
    assert_eq!(report(&room.app, complaint).await, StatusCode::NO_CONTENT);
    let bounce = json!({ "address": "sam@people.example", "kind": "bounce" });
    assert_eq!(report(&room.app, bounce).await, StatusCode::NO_CONTENT);
    reset("sam@people.example").await;
    room.reply(&room.tim, &id, "Anyway.").await;
    assert_eq!(mailed(&room.app).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mail_service_has_to_prove_itself() {
    let app = TestApp::with(&[("LYCEUM_MAIL_HOOK_SECRET", SECRET)]).await;
    let url = format!("{}/hooks/mail", app.url);
    let bounce = json!({ "address": "sam@people.example", "kind": "bounce" });
    let post = || app.client.post(&url).json(&bounce);
    for request in [post(), post().bearer_auth("wrong"), app.client.post(format!("{url}?token=wrong")).json(&bounce)] {
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
    let by_url = app.client.post(format!("{url}?token={SECRET}")).json(&bounce).send().await.unwrap();
    assert_eq!(by_url.status(), StatusCode::NO_CONTENT);
    for (odd, status) in [
        (json!({}), StatusCode::BAD_REQUEST),
        (json!({ "address": "sam@people.example", "kind": "party" }), StatusCode::BAD_REQUEST),
        (json!({ "Type": "SubscriptionConfirmation", "SubscribeURL": "https://x" }), StatusCode::NO_CONTENT),
    ] {
        assert_eq!(report(&app, odd.clone()).await, status, "{odd}");
    }
    let off = TestApp::start().await;
    assert_eq!(report(&off, bounce).await, StatusCode::NOT_FOUND);
    assert_eq!(app.sql("SELECT count(*) FROM mail_suppressions").await, "1");
    assert_eq!(app.sql("SELECT count(*) FROM mail_suppressions WHERE address_hash::text LIKE '%sam%'").await, "0");
}
