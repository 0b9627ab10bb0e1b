//! What publishes itself, is withdrawn, archived and deleted.

use chrono::{DateTime, TimeDelta, Utc};
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::enrollments::{School, school};
use crate::support::TestApp;
use crate::support::app::code_of;
use crate::support::process::Site;
use crate::support::redis::RedisServer;
use crate::support::socket::Follower;

const COURSE: &str = "course { status publishedAt publishAt lessonCount durationSeconds }";
const LESSON: &str = "lesson { status publishedAt publishAt course { lessonCount } }";

impl School {
    /// Something done to the course.
    async fn to_course(&self, field: &str) -> Value {
        let input = json!({ "courseId": self.course.id });
        self.app.mutate(&self.ada, field, COURSE, input).await["course"].take()
    }

    async fn to_lesson(&self, field: &str, lesson: &str) -> Value {
        self.app.mutate(&self.ada, field, LESSON, json!({ "lessonId": lesson })).await["lesson"].take()
    }

    async fn schedule(&self, lesson: &str, at: Option<DateTime<Utc>>) -> Value {
        let input = json!({ "lessonId": lesson, "publishAt": at });
        self.app.edit(&self.ada, "scheduleLesson", LESSON, input).await["lesson"].take()
    }

    async fn schedule_course(&self, at: Option<DateTime<Utc>>) -> Value {
        let input = json!({ "courseId": self.course.id, "publishAt": at });
        self.app.edit(&self.ada, "scheduleCourse", COURSE, input).await["course"].take()
    }

    /// The titles of all news so far.
    async fn news(&self) -> String {
        self.app
            .sql(
                "SELECT string_agg(title, ', ' ORDER BY events.id) FROM events JOIN lessons \
                  ON lessons.id::text = payload ->> 'lesson_id' WHERE events.kind = 'lesson_published'",
            )
            .await
    }

    async fn catalog(&self) -> Value {
        self.app.data(None, "{ courses { totalCount nodes { lessonCount } } }", json!({})).await["courses"].take()
    }
}

