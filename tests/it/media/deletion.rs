//! How videos end.

use chrono::TimeDelta;
use lyceum::media::VideoId;
use lyceum::platform::auth::Role;
use lyceum::platform::jobs::worker::Worker;
use lyceum::platform::outbox::dispatcher;
use serde_json::{Value, json};

use super::{Studio, mp4};
use crate::support::User;

const DELETE: &str = "mutation ($input: DeleteVideoInput!) { deleteVideo(input: $input) {
    video { id deletionDueAt } userErrors { code field message } } }";

async fn delete(studio: &Studio, user: &User, id: VideoId) -> Value {
    let input = json!({ "videoId": id.encode() });
    studio.app.data(Some(&user.token), DELETE, json!({ "input": input })).await["deleteVideo"].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_video_goes_with_all_its_objects_after_the_grace() {
    let mut studio = Studio::open("delete").await;
    // One after the other: there is one place to convert, and who finds it taken comes again later.
    let id = studio.arrive(&studio.ada, mp4()).await;
    studio.app.settle().await;
    let other = studio.arrive(&studio.ada, vec![1]).await;
    studio.app.settle().await;
    let captions =
        json!({ "videoId": id.encode(), "language": "en", "text": "WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n" });
    studio.app.mutate(&studio.ada, "setVideoCaptions", "video { id }", captions).await;
    assert_eq!(studio.objects(id).await, 9);
    studio.app.sql(&format!("UPDATE videos SET delete_after = NULL WHERE id = '{}'", other.uuid())).await;
    let payload = delete(&studio, &studio.ada, id).await;
    let until = studio.app.app.clock.now() + TimeDelta::days(7);
    let told = payload["video"]["deletionDueAt"].as_str().unwrap();
    assert_eq!(chrono::DateTime::parse_from_rfc3339(told).unwrap().timestamp(), until.timestamp());
    studio.later(TimeDelta::days(3)).await;
    assert_eq!(delete(&studio, &studio.ada, id).await, payload, "the grace is not prolonged");
    studio.later(TimeDelta::days(4) - TimeDelta::seconds(1)).await;
    studio.app.run("media.delete_due").await;
    assert_eq!(studio.objects(id).await, 9, "a second before");
    studio.app.app.clock.advance(TimeDelta::seconds(2));
    studio.app.run("media.delete_due").await;
    assert_eq!((studio.objects(id).await, studio.objects(other).await), (0, 1));
    assert_eq!(studio.app.sql("SELECT count(*) FROM videos").await, "1");
    assert_eq!(studio.app.sql("SELECT count(*) FROM video_captions").await, "0");
    assert_eq!(studio.app.sql("SELECT count(*) FROM jobs").await, "0");
    assert_eq!(delete(&studio, &studio.ada, id).await["userErrors"][0]["code"], "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_that_is_shown_is_not_deleted_and_the_answer_says_by_what() {
    let studio = Studio::with("shown", None, &[]).await;
    let app = &studio.app;
    let eve = app.user("Eve", Role::Instructor).await;
    let id = studio.arrive(&studio.ada, vec![1]).await;
    assert_eq!(delete(&studio, &eve, id).await["userErrors"][0]["code"], "NOT_FOUND");
    let lesson = studio.lesson(id, "Ownership").await;
    let refused = delete(&studio, &studio.ada, id).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_ALLOWED");
    assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains(&lesson), "{refused:#}");
    let course = app.course(&studio.ada, "Engines", 0).await;
    let demo = async |video: Value| {
        let input = json!({ "courseId": course.id, "videoId": video });
        app.edit(&studio.ada, "setCourseDemoVideo", "course { id }", input).await;
    };
    demo(json!(id.encode())).await;
    studio.show(&lesson, None).await;
    assert_eq!(studio.video(id).await["deletionDueAt"], Value::Null, "the course still shows it");
    let refused = delete(&studio, &studio.ada, id).await;
    assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains(&course.id), "{refused:#}");
    demo(Value::Null).await;
    assert!(studio.video(id).await["deletionDueAt"].is_string(), "nothing shows it any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_video_goes_unless_it_is_shown_again_in_time() {
    let mut studio = Studio::with("replaced", None, &[("LYCEUM_VIDEO_GRACE_DAYS", "1")]).await;
    let (one, two) = (studio.arrive(&studio.ada, vec![1]).await, studio.arrive(&studio.ada, vec![1]).await);
    let lesson = studio.lesson(one, "Ownership").await;
    studio.show(&lesson, Some(two)).await;
    assert!(studio.video(one).await["deletionDueAt"].is_string());
    studio.show(&lesson, Some(one)).await;
    assert_eq!(studio.video(one).await["deletionDueAt"], Value::Null);
    // Whoever wrote a time without looking does not win against a reference.
    studio.app.sql(&format!("UPDATE videos SET delete_after = created_at WHERE id = '{}'", one.uuid())).await;
    studio.later(TimeDelta::days(2)).await;
    studio.app.run("media.delete_due").await;
    assert_eq!((studio.objects(one).await, studio.objects(two).await), (1, 0));
    assert_eq!(studio.video(one).await["deletionDueAt"], Value::Null);
    assert_eq!(studio.video(two).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_begun_is_finished_after_a_crash() {
    let studio = Studio::with("crash", None, &[("LYCEUM_VIDEO_GRACE_DAYS", "0")]).await;
    let app = &studio.app;
    let id = studio.arrive(&studio.ada, vec![1]).await;
    app.settle().await;
    for number in 0..5 {
        let key = format!("videos/{}/hls/v0/{number}.m4s", id.uuid().simple());
        studio.storage.put(&key, "video/iso.segment", vec![1].into()).await.unwrap();
    }
    delete(&studio, &studio.ada, id).await;
    // The row goes and the job for the objects comes in one transaction; then the process dies half-way through them.
    let registry = lyceum::platform::jobs::Registry::new(
        lyceum::media::handlers().into_iter().filter(|handler| handler.name != "media.delete_objects"),
    );
    let registry = registry.unwrap();
    let asked = async |tx: &mut lyceum::platform::db::Tx| {
        lyceum::platform::jobs::enqueue(tx, &app.app.clock, "media.delete_due", &json!({}), "once").await
    };
    app.app.db.transaction(asked).await.unwrap();
    dispatcher::tick(&app.app, &registry).await.unwrap();
    Worker::new(app.app.clone(), registry).drain().await.unwrap();
    assert_eq!(app.sql("SELECT count(*) FROM videos").await, "0");
    studio.storage.delete(&format!("videos/{}/original", id.uuid().simple())).await.unwrap();
    studio.storage.delete(&format!("videos/{}/hls/v0/2.m4s", id.uuid().simple())).await.unwrap();
    assert_eq!(studio.objects(id).await, 4);
    // Another worker of the same program, later.
    app.app.clock.advance(TimeDelta::minutes(5));
    app.settle().await;
    assert_eq!(studio.objects(id).await, 0);
    assert_eq!(app.sql("SELECT count(*) FROM jobs").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn showing_and_deleting_at_once_never_leaves_a_lesson_without_its_video() {
    let studio = Studio::with("race", None, &[("LYCEUM_VIDEO_GRACE_DAYS", "0")]).await;
    let app = &studio.app;
    let course = app.course(&studio.ada, "Engines", 0).await;
    for round in 0..8 {
        let id = studio.arrive(&studio.ada, vec![1]).await;
        let lesson = app.lesson(&studio.ada, &course, &format!("Lesson {round}")).await;
        delete(&studio, &studio.ada, id).await;
        let set = "mutation ($input: SetLessonVideoInput!) { setLessonVideo(input: $input) { userErrors { code } } }";
        let input = json!({ "lessonId": lesson, "version": 1, "videoId": id.encode() });
        let (shown, ()) = tokio::join!(
            app.data(Some(&studio.ada.token), set, json!({ "input": input })),
            app.run("media.delete_due"),
        );
        // What was postponed in the rush comes again.
        app.app.clock.advance(TimeDelta::minutes(1));
        app.settle().await;
        let shown = shown["setLessonVideo"]["userErrors"] == json!([]);
        assert_eq!(studio.objects(id).await, usize::from(shown), "round {round}: shown is {shown}");
        assert_eq!(studio.video(id).await.is_object(), shown);
    }
}

/// A video that nothing has ever shown is deleted after the grace, as is one that nothing shows any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_that_nothing_shows_is_deleted() {
    let mut studio = Studio::with("never", None, &[]).await;
    let never = studio.arrive(&studio.ada, vec![1]).await;
    let shown = studio.arrive(&studio.ada, vec![1]).await;
    let until = studio.app.app.clock.now() + TimeDelta::days(7);
    let told = studio.video(never).await["deletionDueAt"].as_str().unwrap().to_owned();
    assert_eq!(chrono::DateTime::parse_from_rfc3339(&told).unwrap().timestamp(), until.timestamp());
    studio.lesson(shown, "Ownership").await;
    assert_eq!(studio.video(shown).await["deletionDueAt"], Value::Null);
    studio.later(TimeDelta::days(7) + TimeDelta::seconds(1)).await;
    studio.app.run("media.delete_due").await;
    assert_eq!((studio.objects(never).await, studio.objects(shown).await), (0, 1));
}

/// The originals and what is being uploaded count, shown or not; what was deleted does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owners_storage_has_a_quota() {
    let mut studio = Studio::with("quota", None, &[("LYCEUM_STORAGE_QUOTA_MIB", "2")]).await;
    let eve = studio.app.user("Eve", Role::Instructor).await;
    let create = async |studio: &Studio, user: &User, bytes: usize| {
        let query = "mutation ($input: CreateUploadInput!) { createUpload(input: $input) {
            upload { id } userErrors { code field message } } }";
        let input = json!({ "filename": "film.mp4", "contentType": "video/mp4", "sizeBytes": bytes });
        studio.app.data(Some(&user.token), query, json!({ "input": input })).await["createUpload"].take()
    };
    let one = studio.arrive(&studio.ada, vec![1; 1 << 20]).await;
    let refused = create(&studio, &studio.ada, (1 << 20) + 1).await;
    let message = "Your videos and files take 1 MiB of 2 MiB; this one does not fit. Delete what you no longer need.";
    let expected = json!([{ "code": "NOT_ALLOWED", "field": ["sizeBytes"], "message": message }]);
    assert_eq!(refused["userErrors"], expected);
    assert_eq!(create(&studio, &studio.ada, 1 << 20).await["userErrors"], json!([]), "just so");
    assert_eq!(create(&studio, &studio.ada, 1).await["userErrors"][0]["code"], "NOT_ALLOWED", "an upload counts");
    assert_eq!(create(&studio, &eve, 2 << 20).await["userErrors"], json!([]), "everybody has their own");
    studio.later(TimeDelta::days(8)).await;
    studio.app.run("media.delete_due").await;
    assert_eq!(studio.objects(one).await, 0);
    assert_eq!(create(&studio, &studio.ada, 2 << 20).await["userErrors"], json!([]), "the upload has expired, too");
}
