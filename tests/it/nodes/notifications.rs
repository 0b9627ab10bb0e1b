//! Subscribers of notifications that come, go and roam, while servers are killed and Redis is lost, against a model.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lyceum::accounts::UserId;
use lyceum::catalog::{CourseId, LessonId};
use lyceum::graphql::page::decode_cursor;
use lyceum::platform::auth::Role;
use lyceum::platform::outbox::Position;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::support::process::{Node, Site};
use crate::support::redis::RedisServer;
use crate::support::socket::{PATIENCE, Socket};
use crate::support::{eventually, rounds};

const STUDENTS: usize = 4;
/// How many connections each user has at the same time.
const DEVICES: usize = 2;
/// How many users act at the same time, and how often each.
const ACTORS: usize = 3;
const ACTIONS: usize = 25;
const FOLLOW: &str = "subscription ($after: String) { notificationReceived(after: $after) {
    cursor isStart unreadCount notification { id } } }";

/// A user in the course: a student, or the first one, its instructor.
struct Person {
    uuid: String,
    token: String,
}

/// What one device received.
#[derive(Default)]
struct Device {
    /// The positions in the log and the notifications.
    heard: Vec<(i64, Option<String>)>,
    connections: usize,
    unread: i64,
}

struct School {
    site: Site,
    course: String,
    lesson: String,
    people: Vec<Person>,
    questions: Vec<String>,
    /// The addresses of the servers, of which one may be down.
    urls: Arc<Mutex<Vec<String>>>,
    client: reqwest::Client,
}