async fn status(app: &TestApp, id: &str) -> Value {
    let query = "query ($id: ID!) { node(id: $id) { ... on Course { status } ... on Lesson { status } } }";
    app.data(None, query, json!({ "id": id })).await["node"]["status"].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lesson_publishes_itself_once_at_its_time_whichever_node_is_there() {
    let school = school().await;
    let peer = school.app.peer().await;
    let lesson = school.app.lesson(&school.ada, &school.course, "Pistons").await;
    let at = school.now() + TimeDelta::seconds(90);
    let scheduled = school.schedule(&lesson, Some(at)).await;
    assert_eq!((&scheduled["status"], &scheduled["publishAt"]), (&json!("SCHEDULED"), &json!(at.to_rfc3339())));
    school.pass(TimeDelta::seconds(90) - TimeDelta::milliseconds(1)).await;
    assert_eq!((status(&school.app, &lesson).await, school.news().await), (Value::Null, String::new()));
    school.app.app.clock.advance(TimeDelta::milliseconds(1));
    tokio::join!(peer.settle(), school.app.settle(), peer.settle(), school.app.settle());
    peer.forget_rows();
    assert_eq!((status(&peer, &lesson).await, school.news().await.as_str()), (json!("PUBLISHED"), "Pistons"));
    assert_eq!(school.catalog().await["nodes"][0]["lessonCount"], 3);
    // Whatever comes later publishes nothing twice.
    for node in [&peer, &school.app] {
        node.run("catalog.publish_missed").await;
    }
    school.pass(TimeDelta::hours(1)).await;
    assert_eq!(school.news().await, "Pistons");
    assert_eq!(school.app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_is_changed_or_given_up_does_not_come_true() {
    let school = school().await;
    let lesson = school.app.lesson(&school.ada, &school.course, "Pistons").await;
    let start = school.now();
    let minute = |number| Some(start + TimeDelta::minutes(number));
    school.schedule(&lesson, minute(1)).await;
    school.schedule(&lesson, minute(3)).await;
    school.pass(TimeDelta::minutes(2)).await;
    assert_eq!(status(&school.app, &lesson).await, Value::Null, "the first plan");
    assert_eq!(school.schedule(&lesson, None).await["status"], "DRAFT");
    school.pass(TimeDelta::minutes(2)).await;
    assert_eq!(status(&school.app, &lesson).await, Value::Null, "the second plan");
    // Published by hand and withdrawn: the plan is over, too.
    school.schedule(&lesson, minute(6)).await;
    school.app.publish(&school.ada, &lesson).await;
    school.to_lesson("unpublishLesson", &lesson).await;
    school.pass(TimeDelta::minutes(5)).await;
    assert_eq!(status(&school.app, &lesson).await, Value::Null, "the third plan");
    // A deleted one.
    school.schedule(&lesson, minute(20)).await;
    school.app.mutate(&school.ada, "deleteLesson", "course { id }", json!({ "lessonId": lesson })).await;
    school.pass(TimeDelta::minutes(20)).await;
    assert_eq!(school.app.sql("SELECT count(*) FROM jobs WHERE dead_at IS NOT NULL OR attempts > 0").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_lost_or_stopped_half_way_is_made_up_for() {
    let school = school().await;
    let lesson = school.app.lesson(&school.ada, &school.course, "Pistons").await;
    school.schedule(&lesson, Some(school.now() + TimeDelta::minutes(1))).await;
    // A worker takes the job and dies: its lease ends, and somebody else does it.
    let dead = "UPDATE jobs SET leased_by = gen_random_uuid(), leased_until = run_at + interval '30 s', attempts = 1";
    school.app.sql(dead).await;
    school.pass(TimeDelta::minutes(1)).await;
    assert_eq!(school.news().await, "");
    school.pass(TimeDelta::seconds(31)).await;
    assert_eq!(school.news().await, "Pistons");
    let lost = school.app.lesson(&school.ada, &school.course, "Valves").await;
    school.schedule(&lost, Some(school.now() + TimeDelta::minutes(1))).await;
    school.app.sql("DELETE FROM jobs").await;
    school.pass(TimeDelta::minutes(2)).await;
    assert_eq!(school.news().await, "Pistons");
    school.app.run("catalog.publish_missed").await;
    assert_eq!(school.news().await, "Pistons, Valves");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_publishes_itself_together_with_its_lessons() {
    let school = school().await;
    let course = school.app.course(&school.ada, "Looms", 0).await;
    let lesson = school.app.lesson(&school.ada, &course, "Warp").await;
    let other = School { course, ..school };
    let at = other.now() + TimeDelta::minutes(30);
    assert_eq!(other.schedule_course(Some(at)).await["status"], "SCHEDULED");
    other.schedule(&lesson, Some(at)).await;
    assert_eq!(status(&other.app, &other.course.id).await, Value::Null);
    other.pass(TimeDelta::minutes(30)).await;
    assert_eq!(status(&other.app, &other.course.id).await, "PUBLISHED");
    assert_eq!(other.news().await, "", "lessons that come with their course are no news of their own");
    let events = "SELECT count(*) FROM events WHERE kind = 'course_published' AND payload ->> 'course_id' = \
        (SELECT id::text FROM courses WHERE title = 'Looms')";
    assert_eq!(other.app.sql(events).await, "1");
    // Without a lesson it stays a draft.
    let empty = other.app.course(&other.ada, "Void", 0).await;
    let empty = School { course: empty, ..other };
    empty.schedule_course(Some(empty.now() + TimeDelta::minutes(1))).await;
    empty.pass(TimeDelta::minutes(1)).await;
    assert_eq!(empty.to_course("unpublishCourse").await["status"], "DRAFT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_that_is_past_and_things_that_are_published_are_user_errors() {
    let school = school().await;
    let lesson = school.app.lesson(&school.ada, &school.course, "Pistons").await;
    let past = json!({ "lessonId": lesson, "version": 1, "publishAt": school.now() });
    let range = [("OUT_OF_RANGE".to_owned(), json!(["publishAt"]))];
    assert_eq!(school.refused(&school.ada, "scheduleLesson", past).await, range);
    let past = json!({ "courseId": school.course.id, "version": 1, "publishAt": school.now() });
    assert_eq!(school.refused(&school.ada, "scheduleCourse", past).await, range);
    let later = school.now() + TimeDelta::days(1);
    let published = json!({ "courseId": school.course.id, "version": 1, "publishAt": later });
    let not_allowed = [("NOT_ALLOWED".to_owned(), json!(["courseId"]))];
    assert_eq!(school.refused(&school.ada, "scheduleCourse", published.clone()).await, not_allowed);
    school.to_course("archiveCourse").await;
    assert_eq!(school.refused(&school.ada, "scheduleCourse", published).await, not_allowed, "it is brought back first");
    for days in [0, 3651] {
        let input = json!({ "lessonId": lesson, "version": 1, "unlock": { "afterDays": days } });
        let place = json!(["unlock", "afterDays"]);
        assert_eq!(school.refused(&school.ada, "setLessonUnlock", input).await, [("OUT_OF_RANGE".to_owned(), place)]);
    }
    let bob = school.app.user("Bob", Role::Instructor).await;
    for (field, input) in [
        ("scheduleLesson", json!({ "lessonId": lesson, "version": 1 })),
        ("scheduleCourse", json!({ "courseId": school.course.id, "version": 1 })),
        ("unpublishCourse", json!({ "courseId": school.course.id })),
        ("unpublishLesson", json!({ "lessonId": lesson })),
        ("archiveCourse", json!({ "courseId": school.course.id })),
        ("unarchiveCourse", json!({ "courseId": school.course.id })),
        ("deleteCourse", json!({ "courseId": school.course.id })),
        ("setLessonUnlock", json!({ "lessonId": lesson, "version": 1 })),
    ] {
        let ty = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!("mutation ($input: {ty}!) {{ {field}(input: $input) {{ userErrors {{ code }} }} }}");
        let body = school.app.send(Some(&bob.token), &query, json!({ "input": input })).await;
        let code = code_of(&body);
        assert!(code == "NOT_FOUND" || code == "FORBIDDEN", "{field}: {body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_withdrawn_leaves_the_counts_and_is_no_news_when_it_comes_back() {
    let school = school().await;
    let lesson = school.app.lesson(&school.ada, &school.course, "Pistons").await;
    school.app.publish(&school.ada, &lesson).await;
    let published = school.to_lesson("publishLesson", &lesson).await["publishedAt"].take();
    school.app.app.clock.advance(TimeDelta::minutes(5));
    for _ in 0..2 {
        let gone = school.to_lesson("unpublishLesson", &lesson).await;
        assert_eq!(
            gone,
            json!({ "status": "DRAFT", "publishedAt": null, "publishAt": null, "course": { "lessonCount": 2 } })
        );
    }
    assert_eq!(status(&school.app, &lesson).await, Value::Null);
    let back = school.to_lesson("publishLesson", &lesson).await;
    assert_eq!((&back["publishedAt"], &back["course"]["lessonCount"]), (&published, &json!(3)));
    assert_eq!(school.news().await, "Pistons", "once");
    let first = school.to_course("publishCourse").await;
    for _ in 0..2 {
        assert_eq!(school.to_course("unpublishCourse").await["status"], "DRAFT");
    }
    assert_eq!(school.catalog().await, json!({ "totalCount": 0, "nodes": [] }));
    assert_eq!(school.reason(Some(&school.sam)).await, "INVISIBLE");
    school.app.app.clock.advance(TimeDelta::minutes(5));
    let unseen = school.app.lesson(&school.ada, &school.course, "Valves").await;
    school.to_lesson("publishLesson", &unseen).await;
    assert_eq!(school.news().await, "Pistons", "nobody sees it");
    assert_eq!(school.to_course("publishCourse").await["publishedAt"], first["publishedAt"]);
    assert_eq!(school.news().await, "Pistons, Valves", "now they do");
    assert_eq!(school.app.sql("SELECT count(*) FROM events WHERE kind = 'course_published'").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_course_is_there_for_those_who_have_it_and_for_nobody_else() {
    let school = school().await;
    let eve = school.app.user("Eve", Role::Student).await;
    let end = school.now() + TimeDelta::minutes(10);
    school.grant(&school.sam, Some(end)).await;
    assert_eq!(school.to_course("archiveCourse").await["status"], "ARCHIVED");
    assert_eq!(school.catalog().await["totalCount"], 0);
    let page = "query ($slug: String!, $ids: [ID!]!) { nodes(ids: $ids) { id } course(slug: $slug) { status
        viewerAccess { reason } sections { nodes { lessonCount lessons { nodes { viewerAccess { reason } } } } } }
        courses { totalCount } }";
    let lesson = school.app.sql("SELECT id FROM lessons ORDER BY position LIMIT 1").await;
    let lesson = lyceum::catalog::LessonId::new(lesson.parse().unwrap()).encode();
    let arguments = json!({ "slug": school.course.slug, "ids": [school.course.id, school.course.section, lesson] });
    let nothing = json!({ "nodes": [null, null, null], "course": null, "courses": { "totalCount": 0 } });
    for token in [None, Some(&*eve.token)] {
        assert_eq!(school.app.data(token, page, arguments.clone()).await, nothing);
    }
    for (who, reason) in [(&school.sam, "ENTITLED"), (&school.ada, "STAFF"), (&school.root, "STAFF")] {
        let seen = school.app.data(Some(&who.token), page, arguments.clone()).await;
        assert_eq!(seen["nodes"][2]["id"], json!(lesson), "{seen:#}");
        assert_eq!(seen["course"]["viewerAccess"]["reason"], reason);
        let lessons = &seen["course"]["sections"]["nodes"][0];
        assert_eq!(
            (&lessons["lessonCount"], &lessons["lessons"]["nodes"][1]["viewerAccess"]["reason"]),
            (&json!(2), &json!(reason))
        );
    }
    let mine = "{ viewer { enrollments { nodes { course { title status } } } } }";
    let mine = school.app.data(Some(&school.sam.token), mine, json!({})).await;
    assert_eq!(
        mine["viewer"]["enrollments"]["nodes"],
        json!([{ "course": { "title": "Engines", "status": "ARCHIVED" } }])
    );
    let enroll = school.refused(&eve, "enroll", json!({ "courseId": school.course.id })).await;
    assert_eq!(enroll[0].0, "NOT_FOUND", "it takes nobody");
    school.pass(TimeDelta::minutes(10)).await;
    assert_eq!(school.app.data(Some(&school.sam.token), page, arguments).await, nothing, "access has expired");
    assert_eq!(school.to_course("publishCourse").await["status"], "PUBLISHED", "without a moment as a draft");
    assert_eq!(school.catalog().await["totalCount"], 1);
    assert_eq!(school.to_course("archiveCourse").await["status"], "ARCHIVED");
    assert_eq!(school.to_course("unarchiveCourse").await["status"], "DRAFT");
    assert_eq!(school.to_course("publishCourse").await["status"], "PUBLISHED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lessons_of_a_course_open_one_after_the_other() {
    let school = school().await;
    let lesson = school.app.lesson(&school.ada, &school.course, "Pistons").await;
    school.app.publish(&school.ada, &lesson).await;
    let unlock = |unlock: Value| {
        let input = json!({ "lessonId": lesson, "unlock": unlock });
        async { school.app.edit(&school.ada, "setLessonUnlock", "lesson { unlockAfterDays unlocksAt }", input).await }
    };
    let seen = || async {
        let query =
            "query ($id: ID!) { node(id: $id) { ... on Lesson { viewerAccess { granted reason unlocksAt } } } }";
        let mut data = school.app.data(Some(&school.sam.token), query, json!({ "id": lesson })).await;
        data["node"]["viewerAccess"].take()
    };
    let set = unlock(json!({ "afterDays": 2 })).await;
    assert_eq!(set["lesson"], json!({ "unlockAfterDays": 2, "unlocksAt": null }));
    school.grant(&school.sam, None).await;
    let opens = school.now() + TimeDelta::days(2);
    let locked =
        |at: DateTime<Utc>| json!({ "granted": false, "reason": "LOCKED_UNTIL", "unlocksAt": at.to_rfc3339() });
    assert_eq!(seen().await, locked(opens));
    let at = school.now() + TimeDelta::minutes(7);
    unlock(json!({ "at": at })).await;
    assert_eq!(seen().await, locked(at));
    school.pass(TimeDelta::minutes(7)).await;
    let open = json!({ "granted": true, "reason": "ENTITLED", "unlocksAt": null });
    assert_eq!(seen().await, open);
    unlock(json!({ "afterDays": 1 })).await;
    assert_eq!(seen().await["granted"], false);
    unlock(Value::Null).await;
    assert_eq!(seen().await, open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_that_somebody_has_is_archived_and_one_that_nobody_has_is_deleted() {
    let school = school().await;
    let delete = "course { status } deletedCourseId";
    let input = json!({ "courseId": school.course.id });
    school.grant(&school.sam, Some(school.now() + TimeDelta::minutes(10))).await;
    let kept = school.app.mutate(&school.ada, "deleteCourse", delete, input.clone()).await;
    assert_eq!((&kept["course"]["status"], &kept["deletedCourseId"]), (&json!("ARCHIVED"), &Value::Null));
    assert_eq!(school.reason(Some(&school.sam)).await, "ENTITLED");
    // Expired, though no job has closed the line.
    school.app.app.clock.advance(TimeDelta::minutes(10));
    let gone = school.app.mutate(&school.ada, "deleteCourse", delete, input.clone()).await;
    assert_eq!((&gone["course"], &gone["deletedCourseId"]), (&Value::Null, &json!(school.course.id)));
    for table in ["courses", "sections", "lessons", "course_slugs"] {
        assert_eq!(school.app.sql(&format!("SELECT count(*) FROM {table}")).await, "0", "{table}");
    }
    assert_eq!(school.app.sql("SELECT end_reason FROM entitlements WHERE course_id IS NULL").await, "EXPIRED");
    assert_eq!(school.app.sql("SELECT count(*) FROM events WHERE kind = 'course_deleted'").await, "1");
    assert_eq!(school.reason(None).await, "INVISIBLE");
    school.app.settle().await;
    let again = "mutation ($input: DeleteCourseInput!) { deleteCourse(input: $input) { userErrors { code } } }";
    let body = school.app.send(Some(&school.ada.token), again, json!({ "input": input })).await;
    assert_eq!(code_of(&body), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_course_that_is_deleted_and_taken_at_once_one_wins() {
    for _ in 0..8 {
        let school = school().await;
        let peer = school.app.peer().await;
        let delete = "mutation ($input: DeleteCourseInput!) { deleteCourse(input: $input) { deletedCourseId } }";
        let enroll =
            "mutation ($input: EnrollInput!) { enroll(input: $input) { entitlement { id } userErrors { code } } }";
        let input = json!({ "input": { "courseId": school.course.id } });
        let (deleted, enrolled) = tokio::join!(
            school.app.send(Some(&school.ada.token), delete, input.clone()),
            peer.send(Some(&school.sam.token), enroll, input.clone())
        );
        let deleted = deleted["data"]["deleteCourse"]["deletedCourseId"].is_string();
        let enrolled = enrolled["data"]["enroll"]["entitlement"].is_object();
        assert_ne!(deleted, enrolled);
        let owned = school.app.sql("SELECT count(*) FROM entitlements JOIN courses ON courses.id = course_id").await;
        assert_eq!(owned, if enrolled { "1" } else { "0" });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lesson_publishes_itself_to_the_second_in_two_real_processes_although_one_is_killed() {
    let redis = RedisServer::start();
    let site = Site::new().await.set("REDIS_URL", &redis.url()).seed(1);
    let (a, mut b) = (site.serve().await, site.serve().await);
    let teacher = a.sign_in("instructor").await;
    let section = a.section(&teacher).await;
    a.news(&teacher, &section, "Hello").await;
    let mut follower = Follower::after_hearing(&a.url, None, &["Hello"]).await;
    let schedule =
        "mutation ($input: ScheduleLessonInput!) { scheduleLesson(input: $input) { userErrors { message } } }";
    let at = Utc::now() + TimeDelta::seconds(3);
    for title in ["One", "Two"] {
        let lesson = a.lesson(&teacher, &section, title).await;
        let input = json!({ "lessonId": lesson, "version": 2, "publishAt": at });
        let data = a.data(Some(&teacher.token), schedule, json!({ "input": input })).await;
        assert_eq!(data["scheduleLesson"]["userErrors"], json!([]));
    }
    b.kill();
    follower.expect(&["One", "Two"]).await;
    assert!(Utc::now() >= at, "not before its time");
    let once = "SELECT count(*) = 2 FROM events JOIN lessons \
        ON lessons.id::text = payload ->> 'lesson_id' WHERE events.kind = 'lesson_published' AND title IN ('One', 'Two')";
    assert_eq!(site.sql(once).await, "t");
}
