//! Idempotency keys: every mutation that creates something can be sent again.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{ServiceDocument, TypeKind, TypeSystemDefinition};
use chrono::TimeDelta;
use futures_util::future::join_all;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

/// A school with what the mutations need.
struct School {
    app: TestApp,
    root: User,
    ada: User,
    course: crate::support::app::Course,
}

impl School {
    async fn open() -> School {
        let app = TestApp::start().await;
        let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
        let course = app.course(&ada, "Engines", 0).await;
        School { app, root, ada, course }
    }

    /// Each mutation that creates something: its name, who calls it, its entity, two inputs, and the table.
    fn mutations(&self) -> Vec<(&'static str, &User, &'static str, Value, Value, &'static str)> {
        let (course, section) = (&self.course.id, &self.course.section);
        let token =
            |name: &str| json!({ "name": name, "scopes": ["READ_COURSES"], "expiresAt": "2027-01-01T00:00:00Z" });
        let upload = |name: &str| json!({ "filename": name, "contentType": "video/mp4", "sizeBytes": 9 });
        let section_input = |title: &str| json!({ "courseId": course, "title": title });
        let lesson = |title: &str| json!({ "sectionId": section, "title": title });
        let named = |field: &str, name: &str| json!({ field: name });
        vec![
            ("createCourse", &self.ada, "course", named("title", "A"), named("title", "B"), "courses"),
            ("createSection", &self.ada, "section", section_input("A"), section_input("B"), "sections"),
            ("createLesson", &self.ada, "lesson", lesson("A"), lesson("B"), "lessons"),
            ("createCategory", &self.root, "category", named("name", "A"), named("name", "B"), "categories"),
            ("createChannel", &self.ada, "channel", named("name", "A"), named("name", "B"), "channels"),
            ("createApiToken", &self.ada, "apiToken", token("A"), token("B"), "api_tokens"),
            ("createUpload", &self.ada, "upload", upload("a.mp4"), upload("b.mp4"), "uploads"),
        ]
    }

    async fn count(&self, table: &str) -> u32 {
        self.app.sql(&format!("SELECT count(*) FROM {table}")).await.parse().unwrap()
    }
}

fn with(mut input: Value, key: &str) -> Value {
    input["idempotencyKey"] = json!(key);
    input
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_parallel_calls_with_one_key_create_one() {
    let school = School::open().await;
    for (field, user, entity, input, other, table) in school.mutations() {
        let before = school.count(table).await;
        let selection = format!("{entity} {{ id }}");
        let call = || school.app.payload(user, field, &selection, with(input.clone(), field));
        let answers = join_all((0..20).map(|_| call())).await;
        let id = &answers[0][entity]["id"];
        assert!(id.is_string(), "{field}: {:#}", answers[0]);
        assert!(answers.iter().all(|answer| answer[entity]["id"] == *id), "{field}: {answers:#?}");
        assert_eq!(school.count(table).await, before + 1, "{field}");
        let refused = school.app.payload(user, field, &selection, with(other, field)).await;
        assert_eq!(refused[entity], Value::Null, "{field}");
        assert_eq!(
            refused["userErrors"],
            json!([{ "code": "TAKEN", "field": ["idempotencyKey"],
                "message": "This key was used with another input; choose a new one." }]),
            "{field}"
        );
        // Without a key, the same input creates another one; or says that the slug is taken.
        let again = school.app.payload(user, field, &selection, input).await;
        assert!(again[entity]["id"] != *id, "{field}: {again:#}");
    }
}

#[test]
fn every_mutation_that_creates_takes_a_key() {
    let sdl = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    let ServiceDocument { definitions } = parse_schema(sdl).unwrap();
    let mut without = Vec::new();
    for definition in &definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let (name, TypeKind::InputObject(input)) = (&ty.node.name.node, &ty.node.kind) else { continue };
        let creates = name.starts_with("Create") && name.ends_with("Input");
        if creates && !input.fields.iter().any(|field| field.node.name.node == "idempotencyKey") {
            without.push(name.to_string());
        }
    }
    assert_eq!(without, [""; 0]);
}

#[tokio::test]
async fn a_key_belongs_to_its_user_for_a_day_and_is_free_again_after_a_failure() {
    let school = School::open().await;
    let bob = school.app.user("Bob", Role::Instructor).await;
    let create = async |user: &User, title: &str, key: &str| {
        let input = with(json!({ "title": title }), key);
        let mut payload = school.app.payload(user, "createCourse", "course { id }", input).await;
        match payload["course"]["id"].as_str() {
            Some(id) => id.to_owned(),
            None => payload["userErrors"][0]["code"].take().as_str().unwrap().to_owned(),
        }
    };
    assert_eq!(create(&school.ada, "", "k").await, "BLANK");
    let first = create(&school.ada, "Looms", "k").await;
    assert!(first.starts_with("course_"), "the failure has used up nothing");
    assert_ne!(create(&bob, "Looms", "k").await, first, "Bob's key is another one");
    assert_eq!(create(&school.ada, "Looms", "k").await, first);
    for key in ["", " ", &"x".repeat(101)] {
        assert!(["BLANK", "TOO_LONG"].contains(&create(&school.ada, "Looms", key).await.as_str()), "{key:?}");
    }
    school.app.mutate(&school.ada, "deleteCourse", "deletedCourseId", json!({ "courseId": first })).await;
    assert_eq!(create(&school.ada, "Looms", "k").await, "NOT_FOUND");
    school.app.sql("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'").await;
    let next = create(&school.ada, "Looms", "k").await;
    assert!(next.starts_with("course_") && next != first, "a day later the key is new");
    school.app.app.clock.advance(TimeDelta::hours(25));
    school.app.run("idempotency.forget").await;
    assert_eq!(school.count("idempotency_keys").await, 0);
}

#[tokio::test]
async fn the_secret_of_a_token_is_not_told_twice() {
    let school = School::open().await;
    let input = json!({ "name": "A", "scopes": ["READ_COURSES"], "expiresAt": "2027-01-01T00:00:00Z" });
    let input = with(input, "k");
    let first = school.app.mutate(&school.ada, "createApiToken", "token apiToken { id }", input.clone()).await;
    let again = school.app.mutate(&school.ada, "createApiToken", "token apiToken { id }", input).await;
    assert!(first["token"].is_string());
    assert_eq!((&again["token"], &again["apiToken"]), (&Value::Null, &first["apiToken"]));
}
