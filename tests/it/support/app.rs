//! A whole application for one test: its own schema in the shared throw-away PostgreSQL, a clock that stands still,
//! mail in memory, the real router on a real port.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lyceum::accounts;
use lyceum::config::Config;
use lyceum::graphql::Executor;
use lyceum::http::{HttpState, router, server};
use lyceum::platform::auth::{ApiTokens, Client, Codes, Passwords, Revocations, Role, Seal, Tokens};
use lyceum::platform::clock::Clock;
use lyceum::platform::db::{self, Db};
use lyceum::platform::ffmpeg::Ffmpeg;
use lyceum::platform::identity::Providers;
use lyceum::platform::jobs::{self, worker::Worker};
use lyceum::platform::mail::{Mail, Mailer};
use lyceum::platform::outbox::dispatcher;
use lyceum::platform::payments::Payments;
use lyceum::platform::payments::sandbox::Sandbox;
use lyceum::platform::pubsub::PubSub;
use lyceum::platform::push::Pusher;
use lyceum::platform::shares::Shares;
use lyceum::platform::storage::{self, Storage};
use lyceum::platform::telemetry::Metrics;
use lyceum::platform::throttle::Throttle;
use lyceum::platform::{App, Services};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::cluster;
use super::schema::Schema;

/// The secret that signs tokens in tests.
pub(crate) const SECRET: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) url: String,
    pub(crate) mails: Arc<Mutex<Vec<Mail>>>,
    pub(crate) client: reqwest::Client,
    pub(crate) schema: Arc<Schema>,
}

/// Somebody who is registered.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// The instant at which every test's clock starts.
pub(crate) fn start() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-20T09:00:00Z").unwrap().to_utc()
}

/// The authorities that sign PayPal's certificates in tests.
fn paypal_roots() -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let root = include_str!("../orders/fakes/paypal/root.pem");
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    Arc::new(roots)
}

impl TestApp {
    pub(crate) async fn start() -> TestApp {
        TestApp::with(&[]).await
    }

