//! News of lessons over WebSockets: `newVideo` and the list behind it.

mod delivery;
mod repair;
mod rewound;
mod rules;
mod shared;
mod storm;
mod subjects;

use lyceum::platform::auth::Role;

use crate::support::app::Course;
use crate::support::{TestApp, User};

/// A published course with one piece of news, called Hello.
struct School {
    app: TestApp,
    ada: User,
    course: Course,
}

impl School {
    async fn open() -> School {
        School::on(TestApp::start().await).await
    }

    async fn on(app: TestApp) -> School {
        let ada = app.user("Ada", Role::Instructor).await;
        let course = app.course(&ada, "Engines", 1).await;
        let school = School { app, ada, course };
        school.news(&["Hello"]).await;
        school
    }

    /// Publishes a lesson; nobody hears of it yet.
    async fn publish(&self, course: &Course, title: &str) {
        let lesson = self.app.lesson(&self.ada, course, title).await;
        self.app.publish(&self.ada, &lesson).await;
    }

    /// Publishes lessons and tells everybody.
    async fn news(&self, titles: &[&str]) {
        for title in titles {
            self.publish(&self.course, title).await;
        }
        self.app.settle().await;
    }
}
