//! What nobody wants any more, and what nobody refers to.

use bytes::Bytes;
use chrono::TimeDelta;
use lyceum::media::{Report, VideoId, reconcile};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Studio, draft_key, mp4, on_both_stores, parts_key, uuid_of};

on_both_stores!(
    what_was_not_complete_in_time_goes_and_what_comes_late_goes_too,
    what_no_row_refers_to_is_found_and_what_one_refers_to_is_never_touched,
    uploads_that_complete_during_a_reconciliation_keep_their_objects,
    of_somebody_who_is_deleted_nothing_is_left_but_what_courses_show,
);

async fn what_was_not_complete_in_time_goes_and_what_comes_late_goes_too(studio: Studio) {
    let clock = &studio.app.app.clock;
    let whole = studio.sent("video/mp4", mp4(2000)).await;
    let (file, parts) = (mp4(9 << 20), studio.begin("video/mp4", 9 << 20, true).await);
    let urls = studio.part_urls(&parts, json!([1])).await;
    assert_eq!(studio.put_part(&urls[0], &parts, &file).await.status(), StatusCode::OK);
    let done = studio.sent("video/mp4", mp4(3000)).await;
    assert_eq!(studio.complete(&studio.ada, &done).await["upload"]["status"], "COMPLETED");
    clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    studio.app.run("media.sweep_uploads").await;
    assert_eq!(studio.status(&whole).await, "CREATED", "not before its time");

    clock.advance(TimeDelta::seconds(1));
    // The token of the session has ended, too.
    let grown = studio.app.user("Ada2", lyceum::platform::auth::Role::Instructor).await;
    studio.sql("UPDATE uploads SET user_id = (SELECT id FROM users WHERE name = 'Ada2')").await;
    let studio = Studio { ada: grown, ..studio };
    for upload in [&whole, &parts] {
        let payload = studio.complete(&studio.ada, upload).await;
        assert_eq!(payload["userErrors"][0]["code"], "EXPIRED", "{payload:#}");
        let seen = studio.look(upload).await;
        assert_eq!((&seen["url"], &seen["parts"]), (&Value::Null, &json!([])));
    }
    studio.app.run("media.sweep_uploads").await;
    assert_eq!((studio.status(&whole).await, studio.status(&parts).await), ("EXPIRED".into(), "EXPIRED".into()));
    let video = studio.sql("SELECT object_key FROM videos").await;
    assert_eq!(studio.keys("").await, [video.as_str()]);
    assert!(studio.refuses_part(&urls[0], &file).await, "the parts are gone");

    // A request that began in time ends after the sweep: once the store tells of it, once it does not.
    let put = async |upload: &Value| {
        studio.storage.put(&draft_key(upload), "video/mp4", Bytes::from(mp4(2000))).await.unwrap();
    };
    put(&whole).await;
    assert_eq!(studio.tell(&draft_key(&whole)).await, StatusCode::NO_CONTENT);
    studio.app.settle().await;
    assert_eq!(studio.keys("").await, [video.as_str()]);
    put(&whole).await;
    put(&done).await;
    studio.app.app.clock.advance(TimeDelta::hours(25));
    studio.app.run("media.sweep_uploads").await;
    assert_eq!(studio.keys("").await, [video.as_str()], "the video stays, the draft that was sent again goes");
    assert_eq!(studio.sql("SELECT count(*) FROM uploads WHERE swept_at IS NOT NULL").await, "3");
    studio.app.app.clock.advance(TimeDelta::days(31));
    studio.app.run("media.forget_uploads").await;
    assert_eq!(studio.sql("SELECT count(*) FROM uploads").await, "0");
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "1");
    assert_eq!(studio.keys("").await, [video]);
}

async fn compare(studio: &Studio, remove: bool) -> Report {
    reconcile(&studio.app.app, TimeDelta::hours(1), remove).await.unwrap()
}

