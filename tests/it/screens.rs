//! The operations of a course site's screens, which are in `tests/screens/`: without errors, below the limit of cost, and
//! in as many statements for many rows as for few.

use std::collections::BTreeMap;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::OperationType;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

/// A school that grows.
struct School {
    app: TestApp,
    root: User,
    ada: User,
    sam: User,
    /// The category of the courses, below another one.
    category: String,
    /// The first course, and its first lesson.
    course: String,
    lesson: String,
    /// A question about that lesson.
    question: String,
    /// Sam's review of the first course.
    review: String,
    /// Sam's latest order.
    order: String,
}

impl School {
    async fn open() -> School {
        let app = TestApp::start().await;
        let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
        let sam = app.user("Sam", Role::Student).await;
        app.settle().await;
        let category = async |name: &str, parent: Option<&str>| {
            let input = json!({ "name": name, "parentId": parent });
            let made = app.mutate(&root, "createCategory", "category { id }", input).await;
            made["category"]["id"].as_str().unwrap().to_owned()
        };
        let upper = category("Engineering", None).await;
        let category = category("Machines", Some(&upper)).await;
        let mut school = School {
            app,
            root,
            ada,
            sam,
            category,
            course: String::new(),
            lesson: String::new(),
            question: String::new(),
            review: String::new(),
            order: String::new(),
        };
        school.grow(0).await;
        school
    }