    /// With settings that differ from the defaults.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> TestApp {
        TestApp::hashing(settings, Passwords::cheap(2).unwrap()).await
    }

    /// The same, where passwords cost what they cost in production: for tests of that.
    pub(crate) async fn with_costly_passwords(settings: &[(&str, &str)]) -> TestApp {
        TestApp::hashing(settings, Passwords::new(2).unwrap()).await
    }

    async fn hashing(settings: &[(&str, &str)], passwords: Passwords) -> TestApp {
        let schema = Schema::new().await;
        let mut vars: BTreeMap<String, String> =
            settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        // Longer than by default: many tests turn the clock by some minutes and are not about tokens.
        vars.entry("LYCEUM_TOKEN_MINUTES".into()).or_insert_with(|| "60".into());
        let config = Config::from_vars(vars).unwrap();
        TestApp::node(config, schema, Clock::manual(start()), unused_storage(), passwords).await
    }

    /// With a real object store. The clock starts at the present instant, because the store checks by its own until
    /// when signed URLs are good.
    pub(crate) async fn with_storage(storage: Storage) -> TestApp {
        TestApp::storing(storage, &[]).await
    }

    /// The same, with settings that differ from the defaults.
    pub(crate) async fn storing(storage: Storage, settings: &[(&str, &str)]) -> TestApp {
        let vars = [("LYCEUM_TOKEN_MINUTES", "60")].iter().chain(settings);
        let vars = vars.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let config = Config::from_vars(vars).unwrap();
        TestApp::node(config, Schema::new().await, Clock::manual(Utc::now()), storage, Passwords::cheap(2).unwrap())
            .await
    }

    /// With a real object store and ffmpeg, which is looked for in `path`, and with settings; the clock as above.
    pub(crate) async fn with_video(storage: Storage, path: Option<OsString>, settings: &[(&str, &str)]) -> TestApp {
        // Relative, as it is by default.
        let up = "../".repeat(std::env::current_dir().unwrap().components().count() - 1);
        let own = cluster::folder().join(format!("data-{}", Uuid::new_v4().simple()));
        let folder = std::path::Path::new(&up).join(own.strip_prefix("/").unwrap());
        let mut vars: BTreeMap<String, String> =
            settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        vars.insert("LYCEUM_TOKEN_MINUTES".into(), "60".into());
        vars.insert("LYCEUM_DATA".into(), folder.display().to_string());
        let mut config = Config::from_vars(vars).unwrap();
        config.path = path;
        TestApp::node(config, Schema::new().await, Clock::manual(Utc::now()), storage, Passwords::cheap(2).unwrap())
            .await
    }

    /// Another node on the same database, with the same clock. What one pushes, the other's sockets don't hear.
    pub(crate) async fn peer(&self) -> TestApp {
        let (config, storage) = (self.app.config.clone(), self.app.storage.clone());
        let passwords = self.app.passwords.clone();
        TestApp::node(config, self.schema.clone(), self.app.clock.clone(), storage, passwords).await
    }

    async fn node(
        config: Config,
        schema: Arc<Schema>,
        clock: Clock,
        storage: Storage,
        passwords: Passwords,
    ) -> TestApp {
        let db = db::Settings {
            url: cluster::throwaway().into(),
            connections: 4,
            timeout: Duration::from_secs(15),
            schema: Some(schema.to_string()),
        };
        let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
        let mails = Arc::new(Mutex::new(Vec::new()));
        let lifetime = TimeDelta::from_std(config.token_lifetime).unwrap();
        let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sandbox = config.payments.sandbox.then(|| Sandbox::new(SECRET, &url).unwrap());
        let app = App::new(Services {
            payments: Payments::new(sandbox, &config.payments.gateways, paypal_roots(), &clock).unwrap(),
            connections: Shares::new(config.limits.client_connections),
            sockets: Shares::new(config.limits.client_sockets),
            draining: CancellationToken::new(),
            node: Uuid::new_v4(),
            db: Db::new(&db).unwrap(),
            throttle: Throttle::memory(clock.clone()),
            pubsub: PubSub::local(),
            storage,
            ffmpeg: Ffmpeg::find(&config.video, config.path.as_deref(), &config.data).await.unwrap(),
            mailer: Mailer::Memory(mails.clone()),
            passwords,
            codes: Codes::new([SECRET.to_owned()]).unwrap(),
            tokens: Tokens::new(SECRET, &config.previous_secrets, lifetime, clock.clone()),
            seal: Seal::new(SECRET, &config.previous_secrets),
            epoch: Default::default(),
            revocations: Revocations::new(config.token_lifetime),
            identity: Providers::new(&config.identity, &clock).unwrap(),
            pusher: Pusher::new(&config, SECRET, &clock).unwrap(),
            api_tokens: ApiTokens::default(),
            hooks: lyceum::app::hooks(),
            metrics: Metrics::new(),
            config,
            clock,
            tasks,
            stopping,
        });
        let router = router(HttpState { app: app.clone(), executor: Executor::new(app.clone()).unwrap() });
        let serving = app.clone();
        app.tasks.spawn(accounts::watch_revocations(app.clone()));
        app.tasks.spawn(async move { server::serve(&serving, listener, router).await.unwrap() });
        TestApp { app, url, mails, client: super::http::client(), schema }
    }

    /// Sends an operation and returns the whole response body.
    pub(crate) async fn send(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let mut request = self.client.post(format!("{}/graphql", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
        response.json().await.unwrap()
    }

    /// Sends an operation that must succeed and returns its `data`.
    pub(crate) async fn data(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let mut body = self.send(token, query, variables).await;
        assert!(body.get("errors").is_none(), "{query}\n{body:#}");
        body["data"].take()
    }

    /// Sends a mutation of one root field with `input` and returns its payload, which must have no user errors.
    pub(crate) async fn mutate(&self, user: &User, field: &str, selection: &str, input: Value) -> Value {
        let payload = self.payload(user, field, selection, input).await;
        assert_eq!(payload["userErrors"], json!([]), "{field} {selection}\n{payload:#}");
        payload
    }

    /// The same for a mutation that may have user errors.
    pub(crate) async fn payload(&self, user: &User, field: &str, selection: &str, input: Value) -> Value {
        let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!(
            "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
        );
        self.data(Some(&user.token), &query, json!({ "input": input })).await[field].take()
    }

    /// The same for an update, of the version that is there now.
    pub(crate) async fn edit(&self, user: &User, field: &str, selection: &str, input: Value) -> Value {
        self.mutate(user, field, selection, self.current(user, input).await).await
    }

    /// The input of an update with the version that is there now.
    pub(crate) async fn current(&self, user: &User, mut input: Value) -> Value {
        let id = ["courseId", "sectionId", "lessonId", "channelId", "categoryId"]
            .iter()
            .find_map(|field| input.get(*field).cloned());
        let query = "query ($id: ID!) { node(id: $id) {
            ... on Course { version } ... on Section { version } ... on Lesson { version }
            ... on Channel { version } ... on Category { version } } }";
        let found = self.data(Some(&user.token), query, json!({ "id": id })).await;
        input["version"] = found["node"]["version"].clone();
        input
    }

    /// Somebody with `role`, written to the database without hashing a password.
    pub(crate) async fn user(&self, name: &str, role: Role) -> User {
        let person = lyceum::accounts::ImportedUser {
            email: format!("{}@people.example", name.to_lowercase()),
            name: name.into(),
            role,
            password_hash: "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nobody".into(),
        };
        let made = lyceum::accounts::import(&self.app, &[person]).await.unwrap();
        let client = Client::new(None, "test");
        let opened = self.app.db.transaction(async |tx| accounts::open(tx, &self.app, &client, &made[0]).await).await;
        User { id: made[0].id.encode(), token: opened.unwrap().tokens.access_token }
    }

    /// A student with a password, who has not signed in yet; the id.
    pub(crate) async fn account(&self, email: &str, name: &str, password: &str) -> String {
        let password_hash = self.app.passwords.hash(password.into()).await.unwrap();
        let (email, name) = (email.into(), name.into());
        let person = lyceum::accounts::ImportedUser { email, name, role: Role::Student, password_hash };
        accounts::import(&self.app, &[person]).await.unwrap()[0].id.encode()
    }

    /// A published course by `instructor` with `lessons` published lessons in one section.
    pub(crate) async fn course(&self, instructor: &User, title: &str, lessons: usize) -> Course {
        let course = self.mutate(instructor, "createCourse", "course { id slug }", json!({ "title": title })).await;
        let id = course["course"]["id"].as_str().unwrap().to_owned();
        let slug = course["course"]["slug"].as_str().unwrap().to_owned();
        let input = json!({ "courseId": id, "title": "Basics" });
        let section = self.mutate(instructor, "createSection", "section { id }", input).await;
        let section = section["section"]["id"].as_str().unwrap().to_owned();
        let course = Course { id, slug, section };
        for number in 1..=lessons {
            let lesson = self.lesson(instructor, &course, &format!("Lesson {number}")).await;
            self.publish(instructor, &lesson).await;
        }
        if lessons > 0 {
            self.mutate(instructor, "publishCourse", "course { id }", json!({ "courseId": course.id })).await;
        }
        course
    }

    /// A draft lesson with a video; returns its id.
    pub(crate) async fn lesson(&self, instructor: &User, course: &Course, title: &str) -> String {
        let lesson = self.lesson_without_video(instructor, course, title).await;
        self.attach_video(&lesson).await;
        lesson
    }

    /// A draft lesson that has no video yet; returns its id.
    pub(crate) async fn lesson_without_video(&self, instructor: &User, course: &Course, title: &str) -> String {
        let input = json!({ "sectionId": course.section, "title": title, "durationSeconds": 300 });
        let lesson = self.mutate(instructor, "createLesson", "lesson { id }", input).await;
        lesson["lesson"]["id"].as_str().unwrap().to_owned()
    }

    /// Gives a new lesson a video of its instructor that can be watched; of what is in it nothing is known.
    pub(crate) async fn attach_video(&self, lesson: &str) {
        let lesson = lesson.parse::<lyceum::catalog::LessonId>().unwrap().uuid();
        self.sql(&format!(
            "WITH video AS (
                INSERT INTO videos (id, owner_id, filename, object_key, content_type, size_bytes, status, progress_percent,
                    created_at, updated_at)
                SELECT lessons.id, instructor_id, 'film.mp4', 'videos/' || lessons.id || '/original', 'video/mp4', 1,
                    'READY', 100, lessons.created_at, lessons.created_at
                FROM lessons JOIN courses ON courses.id = course_id WHERE lessons.id = '{lesson}'
            ), shown AS (UPDATE lessons SET video_id = id WHERE id = '{lesson}')
            INSERT INTO video_references VALUES ('{lesson}', 'lesson', '{lesson}')"
        ))
        .await;
    }

    pub(crate) async fn publish(&self, instructor: &User, lesson: &str) {
        self.mutate(instructor, "publishLesson", "lesson { id status }", json!({ "lessonId": lesson })).await;
    }

    /// Dispatches every event and runs every due job.
    pub(crate) async fn settle(&self) {
        let registry = lyceum::app::registry().unwrap();
        dispatcher::tick(&self.app, &registry).await.unwrap();
        Worker::new(self.app.clone(), registry).drain().await.unwrap();
    }

    /// The first value that `sql` returns, as text; empty if there is none. What it changes, this node's loaders do not
    /// hear of: see [`TestApp::forget_rows`].
    pub(crate) async fn sql(&self, sql: &str) -> String {
        cluster::ask(cluster::throwaway(), &format!("SET search_path = {}; {sql}", self.schema)).await
    }

    /// Drops the rows that loaders keep, as when another node has said that everything changed.
    pub(crate) fn forget_rows(&self) {
        self.app.db.invalidation().everything_changed();
    }

    /// Runs the job `handler` now, and all that is due.
    pub(crate) async fn run(&self, handler: &str) {
        let key = Uuid::new_v4().to_string();
        let asked = async |tx: &mut db::Tx| jobs::enqueue(tx, &self.app.clock, handler, &json!({}), &key).await;
        self.app.db.transaction(asked).await.unwrap();
        self.settle().await;
    }

    /// How many SQL statements `query` needs when nothing is kept but prepared statements.
    pub(crate) async fn statements(&self, token: Option<&str>, query: &str, variables: Value) -> u64 {
        self.data(token, query, variables.clone()).await;
        let answer = async || {
            self.forget_rows();
            self.data(token, query, variables.clone()).await
        };
        self.counted(answer).await.0
    }

    /// How many SQL statements `work` needs, and its result; the least of three times.
    ///
    /// A machine that is too busy adds some: while the list of ended sessions is stale, a request asks for its own, and
    /// keys that come late miss their batch.
    pub(crate) async fn counted<T>(&self, work: impl AsyncFn() -> T) -> (u64, T) {
        let mut least = None;
        for _ in 0..3 {
            super::eventually("the list of ended sessions is fresh", async || self.app.revocations.is_fresh()).await;
            let before = self.app.db.statements();
            let result = work().await;
            let sent = self.app.db.statements() - before;
            if least.as_ref().is_none_or(|(least, _)| sent < *least) {
                least = Some((sent, result));
            }
        }
        least.expect("it ran three times")
    }
}

pub(crate) struct Course {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) section: String,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.app.stopping.cancel();
    }
}

/// A store at an address where nobody listens, for tests whose point is elsewhere.
fn unused_storage() -> Storage {
    Storage::connect(storage::Settings {
        endpoint: Some("http://127.0.0.1:9".into()),
        bucket: "unused".into(),
        region: "us-east-1".into(),
        access_key: "unused".into(),
        secret_key: "unused".into(),
    })
}

/// Why a mutation was refused: the code of the error, or of the first user error; "" if it was not.
pub(crate) fn code_of(body: &Value) -> &str {
    let user_error =
        body["data"].as_object().and_then(|data| data.values().next()).map(|it| &it["userErrors"][0]["code"]);
    let code = body["errors"][0]["extensions"]["code"].as_str();
    code.or_else(|| user_error?.as_str()).unwrap_or_default()
}
