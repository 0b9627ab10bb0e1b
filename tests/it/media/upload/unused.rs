//! How files end: when nothing has referred to them for long enough, and not before.

use bytes::Bytes;
use chrono::TimeDelta;
use lyceum::media::reconcile;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use super::resources::offer;
use super::{OTHER_PNG, PDF, PNG, Studio, on_both_stores, uuid};

on_both_stores!(
    a_file_that_nothing_refers_to_goes_after_the_grace_and_not_before,
    what_is_deleted_lets_its_files_go,
    attaching_and_deleting_at_once_never_leaves_a_reference_without_its_file,
    the_reconciliation_knows_files_both_ways,
    of_somebody_who_is_deleted_only_what_courses_use_is_left,
);

const GRACE: TimeDelta = TimeDelta::days(7);

impl Studio {
    /// Whether a file is there, row and objects. There are both or neither.
    async fn keeps(&self, file: &str) -> bool {
        let row = self.sql(&format!("SELECT count(*) FROM media_files WHERE id = '{}'", uuid(file))).await == "1";
        let objects = self.keys(&format!("files/{}/", uuid(file).simple())).await;
        assert_eq!(!objects.is_empty(), row, "{objects:?}");
        row
    }

    async fn show(&self, course: &str, file: Value) {
        let input = json!({ "courseId": course, "fileId": file });
        self.app.edit(&self.ada, "setCourseThumbnail", "course { id }", input).await;
    }
}

async fn a_file_that_nothing_refers_to_goes_after_the_grace_and_not_before(mut studio: Studio) {
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let lesson = studio.app.lesson(&studio.ada, &course, "Steam").await;
    let one = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let two = studio.uploaded(&studio.ada, "IMAGE", "image/png", OTHER_PNG).await;
    let plan = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    let never = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    studio.show(&course.id, json!(one)).await;
    offer(&studio, &studio.ada, &lesson, json!([{ "name": "Plan", "source": { "fileId": plan } }])).await;

    studio.later(GRACE - TimeDelta::seconds(1)).await;
    // Replaced and removed now; the grace of what they let go begins now.
    studio.show(&course.id, json!(two)).await;
    offer(&studio, &studio.ada, &lesson, json!([])).await;
    studio.app.run("media.delete_unused_files").await;
    for file in [&one, &two, &plan, &never] {
        assert!(studio.keeps(file).await, "a second before");
    }
    studio.later(TimeDelta::seconds(1)).await;
    studio.app.run("media.delete_unused_files").await;
    assert!(!studio.keeps(&never).await, "nothing ever referred to it");
    for file in [&one, &two, &plan] {
        assert!(studio.keeps(file).await);
    }
    // Whatever refers to one before its end keeps it.
    offer(&studio, &studio.ada, &lesson, json!([{ "name": "Plan", "source": { "fileId": plan } }])).await;
    studio.later(GRACE).await;
    studio.app.run("media.delete_unused_files").await;
    assert_eq!([studio.keeps(&one).await, studio.keeps(&two).await, studio.keeps(&plan).await], [false, true, true]);
    // Whoever wrote a time without looking does not win against a reference; nor would the database let them.
    studio.sql("UPDATE media_files SET unused_since = created_at").await;
    studio.app.run("media.delete_unused_files").await;
    assert!(studio.keeps(&two).await && studio.keeps(&plan).await);
    assert_eq!(studio.sql("SELECT count(*) FROM media_files WHERE unused_since IS NULL").await, "2");
    assert_eq!(studio.sql("SELECT count(*) FROM jobs").await, "0");
}

async fn what_is_deleted_lets_its_files_go(studio: Studio) {
    let app = &studio.app;
    let file = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    let image = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let is_used = async |id: &str| studio.file(id).await["deletionDueAt"].is_null();
    let used = async || (is_used(&file).await, is_used(&image).await);
    let filled = async |title: &str| {
        let course = app.course(&studio.ada, title, 0).await;
        let lesson = app.lesson(&studio.ada, &course, "Steam").await;
        let payload =
            offer(&studio, &studio.ada, &lesson, json!([{ "name": "Plan", "source": { "fileId": file } }])).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        studio.show(&course.id, json!(image)).await;
        (course, lesson)
    };
    let (one, lesson) = filled("One").await;
    let (two, _) = filled("Two").await;
    assert_eq!(used().await, (true, true));
    app.mutate(&studio.ada, "deleteLesson", "course { id }", json!({ "lessonId": lesson })).await;
    app.mutate(&studio.ada, "deleteSection", "course { id }", json!({ "sectionId": one.section })).await;
    assert_eq!(used().await, (true, true), "the other course has them, too");
    app.mutate(&studio.ada, "deleteSection", "course { id }", json!({ "sectionId": two.section })).await;
    assert_eq!(used().await, (false, true), "no lesson offers the file any more");
    let (three, lesson) = filled("Three").await;
    app.mutate(&studio.ada, "deleteLesson", "course { id }", json!({ "lessonId": lesson })).await;
    assert_eq!(used().await, (false, true));
    let (four, _) = filled("Four").await;
    for course in [&one, &two, &three] {
        app.mutate(&studio.ada, "deleteCourse", "deletedCourseId", json!({ "courseId": course.id })).await;
    }
    assert_eq!(used().await, (true, true), "the last course has them still");
    app.mutate(&studio.ada, "deleteCourse", "deletedCourseId", json!({ "courseId": four.id })).await;
    assert_eq!(used().await, (false, false));
}

