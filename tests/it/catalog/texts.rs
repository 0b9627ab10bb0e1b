//! Titles, texts and durations: what is checked, and what a change leaves alone.

use chrono::TimeDelta;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

/// The payload of a mutation that may have user errors.
async fn payload(app: &TestApp, user: &User, field: &str, selection: &str, input: Value) -> Value {
    let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query = format!(
        "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
    );
    app.data(Some(&user.token), &query, json!({ "input": input })).await[field].take()
}

fn codes(payload: &Value) -> Vec<String> {
    let errors = payload["userErrors"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    errors.iter().map(|error| format!("{} {}", text(&error["field"][0]), text(&error["code"]))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_is_wrong_with_a_course_comes_at_once() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let long = |count: usize| "x".repeat(count);
    let texts = |title: &str, subtitle: &str, description: &str, slug: &str| json!({ "title": title, "subtitle": subtitle, "description": description, "slug": slug });
    let (all_wrong, nul) = (texts(" ", &long(201), &long(20_001), "No Slug"), texts("a\0", "b\0", "c\0", "d\0"));
    let expected = ["title BLANK", "subtitle TOO_LONG", "description TOO_LONG", "slug INVALID"];
    let course = app.course(&ada, "Engines", 0).await;
    for (input, mut expected) in [
        (all_wrong, expected.to_vec()),
        (nul, vec!["title INVALID", "subtitle INVALID", "description INVALID", "slug INVALID", "slug INVALID"]),
        (texts(&long(121), "", "", &long(81)), vec!["title TOO_LONG", "slug TOO_LONG"]),
    ] {
        let made = payload(&app, &ada, "createCourse", "course { id }", input.clone()).await;
        assert_eq!(
            (codes(&made), &made["course"]),
            (expected.iter().map(|code| code.to_string()).collect(), &Value::Null)
        );
        let mut input = input;
        input["courseId"] = json!(course.id);
        input["version"] = json!(1);
        let updated = payload(&app, &ada, "updateCourse", "course { id }", input).await;
        let mut found = codes(&updated);
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{updated:#}");
    }
    let longest = texts(&"ß".repeat(120), &"ß".repeat(200), &"ß".repeat(20_000), &long(80));
    assert_eq!(codes(&payload(&app, &ada, "createCourse", "course { id }", longest).await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sections_and_lessons_have_titles_and_lessons_last_up_to_a_day() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 0).await;
    let lesson = app.lesson(&ada, &course, "First").await;
    for (title, seconds, expected) in [
        ("", 0, vec!["title BLANK", "durationSeconds OUT_OF_RANGE"]),
        ("x", -1, vec!["durationSeconds OUT_OF_RANGE"]),
        ("x", 86_401, vec!["durationSeconds OUT_OF_RANGE"]),
        ("\0", i32::MIN, vec!["title INVALID", "durationSeconds OUT_OF_RANGE"]),
        ("x", 1, vec![]),
        ("x", 86_400, vec![]),
    ] {
        let create = json!({ "sectionId": course.section, "title": title, "durationSeconds": seconds });
        assert_eq!(codes(&payload(&app, &ada, "createLesson", "lesson { id }", create).await), expected);
        let update = json!({ "lessonId": lesson, "title": title, "durationSeconds": seconds });
        let update = app.current(&ada, update).await;
        assert_eq!(codes(&payload(&app, &ada, "updateLesson", "lesson { id }", update).await), expected);
    }
    for (title, expected) in [(" ", "title BLANK"), (&*"x".repeat(121), "title TOO_LONG"), ("\0", "title INVALID")] {
        let create = json!({ "courseId": course.id, "title": title });
        assert_eq!(codes(&payload(&app, &ada, "createSection", "section { id }", create).await), [expected]);
        let update = json!({ "sectionId": course.section, "version": 1, "title": title });
        assert_eq!(codes(&payload(&app, &ada, "updateSection", "section { id }", update).await), [expected]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_keeps_what_it_leaves_out() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let fields = "title slug subtitle description";
    let first = json!({ "title": " Engines ", "slug": "engines", "subtitle": "About", "description": "# Engines" });
    let made = app.mutate(&ada, "createCourse", "course { id }", first).await;
    let id = made["course"]["id"].clone();
    let mut expected =
        json!({ "title": "Engines", "slug": "engines", "subtitle": "About", "description": "# Engines" });
    for (field, value) in
        [("title", "Looms"), ("slug", "looms"), ("subtitle", ""), ("description", "Weaving"), ("title", "Looms")]
    {
        let selection = format!("course {{ {fields} }}");
        let changed = app.edit(&ada, "updateCourse", &selection, json!({ "courseId": id, field: value })).await;
        expected[field] = json!(value);
        assert_eq!(changed["course"], expected, "{field}");
    }
    let nulls = json!({ "courseId": id, "title": null, "slug": null, "subtitle": null, "description": null });
    let changed = app.edit(&ada, "updateCourse", &format!("course {{ {fields} }}"), nulls).await;
    assert_eq!(changed["course"], expected, "null is left out");

    let input = json!({ "courseId": id, "title": "Basics" });
    let section = app.mutate(&ada, "createSection", "section { id }", input).await["section"]["id"].clone();
    let input = json!({ "sectionId": section, "title": "First", "durationSeconds": 60 });
    let lesson = app.mutate(&ada, "createLesson", "lesson { id }", input).await["lesson"]["id"].clone();
    for (input, expected) in [
        (json!({ "lessonId": lesson, "title": "Second" }), json!({ "title": "Second", "durationSeconds": 60 })),
        (json!({ "lessonId": lesson, "durationSeconds": 90 }), json!({ "title": "Second", "durationSeconds": 90 })),
        (json!({ "lessonId": lesson }), json!({ "title": "Second", "durationSeconds": 90 })),
    ] {
        let changed = app.edit(&ada, "updateLesson", "lesson { title durationSeconds }", input).await;
        assert_eq!(changed["lesson"], expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_outline_shows_in_the_courses_time_of_change() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let lesson = app.lesson(&ada, &course, "Second").await;
    let times = "query ($id: ID!) { node(id: $id) { ... on Course { createdAt publishedAt updatedAt } } }";
    let steps = [
        ("updateCourse", "course { updatedAt }", json!({ "courseId": course.id, "version": 1, "title": "Looms" })),
        ("createSection", "section { course { updatedAt } }", json!({ "courseId": course.id, "title": "More" })),
        (
            "updateSection",
            "section { course { updatedAt } }",
            json!({ "sectionId": course.section, "version": 1, "title": "x" }),
        ),
        (
            "createLesson",
            "lesson { course { updatedAt } }",
            json!({ "sectionId": course.section, "title": "x", "durationSeconds": 1 }),
        ),
        ("updateLesson", "lesson { course { updatedAt } }", json!({ "lessonId": lesson, "version": 1, "title": "x" })),
        ("publishLesson", "lesson { course { updatedAt } }", json!({ "lessonId": lesson })),
    ];
    for (minute, (field, selection, input)) in steps.into_iter().enumerate() {
        app.app.clock.advance(TimeDelta::minutes(1));
        let now = format!("2026-11-20T09:{:02}:00+00:00", minute + 1);
        let answer = app.mutate(&ada, field, selection, input).await;
        assert!(answer.to_string().contains(&now), "{field}: the answer shows the course as it is now: {answer:#}");
        let stored = app.data(None, times, json!({ "id": course.id })).await;
        assert_eq!(stored["node"]["updatedAt"], now, "{field}");
        assert_eq!(stored["node"]["createdAt"], "2026-11-20T09:00:00+00:00", "{field}");
        assert_eq!(stored["node"]["publishedAt"], "2026-11-20T09:00:00+00:00", "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_without_a_published_lesson_cannot_be_published() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 0).await;
    let lesson = app.lesson(&ada, &course, "Draft").await;
    let publish = json!({ "courseId": course.id });
    let refused = payload(&app, &ada, "publishCourse", "course { id }", publish.clone()).await;
    assert_eq!((codes(&refused), &refused["course"]), (vec!["courseId NOT_ALLOWED".to_owned()], &Value::Null));
    app.publish(&ada, &lesson).await;
    let published = app.mutate(&ada, "publishCourse", "course { status publishedAt }", publish.clone()).await;
    app.app.clock.advance(TimeDelta::minutes(30));
    let again = app.mutate(&ada, "publishCourse", "course { status publishedAt }", publish).await;
    assert_eq!(again, published, "publishing it again changes nothing");
    assert_eq!(again["course"]["publishedAt"], "2026-11-20T09:00:00+00:00");
}
