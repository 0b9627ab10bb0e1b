//! The order of an outline, and what is taken out of it.

use futures_util::future::join_all;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::app::Course;
use crate::support::{TestApp, User};

const OUTLINE: &str = "query ($id: ID!) { node(id: $id) { ... on Course { lessonCount durationSeconds
    sections(first: 5) { nodes { id position lessons(first: 40) { nodes { id position } } } } } } }";

/// The ids of sections, each with those of its lessons, in order.
type Outline = Vec<(String, Vec<String>)>;

/// The sections in order, each with its lessons in order; positions are 1 to n.
async fn outline(app: &TestApp, user: &User, course: &Course) -> Outline {
    let found = app.data(Some(&user.token), OUTLINE, json!({ "id": course.id })).await;
    let ids = |nodes: &Value| -> Vec<String> {
        let nodes = nodes.as_array().unwrap();
        for (place, node) in nodes.iter().enumerate() {
            assert_eq!(node["position"], place + 1, "{found:#}");
        }
        nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    };
    let sections = &found["node"]["sections"]["nodes"];
    let lessons = sections.as_array().unwrap().iter().map(|section| ids(&section["lessons"]["nodes"]));
    ids(sections).into_iter().zip(lessons).collect()
}

fn order(outline: &[(String, Vec<String>)]) -> Value {
    outline.iter().map(|(section, lessons)| json!({ "sectionId": section, "lessonIds": lessons })).collect()
}

async fn reorder(app: &TestApp, user: &User, course: &Course, sections: Value) -> Value {
    let query = "mutation ($input: ReorderCourseInput!) { reorderCourse(input: $input) {
        course { id } userErrors { code field message } } }";
    let version = app.sql(&format!("SELECT version FROM courses WHERE slug = '{}'", course.slug)).await;
    let version: i32 = version.parse().unwrap();
    let input = json!({ "courseId": course.id, "version": version, "sections": sections });
    app.data(Some(&user.token), query, json!({ "input": input })).await["reorderCourse"].take()
}