impl School {
    async fn open(redis: &RedisServer) -> School {
        let site = Site::new().await.set("REDIS_URL", &redis.url()).set("LYCEUM_HOURLY_POSTS", "0").seed(1);
        let course = site.sql("SELECT id FROM courses WHERE published_at IS NOT NULL LIMIT 1").await;
        let people = format!(
            "WITH made AS (INSERT INTO users (id, email, name, role, created_at, updated_at)
                SELECT gen_random_uuid(), 'student' || n || '@people.example', 'Student ' || n, 'STUDENT',
                    now() - interval '1 day', now()
                FROM generate_series(1, {}) n RETURNING id),
             enrolled AS (INSERT INTO enrollments (id, user_id, course_id, since)
                SELECT gen_random_uuid(), id, '{course}', now() - interval '1 day' FROM made LIMIT {STUDENTS}),
             entitled AS (INSERT INTO entitlements (id, user_id, course_id, scope, source, starts_at)
                SELECT gen_random_uuid(), id, '{course}', 'COURSE', 'GRANT', now() - interval '1 day'
                FROM made LIMIT {STUDENTS}),
             signed_in AS (INSERT INTO sessions
                (id, user_id, user_agent, created_at, last_used_at, expires_at, authenticated_at)
                SELECT '00000000-0000-0000-0000-000000000000', id, '', now(), now(), 'infinity', now()
                FROM made LIMIT 1)
             SELECT string_agg(id::text, ' ') FROM made",
            STUDENTS + 1
        );
        let students = site.sql(&people).await;
        let instructor = site.sql(&format!("SELECT instructor_id FROM courses WHERE id = '{course}'")).await;
        let lesson = format!(
            "SELECT id FROM lessons WHERE course_id = '{course}' AND published_at IS NOT NULL AND kind = 'VIDEO' LIMIT 1"
        );
        let lesson = LessonId::new(site.sql(&lesson).await.parse().unwrap()).encode();
        let person = |(uuid, role): (&str, Role)| {
            let id = UserId::new(uuid.parse().unwrap()).encode();
            Person { uuid: uuid.to_owned(), token: site.token(&id, role) }
        };
        let everyone =
            [(&*instructor, Role::Instructor)].into_iter().chain(students.split(' ').map(|id| (id, Role::Student)));
        let people = everyone.map(person).collect();
        let client = crate::support::http::client();
        School { course, lesson, people, questions: Vec::new(), urls: Arc::default(), client, site }
    }

    /// Sends an operation to one of the servers; `None` if it does not answer.
    async fn send(&self, who: usize, query: &str, input: &Value) -> Option<Value> {
        let url = pick(&self.urls);
        let body = json!({ "query": query, "variables": { "input": input } });
        let request = self.client.post(format!("{url}/graphql")).bearer_auth(&self.people[who].token).json(&body);
        let mut answer: Value = request.send().await.ok()?.json().await.ok()?;
        assert!(
            answer.get("errors").is_none() || answer["errors"][0]["extensions"]["code"] == "UNAVAILABLE",
            "{answer:#}"
        );
        Some(answer["data"].take())
    }

    /// A student asks, and all others write below it, so that all of them follow it.
    async fn ask(&mut self, who: usize) {
        let query = "mutation ($input: CreateQuestionInput!) { createQuestion(input: $input) {
            question { id } userErrors { message } } }";
        let input = json!({ "lessonId": self.lesson, "title": "How?", "body": "So?" });
        let asked = self.send(who, query, &input).await.unwrap();
        let question =
            asked["createQuestion"]["question"]["id"].as_str().unwrap_or_else(|| panic!("{asked:#}")).to_owned();
        for other in 1..=STUDENTS {
            self.reply(other, &question).await.unwrap();
        }
        self.questions.push(question);
    }

    async fn reply(&self, who: usize, question: &str) -> Option<Value> {
        let query = "mutation ($input: CreateReplyInput!) { createReply(input: $input) { userErrors { message } } }";
        self.send(who, query, &json!({ "parentId": question, "body": "So." })).await
    }

    /// Does something of which others are told.
    async fn act(&self) {
        let student = rand::random_range(1..=STUDENTS);
        match rand::random_range(0..10) {
            0 => {
                let query = "mutation ($input: CreateQuestionInput!) { createQuestion(input: $input) {
                    userErrors { message } } }";
                let input = json!({ "lessonId": self.lesson, "title": "Why?", "body": "So?" });
                _ = self.send(student, query, &input).await;
            }
            1 | 2 => {
                let query = "mutation ($input: CreateAnnouncementInput!) { createAnnouncement(input: $input) {
                    userErrors { message } } }";
                let course = CourseId::new(self.course.parse().unwrap()).encode();
                let input = json!({ "audience": { "courseId": course }, "title": "News", "body": "There are some." });
                _ = self.send(0, query, &input).await;
            }
            3 | 4 => {
                let own = "{ viewer { notifications(first: 1) { nodes { id } } } }";
                let Some(found) = self.send(student, own, &Value::Null).await else { return };
                let ids = &found["viewer"]["notifications"]["nodes"];
                let ids: Vec<&str> =
                    ids.as_array().into_iter().flatten().filter_map(|node| node["id"].as_str()).collect();
                let query = "mutation ($input: MarkNotificationsInput!) { markNotifications(input: $input) {
                    userErrors { message } } }";
                let state = if rand::random() { "READ" } else { "UNREAD" };
                _ = self.send(student, query, &json!({ "ids": ids, "state": state })).await;
            }
            _ => {
                let question = &self.questions[rand::random_range(0..self.questions.len())];
                _ = self.reply(student, question).await;
            }
        }
    }

    /// Waits until all events have positions and all reactions to them have run.
    async fn settled(&self) {
        let open = "SELECT (SELECT count(*) FROM events WHERE position IS NULL) +
            (SELECT count(*) FROM jobs WHERE dead_at IS NULL AND run_at <= now() AND dedupe_key NOT LIKE '%@%')";
        eventually("everything is told", async || self.site.sql(open).await == "0").await;
    }

    /// What a user is to hear after a position, from the log and what the test knows of the audiences.
    async fn expected(&self, who: usize, after: i64, has_access: bool) -> Vec<(i64, Option<String>)> {
        let Person { uuid, .. } = &self.people[who];
        let follows = format!("SELECT count(*) FROM question_follows WHERE user_id = '{uuid}'");
        let audience = match who {
            0 => format!("audience = 'team:{}'", self.course),
            _ if !has_access => "false".to_owned(),
            _ if self.site.sql(&follows).await == "0" => format!("audience = 'course:{}'", self.course),
            _ => format!(
                "audience = 'course:{}' OR replace(audience, 'question:', '') IN
                    (SELECT question_id::text FROM question_follows WHERE user_id = '{uuid}')",
                self.course
            ),
        };
        let sql = format!(
            "SELECT coalesce(string_agg(position || ' ' || coalesce(notification, '-'), ',' ORDER BY position), '')
             FROM (SELECT position, payload ->> 'audience' AS audience, payload ->> 'actor' AS actor,
                 payload ->> 'notification' AS notification FROM events
                 WHERE position > {after} AND kind IN ('notification_created', 'notifications_marked')) told
             WHERE actor IS DISTINCT FROM '{uuid}' AND (audience = 'user:{uuid}' OR {audience})"
        );
        let told = self.site.sql(&sql).await;
        let events = told.split(',').filter(|event| !event.is_empty());
        let events = events.map(|event| {
            let (position, id) = event.split_once(' ').unwrap();
            let id = (id != "-").then(|| lyceum::notifications::NotificationId::new(id.parse().unwrap()).encode());
            (position.parse().unwrap(), id)
        });
        events.collect()
    }

    async fn last_position(&self) -> i64 {
        self.site.sql("SELECT last_position FROM event_counter").await.parse().unwrap()
    }
}

