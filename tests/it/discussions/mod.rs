//! Questions about lessons, and what becomes of them.

mod access;
mod asking;
mod counts;
mod deleting;
mod editing;
mod lists;
mod live;
mod moderation;
mod races;
mod votes;

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::app::{Course, User, code_of};

pub(crate) const QUESTION: &str = "id title body bodyHtml atSeconds isByTeam isPinned isLocked resolvedAt replyCount \
    voteCount version editedAt deletedAt hiddenAt viewerFollows viewerHasVoted viewerActions author { name } \
    lesson { title } acceptedReply { id body }";

/// A course with two lessons: Ada teaches it, Sam and Tim have it, Eve does not.
pub(crate) struct Room {
    pub(crate) app: TestApp,
    pub(crate) ada: User,
    pub(crate) root: User,
    pub(crate) sam: User,
    pub(crate) tim: User,
    pub(crate) eve: User,
    pub(crate) course: Course,
    pub(crate) lesson: String,
    pub(crate) other_lesson: String,
}

impl Room {
    pub(crate) async fn open() -> Room {
        Room::with(TestApp::start().await).await
    }

    pub(crate) async fn with(app: TestApp) -> Room {
        let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
        let (sam, tim) = (app.user("Sam", Role::Student).await, app.user("Tim", Role::Student).await);
        let eve = app.user("Eve", Role::Student).await;
        let course = app.course(&ada, "Engines", 2).await;
        for student in [&sam, &tim] {
            app.mutate(student, "enroll", "entitlement { id }", json!({ "courseId": course.id })).await;
        }
        let outline = "query ($id: ID) { course(id: $id) { lessons { nodes { id } } } }";
        let lessons = app.data(None, outline, json!({ "id": course.id })).await;
        let lesson = |index: usize| lessons["course"]["lessons"]["nodes"][index]["id"].as_str().unwrap().to_owned();
        let (lesson, other_lesson) = (lesson(0), lesson(1));
        Room { app, ada, root, sam, tim, eve, course, lesson, other_lesson }
    }

    /// Asks about the first lesson; returns the id.
    pub(crate) async fn ask(&self, user: &User, title: &str) -> String {
        let input = json!({ "lessonId": self.lesson, "title": title, "body": "Why *is* that?" });
        let asked = self.app.mutate(user, "createQuestion", "question { id }", input).await;
        asked["question"]["id"].as_str().unwrap().to_owned()
    }

    /// Replies to a post; returns the id.
    pub(crate) async fn reply(&self, user: &User, parent: &str, body: &str) -> String {
        let input = json!({ "parentId": parent, "body": body });
        let reply = self.app.mutate(user, "createReply", "reply { id }", input).await;
        reply["reply"]["id"].as_str().unwrap().to_owned()
    }

    /// A post as a user sees it; null if they do not.
    pub(crate) async fn node(&self, user: Option<&User>, id: &str, selection: &str) -> Value {
        let kind = if id.starts_with("question") { "Question" } else { "Reply" };
        let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {selection} }} }} }}");
        self.app.data(user.map(|user| &*user.token), &query, json!({ "id": id })).await["node"].take()
    }

    /// The code of a mutation's error or first user error; empty if it succeeds.
    pub(crate) async fn code(&self, user: Option<&User>, field: &str, input: Value) -> String {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query =
            format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code }} }} }}");
        let token = user.map(|user| &*user.token);
        let body = self.app.send(token, &query, json!({ "input": input })).await;
        assert_ne!(body["errors"][0]["extensions"]["code"], "INTERNAL", "{field}: {body:#}");
        code_of(&body).to_owned()
    }

    /// The titles of the questions in a list of the first lesson.
    pub(crate) async fn titles(&self, user: Option<&User>, arguments: &str) -> Vec<String> {
        let query = format!(
            "query ($id: ID!) {{ lesson(id: $id) {{ questions{arguments} {{ totalCount nodes {{ title }} }} }} }}"
        );
        let data = self.app.data(user.map(|user| &*user.token), &query, json!({ "id": self.lesson })).await;
        titles(&data["lesson"]["questions"])
    }

    /// What the user can do with a question in the course's list; null if it is not there.
    pub(crate) async fn course_actions(&self, user: Option<&User>, title: &str) -> Value {
        let query = "query ($id: ID!) { course(id: $id) { questions(first: 100) { nodes { title viewerActions } } } }";
        let data = self.app.data(user.map(|user| &*user.token), query, json!({ "id": self.course.id })).await;
        let mut found = data["course"]["questions"]["nodes"].as_array().into_iter().flatten();
        let question = found.find(|node| node["title"] == title);
        question.map_or(Value::Null, |question| question["viewerActions"].clone())
    }

    /// The same as [`Room::titles`] for the course.
    pub(crate) async fn course_titles(&self, user: Option<&User>, arguments: &str) -> Vec<String> {
        let query = format!(
            "query ($id: ID!) {{ course(id: $id) {{ questions{arguments} {{ totalCount nodes {{ title }} }} }} }}"
        );
        let data = self.app.data(user.map(|user| &*user.token), &query, json!({ "id": self.course.id })).await;
        titles(&data["course"]["questions"])
    }
}

/// The titles in a list, whose total count must fit. A list that the viewer may not see is one title: "(null)".
fn titles(list: &Value) -> Vec<String> {
    if list.is_null() {
        return vec!["(null)".to_owned()];
    }
    let nodes = list["nodes"].as_array().unwrap();
    assert!(list["totalCount"].as_u64().unwrap() >= nodes.len() as u64, "{list:#}");
    nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
}
