//! What each scope of a personal API token shows of the fields that are open to everybody.

use std::time::Duration;

use async_graphql::{Request, Variables};
use futures_util::StreamExt;
use lyceum::graphql::Executor;
use lyceum::graphql::executor::RequestInfo;
use lyceum::graphql::fan_out::Payload;
use lyceum::platform::auth::{Actor, Role, Scope, Scopes};
use serde_json::{Value, json};

use crate::support::app::Course;
use crate::support::socket::{PATIENCE, beginning};
use crate::support::{TestApp, User};

/// The first response, without what it cost.
async fn answer(executor: &Executor, actor: Actor, query: &str, variables: &Value) -> Value {
    let caller = RequestInfo { actor, client: Default::default(), request_id: "0123456789abcdef".into() };
    let request = Request::new(query).variables(Variables::from_json(variables.clone()));
    let first = tokio::time::timeout(PATIENCE, executor.stream(request, caller).next()).await.expect("no answer");
    let Some(Payload::Own(first)) = first else { panic!("nothing has happened that others hear of") };
    let mut response = serde_json::to_value(first).unwrap();
    response.as_object_mut().unwrap().remove("extensions");
    response
}

/// The user in a session, or with a token of these scopes.
fn acting(app: &TestApp, user: &User, scopes: Option<Scopes>) -> Actor {
    match app.app.tokens.read(&user.token).unwrap() {
        Actor::User { id, role, session, version, expires_at, .. } => {
            Actor::User { id, role, session, version, expires_at, scopes }
        }
        Actor::Anonymous => panic!("nobody"),
    }
}