fn pick(urls: &Mutex<Vec<String>>) -> String {
    let urls = urls.lock().unwrap();
    urls[rand::random_range(0..urls.len())].clone()
}

/// The number of a position in the log.
fn number(cursor: &str) -> i64 {
    let position: Position =
        decode_cursor("notificationReceived", "after", cursor).unwrap_or_else(|_| panic!("{cursor}"));
    serde_json::to_value(position).unwrap()["number"].as_i64().unwrap()
}

/// Follows on one server after the other, always after the last cursor, until `enough` and nothing more comes.
async fn roam(urls: Arc<Mutex<Vec<String>>>, token: String, mut after: String, enough: CancellationToken) -> Device {
    let mut device = Device::default();
    loop {
        let last = enough.is_cancelled();
        // A server that is down, or goes down meanwhile, ends the connection.
        let url = pick(&urls);
        let connecting = Socket::attempt(&url, &token, FOLLOW, json!({ "after": after }));
        let Ok(Some(mut socket)) = timeout(PATIENCE, connecting).await else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        // However slow the server is, it leaves only after the start.
        let Ok(start) = socket.wait().await else { continue };
        let start = &start["payload"]["data"]["notificationReceived"];
        assert_eq!(start["isStart"], true, "{start:#}");
        device.unread = start["unreadCount"].as_i64().unwrap();
        device.connections += 1;
        let stay = Duration::from_millis(if last { 2000 } else { rand::random_range(0..300) });
        let leave = sleep(stay);
        tokio::pin!(leave);
        let complete = loop {
            let message = tokio::select! {
                message = socket.wait() => message,
                () = &mut leave => break true,
            };
            let Ok(mut message) = message else { break false };
            assert_eq!(message["type"], "next", "{message:#}");
            let event = message["payload"]["data"]["notificationReceived"].take();
            device.unread = event["unreadCount"].as_i64().unwrap_or_else(|| panic!("{message:#}"));
            assert_eq!(event["isStart"], false, "{event:#}");
            after = event["cursor"].as_str().unwrap().to_owned();
            device.heard.push((number(&after), event["notification"]["id"].as_str().map(str::to_owned)));
            if last {
                leave.as_mut().reset(Instant::now() + stay);
            }
        };
        if last && complete {
            return device;
        }
    }
}

