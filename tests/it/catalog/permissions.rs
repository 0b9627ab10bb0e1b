//! Who may do what: every mutation by everybody.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::app::{Course, code_of};
use crate::support::{TestApp, User};

/// A course with a draft lesson that may be published.
struct Scene {
    app: TestApp,
    people: [(&'static str, Option<User>); 5],
    course: Course,
    lesson: String,
}

impl Scene {
    async fn new(published: bool) -> Scene {
        let app = TestApp::start().await;
        let owner = app.user("Ada", Role::Instructor).await;
        let course = app.course(&owner, "Engines", usize::from(published)).await;
        let lesson = app.lesson(&owner, &course, "Draft").await;
        let people = [
            ("anonymous", None),
            ("a student", Some(app.user("Stu", Role::Student).await)),
            ("another instructor", Some(app.user("Bob", Role::Instructor).await)),
            ("the owner", Some(owner)),
            ("an administrator", Some(app.user("Root", Role::Admin).await)),
        ];
        Scene { app, people, course, lesson }
    }

    /// Every mutation of a thing that exists, with an input that its owner may send.
    fn mutations(&self) -> Vec<(&'static str, Value)> {
        let (course, section, lesson) = (&self.course.id, &self.course.section, &self.lesson);
        vec![
            ("updateCourse", json!({ "courseId": course, "version": 1, "subtitle": "Now" })),
            ("createSection", json!({ "courseId": course, "title": "More" })),
            ("updateSection", json!({ "sectionId": section, "version": 1, "title": "Renamed" })),
            ("createLesson", json!({ "sectionId": section, "title": "New", "durationSeconds": 5 })),
            ("updateLesson", json!({ "lessonId": lesson, "version": 1, "title": "Renamed" })),
            ("publishLesson", json!({ "lessonId": lesson })),
            ("publishCourse", json!({ "courseId": course })),
        ]
    }

    /// The code of the error, "" if all went well.
    async fn outcome(&self, who: &Option<User>, field: &str, input: &Value) -> String {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!(
            "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code message }} }} }}"
        );
        let token = who.as_ref().map(|user| user.token.as_str());
        let body = self.app.send(token, &query, json!({ "input": input })).await;
        let code = code_of(&body);
        assert_eq!(body["data"][field].is_null(), !["", "NOT_FOUND"].contains(&code), "{field}: {body:#}");
        code.to_owned()
    }

    /// The input with the version that is there now, if it has one.
    async fn current(&self, user: &Option<User>, input: Value) -> Value {
        if input.get("version").is_none() {
            return input;
        }
        self.app.current(user.as_ref().unwrap(), input).await
    }

    /// All that the owner sees.
    async fn everything(&self) -> Value {
        let query = "query ($id: ID!) { node(id: $id) { ... on Course { title subtitle status lessonCount durationSeconds updatedAt
            sections { nodes { id title position lessons { nodes { id title status durationSeconds position } } } } } } }";
        let owner = self.people[3].1.as_ref().unwrap();
        self.app.data(Some(&owner.token), query, json!({ "id": self.course.id })).await
    }

    async fn check(&self, refusals: [&str; 3]) {
        let before = self.everything().await;
        for ((who, user), code) in self.people.iter().zip(refusals) {
            for (field, input) in self.mutations() {
                assert_eq!(self.outcome(user, field, &input).await, code, "{field} by {who}");
            }
        }
        assert_eq!(self.everything().await, before, "what was refused has changed nothing");
        for (who, user) in &self.people[3..] {
            for (field, input) in self.mutations() {
                let input = self.current(user, input).await;
                assert_eq!(self.outcome(user, field, &input).await, "", "{field} by {who}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_its_owners_and_nobody_else_learns_that_it_exists() {
    Scene::new(false).await.check(["UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_course_is_still_only_its_owners_to_change() {
    let scene = Scene::new(true).await;
    let before = scene.everything().await;
    for (field, input) in scene.mutations() {
        for ((who, user), code) in scene.people.iter().zip(["UNAUTHENTICATED", "FORBIDDEN", "FORBIDDEN"]) {
            // Bob sees the course but not the draft lesson in it.
            let hidden = *who == "another instructor" && input.get("lessonId").is_some();
            let code = if hidden { "NOT_FOUND" } else { code };
            assert_eq!(scene.outcome(user, field, &input).await, code, "{field} by {who}");
        }
    }
    assert_eq!(scene.everything().await, before, "what was refused has changed nothing");
    for (who, user) in &scene.people[3..] {
        for (field, input) in scene.mutations() {
            let input = scene.current(user, input).await;
            assert_eq!(scene.outcome(user, field, &input).await, "", "{field} by {who}");
        }
    }
    let bob = &scene.people[2].1;
    let published = json!({ "lessonId": scene.lesson });
    assert_eq!(scene.outcome(bob, "publishLesson", &published).await, "FORBIDDEN", "now that it is published");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instructors_and_administrators_create_courses_of_their_own() {
    let scene = Scene::new(false).await;
    let expected = ["UNAUTHENTICATED", "FORBIDDEN", "", "", ""];
    for ((who, user), code) in scene.people.iter().zip(expected) {
        let outcome = scene.outcome(user, "createCourse", &json!({ "title": "Mine" })).await;
        assert_eq!(outcome, code, "{who}");
        let Some(user) = user.as_ref().filter(|_| code.is_empty()) else { continue };
        let made =
            scene.app.mutate(user, "createCourse", "course { instructor { id } }", json!({ "title": "Mine" })).await;
        assert_eq!(made["course"]["instructor"]["id"], user.id, "{who}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_thing_and_one_that_never_was_are_told_apart_by_nobody() {
    let scene = Scene::new(false).await;
    let bob = scene.people[2].1.as_ref().unwrap();
    let nobody = |prefix: &str| format!("{prefix}_01h455vb4pex5vsknk084sn02q");
    for (field, input, never) in [
        ("publishCourse", json!({ "courseId": scene.course.id }), json!({ "courseId": nobody("course") })),
        (
            "updateSection",
            json!({ "sectionId": scene.course.section, "version": 1, "title": "x" }),
            json!({ "sectionId": nobody("section"), "version": 1, "title": "x" }),
        ),
        ("publishLesson", json!({ "lessonId": scene.lesson }), json!({ "lessonId": nobody("lesson") })),
    ] {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!(
            "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code field message }} }} }}"
        );
        let mut answers = Vec::new();
        for input in [input, never] {
            let mut body = scene.app.send(Some(&bob.token), &query, json!({ "input": input })).await;
            answers.push(body["data"].take());
        }
        assert_eq!(answers[0], answers[1], "{field}");
        assert_eq!(answers[0][field]["userErrors"][0]["code"], "NOT_FOUND", "{field}");
    }
}