    /// Another course with a student, another person, another invitation, another lesson of the first course.
    async fn grow(&mut self, number: usize) {
        let School { app, root, ada, sam, .. } = self;
        let course = app.course(ada, &format!("Engines {number}"), 2).await;
        let facts = json!({ "courseId": course.id, "categoryId": self.category, "tags": ["steam"] });
        app.edit(ada, "updateCourse", "course { id }", facts).await;
        app.mutate(sam, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
        let person = app.user(&format!("Person{number}"), Role::Instructor).await;
        app.mutate(&person, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
        app.settle().await;
        let channel = json!({ "name": format!("Channel {number}") });
        let channel = app.mutate(&person, "createChannel", "channel { id }", channel).await;
        app.mutate(sam, "followChannel", "channel { id }", json!({ "channelId": channel["channel"]["id"] })).await;
        let invited = json!({ "email": format!("p{number}@people.example"), "name": "P", "role": "INSTRUCTOR" });
        app.mutate(root, "addTeamMember", "invitation { id }", invited).await;
        let token = json!({ "name": "Importer", "scopes": ["READ_COURSES"], "expiresAt": "2027-01-01T00:00:00Z" });
        app.mutate(sam, "createApiToken", "apiToken { id }", token).await;
        if number == 0 {
            let outline = "query ($id: ID) { course(id: $id) { lessons { nodes { id } } } }";
            let lessons = app.data(None, outline, json!({ "id": course.id })).await;
            self.lesson = lessons["course"]["lessons"]["nodes"][0]["id"].as_str().unwrap().to_owned();
            self.course = course.id;
        } else {
            let input = json!({ "courseId": self.course, "title": format!("Section {number}") });
            let section = app.mutate(ada, "createSection", "section { id }", input).await;
            let section = section["section"]["id"].as_str().unwrap().to_owned();
            let more = crate::support::app::Course { id: self.course.clone(), slug: String::new(), section };
            let lesson = app.lesson(ada, &more, "More").await;
            app.publish(ada, &lesson).await;
        }
        // Ada asks, Sam replies and reports: he is in the first course from the beginning.
        let input = json!({ "lessonId": self.lesson, "title": format!("How {number}?"), "body": "Why?" });
        let asked = app.mutate(ada, "createQuestion", "question { id }", input).await;
        self.question = asked["question"]["id"].as_str().unwrap().to_owned();
        let reply = json!({ "parentId": self.question, "body": "So." });
        app.mutate(sam, "createReply", "reply { id }", reply).await;
        let report = json!({ "postId": self.question, "reason": "Twice" });
        app.mutate(sam, "reportPost", "report { id }", report).await;
        let order = json!({
            "items": [{ "donation": { "amount": "5", "currency": "EUR" } }],
            "billing": { "country": "DE", "currency": "EUR" },
            "expectedTotal": { "amount": "5", "currency": "EUR" },
        });
        let order = app.mutate(sam, "createOrder", "order { id }", order).await;
        self.order = order["order"]["id"].as_str().unwrap().to_owned();
        let coupon = json!({ "code": format!("COUPON-{number}"), "percent": 10, "courseIds": [self.course] });
        app.mutate(root, "createCoupon", "coupon { id }", coupon).await;
        // The person and Sam review the first course, Ada responds.
        app.mutate(&person, "enroll", "entitlement { id }", json!({ "courseId": self.course })).await;
        for reviewer in [Some(&person), (number == 0).then_some(&*sam)].into_iter().flatten() {
            let review = json!({ "courseId": self.course, "stars": 4, "body": "Good." });
            let review = app.mutate(reviewer, "createReview", "review { id }", review).await["review"]["id"].take();
            let response = json!({ "parentId": review, "body": "Thanks." });
            app.mutate(ada, "createReply", "reply { id }", response).await;
            if number == 0 {
                self.review = review.as_str().unwrap().to_owned();
            }
        }
    }

    /// Whose screen it is, and its variables; `None` for an operation that the table does not know.
    fn screen(&self, operation: &str) -> Option<(Option<&User>, Value)> {
        let School { root, ada, sam, course, lesson, .. } = self;
        Some(match operation {
            "Home" => (Some(sam), json!({ "signedIn": true })),
            "CategoryPage" => {
                let sort = json!({ "field": "RATING", "direction": "DESC" });
                (None, json!({ "slug": "engineering", "filter": { "levels": ["BEGINNER"] }, "sort": sort }))
            }
            "Search" => {
                let sort = json!({ "field": "PUBLISHED_AT", "direction": "ASC" });
                (None, json!({ "query": "engines", "filter": { "categorySlugs": ["machines"] }, "sort": sort }))
            }
            "SearchBox" => (None, json!({ "query": "engi" })),
            "CourseLanding" | "Curriculum" => (Some(sam), json!({ "slug": "engines-0" })),
            "LessonPlayer" => (Some(sam), json!({ "id": lesson })),
            "MyLearning" => {
                let sort = json!({ "field": "TITLE", "direction": "ASC" });
                (Some(sam), json!({ "filter": { "state": "ACTIVE" }, "sort": sort }))
            }
            "AccountSettings" => (Some(sam), json!({})),
            "InstructorDashboard" => (Some(ada), json!({})),
            "CourseEditor" => (Some(ada), json!({ "id": course })),
            "LessonEditor" => (Some(ada), json!({ "id": lesson })),
            "AdminUsers" | "AdminSessions" | "AdminCatalog" => (Some(root), json!({})),
            "AdminUser" => (Some(root), json!({ "id": sam.id })),
            "AdminCourse" => (Some(root), json!({ "id": course })),
            "LessonDiscussion" => (Some(sam), json!({ "id": lesson, "sort": "MOST_VOTED" })),
            "CourseQuestions" => (Some(sam), json!({ "id": course, "words": "how" })),
            "CourseReviews" => {
                (Some(sam), json!({ "id": course, "filter": { "stars": [3, 4] }, "sort": "MOST_HELPFUL" }))
            }
            "ReviewForm" => (Some(sam), json!({ "id": course })),
            "WriteReview" => (Some(sam), json!({ "course": course, "stars": 5, "body": "Great." })),
            "ChangeReview" => (Some(sam), json!({ "review": self.review, "version": 1, "stars": 5 })),
            "ModerationQueue" => (Some(ada), json!({})),
            "VotePost" => (Some(sam), json!({ "post": self.question, "voted": true })),
            "Heartbeat" => {
                let at = self.app.app.clock.now();
                (Some(sam), json!({ "id": lesson, "position": 5, "watched": [{ "from": 0, "to": 5 }], "at": at }))
            }
            "OfflineProgress" => {
                let at = self.app.app.clock.now();
                (Some(sam), json!({ "entries": [{ "lessonId": lesson, "positionSeconds": 5, "at": at }] }))
            }
            "MyCertificates" => (Some(sam), json!({})),
            "VerifyCertificate" => (None, json!({ "code": "0123-4567-89AB" })),
            "OrderStatus" => (Some(sam), json!({ "id": self.order })),
            "MyOrders" => (Some(sam), json!({})),
            "AdminOrders" => (Some(root), json!({ "filter": { "statuses": ["PENDING"] } })),
            "AdminOrder" => (Some(root), json!({ "id": self.order })),
            "AdminCoupons" => (Some(root), json!({})),
            "CompleteLesson" => (Some(sam), json!({ "id": lesson, "completed": true })),
            _ => return None,
        })
    }
}

/// The operations by name, each with the text of its file.
fn operations() -> BTreeMap<String, (String, OperationType)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/screens")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for (name, operation) in parse_query(&text).unwrap().operations.iter() {
            let name = name.expect("an operation of a screen has a name").to_string();
            found.insert(name, (text.clone(), operation.node.ty));
        }
    }
    found
}