/// A draft with news of the time when it was none.
async fn withdrawn_course(app: &TestApp, instructor: &User) -> Course {
    let course = app.course(instructor, "Draft", 1).await;
    let lesson = app.lesson(instructor, &course, "News").await;
    app.publish(instructor, &lesson).await;
    app.settle().await;
    app.sql(&format!("UPDATE courses SET published_at = NULL WHERE slug = '{}'", course.slug)).await;
    // Rows are remembered for a moment.
    let query = format!("{{ course(slug: \"{}\") {{ id }} }}", course.slug);
    while app.data(None, &query, json!({})).await["course"] != Value::Null {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    course
}

/// The enrollment and the certificate of a user who has completed a course.
async fn finished(app: &TestApp, user: &User, course: &Course) -> (Value, Value) {
    app.mutate(user, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
    let lessons = "query ($id: ID!) { course(id: $id) { lessons { nodes { id } } } }";
    let data = app.data(Some(&user.token), lessons, json!({ "id": course.id })).await;
    for lesson in data["course"]["lessons"]["nodes"].as_array().unwrap() {
        let input = json!({ "lessonId": lesson["id"], "completed": true });
        app.mutate(user, "setLessonCompleted", "enrollment { id }", input).await;
    }
    let made = "query ($id: ID!) { course(id: $id) { viewerEnrollment { id certificate { id } } } }";
    let mut made = app.data(Some(&user.token), made, json!({ "id": course.id })).await;
    let enrollment = &mut made["course"]["viewerEnrollment"];
    (enrollment["id"].take(), enrollment["certificate"]["id"].take())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_its_scopes_a_token_sees_what_everybody_sees_and_inside_what_its_owner_sees() {
    let app = TestApp::start().await;
    let executor = Executor::new(app.app.clone()).unwrap();
    let ada = app.user("Ada", Role::Instructor).await;
    let root = app.user("Root", Role::Admin).await;
    let sam = app.user("Sam", Role::Student).await;
    // Nobody is told of what was before they came.
    app.app.clock.advance(chrono::TimeDelta::seconds(1));
    let course = app.course(&ada, "Open", 1).await;
    let learns = finished(&app, &sam, &course).await;
    let draft_lesson = app.lesson(&ada, &course, "Soon").await;
    let draft = withdrawn_course(&app, &ada).await;
    let in_draft = app.lesson(&ada, &draft, "Later").await;

    let outline = "query ($id: ID) { course(id: $id) { lessons { nodes { id } } } }";
    let lessons = app.data(None, outline, json!({ "id": course.id })).await;
    let lesson = &lessons["course"]["lessons"]["nodes"][0]["id"];
    let question = json!({ "lessonId": lesson, "title": "How?", "body": "Why?" });
    let question = app.mutate(&ada, "createQuestion", "question { id }", question).await["question"]["id"].take();

    let node = "query ($id: ID!) { node(id: $id) { __typename id ... on User { email timeZone ban { reason } identities { \
        totalCount } } } }";
    let nodes = "query ($id: ID!) { nodes(ids: [$id]) { __typename id } }";
    let by_slug = "query ($slug: String!) { course(slug: $slug) { id title } }";
    let lessons = "query ($slug: String!) { course(slug: $slug) { sections { nodes { lessonCount lessons { nodes { id \
        title } } } } } }";
    let payload = "query ($id: ID!) { node(id: $id) { ... on Lesson { section { lessonCount } course { title } } } }";
    let news = "query ($id: ID) { newVideos(courseId: $id) { totalCount } }";
    let follow = "subscription ($id: ID, $after: String) { newVideo(courseId: $id, after: $after) { cursor } }";
    let courses: &[Scope] = &[Scope::ReadCourses, Scope::WriteCourses];
    let learning: &[Scope] = &[Scope::ReadLearning, Scope::WriteLearning];
    let learned = "query ($id: ID!) { course(id: $id) { viewerEnrollment { id } lessons { nodes { viewerProgress { \
        completedAt } } } } }";
    let certificate = "query ($id: ID!) { node(id: $id) { ... on Certificate { holderName } } }";
    let discussions: &[Scope] = &[Scope::ReadDiscussions, Scope::WriteDiscussions];
    let notifications: &[Scope] = &[Scope::ReadNotifications, Scope::WriteNotifications];
    let told = "{ viewer { notifications { nodes { id } } } }";
    let told = app.data(Some(&sam.token), told, json!({})).await["viewer"]["notifications"]["nodes"][0]["id"].take();
    let in_lesson = "query ($id: ID!) { node(id: $id) { ... on Lesson { questions { nodes { title } } } } }";
    let order = lyceum::orders::OrderId::new(uuid::Uuid::new_v4());
    app.sql(&format!(
        "INSERT INTO orders (id, buyer_id, status, country, currency, total_minor, created_at, updated_at, expires_at) \
        SELECT '{}', id, 'PENDING', 'DE', 'EUR', 0, now(), now(), now() FROM users WHERE name = 'Sam'",
        order.uuid()
    ))
    .await;
    let probes: [(&str, &User, &str, Value, &[Scope]); 19] = [
        ("their own address", &ada, node, json!({ "id": ada.id }), &[Scope::ReadAccount, Scope::ReadUsers]),
        ("another one's address, by an administrator", &root, node, json!({ "id": ada.id }), &[Scope::ReadUsers]),
        ("another one's address, by anybody else", &ada, node, json!({ "id": root.id }), &[]),
        ("a draft by its slug", &ada, by_slug, json!({ "slug": draft.slug }), courses),
        ("a draft by its id", &ada, node, json!({ "id": draft.id }), courses),
        ("a draft among others", &root, nodes, json!({ "id": draft.id }), courses),
        ("a draft's section", &ada, node, json!({ "id": draft.section }), courses),
        ("a draft's lesson", &ada, node, json!({ "id": in_draft }), courses),
        ("a published course's lessons", &ada, lessons, json!({ "slug": course.slug }), courses),
        ("a published course's draft lesson", &ada, payload, json!({ "id": draft_lesson }), courses),
        ("what they learn in a course", &sam, learned, json!({ "id": course.id }), learning),
        ("their enrollment", &sam, node, json!({ "id": learns.0 }), learning),
        ("their certificate", &sam, certificate, json!({ "id": learns.1 }), learning),
        ("a draft's news", &ada, news, json!({ "id": draft.id }), courses),
        ("a question", &ada, node, json!({ "id": question }), discussions),
        ("a lesson's questions", &ada, in_lesson, json!({ "id": lesson }), discussions),
        ("that their certificate was issued", &sam, node, json!({ "id": told }), notifications),
        ("their order", &sam, node, json!({ "id": order.encode() }), &[Scope::ReadOrders]),
        ("a draft's push", &ada, follow, json!({ "id": draft.id, "after": beginning() }), courses),
    ];
    let mut probed = Vec::new();
    for (what, user, query, variables, opened_by) in probes {
        probed.extend(opened_by);
        let of = async |actor| answer(&executor, actor, query, &variables).await;
        let (everybody, owner) = (of(Actor::Anonymous).await, of(acting(&app, user, None)).await);
        assert_eq!(everybody != owner, !opened_by.is_empty(), "{what}: {everybody:#} {owner:#}");
        assert_eq!(of(acting(&app, user, Some(Scopes::default()))).await, everybody, "{what} without a scope");
        for scope in Scope::ALL {
            let seen = of(acting(&app, user, Some(Scopes::from_iter([scope])))).await;
            let expected = if opened_by.contains(&scope) { &owner } else { &everybody };
            assert_eq!(&seen, expected, "{what} with {scope:?}");
        }
        let others = Scope::ALL.into_iter().filter(|scope| !opened_by.contains(scope));
        assert_eq!(of(acting(&app, user, Some(others.collect()))).await, everybody, "{what} with all others");
        assert_eq!(of(acting(&app, user, Some(Scope::ALL.into_iter().collect()))).await, owner, "{what} with all");
    }
    assert!(Scope::ALL.iter().all(|scope| probed.contains(scope)), "a scope opens nothing: {probed:?}");
}
