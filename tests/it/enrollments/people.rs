//! Lists of who learns what, and what is left of people.

use super::*;

const MINE: &str = "query ($first: Int, $last: Int, $after: String, $before: String) {
    viewer { enrollments(first: $first, last: $last, after: $after, before: $before) {
        totalCount nodes { enrolledAt course { title viewerAccess { granted source } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
const MEMBERS: &str = "query ($slug: String!, $first: Int, $after: String) { course(slug: $slug) {
    entitlements(first: $first, after: $after) { totalCount nodes { source endReason user { name } }
        pageInfo { hasNextPage endCursor } } } }";

fn titles(list: &Value) -> Vec<&str> {
    list["nodes"].as_array().unwrap().iter().map(|node| node["course"]["title"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn my_courses_come_once_each_in_pages_and_stay_when_the_access_ends() {
    let school = school().await;
    let (app, sam) = (&school.app, &school.sam);
    school.grant(sam, None).await;
    app.mutate(sam, "enroll", "entitlement { id }", json!({ "courseId": school.course.id })).await;
    for number in 1..=4 {
        let course = app.course(&school.ada, &format!("Course {number}"), 1).await;
        app.app.clock.advance(TimeDelta::seconds(1));
        app.mutate(sam, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
    }
    let page =
        |arguments| async move { app.data(Some(&sam.token), MINE, arguments).await["viewer"]["enrollments"].take() };
    let all = page(json!({})).await;
    assert_eq!(titles(&all), ["Course 4", "Course 3", "Course 2", "Course 1", "Engines"]);
    assert_eq!(all["totalCount"], 5);
    assert_eq!(all["nodes"][4]["course"]["viewerAccess"], json!({ "granted": true, "source": "GRANT" }));
    let first = page(json!({ "first": 2 })).await;
    assert_eq!((titles(&first), &first["pageInfo"]["hasNextPage"]), (vec!["Course 4", "Course 3"], &json!(true)));
    let next = page(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(titles(&next), ["Course 2", "Course 1"]);
    let last = page(json!({ "last": 2, "before": next["pageInfo"]["endCursor"] })).await;
    assert_eq!(titles(&last), ["Course 3", "Course 2"]);
    app.sql("UPDATE entitlements SET ended_at = now(), end_reason = 'REFUNDED' WHERE source = 'FREE'").await;
    let left = titles_in(&school, "ACTIVE").await;
    assert_eq!(left, ["Engines"]);
    assert_eq!(titles_in(&school, "ENDED").await, ["Course 4", "Course 3", "Course 2", "Course 1"]);
    assert_eq!(page(json!({})).await["totalCount"], 5);
    let nobody = app.send(None, MINE, json!({})).await;
    assert_eq!(nobody["data"], json!({ "viewer": null }));
}

/// The titles of Sam's courses in a state, in the order of the list.
async fn titles_in(school: &School, state: &str) -> Vec<String> {
    let query = "query ($state: EnrollmentState) { viewer { enrollments(filter: { state: $state }) {
        nodes { course { title } } } } }";
    let data = school.app.data(Some(&school.sam.token), query, json!({ "state": state })).await;
    titles(&data["viewer"]["enrollments"]).into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_courses_instructor_and_administrators_see_its_ledger() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    school.revoke(&school.sam).await;
    school.pass(TimeDelta::seconds(1)).await;
    school.grant(&school.ada, None).await;
    let slug = &school.course.slug;
    for token in [&school.ada.token, &school.root.token] {
        let first = school.app.data(Some(token), MEMBERS, json!({ "slug": slug, "first": 1 })).await;
        let list = &first["course"]["entitlements"];
        assert_eq!((&list["totalCount"], &list["nodes"][0]["user"]["name"]), (&json!(2), &json!("Ada")));
        let after = &list["pageInfo"]["endCursor"];
        let next = school.app.data(Some(token), MEMBERS, json!({ "slug": slug, "first": 1, "after": after })).await;
        let row = json!({ "source": "GRANT", "endReason": "REVOKED", "user": { "name": "Sam" } });
        assert_eq!(next["course"]["entitlements"]["nodes"], json!([row]));
    }
    let other = school.app.user("Bob", Role::Instructor).await;
    for token in [Some(&*school.sam.token), Some(&*other.token), None] {
        let body = school.app.send(token, MEMBERS, json!({ "slug": slug })).await;
        assert_eq!(body["data"]["course"]["entitlements"], Value::Null);
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    let why = "query ($slug: String!) { course(slug: $slug) { entitlements { nodes { reason grantedBy { name } } } } }";
    let body = school.app.send(Some(&school.ada.token), why, json!({ "slug": slug })).await;
    assert_eq!(body["data"]["course"]["entitlements"]["nodes"][0], json!({ "reason": null, "grantedBy": null }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_to_many_courses_and_lessons_costs_as_many_statements_as_to_one() {
    let school = school().await;
    for number in 0..19 {
        let course = school.app.course(&school.ada, &format!("Course {number}"), 3).await;
        school.app.mutate(&school.sam, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
    }
    let token = Some(&*school.sam.token);
    let catalog = format!(
        "query ($first: Int) {{ courses(first: $first) {{ nodes {{ {ACCESS} sections(first: 2) {{ nodes {{ lessons(first: 4) {{ nodes {{ {ACCESS} }} }} }} }} }} }} }}"
    );
    let one = school.app.statements(token, &catalog, json!({ "first": 1 })).await;
    let twenty = school.app.statements(token, &catalog, json!({ "first": 20 })).await;
    assert_eq!((one, twenty), (4, 4), "courses, access, sections, lessons; access is read once in a request");
    assert_eq!(
        school.app.statements(None, &catalog, json!({ "first": 20 })).await,
        3,
        "for nobody nothing is looked up"
    );
    let one = school.app.statements(token, MINE, json!({ "first": 1 })).await;
    assert_eq!(school.app.statements(token, MINE, json!({ "first": 20 })).await, one);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_somebody_who_is_deleted_only_lines_without_a_name_are_left() {
    let school = school().await;
    let input = json!({ "userId": school.sam.id, "courseId": school.course.id, "reason": "Sam is my nephew." });
    school.app.mutate(&school.root, "grantCourseAccess", "entitlement { id }", input).await;
    let data = school.app.data(Some(&school.sam.token), "{ viewer { dataExport } }", json!({})).await;
    assert_eq!(
        data["viewer"]["dataExport"]["enrollments"]["entitlements"]["items"][0]["course"],
        json!(school.course.id)
    );
    assert!(!data.to_string().contains("nephew"), "why is for administrators: {data:#}");
    school.app.sql("UPDATE users SET deletion_due_at = '2026-11-20T09:00:00Z' WHERE name = 'Sam'").await;
    school.app.run("accounts.delete_due").await;
    school.app.settle().await;
    let left = school
        .app
        .sql("SELECT end_reason || ' [' || note || '] ' || name FROM entitlements JOIN users ON users.id = user_id")
        .await;
    assert!(left.starts_with("ACCOUNT_DELETED [] "), "{left}");
    assert!(!left.contains("Sam"), "{left}");
    assert_eq!(school.app.sql("SELECT count(*) FROM enrollments").await, "0", "what somebody learned is theirs");
    assert_eq!(school.students().await, 0);
}
