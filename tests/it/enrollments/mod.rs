//! Who has access to which course, and what follows from it.

mod bulk;
mod certificates;
mod completion;
mod counts;
mod grants;
mod lists;
mod people;
mod progress;
mod scopes;

use chrono::{DateTime, TimeDelta, Utc};
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::app::{Course, User};

pub(crate) const ACCESS: &str = "viewerAccess { granted source reason unlocksAt expiresAt }";

/// An instructor, an administrator and a student, and a course with two lessons.
pub(crate) struct School {
    pub(crate) app: TestApp,
    pub(crate) ada: User,
    pub(crate) root: User,
    pub(crate) sam: User,
    pub(crate) course: Course,
}

pub(crate) async fn school() -> School {
    let app = TestApp::start().await;
    let (ada, root) = (app.user("Ada", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let sam = app.user("Sam", Role::Student).await;
    let course = app.course(&ada, "Engines", 2).await;
    School { app, ada, root, sam, course }
}

impl School {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.app.app.clock.now()
    }

    pub(crate) async fn pass(&self, time: TimeDelta) {
        self.app.app.clock.advance(time);
        self.app.settle().await;
    }

    pub(crate) async fn grant(&self, user: &User, expires_at: Option<DateTime<Utc>>) -> Value {
        let input = json!({ "userId": user.id, "courseId": self.course.id, "expiresAt": expires_at });
        let selection = "entitlement { id source startsAt expiresAt endedAt reason grantedBy { name } user { name } }";
        self.app.mutate(&self.root, "grantCourseAccess", selection, input).await["entitlement"].take()
    }

    pub(crate) async fn revoke(&self, user: &User) -> Value {
        let input = json!({ "userId": user.id, "courseId": self.course.id });
        let selection = "entitlement { id endedAt endReason }";
        self.app.mutate(&self.root, "revokeCourseAccess", selection, input).await["entitlement"].take()
    }

    /// `viewerAccess` of the course.
    pub(crate) async fn access(&self, user: Option<&User>) -> Value {
        let query = format!("query ($slug: String!) {{ course(slug: $slug) {{ {ACCESS} }} }}");
        let variables = json!({ "slug": self.course.slug });
        let mut data = self.app.data(user.map(|user| &*user.token), &query, variables).await;
        data["course"]["viewerAccess"].take()
    }

    pub(crate) async fn reason(&self, user: Option<&User>) -> String {
        self.access(user).await["reason"].as_str().unwrap_or("INVISIBLE").to_owned()
    }

    pub(crate) async fn students(&self) -> i64 {
        let query = "query ($slug: String!) { course(slug: $slug) { studentCount } }";
        let data = self.app.data(None, query, json!({ "slug": self.course.slug })).await;
        data["course"]["studentCount"].as_i64().unwrap()
    }

    /// What is wrong with an input: codes and fields.
    pub(crate) async fn refused(&self, user: &User, field: &str, input: Value) -> Vec<(String, Value)> {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query =
            format!("mutation ($input: {input_type}!) {{ {field}(input: $input) {{ userErrors {{ code field }} }} }}");
        let mut data = self.app.data(Some(&user.token), &query, json!({ "input": input })).await;
        let errors = data[field]["userErrors"].take();
        let errors = errors.as_array().unwrap().iter();
        errors.map(|error| (error["code"].as_str().unwrap().to_owned(), error["field"].clone())).collect()
    }
}