async fn send(school: &School, name: &str, text: &str) -> Value {
    let (user, variables) = school.screen(name).unwrap_or_else(|| panic!("the table lacks {name}"));
    let body = json!({ "query": text, "operationName": name, "variables": variables });
    let mut request = school.app.client.post(format!("{}/graphql", school.app.url)).json(&body);
    if let Some(user) = user {
        request = request.bearer_auth(&user.token);
    }
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_screen_is_one_operation_without_errors_below_the_limit_of_cost() {
    let mut school = School::open().await;
    // The operations of an upload need a store: `media::upload` does the same with one.
    let screens: Vec<(String, String)> = operations()
        .into_iter()
        .filter(|(name, (_, kind))| *kind == OperationType::Query || school.screen(name).is_some())
        .map(|(name, (text, _))| (name, text))
        .collect();
    assert!(screens.len() >= 15, "{} screens", screens.len());
    let mut few = BTreeMap::new();
    for round in ["few", "many"] {
        for (name, text) in &screens {
            send(&school, name, text).await;
            let cold = async || {
                school.app.forget_rows();
                send(&school, name, text).await
            };
            let (statements, body) = school.app.counted(cold).await;
            assert!(body.get("errors").is_none(), "{name}: {body:#}");
            assert!(
                body["extensions"]["cost"]["requested"].as_u64().unwrap() < 15_000,
                "{name}: {}",
                body["extensions"]
            );
            if round == "few" {
                few.insert(name.clone(), statements);
            } else {
                // Whether a page goes on decides about a statement or two, not how many rows it has; on a busy machine keys
                // that come late make a second batch.
                assert!(statements <= few[name] + 2, "{name}: {} statements, then {statements}", few[name]);
            }
        }
        if round == "few" {
            for number in 1..6 {
                school.grow(number).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operations_of_an_upload_are_valid() {
    let app = TestApp::start().await;
    for (name, (text, kind)) in operations() {
        // Subscriptions need a socket; `tests/clients` validates them.
        if kind != OperationType::Mutation {
            continue;
        }
        let request = app.client.post(format!("{}/graphql", app.url));
        let body = json!({ "query": text, "operationName": name, "variables": {
            "id": "upload_01h455vb4pex5vsknk084sn02q", "lesson": "lesson_01h455vb4pex5vsknk084sn02q", "version": 1,
            "video": "video_01h455vb4pex5vsknk084sn02q", "completed": true, "isPublic": true, "entries": [],
            "course": "course_01h455vb4pex5vsknk084sn02q", "review": "review_01h455vb4pex5vsknk084sn02q", "stars": 5,
            "total": { "amount": "19.90", "currency": "EUR" }, "order": "order_01h455vb4pex5vsknk084sn02q", "code": "CODE",
            "body": "Great.", "post": "question_01h455vb4pex5vsknk084sn02q", "voted": true, "position": 1, "watched": [], "at": "2026-11-20T09:00:00Z",
            "input": { "filename": "a.mp4", "contentType": "video/mp4", "sizeBytes": 1 },
        } });
        let answer: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
        let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
        assert!(!code.starts_with("GRAPHQL_"), "{name}: {answer:#}");
    }
}
