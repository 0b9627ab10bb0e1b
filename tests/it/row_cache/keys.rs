//! A change invalidates what was derived from it, and nothing else.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::app::Course;
use crate::support::{TestApp, User};

const PAGE: &str = "query ($slug: String!) { course(slug: $slug) { title description studentCount ratingCount
    instructor { name } sections { nodes { title lessons { nodes { title } } } } } }";
const CATALOG: &str =
    "{ courses(first: 20) { totalCount nodes { title studentCount } } categories { nodes { name } } }";

struct Shop {
    app: TestApp,
    ada: User,
    courses: Vec<Course>,
}

async fn shop() -> Shop {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let mut courses = Vec::new();
    for number in 0..3 {
        courses.push(app.course(&ada, &format!("Course {number}"), 2).await);
    }
    Shop { app, ada, courses }
}

impl Shop {
    async fn read(&self, course: usize) -> Value {
        self.app.data(None, PAGE, json!({ "slug": self.courses[course].slug })).await
    }

    /// How many statements the pages of these courses and the catalog take right after `change`, which is made after
    /// they were read. A machine that stands still for a second may need a few attempts.
    async fn statements_after(&self, courses: &[usize], catalog: bool, mut change: impl AsyncFnMut(usize)) -> u64 {
        let mut fewest = u64::MAX;
        for attempt in 0..20 {
            for course in courses {
                self.read(*course).await;
            }
            self.app.data(None, CATALOG, json!({})).await;
            change(attempt).await;
            let before = self.app.app.db.statements();
            for course in courses {
                self.read(*course).await;
            }
            if catalog {
                self.app.data(None, CATALOG, json!({})).await;
            }
            fewest = fewest.min(self.app.app.db.statements() - before);
            if fewest == 0 {
                break;
            }
        }
        fewest
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enrollment_invalidates_one_count_and_no_page() {
    let shop = shop().await;
    let mut students = Vec::new();
    for number in 0..20 {
        students.push(shop.app.user(&format!("Student {number}"), Role::Student).await);
    }
    let enroll = async |attempt: usize| {
        let input = json!({ "courseId": shop.courses[0].id });
        shop.app.mutate(&students[attempt], "enroll", "entitlement { id }", input).await;
    };
    let statements = shop.statements_after(&[1, 2], false, enroll).await;
    assert_eq!(statements, 0, "the other courses' pages stay cached");
    assert!(shop.read(0).await["course"]["studentCount"].as_i64().unwrap() > 0, "and the count shows at once");
    let enroll = async |attempt: usize| {
        let input = json!({ "courseId": shop.courses[1].id });
        shop.app.mutate(&students[attempt], "enroll", "entitlement { id }", input).await;
        // What is left to ask for is the count.
        shop.read(1).await;
    };
    assert_eq!(shop.statements_after(&[0, 1, 2], true, enroll).await, 0, "its own page and the lists, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_invalidates_the_course_and_not_its_neighbors() {
    let shop = shop().await;
    let edit = async |attempt: usize| {
        let input = json!({ "courseId": shop.courses[0].id, "title": format!("Edition {attempt}") });
        shop.app.edit(&shop.ada, "updateCourse", "course { id }", input).await;
    };
    assert_eq!(shop.statements_after(&[1, 2], false, edit).await, 0);
    let outline = async |attempt: usize| {
        shop.app.lesson(&shop.ada, &shop.courses[0], &format!("Lesson {attempt}")).await;
    };
    assert_eq!(shop.statements_after(&[1, 2], true, outline).await.min(1), 1, "the page of courses that has it");
    assert_eq!(shop.statements_after(&[1, 2], false, outline).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_renames_themselves_invalidates_no_course() {
    let shop = shop().await;
    let bob = shop.app.user("Bob", Role::Student).await;
    let rename = async |attempt: usize| {
        shop.app.mutate(&bob, "updateProfile", "user { id }", json!({ "name": format!("Bob {attempt}") })).await;
    };
    assert_eq!(shop.statements_after(&[0, 1, 2], true, rename).await, 0);
}