/// Lets all users follow from the current position while `storm` goes on; what each device heard, by user.
async fn follow_during(school: &School, storm: impl Future<Output = ()>) -> BTreeMap<usize, Vec<Device>> {
    let enough = CancellationToken::new();
    let mut devices = JoinSet::new();
    for (who, person) in school.people.iter().enumerate() {
        let mut socket = Socket::attempt(&pick(&school.urls), &person.token, FOLLOW, json!({})).await.unwrap();
        let start = socket.receive().await.unwrap();
        let start = start["payload"]["data"]["notificationReceived"]["cursor"].as_str().unwrap().to_owned();
        for _ in 0..DEVICES {
            let roaming = roam(school.urls.clone(), person.token.clone(), start.clone(), enough.clone());
            devices.spawn(async move { (who, roaming.await) });
        }
    }
    storm.await;
    school.settled().await;
    enough.cancel();
    let mut heard = BTreeMap::<usize, Vec<Device>>::new();
    for (who, device) in timeout(2 * PATIENCE, devices.join_all()).await.expect("a device still waits") {
        heard.entry(who).or_default().push(device);
    }
    heard
}

/// Random actions on both servers, while Redis is killed and started again, and then a server.
async fn storm(school: &School, nodes: &mut [Node], redis: &mut RedisServer) {
    let acting = futures_util::future::join_all((0..ACTORS).map(async |_| {
        for _ in 0..rounds(ACTIONS) {
            school.act().await;
        }
    }));
    let pause = || sleep(Duration::from_millis(rand::random_range(100..500)));
    let breaking = async {
        for _ in 0..rounds(1) {
            pause().await;
            redis.kill();
            pause().await;
            redis.restart();
            pause().await;
            let victim = rand::random_range(0..nodes.len());
            nodes[victim].kill();
            pause().await;
            nodes[victim] = school.site.serve().await;
            *school.urls.lock().unwrap() = nodes.iter().map(|node| node.url.clone()).collect();
        }
    };
    tokio::join!(acting, breaking);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_subscriber_gets_exactly_what_it_was_entitled_to_in_order_and_once() {
    let mut redis = RedisServer::start();
    let mut school = School::open(&redis).await;
    let mut nodes = [school.site.serve().await, school.site.serve().await];
    *school.urls.lock().unwrap() = nodes.iter().map(|node| node.url.clone()).collect();
    for who in 1..=STUDENTS {
        school.ask(who).await;
    }
    school.settled().await;
    let (leaving, coming) = (STUDENTS, STUDENTS + 1);
    let mut total = 0;
    for has_moved in [false, true] {
        if has_moved {
            // One student loses access, and a user who had none gets it.
            let (out, new, course) = (&school.people[leaving].uuid, &school.people[coming].uuid, &school.course);
            let moving = format!(
                "WITH ended AS (UPDATE entitlements SET ended_at = now(), end_reason = 'REFUNDED' WHERE user_id = '{out}'),
                 enrolled AS (INSERT INTO enrollments (id, user_id, course_id, since)
                    VALUES (gen_random_uuid(), '{new}', '{course}', now()))
                 INSERT INTO entitlements (id, user_id, course_id, scope, source, starts_at)
                    VALUES (gen_random_uuid(), '{new}', '{course}', 'COURSE', 'GRANT', now()) RETURNING 'moved'"
            );
            school.site.sql(&moving).await;
            // As long as a row may be cached.
            sleep(Duration::from_millis(1100)).await;
        }
        let start = school.last_position().await;
        let heard = follow_during(&school, storm(&school, &mut nodes, &mut redis)).await;
        for (who, devices) in &heard {
            let has_access = *who != if has_moved { leaving } else { coming };
            let expected = school.expected(*who, start, has_access).await;
            total += expected.len();
            for device in devices {
                assert_eq!(device.heard, expected, "user {who}, {has_moved}");
                assert!(device.connections > 3, "too few reconnects to prove anything: {}", device.connections);
                assert_eq!(device.unread, devices[0].unread, "devices of user {who}");
            }
        }
    }
    assert!(total > 50, "too few events to prove anything: {total}");
}
