//! What administrators do with courses: many at once, and to other instructors.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::app::code_of;
use crate::support::{TestApp, User};

const RESULTS: &str = "results { id course { title status } userErrors { code field } }";
const COURSE: &str = "course { title version instructor { name } channel { slug } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_courses_are_published_and_archived_each_as_the_viewer_may() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let root = app.user("Root", Role::Admin).await;
    let draft = app.course(&ada, "Empty", 0).await;
    let ready = app.course(&ada, "Ready", 0).await;
    let lesson = app.lesson(&ada, &ready, "One").await;
    app.publish(&ada, &lesson).await;
    let (public, hidden) = (app.course(&bob, "Public", 1).await, app.course(&bob, "Hidden", 0).await);
    let ids = json!([draft.id, ready.id, public.id, hidden.id]);
    let results = app.mutate(&ada, "bulkArchiveCourses", RESULTS, json!({ "courseIds": [public.id, hidden.id] })).await;
    let error = |code: &str, place: &str| json!([{ "code": code, "field": ["courseIds", place] }]);
    assert_eq!(results["results"][0]["userErrors"], error("NOT_ALLOWED", "0"), "she sees it, and may not: {results:#}");
    assert_eq!(results["results"][1]["userErrors"], error("NOT_FOUND", "1"), "she does not see it");
    let outcome = |payload: &Value| -> Vec<String> {
        let one = |result: &Value| {
            let code = result["userErrors"][0]["code"].as_str();
            code.or(result["course"]["status"].as_str()).unwrap().to_owned()
        };
        payload["results"].as_array().unwrap().iter().map(one).collect()
    };
    let published = app.mutate(&ada, "bulkPublishCourses", RESULTS, json!({ "courseIds": ids })).await;
    assert_eq!(outcome(&published), ["NOT_ALLOWED", "PUBLISHED", "NOT_ALLOWED", "NOT_FOUND"], "{published:#}");
    let published = app.mutate(&root, "bulkPublishCourses", RESULTS, json!({ "courseIds": ids })).await;
    assert_eq!(outcome(&published), ["NOT_ALLOWED", "PUBLISHED", "PUBLISHED", "NOT_ALLOWED"]);
    let archived = app.mutate(&root, "bulkArchiveCourses", RESULTS, json!({ "courseIds": ids })).await;
    assert_eq!(outcome(&archived), ["ARCHIVED", "ARCHIVED", "ARCHIVED", "ARCHIVED"]);
    assert_eq!(archived["results"][3]["id"], hidden.id, "in the order of the input");
    let twice = json!({ "courseIds": [draft.id, draft.id] });
    let refused = app.payload(&root, "bulkArchiveCourses", RESULTS, twice).await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["courseIds", "1"]));
}

