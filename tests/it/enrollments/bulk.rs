//! The access of many users, and what an administrator sees of one.

use super::*;
use crate::support::app::code_of;

const GHOST: &str = "user_00000000000000000000000001";
const RESULTS: &str = "results { id entitlement { source endReason user { name } } userErrors { code field } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_get_access_and_lose_it() {
    let school = school().await;
    let tim = school.app.user("Tim", Role::Student).await;
    let ids = json!([school.sam.id, GHOST, tim.id]);
    let input = json!({ "userIds": ids, "courseId": school.course.id, "reason": "A class." });
    let granted = school.app.mutate(&school.root, "bulkGrantCourseAccess", RESULTS, input).await["results"].take();
    assert_eq!(granted[0]["entitlement"], json!({ "source": "GRANT", "endReason": null, "user": { "name": "Sam" } }));
    assert_eq!(granted[1]["userErrors"], json!([{ "code": "NOT_FOUND", "field": ["userIds", "1"] }]));
    assert_eq!((&granted[2]["id"], &granted[2]["userErrors"]), (&json!(tim.id), &json!([])));
    assert_eq!(school.students().await, 2);
    let input = json!({ "userIds": [tim.id, school.ada.id], "courseId": school.course.id });
    let revoked = school.app.mutate(&school.root, "bulkRevokeCourseAccess", RESULTS, input).await["results"].take();
    assert_eq!(revoked[0]["entitlement"]["endReason"], "REVOKED");
    assert_eq!(revoked[1]["userErrors"], json!([{ "code": "NOT_FOUND", "field": [] }]), "she had none");
    assert_eq!(school.students().await, 1);

    let wrong = json!({ "userIds": [tim.id], "courseId": "course_00000000000000000000000001" });
    let refused = school.app.mutate(&school.root, "bulkGrantCourseAccess", RESULTS, wrong).await;
    assert_eq!(refused["results"][0]["userErrors"], json!([{ "code": "NOT_FOUND", "field": ["courseId"] }]));
    let input = json!({ "input": { "userIds": [tim.id], "courseId": school.course.id } });
    for field in ["bulkGrantCourseAccess", "bulkRevokeCourseAccess"] {
        let ty = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!("mutation ($input: {ty}!) {{ {field}(input: $input) {{ results {{ id }} }} }}");
        for (token, code) in [(None, "UNAUTHENTICATED"), (Some(&*school.ada.token), "FORBIDDEN")] {
            assert_eq!(code_of(&school.app.send(token, &query, input.clone()).await), code, "{field}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_sees_what_a_user_is_enrolled_in() {
    let school = school().await;
    for number in 0..4 {
        school.app.app.clock.advance(TimeDelta::seconds(1));
        let course = school.app.course(&school.ada, &format!("Course {number}"), 1).await;
        school.app.mutate(&school.sam, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
    }
    let query = "query ($id: ID!, $first: Int, $after: String) { user(id: $id) { name
        enrollments(first: $first, after: $after) { totalCount nodes { id enrolledAt course { title } } pageInfo { endCursor hasNextPage } } } }";
    let page = async |token: Option<&str>, arguments: Value| {
        let mut variables = json!({ "id": school.sam.id });
        variables.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        school.app.send(token, query, variables).await
    };
    let root = Some(&*school.root.token);
    let first = page(root, json!({ "first": 3 })).await["data"]["user"]["enrollments"].take();
    let titles = |page: &Value| -> Vec<Value> {
        page["nodes"].as_array().unwrap().iter().map(|node| node["course"]["title"].clone()).collect()
    };
    assert_eq!(titles(&first), ["Course 3", "Course 2", "Course 1"]);
    assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(4), &json!(true)));
    let rest = page(root, json!({ "first": 3, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(titles(&rest["data"]["user"]["enrollments"]), ["Course 0"]);
    let own = "{ viewer { enrollments(first: 1) { totalCount nodes { id } } } }";
    let own = school.app.data(Some(&school.sam.token), own, json!({})).await["viewer"]["enrollments"].take();
    assert_eq!((&own["totalCount"], &own["nodes"][0]["id"]), (&json!(4), &first["nodes"][0]["id"]), "the same");
    for (token, code) in
        [(None, "UNAUTHENTICATED"), (Some(&*school.ada.token), "FORBIDDEN"), (Some(&*school.sam.token), "FORBIDDEN")]
    {
        let body = page(token, json!({})).await;
        assert_eq!((code_of(&body), &body["data"]["user"]["name"]), (code, &json!("Sam")), "{body:#}");
        assert_eq!(body["data"]["user"]["enrollments"], Value::Null);
    }
}
