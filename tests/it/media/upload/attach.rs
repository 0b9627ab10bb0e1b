//! Uploads that say what will show their file: the server attaches it, whether or not the client is still there.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::{PNG, Studio, mp4, uuid};
use crate::support::User;
use crate::support::socket::Socket;

const SIZE: usize = 4096;

async fn studio(name: &str) -> Studio {
    Studio::embedded(&format!("attach-{name}")).await
}

fn video(target: Value) -> Value {
    json!({ "filename": "film.mp4", "contentType": "video/mp4", "sizeBytes": SIZE, "attachTo": target })
}

/// The upload, then the processing, then the attachment: each is a reaction to the one before it.
async fn settle(studio: &Studio) {
    for _ in 0..3 {
        studio.app.settle().await;
    }
}

/// What the upload says of its target.
async fn attached(studio: &Studio, upload: &Value) -> Value {
    let query = "query ($id: ID!) { upload(id: $id) { attachFailure attachedTo { __typename id
        ... on Lesson { title kind status durationSeconds video { videoId } }
        ... on Course { demoVideo { videoId } } } } }";
    studio.app.data(Some(&studio.ada.token), query, json!({ "id": upload["id"] })).await["upload"].take()
}

/// The user errors of an upload that is refused, as "field CODE".
async fn refused(studio: &Studio, user: &User, input: Value) -> Vec<String> {
    let payload = studio.call(user, "createUpload", "upload { id }", input).await;
    assert_eq!(payload["upload"], Value::Null, "{payload:#}");
    let text = |error: &Value| {
        let path: Vec<&str> = error["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
        format!("{} {}", path.join("."), error["code"].as_str().unwrap())
    };
    payload["userErrors"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_becomes_that_of_its_lesson_when_it_is_processed() {
    let studio = studio("lesson").await;
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let lesson = studio.app.lesson_without_video(&studio.ada, &course, "Piston").await;
    let upload = studio.begin_with(&studio.ada, video(json!({ "lessonId": lesson }))).await;
    assert_eq!(upload["purpose"], "VIDEO");
    studio.put(&upload, mp4(SIZE)).await;
    studio.complete(&studio.ada, &upload).await;
    let before = attached(&studio, &upload).await;
    assert_eq!(before, json!({ "attachFailure": null, "attachedTo": null }), "it is not processed yet");
    settle(&studio).await;
    let after = attached(&studio, &upload).await;
    assert_eq!(after["attachedTo"]["id"], lesson, "{after:#}");
    assert!(after["attachedTo"]["video"]["videoId"].is_string(), "{after:#}");
    studio.app.publish(&studio.ada, &lesson).await;
    // The lesson is among what shows the video, and its owner can watch the video by itself.
    let query = "query ($id: ID!) { video(id: $id) { usedBy { __typename id } playback { url } } }";
    let id = &after["attachedTo"]["video"]["videoId"];
    let mut shown = studio.app.data(Some(&studio.ada.token), query, json!({ "id": id })).await;
    assert_eq!(shown["video"]["usedBy"], json!([{ "__typename": "Lesson", "id": lesson }]));
    assert!(shown["video"]["playback"].take()["url"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lesson_is_made_for_a_video_and_only_once() {
    let studio = studio("new").await;
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let target = json!({ "newLesson": { "sectionId": course.section, "title": " Piston " } });
    let upload = studio.begin_with(&studio.ada, video(target)).await;
    studio.put(&upload, mp4(SIZE)).await;
    studio.complete(&studio.ada, &upload).await;
    settle(&studio).await;
    let made = attached(&studio, &upload).await["attachedTo"].take();
    assert_eq!(
        (&made["__typename"], &made["title"], &made["status"], &made["kind"]),
        (&json!("Lesson"), &json!("Piston"), &json!("DRAFT"), &json!("VIDEO"))
    );
    // The event is delivered again: nothing is made twice.
    studio.app.sql("UPDATE events SET pushed_at = NULL").await;
    let event = "INSERT INTO jobs (id, handler, payload, dedupe_key, created_at, run_at)
        SELECT gen_random_uuid(), 'catalog.attach_video', payload, 'again', recorded_at, recorded_at FROM events
        WHERE kind = 'video_processed'";
    studio.app.sql(event).await;
    studio.app.settle().await;
    assert_eq!(studio.app.sql("SELECT count(*) FROM lessons").await, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_video_and_a_thumbnail_are_attached_to_their_course() {
    let studio = studio("course").await;
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let demo = studio.begin_with(&studio.ada, video(json!({ "courseDemoId": course.id }))).await;
    studio.put(&demo, mp4(SIZE)).await;
    studio.complete(&studio.ada, &demo).await;
    let input = json!({ "filename": "a.png", "contentType": "image/png", "sizeBytes": PNG.len(),
        "attachTo": { "courseThumbnailId": course.id } });
    let picture = studio.begin_with(&studio.ada, input).await;
    assert_eq!(picture["purpose"], "IMAGE", "as the target needs");
    studio.put(&picture, PNG.to_vec()).await;
    studio.complete(&studio.ada, &picture).await;
    settle(&studio).await;
    let shown = attached(&studio, &demo).await["attachedTo"].take();
    assert_eq!(shown["id"], course.id);
    assert!(shown["demoVideo"]["videoId"].is_string(), "{shown:#}");
    assert_eq!(attached(&studio, &picture).await["attachedTo"]["id"], course.id);
    let thumbnail = format!("SELECT thumbnail_id IS NOT NULL FROM courses WHERE id = '{}'", uuid(&course.id));
    assert_eq!(studio.app.sql(&thumbnail).await, "t");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_become_those_of_a_channel_and_of_a_category() {
    let studio = studio("pictures").await;
    let root = studio.app.user("Root", Role::Admin).await;
    let eve = studio.app.user("Eve", Role::Instructor).await;
    let channel = json!({ "name": "Machines" });
    let channel = studio.app.mutate(&studio.ada, "createChannel", "channel { id }", channel).await;
    let category = studio.app.mutate(&root, "createCategory", "category { id }", json!({ "name": "Steam" })).await;
    let (channel, category) = (&channel["channel"]["id"], &category["category"]["id"]);
    let picture = |target: Value| {
        json!({ "filename": "a.png", "contentType": "image/png", "sizeBytes": PNG.len(),
        "attachTo": target })
    };
    for (user, target, id) in [
        (&studio.ada, json!({ "channelImageId": channel }), channel),
        (&root, json!({ "categoryImageId": category }), category),
    ] {
        let upload = studio.begin_with(user, picture(target)).await;
        studio.put(&upload, PNG.to_vec()).await;
        studio.complete(user, &upload).await;
        settle(&studio).await;
        let query = "query ($id: ID!) { node(id: $id) { ... on Channel { image { url altText } }
            ... on Category { image { url altText } } } }";
        let shown = studio.app.data(None, query, json!({ "id": id })).await;
        assert!(shown["node"]["image"]["url"].is_string(), "{shown:#}");
    }
    for target in [json!({ "channelImageId": channel }), json!({ "categoryImageId": category })] {
        let query = "mutation ($input: CreateUploadInput!) { createUpload(input: $input) { upload { id } } }";
        let body = studio.app.send(Some(&eve.token), query, json!({ "input": picture(target) })).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN", "{body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_the_upload_hears_of_everything_up_to_its_lesson() {
    let studio = studio("follow").await;
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let target = json!({ "newLesson": { "sectionId": course.section, "title": "Piston" } });
    let upload = studio.begin_with(&studio.ada, video(target)).await;
    let mut socket = Socket::connect(&studio.app.url, Some(&studio.ada.token)).await;
    let query = "subscription ($id: ID!) { uploadProgress(uploadId: $id) { isStart status progressPercent videoStatus
        processingPercent upload { attachedTo { ... on Lesson { title } } } } }";
    socket.subscribe("up", query, json!({ "id": upload["id"] })).await;
    let start = socket.receive().await.unwrap()["payload"]["data"]["uploadProgress"].take();
    assert_eq!((&start["isStart"], &start["status"]), (&json!(true), &json!("CREATED")));
    studio.put(&upload, mp4(SIZE)).await;
    studio.complete(&studio.ada, &upload).await;
    settle(&studio).await;
    studio.app.settle().await;
    let mut steps = Vec::new();
    loop {
        let message = socket.receive().await.unwrap();
        if message["type"] == "complete" {
            break;
        }
        let step = &message["payload"]["data"]["uploadProgress"];
        let lesson = &step["upload"]["attachedTo"]["title"];
        steps.push(json!([step["status"], step["progressPercent"], step["videoStatus"], step["processingPercent"]]));
        if !lesson.is_null() {
            assert_eq!(lesson, "Piston");
        }
    }
    assert_eq!(steps.first(), Some(&json!(["COMPLETED", 100, null, null])), "{steps:#?}");
    assert!(steps.contains(&json!(["COMPLETED", 100, "READY", 100])), "{steps:#?}");
    assert_eq!(steps.last(), Some(&json!(["COMPLETED", 100, null, null])), "attached: {steps:#?}");
    // Later, all of it is in the first message.
    socket.subscribe("late", query, json!({ "id": upload["id"] })).await;
    let start = socket.receive().await.unwrap()["payload"]["data"]["uploadProgress"].take();
    assert_eq!((&start["isStart"], &start["videoStatus"]), (&json!(true), &json!("READY")));
    assert_eq!(start["upload"]["attachedTo"]["title"], "Piston");
    assert_eq!(socket.receive().await.unwrap()["type"], "complete");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_target_is_refused_at_once_with_its_field() {
    let studio = studio("wrong").await;
    let eve = studio.app.user("Eve", Role::Instructor).await;
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let draft = studio.app.lesson_without_video(&studio.ada, &course, "Piston").await;
    let article = json!({ "sectionId": course.section, "title": "To read", "kind": "ARTICLE" });
    let article = studio.app.mutate(&studio.ada, "createLesson", "lesson { id }", article).await;
    let untitled = json!({ "newLesson": { "sectionId": course.section, "title": "" } });
    for (input, expected) in [
        (video(json!({ "lessonId": article["lesson"]["id"] })), "attachTo.lessonId NOT_ALLOWED"),
        (video(untitled), "attachTo.newLesson.title BLANK"),
        (video(json!({ "courseThumbnailId": course.id })), "contentType INVALID"),
    ] {
        assert_eq!(refused(&studio, &studio.ada, input).await, [expected]);
    }
    let mut other = video(json!({ "lessonId": draft }));
    other["purpose"] = json!("FILE");
    assert_eq!(refused(&studio, &studio.ada, other).await, ["purpose NOT_ALLOWED"]);
    // Another instructor's draft is not there.
    let foreign = refused(&studio, &eve, video(json!({ "lessonId": draft }))).await;
    assert_eq!(foreign, ["attachTo.lessonId NOT_FOUND"]);
    assert_eq!(studio.app.sql("SELECT count(*) FROM uploads").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_gone_leaves_the_video_to_its_owner() {
    let studio = studio("gone").await;
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let lesson = studio.app.lesson_without_video(&studio.ada, &course, "Piston").await;
    let upload = studio.begin_with(&studio.ada, video(json!({ "lessonId": lesson }))).await;
    studio.put(&upload, mp4(SIZE)).await;
    studio.app.mutate(&studio.ada, "deleteLesson", "deletedLessonId", json!({ "lessonId": lesson })).await;
    let done = studio.complete(&studio.ada, &upload).await;
    settle(&studio).await;
    let told = attached(&studio, &upload).await;
    assert_eq!(told, json!({ "attachFailure": "There is no such lesson.", "attachedTo": null }));
    let query = "query ($id: ID!) { video(id: $id) { status usedBy { id } deletionDueAt } }";
    let video = studio.app.data(Some(&studio.ada.token), query, json!({ "id": done["upload"]["videoId"] })).await;
    assert_eq!((&video["video"]["status"], &video["video"]["usedBy"]), (&json!("READY"), &json!([])));
    assert!(video["video"]["deletionDueAt"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_listed_and_those_that_nothing_refers_to_can_be_deleted() {
    let studio = studio("files").await;
    let eve = studio.app.user("Eve", Role::Instructor).await;
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let used = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let input = json!({ "courseId": course.id, "fileId": used });
    studio.app.edit(&studio.ada, "setCourseThumbnail", "course { id }", input).await;
    let unused = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let list = async |user: &User| {
        let query = "{ viewer { files(first: 10) { totalCount nodes { id } } } }";
        let files = studio.app.data(Some(&user.token), query, json!({})).await["viewer"]["files"].take();
        let ids: Vec<String> =
            files["nodes"].as_array().unwrap().iter().map(|file| file["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(files["totalCount"], ids.len());
        ids
    };
    assert_eq!(list(&studio.ada).await, [unused.clone(), used.clone()]);
    assert_eq!(list(&eve).await, [""; 0]);
    let delete = async |user, id: &str| studio.call(user, "deleteFile", "deletedFileId", json!({ "fileId": id })).await;
    assert_eq!(delete(&eve, &unused).await["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(delete(&studio.ada, &used).await["userErrors"][0]["code"], "NOT_ALLOWED");
    assert_eq!(delete(&studio.ada, &unused).await["deletedFileId"], unused);
    assert_eq!(delete(&studio.ada, &unused).await["userErrors"][0]["code"], "NOT_FOUND");
    settle(&studio).await;
    assert_eq!(list(&studio.ada).await, [used]);
    let folder = format!("lyceum-test/files/{}", uuid(&unused).simple());
    let left = studio.store.as_ref().unwrap().folder().join(folder);
    assert_eq!(std::fs::read_dir(left).map_or(0, Iterator::count), 0, "its object is deleted, too");
}