async fn transfer(app: &TestApp, user: &User, course: &str, version: i64, to: &str) -> Value {
    let input = json!({ "courseId": course, "version": version, "instructorId": to });
    app.payload(user, "transferCourse", COURSE, input).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_gets_another_instructor_and_keeps_the_rest() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let (root, stu) = (app.user("Root", Role::Admin).await, app.user("Stu", Role::Student).await);
    app.settle().await;
    let course = app.course(&ada, "Engines", 1).await;
    app.mutate(&stu, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
    let page = "query ($id: ID) { course(id: $id) { version studentCount instructor { name } channel { slug } } }";
    let see = async || app.data(None, page, json!({ "id": course.id })).await["course"].take();
    let before = see().await;
    assert_eq!((&before["instructor"]["name"], &before["channel"]["slug"]), (&json!("Ada"), &json!("ada")));
    let version = before["version"].as_i64().unwrap();

    let moved = transfer(&app, &root, &course.id, version, &bob.id).await;
    let expected = json!({ "title": "Engines", "version": version + 1, "instructor": { "name": "Bob" }, "channel": { "slug": "bob" } });
    assert_eq!((&moved["course"], &moved["userErrors"]), (&expected, &json!([])));
    let after = see().await;
    assert_eq!(
        (&after["instructor"]["name"], &after["channel"]["slug"]),
        (&json!("Bob"), &json!("bob")),
        "not from a cache"
    );
    assert_eq!(after["studentCount"], 1);
    let courses = "query ($slug: String) { channel(slug: $slug) { courses { totalCount nodes { title } } } }";
    for (slug, count) in [("ada", 0), ("bob", 1)] {
        let found = app.data(None, courses, json!({ "slug": slug })).await["channel"]["courses"].take();
        assert_eq!(found["totalCount"], count, "{slug}");
    }
    let edit = json!({ "courseId": course.id, "version": version + 1, "subtitle": "Mine" });
    let query = "mutation ($input: UpdateCourseInput!) { updateCourse(input: $input) { course { subtitle } userErrors { code } } }";
    let body = app.send(Some(&ada.token), query, json!({ "input": edit })).await;
    assert_eq!(code_of(&body), "FORBIDDEN", "Ada may no longer edit it: {body:#}");
    let body = app.data(Some(&bob.token), query, json!({ "input": edit })).await;
    assert_eq!(body["updateCourse"]["course"]["subtitle"], "Mine");

    let again = transfer(&app, &root, &course.id, version + 2, &bob.id).await;
    assert_eq!(again["course"]["version"], version + 2, "nothing to do");
    let trail = "{ auditEntries(filter: { actions: [COURSE_TRANSFERRED] }) { nodes { actor { name } subject { name }
        target { ... on Course { title } }
        details { ... on AuditCourseTransfer { courseId previousInstructor { name } newInstructor { name } } } } } }";
    let trail = app.data(Some(&root.token), trail, json!({})).await["auditEntries"]["nodes"].take();
    let details =
        json!({ "courseId": course.id, "previousInstructor": { "name": "Ada" }, "newInstructor": { "name": "Bob" } });
    let entry = json!({ "actor": { "name": "Root" }, "subject": { "name": "Bob" }, "target": { "title": "Engines" }, "details": details });
    assert_eq!(trail, json!([entry]), "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_stays_in_a_channel_in_which_both_teach() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let root = app.user("Root", Role::Admin).await;
    let lab = app.mutate(&ada, "createChannel", "channel { id }", json!({ "name": "Lab" })).await;
    let lab = lab["channel"]["id"].clone();
    let invited = json!({ "channelId": lab, "member": { "userId": bob.id } });
    app.mutate(&ada, "addChannelMember", "channel { id }", invited).await;
    app.mutate(&bob, "acceptChannelInvitation", "channel { id }", json!({ "channelId": lab })).await;
    let made = app
        .mutate(&ada, "createCourse", "course { id version }", json!({ "title": "Engines", "channelId": lab }))
        .await;
    let id = made["course"]["id"].as_str().unwrap();
    let moved = transfer(&app, &root, id, 1, &bob.id).await;
    assert_eq!(
        (&moved["course"]["instructor"]["name"], &moved["course"]["channel"]["slug"]),
        (&json!("Bob"), &json!("lab"))
    );
    // Root has no channel yet: the transfer makes it.
    let moved = transfer(&app, &root, id, 2, &root.id).await;
    assert_eq!(moved["course"]["channel"]["slug"], "root");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_transfer_and_only_to_those_who_teach() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let (root, stu) = (app.user("Root", Role::Admin).await, app.user("Stu", Role::Student).await);
    let banned = app.user("Eve", Role::Instructor).await;
    app.mutate(&root, "banUser", "user { id }", json!({ "userId": banned.id, "reason": "Spam." })).await;
    let leaving = app.user("Lea", Role::Instructor).await;
    app.sql("UPDATE users SET deletion_due_at = '2027-01-01T00:00:00Z' WHERE name = 'Lea'").await;
    let course = app.course(&ada, "Engines", 0).await;
    let query = "mutation ($input: TransferCourseInput!) { transferCourse(input: $input) { userErrors { code } } }";
    let input = json!({ "courseId": course.id, "version": 1, "instructorId": bob.id });
    for (token, code) in [(None, "UNAUTHENTICATED"), (Some(&*stu.token), "FORBIDDEN"), (Some(&*ada.token), "FORBIDDEN")]
    {
        let body = app.send(token, query, json!({ "input": input })).await;
        assert_eq!(body["errors"][0]["extensions"]["code"], code, "{body:#}");
    }
    let (ghost, no_course) = ("user_00000000000000000000000001", "course_00000000000000000000000001");
    for (course, version, to, code, field) in [
        (&*course.id, 1, &*stu.id, "NOT_FOUND", "instructorId"),
        (&course.id, 1, ghost, "NOT_FOUND", "instructorId"),
        (&course.id, 1, &banned.id, "NOT_ALLOWED", "instructorId"),
        (&course.id, 1, &leaving.id, "NOT_ALLOWED", "instructorId"),
        (&course.id, 7, &bob.id, "CONFLICT", "version"),
        (no_course, 1, &bob.id, "NOT_FOUND", "courseId"),
    ] {
        let refused = transfer(&app, &root, course, version, to).await;
        let error = &refused["userErrors"][0];
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!([field])), "{refused:#}");
    }
    assert_eq!(app.sql("SELECT users.name FROM courses JOIN users ON users.id = instructor_id").await, "Ada");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_transfers_at_once_one_conflicts() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let (eve, root) = (app.user("Eve", Role::Instructor).await, app.user("Root", Role::Admin).await);
    for number in 0..4 {
        let course = app.course(&ada, &format!("Course {number}"), 0).await;
        let (one, other) =
            tokio::join!(transfer(&app, &root, &course.id, 1, &bob.id), transfer(&app, &root, &course.id, 1, &eve.id));
        let codes = [&one["userErrors"][0]["code"], &other["userErrors"][0]["code"]];
        assert!(codes.contains(&&Value::Null) && codes.contains(&&json!("CONFLICT")), "{codes:?}");
    }
    let own = "SELECT count(*) FROM courses JOIN channels ON channels.id = channel_id WHERE owner_id <> instructor_id";
    assert_eq!(app.sql(own).await, "0");
    assert_eq!(app.sql("SELECT count(*) FROM audit_entries WHERE action = 'course_transferred'").await, "4");
}
