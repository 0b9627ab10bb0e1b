//! The calendar of a user's sessions, and the file of a single one.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calendar_has_the_users_sessions_until_its_address_is_deleted() {
    let school = School::open().await;
    let (mine, other) = (school.session(at(120), None).await, school.session(at(240), None).await);
    school.join(&school.sam, &mine, false).await;
    let made = async |user: &User| {
        let made = school.app.mutate(user, "setCalendarFeed", "url", json!({ "isEnabled": true })).await;
        let url = made["url"].as_str().unwrap().to_owned();
        url.replace(&school.app.app.config.public_url, &school.app.url)
    };
    let read = async |url: &str| {
        let response = school.app.client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (first, ada) = (made(&school.sam).await, made(&school.ada).await);
    let (status, text) = read(&first).await;
    assert_eq!(status, 200);
    let lines: Vec<&str> = text.lines().collect();
    let starts = "DTSTART:20261120T110000Z";
    for line in ["BEGIN:VCALENDAR", "SUMMARY:Valves", starts, "DTEND:20261120T120000Z", "STATUS:CONFIRMED"] {
        assert!(lines.contains(&line), "{line}: {text}");
    }
    assert!(text.contains(&mine) && !text.contains(&other) && !text.contains("meet.example"), "{text}");
    assert_eq!(read(&ada).await.1.matches("BEGIN:VEVENT").count(), 2);
    school.cancel(&school.ada, &other).await;
    assert!(read(&ada).await.1.contains("STATUS:CANCELLED"));
    // A new address replaces the old one, and ends with it.
    let second = made(&school.sam).await;
    assert_eq!((read(&first).await.0, read(&second).await.0), (404, 200));
    let ended = school.app.mutate(&school.sam, "setCalendarFeed", "url", json!({ "isEnabled": false })).await;
    assert_eq!(ended["url"], Value::Null);
    assert_eq!(read(&second).await.0, 404);
    assert_eq!(read(&format!("{}/calendars/{}.ics", school.app.url, "x".repeat(500))).await.0, 404);
    assert_eq!(school.app.sql("SELECT count(*) FROM live_calendars").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_a_file_for_those_who_have_its_url_for_an_hour() {
    let school = School::open().await;
    let (id, other) = (school.session(at(120), None).await, school.session(at(240), None).await);
    let url = async |user: Option<&User>| {
        let seen = school.seen(user, &id, "calendarUrl").await;
        let url = seen["calendarUrl"].as_str().unwrap();
        url.replace(&school.app.app.config.public_url, &school.app.url)
    };
    let read = async |url: &str| {
        let response = school.app.client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let ours = url(Some(&school.ada)).await;
    let (status, text) = read(&url(None).await).await;
    assert_eq!((status, text.matches("BEGIN:VEVENT").count()), (200, 1), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    for line in ["SUMMARY:Valves", "DTSTART:20261120T110000Z", "DTEND:20261120T120000Z", "STATUS:CONFIRMED"] {
        assert!(lines.contains(&line), "{line}: {text}");
    }
    assert!(text.contains(&id) && !text.contains(&other) && !text.contains("meet.example"), "{text}");
    // It is the session as it is when the file is fetched.
    school.cancel(&school.ada, &id).await;
    assert!(read(&ours).await.1.contains("STATUS:CANCELLED"));
    // The token decides which session it is, and one of something else is none.
    let token = ours.split_once("token=").unwrap().1;
    for wrong in [ours.replace(token, ""), ours.replace(token, "AAAA"), ours.replace(&token[..4], "AAAA")] {
        assert_eq!(read(&wrong).await.0, 403, "{wrong}");
    }
    school.app.app.clock.advance(TimeDelta::hours(1));
    assert_eq!(read(&ours).await.0, 403, "it has expired");
}
