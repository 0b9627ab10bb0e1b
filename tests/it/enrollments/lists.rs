//! Enrollments: rows that are made with the first access, their lists, and who sees them.

use super::*;

const LIST: &str = "query ($filter: EnrollmentFilter, $sort: EnrollmentSort, $first: Int, $last: Int, $after: String, $before: String) {
    viewer { enrollments(filter: $filter, sort: $sort, first: $first, last: $last, after: $after, before: $before) {
        totalCount nodes { id course { title } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
const NODE: &str = "query ($id: ID!) { node(id: $id) { ... on Enrollment { id enrolledAt lastActivityAt user { name }
    course { title status description sections { nodes { title } } lessons { totalCount } viewerAccess { granted reason } }
    entitlements { totalCount nodes { source expiresAt endedAt } } } } }";

impl School {
    async fn list(&self, arguments: Value) -> Value {
        self.app.data(Some(&self.sam.token), LIST, arguments).await["viewer"]["enrollments"].take()
    }

    async fn enroll(&self, title: &str) -> Course {
        let course = self.app.course(&self.ada, title, 1).await;
        self.app.app.clock.advance(TimeDelta::seconds(1));
        self.app.mutate(&self.sam, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
        course
    }

    /// The viewer's enrollment in the course of the school.
    async fn mine(&self, token: Option<&str>) -> Value {
        let query = "query ($id: ID) { course(id: $id) { viewerEnrollment { id enrolledAt } } }";
        self.app.data(token, query, json!({ "id": self.course.id })).await["course"]["viewerEnrollment"].take()
    }
}

fn titles(list: &Value) -> Vec<&str> {
    list["nodes"].as_array().unwrap().iter().map(|node| node["course"]["title"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_access_makes_an_enrollment_that_stays() {
    let school = school().await;
    let token = Some(&*school.sam.token);
    assert_eq!(school.mine(token).await, Value::Null);
    let began = school.now();
    school.grant(&school.sam, Some(began + TimeDelta::minutes(10))).await;
    let made = school.mine(token).await;
    assert_eq!(made["enrolledAt"], began.to_rfc3339());
    let uuid = lyceum::graphql::id::split(made["id"].as_str().unwrap()).unwrap().1;
    assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
    let seconds = uuid.get_timestamp().unwrap().to_unix().0;
    assert_eq!(i64::try_from(seconds).unwrap(), began.timestamp(), "ids are in the order of time");
    school.pass(TimeDelta::minutes(20)).await;
    school.app.mutate(&school.sam, "enroll", "entitlement { id }", json!({ "courseId": school.course.id })).await;
    assert_eq!(school.mine(token).await, made, "the same after it expired and began again");
    assert_eq!(school.app.sql("SELECT count(*) FROM enrollments").await, "1");
    assert_eq!(school.mine(None).await, Value::Null);
    assert_eq!(school.mine(Some(&school.ada.token)).await, Value::Null, "who teaches it is not enrolled");
    let node = school.app.data(token, NODE, json!({ "id": made["id"] })).await["node"].take();
    let entitlements = json!({ "totalCount": 2, "nodes": [
        { "source": "FREE", "expiresAt": null, "endedAt": null },
        { "source": "GRANT", "expiresAt": (began + TimeDelta::minutes(10)).to_rfc3339(),
            "endedAt": (began + TimeDelta::minutes(20)).to_rfc3339() },
    ] });
    assert_eq!((&node["user"]["name"], &node["lastActivityAt"]), (&json!("Sam"), &Value::Null));
    assert_eq!(node["entitlements"], entitlements);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_its_user_and_administrators_see_an_enrollment() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    let id = school.mine(Some(&school.sam.token)).await["id"].take();
    let eve = school.app.user("Eve", Role::Student).await;
    for (token, sees) in [
        (Some(&*school.sam.token), true),
        (Some(&*school.root.token), true),
        (Some(&*school.ada.token), false),
        (Some(&*eve.token), false),
        (None, false),
    ] {
        let found = school.app.data(token, NODE, json!({ "id": id })).await["node"].take();
        assert_eq!(found["id"] == id, sees, "{found:#}");
        assert_eq!(found.is_null(), !sees);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_that_was_unpublished_is_still_named_to_those_with_access() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    let id = school.mine(Some(&school.sam.token)).await["id"].take();
    school.app.sql("UPDATE courses SET published_at = NULL").await;
    school.app.forget_rows();
    let course =
        async |token: &str| school.app.data(Some(token), NODE, json!({ "id": id })).await["node"]["course"].take();
    let seen = course(&school.sam.token).await;
    assert_eq!((&seen["title"], &seen["status"]), (&json!("Engines"), &json!("DRAFT")));
    assert_eq!((&seen["sections"]["nodes"], &seen["lessons"]["totalCount"]), (&json!([]), &json!(0)));
    assert_eq!(seen["viewerAccess"], json!({ "granted": false, "reason": "NOT_PUBLISHED" }));
    let active = school.list(json!({ "filter": { "state": "ACTIVE" } })).await;
    assert_eq!(titles(&active), ["Engines"], "access is what they have, published or not");
    // Nothing else leads to it.
    let direct = "query ($id: ID!) { course(id: $id) { title } node(id: $id) { id } }";
    let direct = school.app.data(Some(&school.sam.token), direct, json!({ "id": school.course.id })).await;
    assert_eq!(direct, json!({ "course": null, "node": null }));
    school.revoke(&school.sam).await;
    assert_eq!(course(&school.sam.token).await, Value::Null, "it is no longer theirs to see");
    assert_eq!(course(&school.root.token).await["title"], "Engines");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_sorted_and_filtered_and_paged_in_both_directions() {
    let school = school().await;
    for title in ["cranks", "Boilers", "Axles"] {
        school.enroll(title).await;
    }
    let active = "UPDATE enrollments SET last_activity_at = '2026-11-21T00:00:00Z' FROM courses \
        WHERE courses.id = course_id AND title = 'Boilers'";
    school.app.sql(active).await;
    let sort = |field: &str, direction: &str| json!({ "field": field, "direction": direction });
    for (field, ascending) in [
        ("TITLE", ["Axles", "Boilers", "cranks"]),
        ("ENROLLED_AT", ["cranks", "Boilers", "Axles"]),
        ("LAST_ACTIVITY", ["cranks", "Axles", "Boilers"]),
    ] {
        let mut descending = ascending;
        descending.reverse();
        for (direction, expected) in [("ASC", ascending), ("DESC", descending)] {
            for filter in [json!({}), json!({ "state": "ACTIVE" })] {
                let arguments = json!({ "sort": sort(field, direction), "filter": filter });
                let all = school.list(arguments.clone()).await;
                assert_eq!((titles(&all), &all["totalCount"]), (expected.to_vec(), &json!(3)), "{arguments}");
                // One at a time, forward and backward.
                for (size, from, to) in [("first", "after", "endCursor"), ("last", "before", "startCursor")] {
                    let (mut found, mut cursor) = (Vec::new(), Value::Null);
                    for _ in 0..3 {
                        let mut arguments = arguments.clone();
                        arguments[size] = json!(1);
                        arguments[from] = cursor;
                        let page = school.list(arguments).await;
                        found.extend(titles(&page).into_iter().map(str::to_owned));
                        cursor = page["pageInfo"][to].clone();
                    }
                    if size == "last" {
                        found.reverse();
                    }
                    assert_eq!(found, expected, "{arguments} {size}");
                }
            }
        }
    }
    assert_eq!(titles(&school.list(json!({})).await), ["Boilers", "Axles", "cranks"], "latest activity first");
    let channel = "SELECT channel_id FROM courses WHERE title = 'Axles'";
    school.app.sql("UPDATE courses SET channel_id = NULL WHERE title = 'cranks'").await;
    school.app.forget_rows();
    let channel = lyceum::channels::ChannelId::new(school.app.sql(channel).await.parse().unwrap()).encode();
    for (state, expected) in
        [(Value::Null, &["Axles", "Boilers"][..]), (json!("ACTIVE"), &["Axles", "Boilers"]), (json!("ENDED"), &[])]
    {
        let arguments = json!({ "filter": { "channelId": channel, "state": state }, "sort": sort("TITLE", "ASC") });
        assert_eq!(titles(&school.list(arguments).await), expected, "{state}");
    }
    // A cursor of one order is refused by another.
    let cursor = school.list(json!({ "first": 1 })).await["pageInfo"]["endCursor"].take();
    let wrong = json!({ "after": cursor, "sort": sort("TITLE", "ASC") });
    let body = school.app.send(Some(&school.sam.token), LIST, wrong).await;
    assert_eq!(crate::support::app::code_of(&body), "BAD_USER_INPUT", "{body:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_entitled_by_category_or_for_everything_counts_as_access() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    school.revoke(&school.sam).await;
    let ended = async || titles(&school.list(json!({ "filter": { "state": "ENDED" } })).await).len();
    assert_eq!(ended().await, 1);
    let category = school.app.mutate(&school.root, "createCategory", "category { id }", json!({ "name": "A" })).await;
    let input = json!({ "courseId": school.course.id, "categoryId": category["category"]["id"] });
    school.app.edit(&school.ada, "updateCourse", "course { id }", input).await;
    let entitle = "INSERT INTO entitlements (id, user_id, scope, category_id, source, starts_at)
        SELECT gen_random_uuid(), user_id, 'CATEGORY', categories.id, 'MEMBERSHIP', '2020-01-01'
        FROM enrollments, categories";
    school.app.sql(entitle).await;
    assert_eq!(ended().await, 0);
    let id = school.mine(Some(&school.sam.token)).await["id"].take();
    let node = school.app.data(Some(&school.sam.token), NODE, json!({ "id": id })).await["node"].take();
    let sources = node["entitlements"]["nodes"].as_array().unwrap().iter().map(|row| &row["source"]);
    assert_eq!(sources.collect::<Vec<_>>(), ["GRANT", "MEMBERSHIP"]);
    school.app.sql("UPDATE courses SET category_id = NULL").await;
    school.app.forget_rows();
    assert_eq!(ended().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_enrollments_cost_as_many_statements_as_one_and_pages_share_them() {
    let school = school().await;
    for number in 0..20 {
        school.enroll(&format!("Course {number}")).await;
    }
    let token = Some(&*school.sam.token);
    for arguments in ["", "filter: { state: ACTIVE }, sort: { field: TITLE, direction: ASC }, "] {
        let query = format!(
            "query ($first: Int) {{ viewer {{ enrollments({arguments}first: $first) {{ totalCount nodes {{ id enrolledAt
                user {{ name }} entitlements {{ totalCount nodes {{ source expiresAt }} }}
                course {{ title viewerAccess {{ granted }} viewerEnrollment {{ id }} }} }} }} }} }}"
        );
        let one = school.app.statements(token, &query, json!({ "first": 1 })).await;
        assert_eq!(school.app.statements(token, &query, json!({ "first": 20 })).await, one, "{arguments}");
        assert!(one <= 8, "{one} {arguments}");
    }
    // Different lists of several users, in one request: one statement for each part of the list.
    let one = "{ users(first: 1) { nodes { enrollments(first: 2) { totalCount nodes { id } } } } }";
    let all = "{ users(first: 9) { nodes { enrollments(first: 2) { totalCount nodes { id } } } } }";
    let root = Some(&*school.root.token);
    let one = school.app.statements(root, one, json!({})).await;
    // Pages are pipelined statements on one connection, one for each user.
    assert!(school.app.statements(root, all, json!({})).await <= one + 2, "three users");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_first_accesses_at_once_make_one_enrollment() {
    let school = school().await;
    let peer = school.app.peer().await;
    let enroll = "mutation ($input: EnrollInput!) { enroll(input: $input) { userErrors { code } } }";
    let grant =
        "mutation ($input: GrantCourseAccessInput!) { grantCourseAccess(input: $input) { userErrors { code } } }";
    let calls = (0..12).map(|number| {
        let node = if number % 2 == 0 { &school.app } else { &peer };
        let (token, query, input) = match number % 3 {
            0 => (&school.root.token, grant, json!({ "userId": school.sam.id, "courseId": school.course.id })),
            _ => (&school.sam.token, enroll, json!({ "courseId": school.course.id })),
        };
        async move {
            let body = node.send(Some(token), query, json!({ "input": input })).await;
            assert!(body.get("errors").is_none(), "{body:#}");
        }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(school.app.sql("SELECT count(*) FROM enrollments").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enrollments_go_with_their_course_and_the_migration_makes_those_of_old_entitlements() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    school.app.mutate(&school.sam, "enroll", "entitlement { id }", json!({ "courseId": school.course.id })).await;
    school.revoke(&school.sam).await;
    let before = school.app.sql("SELECT user_id || ' ' || course_id || ' ' || since FROM enrollments").await;
    school.app.sql("DELETE FROM enrollments").await;
    let fill = include_str!("../../../migrations/2026-11-22-000049_enrollments_of_entitlements/up.sql");
    let (fill, _) = fill.split_once(";\n").unwrap();
    for _ in 0..2 {
        school.app.sql(fill).await;
        let made =
            school.app.sql("SELECT string_agg(user_id || ' ' || course_id || ' ' || since, ',') FROM enrollments");
        assert_eq!(made.await, before);
    }
    school.app.sql("UPDATE entitlements SET ended_at = now(), end_reason = 'EXPIRED'").await;
    school.app.sql("DELETE FROM courses").await;
    assert_eq!(school.app.sql("SELECT count(*) FROM enrollments").await, "0");
    assert_eq!(school.app.sql("SELECT count(*) FROM entitlements").await, "2", "the ledger stays");
}
