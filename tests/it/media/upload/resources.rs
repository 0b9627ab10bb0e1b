//! Files that a lesson offers for download.

use lyceum::platform::auth::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{OTHER_PNG, PDF, PNG, Studio, on_both_stores, uuid};
use crate::support::User;

const RESOURCES: &str = "resources { name url contentType sizeBytes fileId }";

on_both_stores!(
    who_may_see_a_lesson_downloads_its_files_and_nobody_else,
    what_is_offered_is_ones_own_and_one_of_two,
    many_lessons_need_as_many_statements_as_one,
);

/// Ada's course with a published lesson.
async fn lesson(studio: &Studio) -> (crate::support::app::Course, String) {
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let lesson = studio.app.lesson(&studio.ada, &course, "Steam").await;
    studio.app.publish(&studio.ada, &lesson).await;
    (course, lesson)
}

pub(super) async fn offer(studio: &Studio, user: &User, lesson: &str, resources: Value) -> Value {
    let query = format!(
        "mutation ($input: UpdateLessonInput!) {{ updateLesson(input: $input) {{ lesson {{ version content {{ {RESOURCES} }} }}
            userErrors {{ code field message }} }} }}"
    );
    let input = json!({ "lessonId": lesson, "content": { "resources": resources } });
    let input = studio.app.current(user, input).await;
    studio.app.data(Some(&user.token), &query, json!({ "input": input })).await["updateLesson"].take()
}

async fn look(studio: &Studio, user: Option<&User>, lesson: &str) -> Value {
    let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on Lesson {{ content {{ {RESOURCES} }} }} }} }}");
    studio.app.send(user.map(|user| user.token.as_str()), &query, json!({ "id": lesson })).await
}

async fn who_may_see_a_lesson_downloads_its_files_and_nobody_else(studio: Studio) {
    let app = &studio.app;
    let (sam, root) = (app.user("Sam", Role::Student).await, app.user("Root", Role::Admin).await);
    let (course, lesson) = lesson(&studio).await;
    let file = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    let resources = json!([{ "name": "Site", "source": { "url": "https://a.example/" } }, { "name": "Plan", "source": { "fileId": file } }]);
    let payload = offer(&studio, &studio.ada, &lesson, resources).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    assert_eq!(studio.file(&file).await["deletionDueAt"], Value::Null, "from now on it is needed");

    for user in [None, Some(&sam)] {
        let answer = look(&studio, user, &lesson).await;
        assert_eq!(answer["data"]["node"]["content"], Value::Null);
        assert!(answer.get("errors").is_none(), "{answer:#}");
        let node = "query ($id: ID!) { node(id: $id) { id } }";
        let token = user.map(|user| user.token.as_str());
        assert_eq!(app.data(token, node, json!({ "id": file })).await["node"], Value::Null);
    }
    let grant = json!({ "userId": sam.id, "courseId": course.id });
    app.mutate(&root, "grantCourseAccess", "entitlement { id }", grant).await;
    for user in [&studio.ada, &root, &sam] {
        let answer = look(&studio, Some(user), &lesson).await;
        let resources = &answer["data"]["node"]["content"]["resources"];
        let site = json!({ "name": "Site", "url": "https://a.example/", "contentType": null, "sizeBytes": null, "fileId": null });
        assert_eq!(resources[0], site, "{answer:#}");
        let told = (&resources[1]["name"], &resources[1]["contentType"], &resources[1]["sizeBytes"]);
        assert_eq!(told, (&json!("Plan"), &json!("application/pdf"), &json!(PDF.len())));
        let url = resources[1]["url"].as_str().unwrap();
        assert!(url.contains("X-Amz-Expires=900"), "{url}");
        let got = crate::support::http::get(url).await.unwrap();
        assert_eq!(got.status(), StatusCode::OK);
        let saved = "attachment; filename*=UTF-8''Plan%20B%2C%20gr%C3%B6%C3%9Fer.pdf";
        assert_eq!(got.headers()["content-disposition"], saved);
        assert_eq!(got.headers()["content-type"], "application/pdf");
        assert_eq!(got.bytes().await.unwrap(), PDF);
        if studio.checks_signatures() {
            let bare = crate::support::http::get(url.split('?').next().unwrap()).await.unwrap();
            assert_eq!(bare.status(), StatusCode::FORBIDDEN, "without a signature");
        }
    }
}

