//! Sessions whose host or course is deleted.

use super::*;

const CANCELED: &str = "LIVE_SESSION_CHANGED “Valves” was canceled";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sessions_to_come_of_a_deleted_host_are_canceled() {
    let school = School::open().await;
    // Users are told of what happens after they have signed up.
    school.turn_to(at(1)).await;
    let (past, next) = (school.session(at(60), None).await, school.session(at(240), Some(1)).await);
    let last = school.session(at(360), None).await;
    for id in [&past, &next] {
        assert_eq!(school.join(&school.sam, id, false).await, "ELIGIBLE HELD");
    }
    assert_eq!(school.join(&school.tim, &next, true).await, "FULL WAITING");
    school.turn_to(at(120)).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 1 2 1");
    school.forget(&school.ada).await;
    for (id, status) in [(&past, "ENDED"), (&next, "CANCELED"), (&last, "CANCELED")] {
        assert_eq!(school.seen(Some(&school.root), id, "status").await["status"], status);
    }
    assert_eq!(school.hours(&school.sam, None).await, "0 0 2 2");
    assert_eq!(school.place(&school.tim, &next).await, "RELEASED");
    for user in [&school.sam, &school.tim] {
        let told = school.told(user).await;
        assert!(told.contains(&CANCELED.to_owned()), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sessions_of_a_deleted_course_are_hidden_at_once_and_canceled() {
    let school = School::open().await;
    school.turn_to(at(1)).await;
    let draft = school.app.course(&school.ada, "Drafts", 0).await;
    let mut input = school.input(at(360));
    input["courseId"] = json!(draft.id);
    let hidden = school.created(&school.ada, input).await[0]["id"].as_str().unwrap().to_owned();
    let id = school.session(at(240), None).await;
    school.join(&school.sam, &id, false).await;
    for course in [&draft, &school.course] {
        let input = json!({ "courseId": course.id });
        let deleted = school.app.mutate(&school.ada, "deleteCourse", "deletedCourseId", input).await;
        assert_eq!(deleted["deletedCourseId"], json!(course.id));
    }
    // Before a job has reacted to it.
    let listed = school.app.data(None, "{ liveSessions { totalCount } }", json!({})).await;
    assert_eq!(listed["liveSessions"]["totalCount"], 0);
    for id in [&hidden, &id] {
        assert_eq!(school.seen(None, id, "title").await, Value::Null);
    }
    school.settle().await;
    for id in [&hidden, &id] {
        let seen = school.seen(Some(&school.ada), id, "status course { id }").await;
        assert_eq!(seen, json!({ "status": "CANCELED", "course": null }));
    }
    assert_eq!(school.place(&school.sam, &id).await, "RELEASED");
    assert_eq!(school.hours(&school.sam, None).await, "0 0 2 2");
    let told = school.told(&school.sam).await;
    assert!(told.contains(&CANCELED.to_owned()), "{told:?}");
}