async fn attaching_and_deleting_at_once_never_leaves_a_reference_without_its_file(studio: Studio) {
    let app = &studio.app;
    let course = app.course(&studio.ada, "Engines", 0).await;
    let lesson = app.lesson(&studio.ada, &course, "Steam").await;
    for round in 0..8 {
        let plan = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
        let image = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
        studio
            .sql("UPDATE media_files SET unused_since = created_at - interval '8 days' WHERE unused_since IS NOT NULL")
            .await;
        let set =
            "mutation ($input: SetCourseThumbnailInput!) { setCourseThumbnail(input: $input) { userErrors { code } } }";
        let input = app.current(&studio.ada, json!({ "courseId": course.id, "fileId": image })).await;
        let (shown, offered, ()) = tokio::join!(
            app.data(Some(&studio.ada.token), set, json!({ "input": input })),
            offer(&studio, &studio.ada, &lesson, json!([{ "name": "Plan", "source": { "fileId": plan } }])),
            app.run("media.delete_unused_files"),
        );
        // What was postponed in the rush comes again.
        app.app.clock.advance(TimeDelta::minutes(1));
        app.settle().await;
        let shown = shown["setCourseThumbnail"]["userErrors"] == json!([]);
        let offered = offered["userErrors"] == json!([]);
        assert_eq!((studio.keeps(&image).await, studio.keeps(&plan).await), (shown, offered), "round {round}");
    }
}

async fn the_reconciliation_knows_files_both_ways(studio: Studio) {
    let kept = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    let lost = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let key = |file: &str| format!("SELECT object_key FROM media_files WHERE id = '{}'", uuid(file));
    let rendition = format!("files/{}/w1.jpg", uuid(&lost).simple());
    let (kept, lost) = (studio.sql(&key(&kept)).await, studio.sql(&key(&lost)).await);
    studio.storage.delete(&lost).await.unwrap();
    let input = json!({ "purpose": "FILE", "filename": "a", "contentType": "application/pdf", "sizeBytes": PDF.len() });
    let open = studio.begin_with(&studio.ada, input).await;
    studio.put(&open, PDF.to_vec()).await;
    let draft = format!("uploads/files/{}", super::uuid_of(&open));
    let nobody = uuid::Uuid::new_v4().simple().to_string();
    let copy = format!("{}original-{nobody}", kept.split_once("original-").unwrap().0);
    let (stray, late) = (format!("files/{nobody}/original"), format!("uploads/files/{nobody}"));
    for key in [&copy, &stray, &late] {
        studio.storage.put(key, "text/plain", Bytes::from("12345")).await.unwrap();
    }
    studio.app.app.clock.advance(TimeDelta::hours(3));
    let report = reconcile(&studio.app.app, TimeDelta::hours(1), true).await.unwrap();
    let mut expected = [copy, stray, late];
    expected.sort();
    let mut found = report.orphans.clone();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(report.missing.iter().map(|(_, key)| key).collect::<Vec<_>>(), [&lost]);
    assert_eq!(studio.keys("").await.len(), 3, "what rows refer to stays");
    for key in [&kept, &draft, &rendition] {
        assert!(studio.has(key).await, "{key}");
    }
}

async fn of_somebody_who_is_deleted_only_what_courses_use_is_left(studio: Studio) {
    let app = &studio.app;
    let course = app.course(&studio.ada, "Engines", 1).await;
    let lesson = app.lesson(&studio.ada, &course, "Steam").await;
    let image = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let plan = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    let unused = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    studio.show(&course.id, json!(image)).await;
    offer(&studio, &studio.ada, &lesson, json!([{ "name": "Plan", "source": { "fileId": plan } }])).await;
    let data = "{ viewer { dataExport } }";
    let held =
        app.data(Some(&studio.ada.token), data, json!({})).await["viewer"]["dataExport"]["media"]["files"]["items"]
            .take();
    assert_eq!(held.as_array().unwrap().len(), 3, "{held:#}");
    let eve = app.user("Eve", Role::Instructor).await;
    let others = app.data(Some(&eve.token), data, json!({})).await;
    assert_eq!(others["viewer"]["dataExport"]["media"]["files"]["items"], json!([]));

    studio.sql("UPDATE users SET deletion_due_at = now() - interval '1 day' WHERE name = 'Ada'").await;
    app.run("accounts.delete_due").await;
    app.settle().await;
    app.run("media.delete_unused_files").await;
    assert_eq!(
        [studio.keeps(&image).await, studio.keeps(&plan).await, studio.keeps(&unused).await],
        [true, true, false]
    );
    let names = "SELECT string_agg(concat_ws(' ', purpose, filename), ', ' ORDER BY purpose) FROM media_files";
    assert_eq!(studio.sql(names).await, "FILE Plan B, größer.pdf, IMAGE deleted");
}