async fn what_is_offered_is_ones_own_and_one_of_two(studio: Studio) {
    let app = &studio.app;
    let (eve, root) = (app.user("Eve", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let (_, lesson) = lesson(&studio).await;
    let adas = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    let eves = studio.uploaded(&eve, "FILE", "application/pdf", PDF).await;
    let roots = studio.uploaded(&root, "FILE", "application/pdf", PDF).await;
    let image = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let one = |file: &str| json!({ "name": "x", "source": { "fileId": file } });
    let link = json!({ "name": "x", "source": { "url": "https://a.example/" } });
    for (resource, expected) in [
        (one(&eves), "source.fileId NOT_FOUND"),
        (one(&roots), "source.fileId NOT_FOUND"),
        (one(&lyceum::media::FileId::new(uuid::Uuid::nil()).encode()), "source.fileId NOT_FOUND"),
        (one(&image), "source.fileId NOT_ALLOWED"),
        (json!({ "name": "", "source": { "fileId": adas } }), "name BLANK"),
    ] {
        let payload = offer(&studio, &studio.ada, &lesson, json!([link, resource])).await;
        let errors = payload["userErrors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{resource}: {payload:#}");
        let field: Vec<_> = errors[0]["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
        let told = format!("{} {}", field.join("."), errors[0]["code"].as_str().unwrap());
        assert_eq!(told, format!("content.resources.1.{expected}"), "{payload:#}");
    }
    assert_eq!(studio.sql("SELECT count(*) FROM lesson_resources").await, "0", "nothing of what was refused is there");
    assert_eq!(studio.sql("SELECT count(*) FROM media_files WHERE unused_since IS NULL").await, "0");
    let foreign = studio.app.send(
        Some(&eve.token),
        "mutation ($input: UpdateLessonInput!) { updateLesson(input: $input) { userErrors { code } } }",
        json!({ "input": { "lessonId": lesson, "version": 1, "content": { "resources": [one(&eves)] } } }),
    );
    assert_eq!(foreign.await["errors"][0]["extensions"]["code"], "FORBIDDEN", "somebody else's course");

    // What an administrator has put there may stay when the author edits the list; one file may be there twice.
    let payload = offer(&studio, &root, &lesson, json!([one(&roots), one(&adas), one(&adas)])).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    let payload = offer(&studio, &studio.ada, &lesson, json!([one(&adas), one(&roots)])).await;
    assert_eq!(payload["lesson"]["content"]["resources"][1]["fileId"], roots, "{payload:#}");
    let rows = "SELECT string_agg(concat_ws(' ', position, file_id), ', ' ORDER BY position) FROM lesson_resources";
    assert_eq!(studio.sql(rows).await, format!("1 {}, 2 {}", uuid(&adas), uuid(&roots)));
    // Other edits leave the list alone; of two edits of one version one is a conflict, and changes nothing.
    let title = json!({ "lessonId": lesson, "title": "Water" });
    let stale = app.current(&studio.ada, title.clone()).await;
    app.edit(&studio.ada, "updateLesson", "lesson { id }", title).await;
    assert_eq!(studio.sql("SELECT count(*) FROM lesson_resources").await, "2");
    let mut stale = stale;
    stale["content"] = json!({ "resources": [] });
    let query = "mutation ($input: UpdateLessonInput!) { updateLesson(input: $input) { userErrors { code } } }";
    let refused = app.data(Some(&studio.ada.token), query, json!({ "input": stale })).await;
    assert_eq!(refused["updateLesson"]["userErrors"][0]["code"], "CONFLICT");
    assert_eq!(studio.sql("SELECT count(*) FROM lesson_resources").await, "2");
}

async fn many_lessons_need_as_many_statements_as_one(studio: Studio) {
    let app = &studio.app;
    let course = app.course(&studio.ada, "Engines", 0).await;
    let (one, two) = (
        studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await,
        studio.uploaded(&studio.ada, "FILE", "image/png", OTHER_PNG).await,
    );
    for number in 0..6 {
        let lesson = app.lesson(&studio.ada, &course, &format!("Lesson {number}")).await;
        let resources = json!([{ "name": "a", "source": { "fileId": one } }, { "name": "b", "source": { "fileId": two } }, { "name": "c", "source": { "url": "https://a.example/" } }]);
        assert_eq!(offer(&studio, &studio.ada, &lesson, resources).await["userErrors"], json!([]));
    }
    let query = format!(
        "query ($slug: String!, $first: Int) {{ course(slug: $slug) {{ sections {{ nodes {{
        lessons(first: $first) {{ nodes {{ content {{ {RESOURCES} }} }} }} }} }} }} }}"
    );
    let count = async |first: usize| {
        app.statements(Some(&studio.ada.token), &query, json!({ "slug": course.slug, "first": first })).await
    };
    // The course, its sections, its lessons, what they come with, what they offer, the files.
    assert_eq!((count(1).await, count(6).await), (6, 6));
}
