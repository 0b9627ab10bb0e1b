//! Reads with concurrent writes: the cost of enrollments and edits for readers of the same courses.
//!
//! The reference is the same rate of writes to courses that no request reads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lyceum::accounts::UserId;
use lyceum::catalog::CourseId;
use serde_json::{Value, json};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::cases::Case;
use super::{CLIENTS, Settings, load};

/// The number of writes per second.
const RATE: u64 = 50;
/// The number of courses that are written to.
const COURSES: i64 = 500;

const GRANT: &str =
    "mutation ($input: GrantCourseAccessInput!) { grantCourseAccess(input: $input) { userErrors { message } } }";
const EDIT: &str = "mutation ($input: UpdateCourseInput!) { updateCourse(input: $input) { userErrors { message } } }";

/// The courses to write to, and users who are not yet entitled to them.
///
/// Each write uses the next course and user.
struct Target {
    courses: Vec<Uuid>,
    users: Vec<Uuid>,
    /// Each course's version before its first edit.
    versions: Vec<i32>,
    enrollments: AtomicUsize,
    edits: AtomicUsize,
}

impl Target {
    async fn new(client: &Client, courses: &str) -> Target {
        let rows = client.query(courses, &[&COURSES]).await.unwrap();
        let users = client.query("SELECT id::text FROM users WHERE role = 'STUDENT' ORDER BY id", &[]).await.unwrap();
        let entitled: i64 = client.query_one("SELECT count(*) FROM entitlements", &[]).await.unwrap().get(0);
        Target {
            courses: rows.iter().map(uuid).collect(),
            users: users.iter().map(uuid).collect(),
            versions: rows.iter().map(|row| row.get(1)).collect(),
            // Skip the users that earlier runs have enrolled.
            enrollments: AtomicUsize::new(usize::try_from(entitled).unwrap()),
            edits: AtomicUsize::new(0),
        }
    }

    fn enrollment(&self) -> Value {
        let number = self.enrollments.fetch_add(1, Ordering::Relaxed);
        let course = CourseId::new(self.courses[number % self.courses.len()]);
        let user = UserId::new(self.users[number / self.courses.len() % self.users.len()]);
        json!({ "query": GRANT, "variables": { "input": { "courseId": course.encode(), "userId": user.encode() } } })
    }

    fn edit(&self) -> Value {
        let number = self.edits.fetch_add(1, Ordering::Relaxed);
        let place = number % self.courses.len();
        let version = self.versions[place] + i32::try_from(number / self.courses.len()).unwrap();
        let input = json!({
            "courseId": CourseId::new(self.courses[place]).encode(),
            "version": version,
            "subtitle": format!("Edition {version}"),
        });
        json!({ "query": EDIT, "variables": { "input": input } })
    }
}

/// Measures each case with each kind of concurrent writes, and prints a table.
pub(crate) async fn measure(url: &str, addr: SocketAddr, cases: &[Case], settings: &Settings) {
    let client = super::connect(url).await;
    drafts(&client).await;
    let read = "SELECT id::text, version FROM courses WHERE published_at IS NOT NULL ORDER BY md5(slug) LIMIT $1";
    let unread = "SELECT id::text, version FROM courses WHERE published_at IS NULL ORDER BY id LIMIT $1";
    let (read, unread) = (Target::new(&client, read).await, Target::new(&client, unread).await);
    let token = sign_in(addr).await;
    println!("\n| case, beside {RATE} a second | of others /s | of what is read /s | ratio |\n|---|---|---|---|");
    for (what, write) in [("enrollments", Target::enrollment as fn(&Target) -> Value), ("edits", Target::edit)] {
        for case in cases {
            let (mut others, mut own) = (Vec::new(), Vec::new());
            for _ in 0..settings.rounds {
                others.push(beside(addr, case, settings, &token, || write(&unread)).await);
                own.push(beside(addr, case, settings, &token, || write(&read)).await);
            }
            let (others, own) = (median(others), median(own));
            println!("| {}, {what} | {others:.0} | {own:.0} | **{:.2}** |", case.name, own / others);
        }
    }
}

/// Returns the number of reads per second during `RATE` writes per second.
async fn beside(addr: SocketAddr, case: &Case, settings: &Settings, token: &str, write: impl Fn() -> Value) -> f64 {
    let done = AtomicBool::new(false);
    let writing = async {
        let mut turn = tokio::time::interval(Duration::from_millis(1000 / RATE));
        while !done.load(Ordering::Relaxed) {
            turn.tick().await;
            let request: Arc<[u8]> = load::post_as(&write().to_string(), Some(token));
            let answer: Value = serde_json::from_str(&load::once(addr, &request).await).unwrap();
            let errors = answer["data"].as_object().and_then(|data| data.values().next()?["userErrors"].as_array());
            assert!(errors.is_some_and(Vec::is_empty), "{answer:#}");
        }
    };
    let reading = async {
        let answered = load::run(addr, &case.requests, CLIENTS, Duration::from_secs(settings.seconds)).await;
        done.store(true, Ordering::Relaxed);
        answered as f64 / settings.seconds as f64
    };
    tokio::join!(writing, reading).1
}

/// Creates draft courses, which no request reads.
async fn drafts(client: &Client) {
    let sql = "WITH made AS ( \
            INSERT INTO courses SELECT (jsonb_populate_record(NULL::courses, to_jsonb(c) || jsonb_build_object( \
                'id', gen_random_uuid(), 'slug', 'draft-' || c.slug, 'published_at', NULL))).* \
            FROM courses c WHERE c.published_at IS NOT NULL ORDER BY c.slug LIMIT 500 \
            ON CONFLICT DO NOTHING RETURNING id \
        ) INSERT INTO course_stats (course_id) SELECT id FROM made";
    client.execute(sql, &[]).await.unwrap();
}

async fn sign_in(addr: SocketAddr) -> String {
    let body = json!({
        "query": "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }",
        "variables": { "input": { "email": "admin@lyceum.example", "password": "learn-with-lyceum" } },
    });
    let answer: Value = serde_json::from_str(&load::once(addr, &load::post_as(&body.to_string(), None)).await).unwrap();
    answer["data"]["signIn"]["accessToken"].as_str().unwrap_or_else(|| panic!("{answer:#}")).to_owned()
}

fn uuid(row: &Row) -> Uuid {
    row.get::<_, &str>(0).parse().unwrap()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