/// A course with two more sections, and so many lessons in each.
async fn school(app: &TestApp, ada: &User, lessons: usize) -> Course {
    let course = app.course(ada, "Engines", lessons).await;
    for _ in 0..2 {
        let input = json!({ "courseId": course.id, "title": "More" });
        let section = app.mutate(ada, "createSection", "section { id }", input).await["section"]["id"].clone();
        for _ in 0..lessons {
            let input = json!({ "sectionId": section, "title": "x", "kind": "ARTICLE", "durationSeconds": 300 });
            app.mutate(ada, "createLesson", "lesson { id }", input).await;
        }
    }
    course
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sections_and_lessons_move_in_one_mutation() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = school(&app, &ada, 3).await;
    let before = outline(&app, &ada, &course).await;
    let mut wanted = before.clone();
    wanted.reverse();
    let moved = wanted[0].1.remove(1);
    wanted[2].1.insert(0, moved);
    let emptied = std::mem::take(&mut wanted[1].1);
    wanted[2].1.extend(emptied);
    let answer = reorder(&app, &ada, &course, order(&wanted)).await;
    assert_eq!((&answer["userErrors"], &answer["course"]["id"]), (&json!([]), &json!(course.id)));
    assert_eq!(outline(&app, &ada, &course).await, wanted);
    app.forget_rows();
    assert_eq!(outline(&app, &ada, &course).await, wanted);
    reorder(&app, &ada, &course, order(&before)).await;
    assert_eq!(outline(&app, &ada, &course).await, before, "and back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_names_everything_once_and_nothing_else() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = school(&app, &ada, 2).await;
    let other = app.course(&ada, "Looms", 1).await;
    let before = outline(&app, &ada, &course).await;
    let foreign = outline(&app, &ada, &other).await;
    let mut cases: Vec<(Outline, Vec<(&str, String)>)> = Vec::new();
    cases.push((before[1..].to_vec(), vec![("BLANK", before[0].0.clone()), ("BLANK", before[0].1[0].clone())]));
    let mut without = before.clone();
    let left_out = without[1].1.remove(0);
    cases.push((without, vec![("BLANK", left_out)]));
    let mut twice = before.clone();
    twice[2].1.push(before[0].1[1].clone());
    cases.push((twice, vec![("INVALID", before[0].1[1].clone())]));
    let mut twice = before.clone();
    twice.push((before[0].0.clone(), Vec::new()));
    cases.push((twice, vec![("INVALID", before[0].0.clone())]));
    let mut strange = before.clone();
    strange[0].1.push(foreign[0].1[0].clone());
    strange.push((foreign[0].0.clone(), Vec::new()));
    cases.push((strange, vec![("NOT_FOUND", foreign[0].0.clone()), ("NOT_FOUND", foreign[0].1[0].clone())]));
    for (wrong, expected) in cases {
        let answer = reorder(&app, &ada, &course, order(&wrong)).await;
        let errors = answer["userErrors"].as_array().unwrap();
        assert_eq!(errors.len(), expected.len(), "{answer:#}");
        for (error, (code, named)) in errors.iter().zip(expected) {
            assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!(["sections"])), "{answer:#}");
            assert!(error["message"].as_str().unwrap().contains(&named), "{named}: {answer:#}");
        }
        assert_eq!(answer["course"], Value::Null);
        assert_eq!(outline(&app, &ada, &course).await, before, "nothing has moved");
    }
    assert_eq!(outline(&app, &ada, &other).await, foreign);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_leaves_no_gap_and_is_no_longer_counted() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = school(&app, &ada, 3).await;
    let before = outline(&app, &ada, &course).await;
    let counts = async || {
        let found = app.data(None, OUTLINE, json!({ "id": course.id })).await["node"].take();
        (found["lessonCount"].as_i64().unwrap(), found["durationSeconds"].as_i64().unwrap())
    };
    app.publish(&ada, &before[2].1[0]).await;
    assert_eq!(counts().await, (4, 1200));
    let input = json!({ "lessonId": before[0].1[1] });
    let answer = app.mutate(&ada, "deleteLesson", "course { id lessonCount durationSeconds }", input).await;
    assert_eq!(answer["course"], json!({ "id": course.id, "lessonCount": 3, "durationSeconds": 900 }));
    app.mutate(&ada, "deleteLesson", "course { id }", json!({ "lessonId": before[2].1[1] })).await;
    assert_eq!(counts().await, (3, 900), "a draft was not counted");
    app.mutate(&ada, "deleteSection", "course { id }", json!({ "sectionId": before[0].0 })).await;
    assert_eq!(counts().await, (1, 300));
    let mut expected = before[1..].to_vec();
    expected[1].1.remove(1);
    assert_eq!(outline(&app, &ada, &course).await, expected);
    for (field, input) in [
        ("deleteLesson", json!({ "lessonId": before[0].1[0] })),
        ("deleteSection", json!({ "sectionId": before[0].0 })),
    ] {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query =
            format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code field }} }} }}");
        let mut body = app.send(Some(&ada.token), &query, json!({ "input": input })).await;
        let gone = json!([{ "code": "NOT_FOUND", "field": [input.as_object().unwrap().keys().next()] }]);
        assert_eq!(body["data"][field]["userErrors"].take(), gone, "{field}: it is gone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reordering_creating_and_deleting_at_once_leave_a_valid_order() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = school(&app, &ada, 4).await;
    let start = outline(&app, &ada, &course).await;
    // Pure reorders first: all are valid, and those that nothing has overtaken are saved.
    let orders: Vec<Outline> = (0..20)
        .map(|number| {
            let mut all: Vec<String> = start.iter().flat_map(|(_, lessons)| lessons.clone()).collect();
            all.rotate_left(number % 12);
            let mut sections: Vec<String> = start.iter().map(|(section, _)| section.clone()).collect();
            sections.rotate_left(number % 3);
            let mut rest = all.into_iter();
            sections.into_iter().map(|section| (section, rest.by_ref().take(2 + number % 3).collect())).collect()
        })
        .map(|mut order: Outline| {
            let placed: Vec<String> = order.iter().flat_map(|(_, lessons)| lessons.clone()).collect();
            let all = start.iter().flat_map(|(_, lessons)| lessons.clone());
            order[0].1.extend(all.filter(|lesson| !placed.contains(lesson)));
            order
        })
        .collect();
    let answers = join_all(orders.iter().map(|wanted| reorder(&app, &ada, &course, order(wanted)))).await;
    let saved = answers.iter().filter(|answer| answer["userErrors"] == json!([])).count();
    let overtaken = answers.iter().filter(|answer| answer["userErrors"][0]["code"] == "CONFLICT").count();
    assert!(saved >= 1 && saved + overtaken == answers.len(), "{answers:#?}");
    let now = outline(&app, &ada, &course).await;
    assert!(orders.contains(&now), "one of the orders as a whole: {now:#?}");

    // Now with lessons that come and go in between: an order that no longer fits is refused as a whole.
    let doomed: Vec<String> = now.iter().flat_map(|(_, lessons)| lessons.iter().take(1).cloned()).collect();
    let reorders = join_all(orders.iter().map(|wanted| reorder(&app, &ada, &course, order(wanted))));
    let creations = join_all((0..6).map(|number| {
        let input = json!({ "sectionId": start[number % 3].0, "title": "New", "durationSeconds": 60 });
        app.mutate(&ada, "createLesson", "lesson { id }", input)
    }));
    let deletions = join_all(
        doomed.iter().map(|lesson| app.mutate(&ada, "deleteLesson", "course { id }", json!({ "lessonId": lesson }))),
    );
    let (_, created, deleted) = tokio::join!(reorders, creations, deletions);
    let mut expected: Vec<String> = start.iter().flat_map(|(_, lessons)| lessons.clone()).collect();
    expected.retain(|lesson| !doomed.contains(lesson));
    expected.extend(created.iter().map(|made| made["lesson"]["id"].as_str().unwrap().to_owned()));
    app.forget_rows();
    let now = outline(&app, &ada, &course).await;
    let mut found: Vec<String> = now.iter().flat_map(|(_, lessons)| lessons.clone()).collect();
    found.sort();
    expected.sort();
    assert_eq!((found, deleted.len()), (expected, doomed.len()), "every lesson once, positions 1 to n");
}