async fn what_no_row_refers_to_is_found_and_what_one_refers_to_is_never_touched(studio: Studio) {
    let done = studio.sent("video/mp4", mp4(2000)).await;
    studio.complete(&studio.ada, &done).await;
    let lost = studio.sent("video/mp4", mp4(2000)).await;
    studio.complete(&studio.ada, &lost).await;
    studio.app.settle().await;
    let open = studio.sent("video/mp4", mp4(2000)).await;
    let parts = studio.begin("video/mp4", 9 << 20, true).await;
    let own = studio.sql(&format!("SELECT object_key FROM videos WHERE id = '{}'", uuid_of(&done))).await;
    let gone = studio.sql(&format!("SELECT object_key FROM videos WHERE id = '{}'", uuid_of(&lost))).await;
    studio.storage.delete(&gone).await.unwrap();
    let nobody = uuid::Uuid::new_v4().simple().to_string();
    let poster = format!("videos/{}/poster.jpg", uuid_of(&done));
    let (old_copy, stray) =
        (format!("videos/{}/original-{nobody}", uuid_of(&done)), format!("videos/{nobody}/720p/1.ts"));
    let (draft, foreign) = (format!("uploads/videos/{nobody}"), format!("avatars/{nobody}"));
    for key in [&poster, &old_copy, &stray, &draft, &foreign, &"videos/read me".to_owned()] {
        studio.storage.put(key, "text/plain", Bytes::from("12345")).await.unwrap();
    }
    let before = studio.keys("").await;
    assert_eq!(compare(&studio, true).await.orphan_count, 0, "all of it is young");
    assert_eq!(studio.keys("").await, before);
    // For moto, uploads in parts have begun in 2010.
    let forgotten = studio.begin("video/mp4", 9 << 20, true).await;
    studio.sql(&format!("DELETE FROM uploads WHERE id = '{}'", uuid_of(&forgotten))).await;
    studio.app.app.clock.advance(TimeDelta::hours(3));
    let report = compare(&studio, false).await;
    let mut expected = [old_copy.clone(), stray.clone(), draft.clone()];
    expected.sort();
    let mut found = report.orphans.clone();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!((report.orphan_count, report.orphan_bytes, report.removed), (3, 15, 0));
    assert_eq!(report.missing.iter().map(|(_, key)| key).collect::<Vec<_>>(), [&gone]);
    // The embedded store cannot tell of uploads in parts.
    let left: Option<usize> = report.open_parts.map(|open| open.len());
    assert_eq!(left, (!studio.checks_signatures()).then_some(1));
    assert_eq!(studio.keys("").await, before, "looking changes nothing");

    let report = compare(&studio, true).await;
    assert_eq!(report.removed, 3 + left.unwrap_or_default());
    let mut kept = vec![own, poster, draft_key(&open), foreign, "videos/read me".to_owned()];
    kept.sort();
    assert_eq!(studio.keys("").await, kept);
    let again = compare(&studio, true).await;
    assert_eq!((again.orphan_count, again.removed, again.missing_count), (0, 0, 1));
    let urls = studio.part_urls(&parts, Value::Null).await;
    assert_eq!(studio.put_part(&urls[0], &parts, &mp4(9 << 20)).await.status(), StatusCode::OK, "still in progress");
}

async fn uploads_that_complete_during_a_reconciliation_keep_their_objects(studio: Studio) {
    // Eleven times two hours: as long as the session lasts.
    for round in 1..=11 {
        let whole = studio.sent("video/mp4", mp4(2000)).await;
        // All objects count as old; the ticket is the only thing that keeps them.
        studio.app.app.clock.advance(TimeDelta::hours(2));
        studio.sql("UPDATE uploads SET expires_at = expires_at + interval '2 hours'").await;
        let (payload, report, _) = tokio::join!(
            studio.complete(&studio.ada, &whole),
            reconcile(&studio.app.app, TimeDelta::zero(), true),
            reconcile(&studio.app.app, TimeDelta::zero(), true),
        );
        assert_eq!(payload["upload"]["status"], "COMPLETED", "round {round}: {payload:#}");
        let key = studio.sql(&format!("SELECT object_key FROM videos WHERE id = '{}'", uuid_of(&whole))).await;
        assert_eq!(studio.storage.get(&key).await.unwrap().unwrap(), mp4(2000), "round {round}: {report:?}");
    }
    assert_eq!(studio.sql("SELECT count(*) FROM videos").await, "11");
}

async fn of_somebody_who_is_deleted_nothing_is_left_but_what_courses_show(studio: Studio) {
    let (shown, unused) = (studio.sent("video/mp4", mp4(2000)).await, studio.sent("video/mp4", mp4(2001)).await);
    for upload in [&shown, &unused] {
        studio.complete(&studio.ada, upload).await;
    }
    let (file, open) = (mp4(9 << 20), studio.begin("video/mp4", 9 << 20, true).await);
    let urls = studio.part_urls(&open, json!([1])).await;
    studio.put_part(&urls[0], &open, &file).await;
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let lesson = studio.app.lesson(&studio.ada, &course, "Pistons").await;
    let video = VideoId::new(uuid_of(&shown).parse().unwrap());
    let input = json!({ "lessonId": lesson, "videoId": video.encode() });
    studio.app.edit(&studio.ada, "setLessonVideo", "lesson { id }", input).await;
    studio.sql("UPDATE users SET deletion_due_at = now() - interval '1 day' WHERE name = 'Ada'").await;
    studio.app.run("accounts.delete_due").await;
    studio.app.settle().await;
    assert_eq!(studio.sql("SELECT string_agg(DISTINCT filename, ' ') FROM uploads").await, "deleted");
    assert_eq!(studio.sql("SELECT string_agg(DISTINCT filename, ' ') FROM videos").await, "deleted");
    let row = |upload: &Value| format!("SELECT delete_after IS NULL FROM videos WHERE id = '{}'", uuid_of(upload));
    assert_eq!((studio.sql(&row(&shown)).await, studio.sql(&row(&unused)).await), ("t".into(), "f".into()));
    assert_eq!(studio.sql(&format!("SELECT status FROM uploads WHERE id = '{}'", uuid_of(&open))).await, "CANCELED");
    assert!(studio.refuses_part(&urls[0], &file).await);
    assert!(!studio.has(&parts_key(&open)).await);
    assert_eq!(studio.sql("SELECT count(*) FROM jobs").await, "0");
}
