//! The picture of a course.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::{OTHER_PNG, PDF, PNG, Studio, on_both_stores, uuid};
use crate::support::User;
use crate::support::picture::jpeg_size;

const SET: &str = "mutation ($input: SetCourseThumbnailInput!) { setCourseThumbnail(input: $input) {
    course { thumbnail { url } version } userErrors { code field message } } }";

on_both_stores!(everybody_sees_the_picture_of_a_course, only_ones_own_picture_is_shown_in_ones_own_course);

async fn set(studio: &Studio, user: &User, course: &str, file: Value) -> Value {
    let input = studio.app.current(&studio.ada, json!({ "courseId": course, "fileId": file })).await;
    studio.app.send(Some(&user.token), SET, json!({ "input": input })).await
}

fn code(answer: &Value) -> String {
    let payload = &answer["data"]["setCourseThumbnail"];
    let code = answer["errors"][0]["extensions"]["code"].as_str().or(payload["userErrors"][0]["code"].as_str());
    code.unwrap_or_default().to_owned()
}

async fn everybody_sees_the_picture_of_a_course(studio: Studio) {
    let app = &studio.app;
    let course = app.course(&studio.ada, "Engines", 1).await;
    let query = "query ($slug: String!) { course(slug: $slug) { thumbnail { url altText width height thumbHash } version updatedAt } }";
    let seen = async || app.data(None, query, json!({ "slug": course.slug })).await["course"].take();
    let before = seen().await;
    assert_eq!(before["thumbnail"], Value::Null);
    let (one, two) = (
        studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await,
        studio.uploaded(&studio.ada, "IMAGE", "image/png", OTHER_PNG).await,
    );
    for file in [&one, &two] {
        set(&studio, &studio.ada, &course.id, json!(file)).await;
        // What loaders kept is dropped: everybody sees the new one at once, without signing in.
        let thumbnail = seen().await["thumbnail"].take();
        assert_eq!(thumbnail["altText"], "Engines");
        assert_eq!((&thumbnail["width"], &thumbnail["height"]), (&json!(1), &json!(1)));
        let url = thumbnail["url"].as_str().unwrap();
        assert_eq!(seen().await["thumbnail"], thumbnail, "the same for a day");
        let got = crate::support::http::get(url).await.unwrap();
        assert_eq!(got.headers()["content-type"], "image/jpeg");
        assert_eq!(got.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert!(!got.headers().contains_key("content-disposition"));
        assert_eq!(jpeg_size(&got.bytes().await.unwrap()), (1, 1));
        assert!(url.contains(&uuid(file).simple().to_string()), "{url}");
        // Once more changes nothing.
        let version = seen().await["version"].clone();
        let again = set(&studio, &studio.ada, &course.id, json!(file)).await;
        assert_eq!(again["data"]["setCourseThumbnail"]["course"]["version"], version);
    }
    assert_eq!(seen().await["version"], before["version"].as_i64().unwrap() + 2, "an edit like others");
    assert!(studio.file(&one).await["deletionDueAt"].is_string(), "nothing shows it any more");
    assert_eq!(studio.file(&two).await["deletionDueAt"], Value::Null);
    let answer = set(&studio, &studio.ada, &course.id, Value::Null).await;
    assert_eq!(answer["data"]["setCourseThumbnail"]["course"]["thumbnail"], Value::Null, "{answer:#}");
    assert_eq!(seen().await["thumbnail"], Value::Null);
    assert!(studio.file(&two).await["deletionDueAt"].is_string());

    // The pictures of a list of courses are one statement.
    set(&studio, &studio.ada, &course.id, json!(one)).await;
    for number in 0..20 {
        let other = app.course(&studio.ada, &format!("Looms {number}"), 1).await;
        set(&studio, &studio.ada, &other.id, json!(if number % 2 == 0 { &one } else { &two })).await;
    }
    let catalog = "query ($first: Int) { courses(first: $first) { nodes { title thumbnail { url thumbHash } } } }";
    assert_eq!(app.statements(None, catalog, json!({ "first": 1 })).await, 2);
    assert_eq!(app.statements(None, catalog, json!({ "first": 20 })).await, 2);
    app.data(None, catalog, json!({ "first": 20 })).await;
    let before = app.app.db.statements();
    let listed = app.data(None, catalog, json!({ "first": 20 })).await;
    assert_eq!(app.app.db.statements(), before, "both are cached");
    let nodes = listed["courses"]["nodes"].as_array().unwrap();
    assert!(nodes.len() == 20 && nodes.iter().all(|node| node["thumbnail"]["thumbHash"].is_string()), "{nodes:#?}");
    assert_eq!(studio.file(&one).await["deletionDueAt"], Value::Null);
}

async fn only_ones_own_picture_is_shown_in_ones_own_course(studio: Studio) {
    let app = &studio.app;
    let (eve, root) = (app.user("Eve", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let sam = app.user("Sam", Role::Student).await;
    let course = app.course(&studio.ada, "Engines", 1).await.id;
    let draft = app.course(&studio.ada, "Looms", 0).await.id;
    let adas = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let eves = studio.uploaded(&eve, "IMAGE", "image/png", PNG).await;
    let roots = studio.uploaded(&root, "IMAGE", "image/png", PNG).await;
    let pdf = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    let png = studio.uploaded(&studio.ada, "FILE", "image/png", PNG).await;
    let nothing = lyceum::media::FileId::new(uuid::Uuid::nil()).encode();
    for (who, user, course, file, expected) in [
        ("Ada, hers", &studio.ada, &course, &adas, ""),
        ("Ada, Eve's", &studio.ada, &course, &eves, "NOT_FOUND"),
        ("Ada, Root's", &studio.ada, &course, &roots, "NOT_FOUND"),
        ("Ada, none such", &studio.ada, &course, &nothing, "NOT_FOUND"),
        ("Ada, a document", &studio.ada, &course, &pdf, "NOT_ALLOWED"),
        ("Ada, a picture to download", &studio.ada, &course, &png, "NOT_ALLOWED"),
        ("Eve, hers", &eve, &course, &eves, "FORBIDDEN"),
        ("Eve, hers, a draft", &eve, &draft, &eves, "NOT_FOUND"),
        ("Sam, Ada's", &sam, &course, &adas, "FORBIDDEN"),
        ("Root, Eve's", &root, &course, &eves, ""),
        ("Root, Ada's", &root, &course, &adas, ""),
        ("Root, Root's", &root, &course, &roots, ""),
    ] {
        let answer = set(&studio, user, course, json!(file)).await;
        assert_eq!(code(&answer), expected, "{who}: {answer:#}");
    }
    let shown = studio.sql("SELECT thumbnail_id FROM courses WHERE thumbnail_id IS NOT NULL").await;
    assert_eq!(shown, uuid(&roots).to_string());
    // What was refused has changed nothing: it may still be used, and goes if it is not.
    assert!(studio.file(&pdf).await["deletionDueAt"].is_string());
    // The database holds the key to the file.
    for wrong in ["thumbnail_key = 'x'", "thumbnail_key = NULL", "thumbnail_id = NULL"] {
        let sql = format!(
            "DO $$ BEGIN UPDATE courses SET {wrong} WHERE thumbnail_id IS NOT NULL; SET CONSTRAINTS ALL IMMEDIATE; \
            EXCEPTION WHEN foreign_key_violation THEN UPDATE courses SET subtitle = subtitle || '.' WHERE thumbnail_id IS NOT NULL; END $$; SELECT 1"
        );
        studio.sql(&sql).await;
    }
    assert_eq!(studio.sql("SELECT subtitle FROM courses WHERE thumbnail_id IS NOT NULL").await, "...");
}
